package detect

import (
	"fmt"

	"github.com/tidewaiter/tidewaiter/custody"
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
		var two []oddUnit
		for _, o := range odd {
			if o.odd.Km < twoNearKm || o.unit.Site == "" {
				continue
			}
			back := o.unit.Site == o.odd.From && o.unit.Last > o.odd.At && o.unit.Last-o.odd.At < twoAgain
			hours := float64(o.odd.Gap) / float64(Day) * 24
			fast := hours >= 0 && float64(o.odd.Km) > twoNearKm+twoKmPerHr*hours
			if back || fast {
				two = append(two, o)
			}
		}
		if len(two) > 0 {
			out = append(out, d.judge(m, site, two))
		}
	})
	return out
}

func (d TwoPlaces) judge(m *Memory, site string, list []oddUnit) Finding {
	f := Finding{ID: identify(d.Kind(), site), Kind: d.Kind(), Group: GroupSeen, Sites: []string{site}, First: list[0].odd.At,
		Innocent: []string{
			"a serial was mis-scanned at the other place",
			"a clock or time zone was wrong, or a batch was uploaded under one time",
			"the board was swapped under repair and the record is late",
		}}
	seen, events, signed := map[string]bool{}, map[int64]bool{}, false
	for _, o := range list {
		events[o.odd.Seq] = true
		signed = signed || o.odd.Tier >= 3
		f.Evidence = append(f.Evidence, o.odd.Seq, o.unit.LastSeq)
		f.First = min(f.First, o.odd.At)
		f.Sites = append(f.Sites, o.odd.Place)
		if !seen[o.id] {
			seen[o.id] = true
			f.Units = append(f.Units, o.id)
		}
	}
	llr := twoOne + twoMore*float64(min(len(events)-1, 2))
	if signed {
		llr += twoSigned
	}
	f.MilliNats = nats(min(twoMost, llr))
	if op := custody.Operator(m.Custody, site); op != "" {
		f.Parties = append(f.Parties, op)
	}
	f.Explanation = fmt.Sprintf("%d serials that check in at %s were also seen at %s, without time to travel or while they went on checking in",
		len(seen), m.Name(site), m.placesText(list))
	return f
}
