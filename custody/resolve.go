package custody

// maxDepth is how many parents up the closure of containment goes: GPU, board, server, pallet, container, rack, hall.
const maxDepth = 8

// Own gives the state of a unit from its own events, as of an event time. A nil state: nothing was known.
type Own func(unit string, at Micros) (*State, error)

// Standing is where a unit stands at a time: its own word and that of what it is inside, whichever is later.
type Standing struct {
	Own     *State
	Site    string // a place, or ""
	Geo     string
	SiteAt  Micros // when the fact that decides the place happened
	SiteSeq int64
	Tier    int
	Inside  []string // what it is inside, nearest first
	Transit *Transit
	Holder  string
	HeldAt  Micros
	HeldSeq int64
	Owner   string
	OwnedAt Micros
}

// Resolve closes containment at the time of asking: a GPU is where its rack is. It returns nil when nothing is known of the unit.
func Resolve(own Own, unit string, at Micros) (*Standing, error) {
	return resolve(own, unit, at, 0)
}

func resolve(own Own, unit string, at Micros, depth int) (*Standing, error) {
	s, err := own(unit, at)
	if err != nil || s == nil {
		return nil, err
	}
	st := &Standing{Own: s, Holder: s.Holder, HeldAt: s.HeldBy.Time, HeldSeq: s.HeldBy.Seq, Owner: s.Owner, OwnedAt: s.OwnedBy.Time}
	if f := s.Fix; f != nil {
		st.Site, st.Geo, st.SiteAt, st.SiteSeq, st.Tier = f.Site, f.Geo, f.Time, f.Seq, f.Tier
	}
	if depth >= maxDepth {
		return st, nil
	}
	if t := s.Transit; t != nil {
		st.setTransit(t)
	}
	if err := st.inherit(own, at, depth); err != nil {
		return nil, err
	}
	st.takeCheckIn(s.CheckIn)
	return st, nil
}

func (st *Standing) setTransit(t *Transit) {
	st.Transit, st.Site, st.Geo, st.SiteAt, st.SiteSeq = t, "", "", t.Since, t.Seq
}

// inherit takes over what holds for the parents: of those left, as it was then; of the open ones, as it is at the time asked.
func (st *Standing) inherit(own Own, at Micros, depth int) error {
	s := st.Own
	if f := s.Fix; f != nil && f.Parent != "" && f.Site == "" && f.Geo == "" {
		p, err := resolve(own, f.Parent, f.Time-1, depth+1)
		if err != nil {
			return err
		}
		st.takePlace(p, f.Time, f.Time)
	}
	if b := s.Base; b != nil {
		p, err := resolve(own, b.Parent, b.At-1, depth+1)
		if err != nil {
			return err
		}
		st.takeParties(p, b.At)
	}
	for _, l := range []struct {
		link *Link
		what string
	}{{s.Assoc, "AssociationEvent"}, {s.Agg, "AggregationEvent"}} {
		if l.link == nil {
			continue
		}
		if err := st.inheritLink(own, l.link, l.what, at, depth); err != nil {
			return err
		}
	}
	return nil
}

func (st *Standing) inheritLink(own Own, l *Link, what string, at Micros, depth int) error {
	if IsPlace(l.Parent) {
		if l.From >= st.SiteAt && st.Site == "" && st.Transit == nil {
			st.Site, st.SiteAt, st.SiteSeq = l.Parent, l.From, l.Seq
		}
		return nil
	}
	parent, err := own(l.Parent, at)
	if err != nil {
		return err
	}
	end, open := closedAt(parent, l, what)
	if !open {
		p, err := resolve(own, l.Parent, end-1, depth+1)
		if err != nil {
			return err
		}
		st.takePlace(p, end, end)
		st.takeParties(p, end)
		return nil
	}
	p, err := resolve(own, l.Parent, at, depth+1)
	if err != nil {
		return err
	}
	if p == nil {
		st.Inside = append(st.Inside, l.Parent)
		return nil
	}
	st.takePlace(p, l.From, l.From)
	st.takeParties(p, l.From)
	st.Inside = append(append(st.Inside, l.Parent), p.Inside...)
	return nil
}

// closedAt says when a link ended although the child's own events do not: the parent was emptied.
func closedAt(parent *State, l *Link, what string) (Micros, bool) {
	if parent != nil {
		for _, m := range parent.Emptied {
			if m.What == what && m.Time > l.From {
				return m.Time, false
			}
		}
	}
	return 0, true
}

// takePlace takes over the parent's place when it is news: the parent's fact counts from the time at which the link began.
// A link's own event often tells a place too; then the parent, which both share, decides.
func (st *Standing) takePlace(p *Standing, from, notBefore Micros) {
	if p == nil {
		return
	}
	at := max(p.SiteAt, from)
	if at < st.SiteAt || at < notBefore {
		return
	}
	if p.Transit != nil {
		st.Transit, st.Site, st.Geo = p.Transit, "", ""
		st.SiteAt, st.SiteSeq = p.SiteAt, p.SiteSeq
		return
	}
	if p.Site == "" && p.Geo == "" {
		return
	}
	st.Site, st.Geo, st.SiteAt, st.SiteSeq, st.Tier, st.Transit = p.Site, p.Geo, at, p.SiteSeq, p.Tier, nil
}

func (st *Standing) takeParties(p *Standing, from Micros) {
	if p == nil {
		return
	}
	if at := max(p.HeldAt, from); p.Holder != "" && (at >= st.HeldAt || st.Holder == "") {
		st.Holder, st.HeldAt, st.HeldSeq = p.Holder, p.HeldAt, p.HeldSeq
	}
	if p.Owner != "" && (p.OwnedAt >= st.OwnedAt || st.Owner == "") {
		st.Owner, st.OwnedAt = p.Owner, p.OwnedAt
	}
}

// takeCheckIn: a unit that says itself where it is outranks paper that is older.
func (st *Standing) takeCheckIn(c *Sight) {
	if c == nil || c.Time < st.SiteAt {
		return
	}
	if c.Place != "" && (c.Place != st.Site || st.Transit != nil) {
		st.Site, st.Geo, st.SiteAt, st.Transit = c.Place, c.Geo, c.Time, nil
		st.SiteSeq = c.Seq
	}
	if c.Geo != "" {
		st.Geo = c.Geo
	}
	st.Tier = max(st.Tier, c.Tier)
}
