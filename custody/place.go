package custody

import (
	"github.com/tidewaiter/tidewaiter/epcis"
)

// applyWhere takes in where the event says the unit is, and remembers what should be asked about it.
func (s *State) applyWhere(t *Telling, role Role) {
	site, geo := t.Place(), t.Geo()
	if kind := t.Text("sighting"); kind != "" {
		s.Sightings = lastOf(append(s.Sightings, Sight{
			Time: At(t.Event.Time), Seq: t.Seq, Place: site, Geo: geo, Tier: t.Tier(), By: t.Speaker, Kind: kind,
		}), keepSeen)
		return
	}
	if site == "" && geo == "" {
		return
	}
	s.askTravel(t, site)
	if t.IsCheckIn() {
		s.checkIn(t, site, geo)
		return
	}
	if t.Event.Type == epcis.TransactionEvent && site == "" {
		return
	}
	s.Fix = s.fix(t, site, geo)
}

func (s *State) checkIn(t *Telling, site, geo string) {
	before := s.CheckIn
	s.CheckIn = &Sight{Time: At(t.Event.Time), Seq: t.Seq, Place: site, Geo: geo, Tier: t.Tier()}
	moved := before == nil || before.Place != site
	if moved && site != "" && s.inherits() {
		s.check(Check{Kind: "away-from-parent", Seqs: []int64{t.Seq}, Time: At(t.Event.Time), Other: s.parentNow(), Place: site})
	}
}

// askTravel asks whether the unit can have come here from where it was seen before. Above a day every two places on Earth are
// within reach of a cargo aircraft, so only shorter gaps are worth asking about.
func (s *State) askTravel(t *Telling, site string) {
	place, since, seq := s.lastSeenAt()
	now := At(t.Event.Time)
	if place == "" || site == "" || place == site || now-since > Day {
		return
	}
	s.check(Check{Kind: "impossible-travel", Seqs: []int64{seq, t.Seq}, Time: now, Since: since, Other: place, Place: site})
}

// lastSeenAt is the last place at which the unit's own events put it.
func (s *State) lastSeenAt() (place string, at Micros, seq int64) {
	if f := s.Fix; f != nil && f.Site != "" {
		place, at, seq = f.Site, f.Time, f.Seq
	}
	if c := s.CheckIn; c != nil && c.Place != "" && c.Time >= at {
		place, at, seq = c.Place, c.Time, c.Seq
	}
	return place, at, seq
}

// applyParent: something was put into the unit or taken out of it.
func (s *State) applyParent(t *Telling) {
	ev := t.Event
	switch {
	case ev.Action == epcis.Add:
		s.Parent = true
	case ev.Action == epcis.Delete && len(ev.ChildEPCs) == 0 && len(ev.ChildQuantities) == 0:
		if !s.Parent {
			s.problem(t, "delete-without-link", "nothing was known to be inside")
		}
		m := s.mark(t)
		m.What = string(ev.Type)
		s.Emptied = lastOf(append(s.Emptied, m), keepEmpty)
	}
}

// applyChild: the unit was put into something, seen inside it, or taken out of it.
func (s *State) applyChild(t *Telling) {
	ev := t.Event
	link := &s.Agg
	if ev.Type == epcis.AssociationEvent {
		link = &s.Assoc
	}
	parent := ev.ParentID
	if parent == "" {
		return
	}
	switch ev.Action {
	case epcis.Add:
		s.putInto(t, link, parent)
	case epcis.Delete:
		s.takeOut(t, link, parent)
	case epcis.Observe:
		if *link == nil {
			s.putInto(t, link, parent)
		} else if (*link).Parent != parent {
			s.check(Check{Kind: "two-parents", Seqs: []int64{(*link).Seq, t.Seq}, Time: At(ev.Time), Since: (*link).From, Other: (*link).Parent, Place: parent})
		}
	}
}

func (s *State) putInto(t *Telling, link **Link, parent string) {
	now := At(t.Event.Time)
	if old := *link; old != nil {
		if old.Parent == parent {
			return
		}
		s.check(Check{Kind: "two-parents", Seqs: []int64{old.Seq, t.Seq}, Time: now, Since: old.From, Other: old.Parent, Place: parent})
		s.close(old, now, t.Seq)
	}
	*link = &Link{Parent: parent, From: now, Seq: t.Seq}
}

func (s *State) takeOut(t *Telling, link **Link, parent string) {
	now := At(t.Event.Time)
	old := *link
	if old == nil || old.Parent != parent {
		s.problem(t, "delete-without-link", "it was not known to be inside "+parent)
		return
	}
	s.close(old, now, t.Seq)
	*link = nil
	// What the event leaves open is what held for the parent at that moment.
	f := s.fix(t, t.Place(), t.Geo())
	f.Parent = parent
	s.Fix = f
	s.Holder, s.HeldBy, s.Base = "", Mark{}, &Base{Parent: parent, At: now}
}

func (s *State) close(l *Link, at Micros, seq int64) {
	l.To, l.ToSeq = at, seq
	s.Past = lastOf(append(s.Past, *l), keepPast)
}

// applyFlags keeps the dispositions that last until they are unset (CBV 2.0 §7.2), and loss and theft however they are told.
func (s *State) applyFlags(t *Telling) {
	set := func(word string) {
		if s.Flags == nil {
			s.Flags = map[string]Mark{}
		}
		s.Flags[word] = s.mark(t)
	}
	for _, w := range t.Event.PersistentUnset {
		delete(s.Flags, w)
	}
	for _, w := range t.Event.PersistentSet {
		set(w)
	}
	switch w := t.Event.Disposition; w {
	case "stolen", "non_conformant", "destroyed":
		set(w)
	case "conformant":
		delete(s.Flags, "non_conformant")
	}
	if len(s.Flags) == 0 {
		s.Flags = nil
	}
}
