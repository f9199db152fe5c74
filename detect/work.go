package detect

import (
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// observeWork takes in what people and their systems do with units: send, receive, own, inspect, withdraw.
func (m *Memory) observeWork(t *custody.Telling) {
	m.noteWord(t)
	switch custody.StepOf(t.Event.BizStep) {
	case custody.StepDispatch:
		m.observeDispatch(t)
	case custody.StepReceipt:
		m.observeReceipt(t)
	case custody.StepVoid:
		if l := m.loadOf(t); l != nil {
			l.Void = true
			m.loads.Put(l.ID, l)
		}
	}
	if t.Event.BizStep == "arriving" {
		m.observeReceipt(t)
	}
	if owner := t.Destination("owning_party"); owner != "" {
		m.through(t, m.acceleratorsIn(t), owner, "owner")
	}
	if t.Event.BizStep == "inspecting" {
		m.observeInspection(t)
	}
}

// noteWord remembers when something was first said of units since their last check-in that would explain their silence: that they were
// sent, received, taken out, put in or scrapped.
func (m *Memory) noteWord(t *custody.Telling) {
	if custody.StepOf(t.Event.BizStep) == custody.StepSeen && t.Event.ParentID == "" {
		return
	}
	at := custody.At(t.Event.Time)
	for _, unit := range m.acceleratorsIn(t) {
		if u := m.Unit(unit); u != nil && at > u.Last-Day && (u.Word == 0 || at < u.Word) {
			u.Word, u.WordKnown = at, custody.At(t.Recorded)
			m.units.Put(unit, u)
		}
	}
}

// acceleratorsIn lists the accelerators that an event is about, by name or as contents.
func (m *Memory) acceleratorsIn(t *custody.Telling) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range t.Units() {
		if n.Role == custody.RoleParent && len(t.Event.ChildEPCs) > 0 {
			continue
		}
		for _, unit := range m.Accelerators(n.Unit) {
			if !seen[unit] {
				seen[unit] = true
				out = append(out, unit)
			}
		}
	}
	return out
}

// through remembers that units went through a party's hands, books or purse.
func (m *Memory) through(t *custody.Telling, units []string, party, role string) {
	if party == "" || party == custody.Registrar || len(units) == 0 {
		return
	}
	p := m.change(party)
	at := custody.At(t.Event.Time)
	if p.First == 0 || at < p.First {
		p.First, p.FirstSeq = at, t.Seq
	}
	for _, unit := range units {
		u := have(m, m.units, unit)
		if !slices.ContainsFunc(u.Path, func(h Hop) bool { return h.Party == party }) {
			p.Units++
		}
		if !slices.ContainsFunc(u.Path, func(h Hop) bool { return h.Party == party && h.Role == role }) {
			u.Path = append(u.Path, Hop{Party: party, Role: role, At: at, Seq: t.Seq})
		}
	}
}

func (m *Memory) observeDispatch(t *custody.Telling) {
	l := m.loadFor(t)
	at := custody.At(t.Event.Time)
	units := m.acceleratorsIn(t)
	l.Settled = false
	l.Legs = append(l.Legs, Leg{At: at, Known: custody.At(t.Recorded), Seq: t.Seq, From: t.Source("possessing_party"), To: t.Destination("possessing_party"),
		Site: siteOf(first(t.Place(), t.Source("location"))), ToSite: siteOf(t.Destination("location")), Speaker: t.Speaker})
	for _, u := range units {
		if !slices.Contains(l.Units, u) {
			l.Units = append(l.Units, u)
		}
	}
	m.readPapers(l, t)
	m.loads.Put(l.ID, l)
	m.through(t, units, t.Source("possessing_party"), "consignor")
	m.through(t, units, t.Source("owning_party"), "owner")
	m.through(t, units, l.EndUser, "endUser")
	m.through(t, units, l.Payer, "payer")
	to := t.Destination("possessing_party")
	if to != "" && len(units) > 0 {
		p := m.change(to)
		if l.Payer != "" {
			if p.Payers == nil {
				p.Payers = map[string]int{}
			}
			p.Payers[l.Payer] += len(units)
		}
	}
}

// readPapers keeps what the papers of a consignment say; a later leg may say it anew.
func (m *Memory) readPapers(l *Load, t *custody.Telling) {
	m.readOrigin(l, t)
	if len(l.Legs) == 1 {
		for _, q := range t.Event.Quantities {
			l.Pieces += q.Quantity
			l.Classes = append(l.Classes, q.Class)
		}
		for _, q := range t.Event.ChildQuantities {
			l.Pieces += q.Quantity
			l.Classes = append(l.Classes, q.Class)
		}
	}
	l.Desc = first(t.Text("declaredDescription"), l.Desc)
	l.HSCode = first(t.Text("declaredHSCode"), l.HSCode)
	l.EndUser = first(canonical(t.Text("endUser")), l.EndUser)
	l.EndUse = first(t.Text("endUseCountry"), l.EndUse)
	l.Payer = first(canonical(t.Text("payer")), l.Payer)
	if v := amount(t); v > 0 {
		l.Value = v
	}
	if kg := number(t.Text("grossWeightKg")); kg > 0 {
		l.WeightKg = kg
	}
	if t.Transaction("rma") != "" {
		l.RMA = true
	}
}

