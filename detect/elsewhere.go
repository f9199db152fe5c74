package detect

import (
	"fmt"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Elsewhere sees units that fell silent at their site and turned up at another, though nobody reported a move.
//
// Source: reported cases in which stripped accelerators are switched on again abroad; "chassis moved but declared zone
// unchanged", "serial in an inventory that was never shipped there" in governance proposals.
//
// Innocent: a move whose papers are late or lost; a mis-scan (one in a thousand); the same operator re-deploying its own units.
type Elsewhere struct{}

// Parameters of Elsewhere, in nats.
const (
	seenOne     = 2.4 // one unit may be a mis-scan
	seenMore    = 1.6 // for the second and the third observation
	seenMachine = 0.8 // a whole machine is no mis-scan
	seenMost    = 6.5
	seenAtHome  = 5.5 // at most, where nothing is barred: papers of an honest sale get lost together
	seenBarred  = 1.2
	seenSigned  = 0.8 // signed by the device itself
)

// Kind implements Detector.
func (Elsewhere) Kind() string { return "seen-elsewhere" }

// Find implements Detector.
func (d Elsewhere) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	m.oddBySite(func(site string, odd []oddUnit) {
		var gone []oddUnit
		for _, o := range odd {
			if o.odd.At > o.unit.Last || o.unit.Site != o.odd.From {
				gone = append(gone, o)
			}
		}
		if len(gone) > 0 {
			out = append(out, d.judge(m, site, gone))
		}
	})
	return out
}

type oddUnit struct {
	id   string
	unit *Unit
	odd  Odd
}

// oddBySite gathers odd sightings by the site at which the units should be.
func (m *Memory) oddBySite(fn func(site string, odd []oddUnit)) {
	bySite := map[string][]oddUnit{}
	for _, id := range m.oddUnits() {
		u := m.Unit(id)
		if u == nil {
			continue
		}
		for _, o := range u.Odd {
			if m.declaredMove(id, o.From, o.Place) {
				continue // papers that came late
			}
			bySite[o.From] = append(bySite[o.From], oddUnit{id, u, o})
		}
	}
	sites := make([]string, 0, len(bySite))
	for s := range bySite {
		sites = append(sites, s)
	}
	slices.Sort(sites)
	for _, s := range sites {
		fn(s, bySite[s])
	}
}

func (d Elsewhere) judge(m *Memory, site string, list []oddUnit) Finding {
	f := Finding{ID: identify(d.Kind(), site), Kind: d.Kind(), Group: GroupSeen, Sites: []string{site}, First: list[0].odd.At,
		Innocent: []string{
			"the move was honest and its papers are late or lost: receiver and sender can show them",
			"a serial was mis-scanned: a second reading, or the device's own evidence, would show another",
		}}
	barred, signed := false, false
	seen, events := map[string]bool{}, map[string]bool{}
	for _, o := range list {
		f.Evidence = append(f.Evidence, o.odd.Seq)
		f.First = min(f.First, o.odd.At)
		home := o.odd.At - o.odd.Gap // when it was last where it should be
		if f.From == 0 || home < f.From {
			f.From = home
		}
		f.To = max(f.To, home)
		if !seen[o.id] {
			seen[o.id] = true
			f.Units = append(f.Units, o.id)
			events[fmt.Sprint(o.odd.Place, o.odd.Seq)] = true // units of one machine are seen together: that is one observation
		}
		f.Sites = append(f.Sites, o.odd.Place)
		barred = barred || IsBarred(m.placeCountry(o.odd.Place))
		signed = signed || o.odd.Tier >= 3
	}
	llr := seenOne + seenMore*float64(min(len(events)-1, 2))
	if len(seen) > len(events) {
		llr += seenMachine
	}
	if barred {
		llr += seenBarred
	}
	if signed {
		llr += seenSigned
	}
	most := seenMost
	if !barred {
		most = seenAtHome
	}
	f.MilliNats = nats(min(llr, most))
	if op := custody.Operator(m.Custody, site); op != "" {
		f.Parties = append(f.Parties, op)
	}
	f.Explanation = fmt.Sprintf("%d accelerators declared at %s were seen elsewhere (%s) after they had fallen silent, and nobody reported a move",
		len(seen), m.Name(site), m.placesText(list))
	return f
}

func (m *Memory) placesText(list []oddUnit) string {
	var names []string
	for _, o := range list {
		n := m.Name(o.odd.Place)
		if c := m.placeCountry(o.odd.Place); c != "" && n != o.odd.Place {
			n += ", " + c
		}
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more places", names[0], len(names)-1)
	}
	out := ""
	for i, n := range names {
		if i > 0 {
			out += "; "
		}
		out += n
	}
	return out
}
