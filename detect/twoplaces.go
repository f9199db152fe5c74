package detect

import (
	"fmt"
	"slices"
)

// TwoPlaces sees one serial in two places: it is seen elsewhere while it goes on checking in at its site, or so soon after
// that nothing could have carried it there.
//
// Source: reported cloning of serials to beat spot checks; velocity rules and tailing in the literature on cloned tags.
//
// Innocent: a mis-scan; a wrong clock or time zone; a batch upload under one time; a board swap recorded late.
type TwoPlaces struct{}

// Parameters of TwoPlaces.
const (
	twoOne     = 1.6 // an address database may be wrong
	twoSigned  = 1.6 // but hardly what the device itself signs in both places
	twoMore    = 1.2 // for each further observation, up to two
	twoMost    = 6.0
	twoNearKm  = 300 // below that, a wrong clock explains it
	twoKmPerHr = 1100.0
	twoAgain   = 45 * Day // its own check-ins went on within this time
)

// Kind implements Detector.
func (TwoPlaces) Kind() string { return "serial-in-two-places" }

// Find implements Detector.
func (d TwoPlaces) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	m.oddBySite(func(site string, odd []oddUnit) {
		two := slices.DeleteFunc(slices.Clone(odd), func(o oddUnit) bool { return !d.twice(o) })
		if len(two) > 0 {
			out = append(out, d.judge(m, site, two))
		}
	})
	return out
}

// twice says whether the unit can hardly have gone to where it was seen: it checked in at home soon after, or too soon before.
func (TwoPlaces) twice(o oddUnit) bool {
	if o.odd.Km < twoNearKm || o.unit.Site == "" || o.odd.Unheard {
		return false
	}
	back := o.odd.Back > 0 && o.odd.Back-o.odd.At < twoAgain
	hours := float64(o.odd.Gap) / float64(Day) * 24
	return back || hours >= 0 && float64(o.odd.Km) > twoNearKm+twoKmPerHr*hours
}

func (d TwoPlaces) judge(m *Memory, site string, list []oddUnit) Finding {
	f := m.sighted(d.Kind(), site, list)
	f.Innocent = []string{
		"a serial was mis-scanned at the other place",
		"a clock or time zone was wrong, or a batch was uploaded under one time",
		"the board was swapped under repair and the record is late",
	}
	at := map[string][]oddUnit{} // mis-scans happen anywhere, a copy stays where it is
	for _, o := range list {
		f.Evidence = append(f.Evidence, o.unit.LastSeq)
		at[o.odd.Place] = append(at[o.odd.Place], o)
	}
	for _, there := range at {
		f.MilliNats = max(f.MilliNats, nats(m.believed(there, d.weigh)))
	}
	f.Explanation = fmt.Sprintf("%s checking in at %s, and also seen at %s, without time to travel or while they went on checking in",
		Counted(len(f.Units), "serial"), m.Name(site), m.placesText(list))
	return f
}

func (TwoPlaces) weigh(t tally) float64 {
	llr := twoOne + twoMore*float64(min(t.events-1, 2))
	if t.signed {
		llr += twoSigned
	}
	return min(twoMost, llr)
}
