package custody

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
)

// Trace lists everything that was told about a unit, in order of event time, with what is withdrawn marked so.
type Trace struct {
	Telling   *Telling
	Withdrawn bool
}

// Trace returns what was told about a unit, in the order in which it happened; of one event, what counts first, and the
// declarations that it was erroneous last.
func (v *View) Trace(unit string, a Asked) ([]Trace, error) {
	s, err := v.state(unit)
	if err != nil || s == nil {
		return nil, err
	}
	at, known := a.bounds()
	list, err := v.told(unit, s.Told, math.MinInt64, true)
	if err != nil {
		return nil, err
	}
	r := replay{v: v, unit: unit, known: known}
	var out []Trace
	for _, e := range list {
		if e.at > at || e.known > known {
			continue
		}
		t, err := r.telling(e.seq)
		if err != nil {
			return nil, err
		}
		r.f.declare(t)
		out = append(out, Trace{Telling: t})
	}
	for i := range out {
		t := out[i].Telling
		out[i].Withdrawn = t.Event.ErrorDeclaration == nil && isWithdrawn(r.f.declared[t.Name], t)
	}
	slices.SortFunc(out, Trace.compare)
	return out, nil
}

func (a Trace) compare(b Trace) int {
	x, y := a.Telling, b.Telling
	return cmp.Or(
		byKey(x, y),
		compareBool(x.Event.ErrorDeclaration != nil, y.Event.ErrorDeclaration != nil),
		compareBool(a.Withdrawn, b.Withdrawn),
		cmp.Compare(x.voice, y.voice),
		compareBool(x.Speaker == Registrar, y.Speaker == Registrar),
		strings.Compare(x.Speaker, y.Speaker),
		bytes.Compare(x.Event.Raw, y.Event.Raw),
		cmp.Compare(x.Seq, y.Seq),
	)
}
