package custody

import (
	"cmp"
	"math"
	"slices"
)

// Exception is data that does not add up, with the entries that say so. It needs a data fix; it is no suspicion.
type Exception struct {
	Kind  string
	Units []string
	Seqs  []int64
	Note  string
	Count int
	First Micros // event time of the first entry concerned

	causes []int64 // entries: what has one of them in common has one cause
}

// Exceptions lists everything that does not add up, one exception for all units that one cause concerns.
func (v *View) Exceptions(own Own) ([]Exception, error) { return v.exceptions(own, v) }

// ExceptionsAt is Exceptions as of a time, by what was known at a time.
func (v *View) ExceptionsAt(a Asked) ([]Exception, error) {
	return v.exceptions(v.Own(a), v.directory(a))
}

func (v *View) exceptions(own Own, d Directory) ([]Exception, error) {
	var units []string
	err := v.Units(func(unit string, _ *State) error {
		units = append(units, unit)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(units)
	g := grouping{byCause: map[cause]*Exception{}}
	for _, unit := range units {
		list, err := exceptionsOf(own, d, unit)
		if err != nil {
			return nil, err
		}
		for i := range list {
			g.add(&list[i])
		}
	}
	return g.list(), nil
}

// cause is the entry that brought something to light.
type cause struct {
	kind string
	seq  int64
}

// grouping puts together the exceptions of one kind that have a cause in common.
type grouping struct {
	byCause map[cause]*Exception
	alone   []*Exception
}

func (g *grouping) add(x *Exception) {
	for _, seq := range x.causes {
		if old := g.byCause[cause{x.Kind, seq}]; old != nil && old != x {
			old.with(x)
			for _, c := range x.causes { // those of a group that joins another move over with it
				g.byCause[cause{x.Kind, c}] = old
			}
			x = old
		}
	}
	for _, seq := range x.causes {
		g.byCause[cause{x.Kind, seq}] = x
	}
	if len(x.causes) == 0 {
		g.alone = append(g.alone, x)
	}
}

func (g *grouping) list() []Exception {
	seen := map[*Exception]bool{}
	var out []Exception
	take := func(x *Exception) {
		if !seen[x] {
			seen[x] = true
			slices.Sort(x.Units)
			x.Units = slices.Compact(x.Units)
			out = append(out, *x)
		}
	}
	for _, x := range g.byCause {
		take(x)
	}
	for _, x := range g.alone {
		take(x)
	}
	slices.SortFunc(out, Exception.compare)
	return out
}

// with adds an exception to that of the same cause. The earliest tells what it is about.
func (x *Exception) with(o *Exception) {
	if o.First < x.First {
		x.First, x.Note = o.First, o.Note
	}
	x.Units = append(x.Units, o.Units...)
	x.Count += o.Count
	for _, seq := range o.Seqs {
		if len(x.Seqs) < keepGrouped && !slices.Contains(x.Seqs, seq) {
			x.Seqs = append(x.Seqs, seq)
		}
	}
	for _, seq := range o.causes {
		if !slices.Contains(x.causes, seq) {
			x.causes = append(x.causes, seq)
		}
	}
}

// keepGrouped is how many entries an exception names at most.
const keepGrouped = 32

func (x Exception) compare(y Exception) int {
	return cmp.Or(
		cmp.Compare(x.First, y.First), cmp.Compare(x.Kind, y.Kind), slices.Compare(x.Units, y.Units), cmp.Compare(x.Note, y.Note),
		cmp.Compare(x.Count, y.Count), slices.Compare(x.Seqs, y.Seqs),
	)
}

// mayNotAddUp says whether there is anything to ask about a unit.
func (s *State) mayNotAddUp() bool {
	return len(s.Problems)+len(s.Checks) > 0 || s.Wrong != nil || s.Transit != nil && s.Fix != nil && s.Fix.Time > s.Transit.Since ||
		s.parentNow() != "" && (s.Parent || s.CheckIn != nil || s.Fix != nil)
}

// ExceptionsOf lists what does not add up about one unit, as of the time of own.
func (v *View) ExceptionsOf(own Own, unit string) ([]Exception, error) {
	return exceptionsOf(own, v, unit)
}

func exceptionsOf(own Own, d Directory, unit string) ([]Exception, error) {
	s, err := own(unit, math.MaxInt64)
	if err != nil || s == nil || !s.mayNotAddUp() {
		return nil, err
	}
	var out []Exception
	add := func(kind, note string, count int, first Micros, seqs ...int64) {
		out = append(out, Exception{Kind: kind, Units: []string{unit}, Seqs: slices.Clone(seqs), Note: note, Count: count, First: first})
	}
	if p := s.Wrong; p != nil {
		add(p.Kind, p.Note, p.Count, p.First, p.Seqs...)
	}
	for _, p := range s.Problems {
		note := p.Note
		if p.Other != "" {
			note += NameOf(d, p.Other)
		}
		add(p.Kind, note, p.Count, p.First, p.Seqs...)
	}
	asked := make([]Check, 0, len(s.Checks)+4)
	asked = append(append(asked, s.Checks...), s.askedNow(own)...)
	for _, c := range asked {
		kind, note, err := answer(own, d, unit, c)
		if err != nil {
			return nil, err
		}
		if kind != "" {
			add(kind, note, 1, c.Time, c.Seqs...)
		}
	}
	return merged(out), nil
}

// merged puts together what has one kind and one cause in one unit, and says what the causes are.
func merged(list []Exception) []Exception {
	slices.SortStableFunc(list, Exception.compare)
	out := list[:0]
	for _, x := range list {
		i := slices.IndexFunc(out, func(o Exception) bool { return o.Kind == x.Kind && slices.Equal(o.Seqs[:1], x.Seqs[:1]) })
		if i < 0 {
			out = append(out, x)
			continue
		}
		units := out[i].Units
		out[i].with(&x)
		out[i].Units = units
	}
	for i := range out {
		x := &out[i]
		x.causes = slices.Clone(x.Seqs[:1])
		switch {
		case x.Kind == "impossible-travel", x.Kind == "implausible-time": // any of the entries may be the wrong one
			x.causes = slices.Clone(x.Seqs)
		case x.Kind == "away-from-parent" && len(x.Seqs) == 2:
			// Seen elsewhere once, the sighting may be the mistake; more often, that nobody said that it was taken out.
			x.causes = slices.Clone(x.Seqs)
		}
	}
	return out
}

// askedNow are the questions that the present state gives rise to, whatever its events asked.
func (s *State) askedNow(own Own) (list []Check) {
	if t := s.Transit; arrived(t, s.Fix) {
		list = append(list, Check{Kind: "receipt-missing", Seqs: []int64{t.Seq, s.Fix.Seq}, Time: t.Since, Party: t.To})
	}
	l := s.linkNow()
	if l == nil {
		return list
	}
	if s.Agg != nil && s.Fix != nil {
		if p, err := own(l.Parent, math.MaxInt64); err == nil && p != nil && arrived(p.Transit, s.Fix) {
			list = append(list, Check{Kind: "receipt-missing", Seqs: []int64{p.Transit.Seq, s.Fix.Seq}, Time: p.Transit.Since, Party: p.Transit.To})
		}
	}
	if place, at, seq := s.lastSeenAt(); place != "" && at > l.From && !s.hasAsked("away-from-parent", seq) {
		list = append(list, Check{Kind: "left-behind", Seqs: []int64{l.Seq, seq}, Time: at, Other: l.Parent, Place: place})
	}
	if s.Parent {
		list = append(list, Check{Kind: "inside-itself", Seqs: []int64{l.Seq}, Time: l.From, Other: l.Parent})
	}
	return list
}

// hasAsked says whether an event gave rise to a question of a kind.
func (s *State) hasAsked(kind string, seq int64) bool {
	return slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Kind == kind && c.Seqs[len(c.Seqs)-1] == seq })
}
