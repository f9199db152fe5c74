package detect

// roster is the units that check in at one site, each with what it takes to see that it is not overdue: that is asked of every unit
// every day, and most are not.
type roster struct {
	list []due
	pos  map[string]int // where in the list a unit stands
}

// due is of a Unit what says when its next check-in counts as missed.
type due struct {
	unit, holder string
	last, lag    Micros
	count        int
}

func (r *roster) put(d due) {
	if i, ok := r.pos[d.unit]; ok {
		r.list[i] = d
		return
	}
	r.pos[d.unit] = len(r.list)
	r.list = append(r.list, d)
}

func (r *roster) drop(unit string) {
	i, ok := r.pos[unit]
	if !ok {
		return
	}
	last := len(r.list) - 1
	r.list[i] = r.list[last]
	r.pos[r.list[i].unit] = i
	r.list = r.list[:last]
	delete(r.pos, unit)
}

// place keeps the roster of the site at which a unit checks in.
func (m *Memory) place(unit string, u *Unit) {
	if u.Site == "" {
		return
	}
	r := m.at[u.Site]
	if r == nil {
		r = &roster{pos: map[string]int{}}
		m.at[u.Site] = r
	}
	r.put(due{unit, u.Holder, u.Last, u.Lag, u.Count})
}

// heardFrom says whether any unit checks in at a site.
func (m *Memory) heardFrom(site string) bool {
	r := m.at[site]
	return r != nil && len(r.list) > 0
}