// readOrigin keeps from whom a load comes and to whom it goes in the end, whichever party carries it.
func (m *Memory) readOrigin(l *Load, t *custody.Telling) {
	for _, n := range t.Units() {
		if isHandle(n.Unit) && !slices.Contains(l.Handles, n.Unit) {
			l.Handles = append(l.Handles, n.Unit)
			m.handles.Put(n.Unit, &Handle{Load: l.ID})
		}
	}
	at := custody.At(t.Event.Time)
	if from := t.Source("possessing_party"); from != "" && (l.Origin == "" || at < l.OriginAt) {
		l.Origin, l.OriginSite, l.OriginAt = from, siteOf(t.Source("location")), at
	}
	l.Final = first(t.Destination("owning_party"), l.Final)
}

func (m *Memory) observeReceipt(t *custody.Telling) {
	units := m.acceleratorsIn(t)
	to := first(t.Destination("possessing_party"), t.Speaker)
	l := m.loadOf(t)
	if l == nil && len(units) == 0 && t.Text("consignment") != "" {
		l = m.loadFor(t) // a carrier's scan may be the first that is heard of a parcel
	}
	if l != nil {
		l.Receipts = append(l.Receipts, Leg{At: custody.At(t.Event.Time), Known: custody.At(t.Recorded), Seq: t.Seq, From: t.Source("possessing_party"), To: to,
			Site: siteOf(first(t.Place(), t.Destination("location"))), Speaker: t.Speaker})
		m.readOrigin(l, t)
		m.loads.Put(l.ID, l)
	}
	if t.Event.BizStep == "arriving" {
		return
	}
	if len(units) > 0 && to != "" {
		m.through(t, units, to, "holder")
		p := m.change(to)
		p.Received += len(units)
	}
}

func (m *Memory) observeInspection(t *custody.Telling) {
	if t.Event.Disposition == "non_conformant" {
		return
	}
	at := custody.At(t.Event.Time)
	units := m.acceleratorsIn(t)
	bySite := map[string]int{}
	for _, unit := range units {
		u := have(m, m.units, unit)
		if at > u.Passed {
			u.Passed, u.PassSeq, u.PassBy = at, t.Seq, t.Speaker
		}
		if u.Site != "" {
			bySite[u.Site]++
		}
	}
	if site := siteOf(t.Place()); site != "" {
		bySite[site] = max(bySite[site], len(units))
	}
	for site, n := range bySite {
		s := m.Site(site)
		if s == nil {
			continue
		}
		s.Passed = append(s.Passed, Pass{At: at, Seq: t.Seq, By: t.Speaker, Units: n})
		if len(s.Passed) > 12 {
			s.Passed = s.Passed[1:]
		}
		m.sites.Put(site, s)
	}
}

// loadOf finds the load that an event is about: by its consignment, else by a parcel that is already under way, else by what
// was shipped in it.
func (m *Memory) loadOf(t *custody.Telling) *Load {
	if c := t.Text("consignment"); c != "" {
		return get(m, m.loads, c)
	}
	for _, n := range t.Units() {
		if h := get(m, m.handles, n.Unit); isHandle(n.Unit) && h != nil {
			return get(m, m.loads, h.Load)
		}
	}
	return nil
}

// loadFor is loadOf, or a new load.
func (m *Memory) loadFor(t *custody.Telling) *Load {
	if l := m.loadOf(t); l != nil {
		return l
	}
	l := &Load{ID: loadID(t)}
	i, _ := slices.BinarySearch(m.loadList, l.ID)
	m.loadList = slices.Insert(m.loadList, i, l.ID)
	m.loads.Put(l.ID, l)
	return l
}

func loadID(t *custody.Telling) string {
	if c := t.Text("consignment"); c != "" {
		return c
	}
	return "event:" + t.Name
}

// withdraw undoes what an event that was declared erroneous left in memory, as far as detectors rely on it: its dispatch.
func (m *Memory) withdraw(t *custody.Telling) {
	if custody.StepOf(t.Event.BizStep) != custody.StepDispatch {
		return
	}
	l := m.loadOf(t)
	if l == nil {
		l = get(m, m.loads, "event:"+t.Name)
	}
	if l == nil {
		return
	}
	at := custody.At(t.Event.Time)
	l.Legs = slices.DeleteFunc(l.Legs, func(g Leg) bool { return g.At == at && g.From == t.Source("possessing_party") })
	l.Void = len(l.Legs) == 0
	m.loads.Put(l.ID, l)
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
