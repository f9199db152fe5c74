package custody

import (
	"slices"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// applyWhat takes in what happened to the unit.
func (s *State) applyWhat(t *Telling, role Role) {
	ev := t.Event
	born := role == RoleOutput || role == RoleObject && (ev.Type == epcis.ObjectEvent && ev.Action == epcis.Add || ev.BizStep == "commissioning")
	if born {
		s.born(t)
	} else if !t.Claim && !(role == RoleParent && ev.BizStep == "assembling") {
		s.early(t) // assembling makes the finished product, which is often commissioned only afterwards
	}
	switch role {
	case RoleParent:
		s.applyParent(t)
	case RoleChild:
		s.applyChild(t)
	case RoleInput:
		s.end(t, "transformed")
	}
	if ev.Type == epcis.TransactionEvent {
		s.applyOwner(t)
		return
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
		s.applySeen(t, role)
	}
}

// applySeen takes in a step that changes no hands.
func (s *State) applySeen(t *Telling, role Role) {
	ev := t.Event
	if role == RoleObject && ev.Type == epcis.ObjectEvent && ev.Action == epcis.Delete {
		s.end(t, "deleted")
	}
	s.applyOwner(t)
	if s.Holder == "" && !s.inherits() && t.voice == ownVoice && ev.BizStep != "inspecting" {
		s.hold(t, t.Speaker)
	}
}

// early remembers that the unit was in use before anybody said that it was made.
func (s *State) early(t *Telling) {
	if s.Born == nil && len(s.Early) < keepSeqs {
		s.Early = append(s.Early, t.Seq)
	}
}

func (s *State) born(t *Telling) {
	if s.Born != nil {
		if !isProvisional(s.Unit) { // a provisional name is given anew by each that finds the thing
			s.problem(t, "commissioned-twice", "the identifier was already in use", "")
		}
		return
	}
	if len(s.Early) > 0 && !isProvisional(s.Unit) {
		s.problems(At(t.Event.Time), "use-before-commissioning", "events of it lie before its commissioning", "", append(slices.Clone(s.Early), t.Seq)...)
	}
	m := s.mark(t)
	s.Born = &m
	if !t.Claim {
		s.Early = nil
	}
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

// endsToo: who destroys a unit may retire its identifier as well.
func endsToo(ended *Mark, t *Telling) bool {
	return StepOf(t.Event.BizStep) == StepEnd && t.Event.BizStep != ended.What && t.Speaker == ended.By
}

func (s *State) hold(t *Telling, party string) {
	if party == "" || party == Registrar {
		return
	}
	s.Holder, s.HeldBy = party, s.mark(t)
}

func (s *State) applyOwner(t *Telling) {
	if o := t.Destination("owning_party"); o != "" {
		s.Owner, s.OwnedBy = o, s.mark(t)
	}
}

// prune forgets what the unit left before it last named both holder and owner itself.
func (s *State) prune() {
	if len(s.Bases) == 0 {
		return
	}
	until := min(s.HeldBy.Time, s.OwnedBy.Time)
	s.Bases = slices.DeleteFunc(s.Bases, func(b Base) bool { return b.At < until })
	if len(s.Bases) == 0 {
		s.Bases = nil
	}
}

func (s *State) dispatch(t *Telling) {
	from, to := t.Source("possessing_party"), t.Destination("possessing_party")
	s.askDispatch(t, from, to)
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

// askDispatch asks whether whoever sends the unit had it.
func (s *State) askDispatch(t *Telling, from, to string) {
	if tr := s.Transit; tr != nil {
		switch {
		case from == "" || tr.From == from && from != tr.To && t.Text("consignment") == tr.Consignment && to == tr.To:
			// the same dispatch, told by more than one step
		case from == tr.To:
			s.problems(At(t.Event.Time), "receipt-missing", "it was sent on by a party that never reported its receipt", "", tr.Seq, t.Seq)
		case from == tr.From:
			s.problems(At(t.Event.Time), "shipped-twice", "it was sent again before its receipt was reported", "", tr.Seq, t.Seq)
		default:
			s.problems(At(t.Event.Time), "ship-without-possession", "it was under way to ", tr.To, tr.Seq, t.Seq)
		}
		return
	}
	switch {
	case from == "":
	case s.inherits():
		s.check(Check{Kind: "ship-without-possession", Seqs: []int64{t.Seq}, Time: At(t.Event.Time), Party: from})
	case s.Holder != "" && s.Holder != from:
		s.problem(t, "ship-without-possession", "it was in the custody of ", s.Holder)
	}
}

func (s *State) receive(t *Telling) {
	to := t.Destination("possessing_party")
	switch tr := s.Transit; {
	case tr != nil && to != "" && tr.To != "" && to != tr.To:
		s.problem(t, "received-by-another", "it was sent to ", tr.To)
	case tr != nil:
	case s.Holder != "" && s.Holder == to && isReceipt(s.HeldBy): // receiving and accepting are both told
	case s.inherits():
		s.check(Check{Kind: "receive-without-ship", Seqs: []int64{t.Seq}, Time: At(t.Event.Time), Party: to})
	default:
		s.problem(t, "receive-without-ship", "no shipment of it was open", "")
	}
	s.arrive(t)
	if to == "" {
		to = t.Speaker
	}
	s.hold(t, to)
	s.applyOwner(t)
}

func isReceipt(m Mark) bool { return StepOf(m.What) == StepReceipt }

// arrive ends the transit. Who does not say where it was received says so by where it was sent.
func (s *State) arrive(t *Telling) {
	if t.Place() == "" && t.Geo() == "" {
		site := t.Destination("location")
		if site == "" && s.Transit != nil {
			site = s.Transit.ToSite
		}
		s.Fix = s.fix(t, site, "")
	}
	s.Transit = nil
}

func (s *State) void(t *Telling) {
	tr := s.Transit
	if tr == nil {
		s.problem(t, "void-without-ship", "no shipment of it was open", "")
		return
	}
	if c := t.Text("consignment"); c != "" && tr.Consignment != "" && c != tr.Consignment {
		s.problem(t, "void-without-ship", "the shipment that was open is of the consignment "+tr.Consignment, "")
		return
	}
	if t.Place() == "" && t.Geo() == "" {
		s.Fix = s.fix(t, tr.FromSite, "")
	}
	if tr.From != "" {
		s.hold(t, tr.From)
	}
	s.Transit = nil
}

// inherits says whether place and holder may come from something else than the unit's own events.
func (s *State) inherits() bool {
	if n := len(s.Bases); n > 0 && s.Bases[n-1].At >= s.HeldBy.Time {
		return true
	}
	return s.Agg != nil || s.Assoc != nil && !IsPlace(s.Assoc.Parent)
}

// linkNow is what the unit is inside of by its own events, the nearest that is no place, or nil.
func (s *State) linkNow() *Link {
	switch {
	case s.Agg != nil:
		return s.Agg
	case s.Assoc != nil && !IsPlace(s.Assoc.Parent):
		return s.Assoc
	}
	return nil
}

// parentNow is the parent of that link, or "".
func (s *State) parentNow() string {
	if l := s.linkNow(); l != nil {
		return l.Parent
	}
	return ""
}

func (s *State) mark(t *Telling) Mark {
	return Mark{Time: At(t.Event.Time), Seq: t.Seq, By: t.Speaker, What: t.Event.BizStep}
}

func (s *State) fix(t *Telling, site, geo string) *Fix {
	f := &Fix{Time: At(t.Event.Time), Seq: t.Seq, Site: site, Geo: geo, Tier: t.Tier()}
	if t.Speaker != Registrar && t.voice == ownVoice && StepOf(t.Event.BizStep) == StepSeen && !inMotion[t.Event.BizStep] && t.Event.Type != epcis.TransactionEvent {
		f.By = t.Speaker
	}
	return f
}
