package custody

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// Exception is data that does not add up, with the entries that say so. It needs a data fix; it is no suspicion.
type Exception struct {
	Kind  string
	Units []string
	Seqs  []int64
	Note  string
	Count int
	First Micros // event time of the first entry concerned
}

// maxKmPerHour is what nothing in a supply chain outruns: a cargo aircraft with the wind behind it. nearKm forgives places
// whose coordinates are those of a city.
const (
	maxKmPerHour = 1100.0
	nearKm       = 100.0
)

// Exceptions lists everything that does not add up, one exception for all units that the same entries concern.
func (v *View) Exceptions(own Own) ([]Exception, error) {
	var units []string
	err := v.states.All(func(unit string, s *State) error {
		if len(s.Problems)+len(s.Checks) > 0 {
			units = append(units, unit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(units)
	group := map[string]*Exception{}
	for _, unit := range units {
		list, err := v.ExceptionsOf(own, unit)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			key := groupKey(x)
			if g := group[key]; g != nil {
				g.Units = append(g.Units, x.Units...)
				g.Count += x.Count
				continue
			}
			group[key] = &x
		}
	}
	out := make([]Exception, 0, len(group))
	for _, g := range group {
		out = append(out, *g)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.First != b.First {
			return a.First < b.First
		}
		return groupKey(a) < groupKey(b)
	})
	return out, nil
}

func groupKey(x Exception) string {
	var b strings.Builder
	b.WriteString(x.Kind)
	for _, s := range x.Seqs {
		b.WriteByte(' ')
		b.WriteString(itoa(s))
	}
	return b.String()
}

// ExceptionsOf lists what does not add up about one unit, as of the time of own.
func (v *View) ExceptionsOf(own Own, unit string) ([]Exception, error) {
	s, err := own(unit, math.MaxInt64)
	if err != nil || s == nil {
		return nil, err
	}
	var out []Exception
	for _, p := range s.Problems {
		out = append(out, Exception{Kind: p.Kind, Units: []string{unit}, Seqs: p.Seqs, Note: p.Note, Count: p.Count, First: p.First})
	}
	for _, c := range s.Checks {
		note, err := v.answer(own, unit, c)
		if err != nil {
			return nil, err
		}
		if note != "" {
			out = append(out, Exception{Kind: c.Kind, Units: []string{unit}, Seqs: c.Seqs, Note: note, Count: 1, First: c.Time})
		}
	}
	return out, nil
}

// answer decides a check; an empty note means that all is well.
func (v *View) answer(own Own, unit string, c Check) (string, error) {
	switch c.Kind {
	case "ship-without-possession":
		st, err := Resolve(own, unit, c.Time-1)
		if err != nil || st == nil || st.Holder == "" || st.Holder == c.Party || st.Transit != nil && st.Transit.To == c.Party {
			return "", err
		}
		return "it was in the custody of " + NameOf(v, st.Holder), nil
	case "receive-without-ship":
		st, err := Resolve(own, unit, c.Time-1)
		if err != nil || st == nil || st.Transit != nil || c.Party == "" || st.Holder == c.Party {
			return "", err
		}
		return "no shipment of it, or of what it is inside, was open", nil
	case "two-parents":
		parent, err := own(c.Other, c.Time)
		if err != nil {
			return "", err
		}
		for _, what := range []string{"AssociationEvent", "AggregationEvent"} {
			if _, open := closedAt(parent, &Link{From: c.Since}, what); !open {
				return "", nil
			}
		}
		return "it was still inside " + c.Other + " when it was put into " + c.Place, nil
	case "away-from-parent":
		st, err := Resolve(own, c.Other, c.Time)
		if err != nil || st == nil || st.Site == "" || SameSite(st.Site, c.Place) {
			return "", err
		}
		return "it was seen at " + NameOf(v, c.Place) + " while what it is inside is at " + NameOf(v, st.Site), nil
	case "impossible-travel":
		return v.travel(c), nil
	}
	return "", nil
}

func (v *View) travel(c Check) string {
	lat1, lon1, ok1 := Position(v, c.Other)
	lat2, lon2, ok2 := Position(v, c.Place)
	if !ok1 || !ok2 {
		return ""
	}
	km := Kilometres(lat1, lon1, lat2, lon2)
	hours := float64(c.Time-c.Since) / float64(Day) * 24
	if km <= nearKm+maxKmPerHour*hours {
		return ""
	}
	return "it was at " + NameOf(v, c.Other) + " and " + itoa(int64(hours*60)) + " minutes later at " + NameOf(v, c.Place) + ", " +
		itoa(int64(km)) + " km away"
}

// SameSite says whether two places are the same site, or parts of it.
func SameSite(a, b string) bool {
	return a == b || baseSite(a) == baseSite(b)
}

func baseSite(p string) string {
	if s := gs1.SiteOf(p); s != "" {
		return s
	}
	return p
}
