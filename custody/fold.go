package custody

import (
	"bytes"
	"cmp"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// Fold makes the state of a unit from all that was told about it, in any order. It is the definition of the state; the view
// gets there by shorter ways.
func Fold(unit string, told []*Telling) *State {
	f := folding{s: &State{Unit: unit}}
	var order []*Telling
	for _, t := range told {
		if !f.declare(t) {
			order = append(order, t)
		}
	}
	slices.SortFunc(order, byKey)
	for len(order) > 0 {
		n := 1
		for n < len(order) && keyOf(order[n]) == keyOf(order[0]) {
			n++
		}
		_ = f.tell(order[:n]) // only each has errors, and there is none
		order = order[n:]
	}
	return f.s
}

func keyOf(t *Telling) Key { return Key{At(t.Event.Time), t.Name} }

func byKey(a, b *Telling) int { return keyOf(a).compare(keyOf(b)) }

// InOrder says whether Apply may extend the state by t, as far as the state can tell: the view also knows which events were
// declared erroneous before they were told.
func (s *State) InOrder(t *Telling) bool {
	return t.Event.ErrorDeclaration == nil && (s.Folded == 0 || keyOf(t).compare(s.Last) > 0)
}

// folding takes in what was told about a unit, all tellings of one event together, in the order of the events.
type folding struct {
	s        *State
	declared map[string][]*Telling // error declarations by the name of the event
	each     func(*State) error    // called after each event; may be nil
}

// declare takes in an error declaration, wherever it stands in the order; of anything else it returns false.
func (f *folding) declare(t *Telling) bool {
	if t.Event.ErrorDeclaration == nil {
		return false
	}
	if f.declared == nil {
		f.declared = map[string][]*Telling{}
	}
	f.declared[t.Name] = append(f.declared[t.Name], t)
	return true
}

// tell takes in all tellings of one name and time. They are one event, unless the name was computed: the hash of the CBV does
// not tell all events apart.
func (f *folding) tell(group []*Telling) error {
	group = f.without(group)
	for len(group) > 0 {
		var one []*Telling
		one, group = firstContent(group)
		f.s.Wrong = f.s.Wrong.wrong(one)
		if t := best(one); t != nil {
			f.s.Apply(t)
			if f.each != nil {
				if err := f.each(f.s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// without leaves out what was withdrawn, and counts the declarations that withdraw nothing because they are somebody else's.
func (f *folding) without(group []*Telling) []*Telling {
	declared := f.declared[group[0].Name]
	if len(declared) == 0 {
		return group
	}
	declared = slices.SortedFunc(slices.Values(declared), func(a, b *Telling) int {
		return cmp.Or(strings.Compare(a.Speaker, b.Speaker), bytes.Compare(a.Event.Raw, b.Event.Raw))
	})
	for _, d := range declared {
		if !slices.ContainsFunc(group, func(t *Telling) bool { return withdraws(d, t) }) {
			f.s.problems(At(group[0].Event.Time), "foreign-error-declaration", "declared erroneous by a party that did not report it", "", d.Seq)
		}
	}
	return slices.DeleteFunc(slices.Clone(group), func(t *Telling) bool { return isWithdrawn(declared, t) })
}

// withdraws: only who told an event may declare it erroneous, and the registrar. What the registrar told because nobody else
// could be named may be withdrawn by whom the event implies.
func withdraws(declaration, t *Telling) bool {
	by := declaration.Speaker
	return by == t.Speaker || by == Registrar || t.Speaker == Registrar && !declaration.Claim
}

func isWithdrawn(declared []*Telling, t *Telling) bool {
	return slices.ContainsFunc(declared, func(d *Telling) bool { return withdraws(d, t) })
}

// firstContent takes from a group the tellings of one content, the contents in an order of their own.
func firstContent(group []*Telling) (one, rest []*Telling) {
	first := group[0]
	if len(group) == 1 {
		return group, nil
	}
	alike := func(t *Telling) bool { return bytes.Equal(t.Event.Raw, first.Event.Raw) }
	if !slices.ContainsFunc(group[1:], func(t *Telling) bool { return !alike(t) }) {
		return group, nil
	}
	least := slices.MinFunc(group, func(a, b *Telling) int { return bytes.Compare(a.digest(), b.digest()) }).digest()
	for _, t := range group {
		if bytes.Equal(t.digest(), least) {
			one = append(one, t)
		} else {
			rest = append(rest, t)
		}
	}
	return one, rest
}

// digest is the same for tellings that say the same. An event that was captured can be digested; if not, its bytes decide.
func (t *Telling) digest() []byte {
	ctx, err := epcis.ParseContext(t.context)
	if err != nil {
		return t.Event.Raw
	}
	d, err := epcis.Digest(t.Event, ctx)
	if err != nil {
		return t.Event.Raw
	}
	return d[:]
}

// best is the telling of an event that counts: that of whoever speaks for itself, before claims; never who came first. It is
// nil when the record of every telling contradicts the event's time.
func best(tellings []*Telling) *Telling {
	var b *Telling
	for _, t := range tellings {
		if !t.implausible() && (b == nil || better(t, b) < 0) {
			b = t
		}
	}
	return b
}

func better(a, b *Telling) int {
	return cmp.Or(
		cmp.Compare(a.voice, b.voice),
		compareBool(a.Speaker == Registrar, b.Speaker == Registrar),
		strings.Compare(a.Speaker, b.Speaker),
		cmp.Compare(a.Seq, b.Seq),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// wrong counts the tellings whose time their record contradicts. It comes to the same in whatever order they are counted.
func (p *Problem) wrong(tellings []*Telling) *Problem {
	for _, t := range tellings {
		if !t.implausible() {
			continue
		}
		if p == nil {
			p = &Problem{Kind: "implausible-time"}
		}
		p.Count++
		p.insert(t)
	}
	return p
}

// insert keeps the first keepSeqs entries by event time; ties by what they are, never by arrival.
func (p *Problem) insert(t *Telling) {
	at, tie := At(t.Event.Time), crc32.ChecksumIEEE([]byte(t.Name+"\x00"+t.Speaker))
	i := 0
	for i < len(p.Times) && (p.Times[i] < at || p.Times[i] == at && p.Ties[i] < tie) {
		i++
	}
	p.Times, p.Ties, p.Seqs = slices.Insert(p.Times, i, at), slices.Insert(p.Ties, i, tie), slices.Insert(p.Seqs, i, t.Seq)
	if n := min(len(p.Seqs), keepSeqs); n < len(p.Seqs) {
		p.Times, p.Ties, p.Seqs = p.Times[:n], p.Ties[:n], p.Seqs[:n]
	}
	p.First = p.Times[0]
	p.Note = "the event says " + p.First.Time().Format(time.RFC3339) + ", which its record contradicts"
}

// Apply extends the state by the next event in order.
func (s *State) Apply(t *Telling) {
	s.Last, s.Folded = keyOf(t), s.Folded+1
	s.learnNames(t)
	if t.isObservation() {
		s.observe(t)
		return
	}
	if t.Claim {
		s.Claims = lastOf(append(s.Claims, s.claim(t)), keepSeen)
		if s.Spoken {
			return
		}
		s.Hearsay = true
	} else {
		s.begin()
	}
	if s.Ended != nil && !endsToo(s.Ended, t) {
		s.problem(t, "use-after-end", "it was reported "+s.Ended.What+" before", "")
	}
	role := t.role(s.Unit)
	s.applyWhere(t)
	s.applyWhat(t, role)
	s.applyFlags(t)
	s.prune()
}

// begin notes that somebody speaks with authority. What only others said before is a claim and no more: it is forgotten.
func (s *State) begin() {
	if s.Hearsay {
		*s = State{
			Unit: s.Unit, Last: s.Last, Folded: s.Folded, Told: s.Told, Declared: s.Declared, Wrong: s.Wrong, Names: s.Names, Replaces: s.Replaces,
			Claims: s.Claims, CheckIn: s.CheckIn, Relayed: s.Relayed, Sightings: s.Sightings, Early: s.Early,
		}
	}
	s.Spoken = true
}

func (s *State) claim(t *Telling) Mark {
	m := s.mark(t)
	switch {
	case len(t.Event.PersistentSet) > 0:
		m.What = t.Event.PersistentSet[0]
	case m.What == "":
		m.What = string(t.Event.Type)
	}
	return m
}

// observe takes in that the unit was seen.
func (s *State) observe(t *Telling) {
	if t.voice != outside {
		s.early(t)
		s.applyFlags(t)
	}
	if s.Ended != nil {
		s.problem(t, "use-after-end", "it was reported "+s.Ended.What+" before", "")
	}
	seen := Sight{Time: At(t.Event.Time), Seq: t.Seq, Place: t.Place(), Geo: t.Geo(), Tier: t.Tier(), By: t.Speaker, Kind: t.Text("sighting")}
	switch {
	case seen.Kind != "":
		s.Sightings = lastOf(append(s.Sightings, seen), keepSeen)
	case t.voice == outside:
		seen.Kind = "check-in"
		s.Sightings = lastOf(append(s.Sightings, seen), keepSeen)
	case seen.Place == "" && seen.Geo == "":
	case t.nowhere && t.Speaker != s.Holder && t.Speaker != s.Owner:
		s.relay(seen)
	default:
		s.askWhere(t, seen.Place, seen.Geo)
		seen.By = ""
		s.CheckIn = &seen
	}
}

// relay keeps the last check-in that each of several speakers passed on: whether he has a part in the unit is known when it is
// asked where the unit stands, for it may be inside of what he holds.
func (s *State) relay(c Sight) {
	s.Relayed = slices.DeleteFunc(slices.Clone(s.Relayed), func(o Sight) bool { return o.By == c.By })
	s.Relayed = lastOf(append(s.Relayed, c), keepSeen)
}
