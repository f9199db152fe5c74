package custody

import (
	"slices"
	"time"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// Registrar speaks for a deployment itself: what nobody else could be named for is said by it.
const Registrar = "https://tidewaiter.org/party/registrar"

// maxAhead is how far an event may claim to lie after the time at which we knew of it: more is a wrong clock.
const maxAhead = 48 * time.Hour

// Fold makes the state of a unit from all that was told about it, in any order.
func Fold(unit string, told []*Telling) *State {
	order := slices.Clone(told)
	slices.SortFunc(order, func(a, b *Telling) int {
		if c := keyOf(a).compare(keyOf(b)); c != 0 {
			return c
		}
		return int(a.Seq - b.Seq) // the same event told twice: the first telling counts
	})
	gone, foreign := withdrawn(order)
	s := &State{Unit: unit}
	for _, t := range order {
		switch {
		case t.Event.ErrorDeclaration != nil:
			if foreign[t.Seq] {
				s.problem(t, "foreign-error-declaration", "declared erroneous by a party that did not report it")
			}
		case gone[t.Name]:
		default:
			s.Apply(t)
		}
	}
	return s
}

// InOrder says whether Apply may extend the state by t, or the unit must be folded anew.
func (s *State) InOrder(t *Telling) bool {
	return t.Event.ErrorDeclaration == nil && (s.Folded == 0 || keyOf(t).compare(s.Last) > 0)
}

func keyOf(t *Telling) Key { return Key{At(t.Event.Time), t.Name} }

// withdrawn finds the events that their own speaker (or the registrar) declared erroneous, and the declarations by anybody else.
func withdrawn(told []*Telling) (gone map[string]bool, foreign map[int64]bool) {
	gone, foreign = map[string]bool{}, map[int64]bool{}
	var said map[string]map[string]bool // name -> speakers
	for _, t := range told {
		if t.Event.ErrorDeclaration != nil {
			said = map[string]map[string]bool{}
		}
	}
	if said == nil {
		return gone, foreign
	}
	for _, t := range told {
		if t.Event.ErrorDeclaration == nil {
			if said[t.Name] == nil {
				said[t.Name] = map[string]bool{}
			}
			said[t.Name][t.Speaker] = true
		}
	}
	for _, t := range told {
		if t.Event.ErrorDeclaration == nil {
			continue
		}
		if by := said[t.Name]; by == nil || by[t.Speaker] || t.Speaker == Registrar {
			gone[t.Name] = true
		} else {
			foreign[t.Seq] = true
		}
	}
	return gone, foreign
}

// Apply extends the state by the next event in order.
func (s *State) Apply(t *Telling) {
	if t.Event.Time.After(t.Recorded.Add(maxAhead)) || t.Event.Time.Unix() < 0 {
		s.problem(t, "implausible-time", "the event says "+t.Event.Time.UTC().Format(time.RFC3339)+", which its record contradicts")
		return
	}
	key := keyOf(t)
	if s.Folded > 0 && key == s.Last {
		return // the same event, told by another speaker as well
	}
	s.Last, s.Folded = key, s.Folded+1
	role := s.roleIn(t)
	if t.Claim && (s.Holder != "" || s.Base != nil) {
		s.Claims = lastOf(append(s.Claims, s.mark(t)), keepSeen)
		return
	}
	if s.Ended != nil {
		s.problem(t, "use-after-end", "it was reported "+s.Ended.What+" before")
	}
	s.applyWhere(t, role)
	s.applyWhat(t, role)
	s.applyFlags(t)
}

func (s *State) roleIn(t *Telling) Role {
	ev := t.Event
	switch {
	case ev.ParentID == s.Unit && ev.Type != epcis.TransactionEvent:
		return RoleParent
	case slices.Contains(ev.InputEPCs, s.Unit):
		return RoleInput
	case slices.Contains(ev.OutputEPCs, s.Unit):
		return RoleOutput
	case slices.Contains(ev.ChildEPCs, s.Unit):
		return RoleChild
	}
	return RoleObject
}

// applyWhat takes in what happened to the unit.
func (s *State) applyWhat(t *Telling, role Role) {
	ev := t.Event
	switch role {
	case RoleParent:
		s.applyParent(t)
	case RoleChild:
		s.applyChild(t)
	case RoleInput:
		s.end(t, "transformed")
	case RoleOutput:
		s.born(t)
	}
	if ev.Type == epcis.TransactionEvent {
		s.applyOwner(t)
		return
	}
	if role == RoleObject && (ev.Type == epcis.ObjectEvent && ev.Action == epcis.Add || ev.BizStep == "commissioning") {
		s.born(t)
	}
	switch StepOf(ev.BizStep) {
	case StepDispatch:
		s.dispatch(t)
	case StepReceipt:
		s.receive(t)
	case StepVoid:
		s.void(t)
	case StepEnd:
		s.end(t, ev.BizStep)
	default:
		if role == RoleObject && ev.Type == epcis.ObjectEvent && ev.Action == epcis.Delete {
			s.end(t, "deleted")
		}
		s.applyOwner(t)
		if s.Holder == "" && s.Base == nil && !t.IsCheckIn() && t.Text("sighting") == "" {
			s.hold(t, t.Speaker)
		}
	}
}

func (s *State) born(t *Telling) {
	if s.Born != nil {
		s.problem(t, "commissioned-twice", "the identifier was already in use")
		return
	}
	if s.Folded > 1 {
		s.problem(t, "use-before-commissioning", "events of it lie before its commissioning")
	}
	m := s.mark(t)
	s.Born = &m
	if s.Holder == "" {
		s.hold(t, t.Speaker)
	}
}

func (s *State) end(t *Telling, what string) {
	if s.Ended == nil {
		m := s.mark(t)
		m.What = what
		s.Ended = &m
	}
}

func (s *State) hold(t *Telling, party string) {
	if party == "" || party == Registrar {
		return
	}
	s.Holder, s.HeldBy, s.Base = party, s.mark(t), nil
}

func (s *State) applyOwner(t *Telling) {
	if o := t.Destination("owning_party"); o != "" {
		s.Owner, s.OwnedBy = o, s.mark(t)
	}
}

func (s *State) dispatch(t *Telling) {
	from, to := t.Source("possessing_party"), t.Destination("possessing_party")
	switch {
	case s.Transit != nil && from != "" && from == s.Transit.To:
		s.problem(t, "receipt-missing", "it was sent on by a party that never reported its receipt")
	case s.Transit != nil && (t.Text("consignment") != s.Transit.Consignment || to != s.Transit.To):
		s.problem(t, "shipped-twice", "it was sent again before its receipt was reported")
	case from == "" || s.Transit != nil:
	case s.inherits():
		s.check(Check{Kind: "ship-without-possession", Seqs: []int64{t.Seq}, Time: At(t.Event.Time), Other: s.parentNow(), Party: from})
	case s.Holder != "" && s.Holder != from:
		s.problem(t, "ship-without-possession", "it was in the custody of "+s.Holder)
	}
	if from != "" {
		s.hold(t, from)
	}
	if t.Event.BizStep == "consigning" && to != "" {
		s.hold(t, to)
	}
	toSite := t.Destination("location")
	s.Transit = &Transit{Consignment: t.Text("consignment"), From: from, To: to, ToSite: toSite, Since: At(t.Event.Time), Seq: t.Seq}
	if s.Fix != nil {
		s.Transit.FromSite = s.Fix.Site
	}
	s.applyOwner(t)
}

func (s *State) receive(t *Telling) {
	to := t.Destination("possessing_party")
	switch {
	case s.Transit != nil && to != "" && s.Transit.To != "" && to != s.Transit.To:
		s.problem(t, "received-by-another", "it was sent to "+s.Transit.To)
	case s.Transit != nil:
	case s.inherits():
		s.check(Check{Kind: "receive-without-ship", Seqs: []int64{t.Seq}, Time: At(t.Event.Time), Other: s.parentNow(), Party: to})
	default:
		s.problem(t, "receive-without-ship", "no shipment of it was open")
	}
	s.Transit = nil
	if to == "" {
		to = t.Speaker
	}
	s.hold(t, to)
	s.applyOwner(t)
}

func (s *State) void(t *Telling) {
	if s.Transit == nil {
		s.problem(t, "void-without-ship", "no shipment of it was open")
		return
	}
	if s.Fix == nil || s.Fix.Site == "" {
		s.Fix = s.fix(t, s.Transit.FromSite, "")
	}
	s.Transit = nil
}

// inherits says whether place and holder may come from something else than the unit's own events.
func (s *State) inherits() bool {
	return s.Assoc != nil || s.Agg != nil || s.Base != nil
}

func (s *State) parentNow() string {
	switch {
	case s.Agg != nil:
		return s.Agg.Parent
	case s.Assoc != nil:
		return s.Assoc.Parent
	case s.Base != nil:
		return s.Base.Parent
	}
	return ""
}

func (s *State) mark(t *Telling) Mark {
	return Mark{Time: At(t.Event.Time), Seq: t.Seq, By: t.Speaker, What: t.Event.BizStep}
}

func (s *State) fix(t *Telling, site, geo string) *Fix {
	return &Fix{Time: At(t.Event.Time), Seq: t.Seq, Site: site, Geo: geo, Tier: t.Tier()}
}

func (s *State) problem(t *Telling, kind, note string) {
	for i := range s.Problems {
		if p := &s.Problems[i]; p.Kind == kind {
			p.Count++
			if len(p.Seqs) < keepSeqs {
				p.Seqs = append(p.Seqs, t.Seq)
			}
			return
		}
	}
	s.Problems = append(s.Problems, Problem{Kind: kind, Count: 1, Seqs: []int64{t.Seq}, Note: note, First: At(t.Event.Time)})
}

func (s *State) check(c Check) { s.Checks = lastOf(append(s.Checks, c), keepChecks) }

func lastOf[T any](list []T, n int) []T {
	if len(list) > n {
		return slices.Delete(list, 0, len(list)-n)
	}
	return list
}
