package custody

import (
	"cmp"
	"slices"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// applyWhere takes in where the event says the unit is, and remembers what should be asked about it.
func (s *State) applyWhere(t *Telling) {
	site, geo := t.Place(), t.Geo()
	if site == "" && geo == "" {
		return
	}
	s.askWhere(t, site, geo)
	s.Fix = s.fix(t, site, geo)
}

// askWhere asks whether the unit can have come here from where it was seen before, and whether what it is inside is here too.
// An event that puts it in or takes it out says so itself.
func (s *State) askWhere(t *Telling, site, geo string) {
	here, now := cmp.Or(site, geo), At(t.Event.Time)
	before, since, seq := s.lastSeenAt()
	if before != "" && near(before, here) {
		return
	}
	// Within a day a cargo aircraft reaches every place on Earth: only shorter gaps are worth asking about.
	if before != "" && now-since <= Day {
		s.check(Check{Kind: "impossible-travel", Seqs: []int64{seq, t.Seq}, Time: now, Since: since, Other: before, Place: here})
	}
	if l := s.linkNow(); l != nil && t.role(s.Unit) != RoleChild {
		s.check(Check{Kind: "away-from-parent", Seqs: []int64{l.Seq, t.Seq}, Time: now, Other: l.Parent, Place: here})
	}
}

// near says whether two places need no journey between them, as far as their names tell: the same site, or positions that are
// no further apart than positions are wrong.
func near(a, b string) bool {
	if SameSite(a, b) {
		return true
	}
	lat1, lon1, ok1 := GeoPoint(a)
	lat2, lon2, ok2 := GeoPoint(b)
	return ok1 && ok2 && Kilometres(lat1, lon1, lat2, lon2) <= nearKm/2
}

// lastSeenAt is the last place at which the unit's own events put it.
func (s *State) lastSeenAt() (place string, at Micros, seq int64) {
	if f := s.Fix; f != nil && (f.Site != "" || f.Geo != "") {
		place, at, seq = cmp.Or(f.Site, f.Geo), f.Time, f.Seq
	}
	if c := s.CheckIn; c != nil && c.Time >= at {
		place, at, seq = cmp.Or(c.Place, c.Geo), c.Time, c.Seq
	}
	return place, at, seq
}

// applyParent: something was put into the unit, seen inside it, or taken out of it.
func (s *State) applyParent(t *Telling) {
	ev := t.Event
	switch {
	case slices.Contains(ev.ChildEPCs, s.Unit):
		s.problem(t, "inside-itself", "it was said to be inside itself", "")
	case ev.Action != epcis.Delete:
		s.Parent = true
	case len(ev.ChildEPCs) == 0 && len(ev.ChildQuantities) == 0:
		if !s.Parent {
			s.problem(t, "delete-without-link", "nothing was known to be inside", "")
		}
		m := s.mark(t)
		m.What = string(ev.Type)
		s.Emptied = lastOf(append(s.Emptied, m), keepEmpty)
	}
}

const (
	association = string(epcis.AssociationEvent)
	aggregation = string(epcis.AggregationEvent)
)

// applyChild: the unit was put into something, seen inside it, or taken out of it.
func (s *State) applyChild(t *Telling) {
	parent := t.Event.ParentID
	if parent == "" {
		return
	}
	link := &s.Agg
	if t.Event.Type == epcis.AssociationEvent {
		link = &s.Assoc
	}
	switch t.Event.Action {
	case epcis.Add:
		s.putInto(t, link, parent)
	case epcis.Delete:
		s.takeOut(t, link, parent)
	case epcis.Observe:
		if *link == nil {
			s.putInto(t, link, parent)
		} else if (*link).Parent != parent {
			s.askParent(t, *link, string(t.Event.Type), parent)
		}
	}
}

func (s *State) putInto(t *Telling, link **Link, parent string) {
	now, what := At(t.Event.Time), string(t.Event.Type)
	if old := *link; old != nil {
		if old.Parent == parent {
			old.Again = now
			return
		}
		s.askParent(t, old, what, parent)
		s.force(t, old, what)
	}
	*link = &Link{Parent: parent, From: now, Seq: t.Seq}
	switch {
	case what == association && s.Agg != nil && s.Agg.Parent != parent:
		// What is built in has been unpacked, whether or not anybody said so.
		s.askParent(t, s.Agg, aggregation, parent)
		s.force(t, s.Agg, aggregation)
		s.Agg = nil
	case what == aggregation && s.Assoc != nil && !IsPlace(s.Assoc.Parent):
		s.askParent(t, s.Assoc, association, parent) // unless both are packed, it was taken out before
	}
}

// askParent asks whether the unit was still inside something when it was put, or seen, elsewhere.
func (s *State) askParent(t *Telling, old *Link, what, parent string) {
	s.check(Check{
		Kind: "two-parents", Seqs: []int64{old.Seq, t.Seq}, Time: At(t.Event.Time), Since: old.From, Again: old.Again, Other: old.Parent,
		Place: parent, What: what,
	})
}

// force ends a link because the unit was put elsewhere.
func (s *State) force(t *Telling, old *Link, what string) {
	s.leave(t, old, what)
	s.Past[len(s.Past)-1].Forced = true
}

func (s *State) takeOut(t *Telling, link **Link, parent string) {
	old := *link
	if old == nil || old.Parent != parent {
		if !s.wasForced(parent) {
			s.problem(t, "delete-without-link", "it was not known to be inside ", parent)
		}
		return
	}
	*link = nil
	s.leave(t, old, string(t.Event.Type))
	// What the event leaves open is what held for the parent at that moment.
	f := s.fix(t, t.Place(), t.Geo())
	f.Parent = parent
	s.Fix = f
}

// wasForced: that the unit was taken out comes as no surprise, for it was put elsewhere since; that has been asked about.
func (s *State) wasForced(parent string) bool {
	for i := range s.Past {
		if l := &s.Past[i]; l.Parent == parent && l.Forced {
			l.Forced = false
			return true
		}
	}
	return false
}

// leave ends a link. What the unit does not say of its parties itself is what was said of the parent's while it was inside.
func (s *State) leave(t *Telling, l *Link, what string) {
	now := At(t.Event.Time)
	l.To, l.ToSeq = now, t.Seq
	s.Past = lastOf(append(s.Past, *l), keepPast)
	if !IsPlace(l.Parent) {
		s.Bases = lastOf(append(s.Bases, Base{Parent: l.Parent, At: now, From: l.From, Again: l.Again, What: what}), keepBases)
	}
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
