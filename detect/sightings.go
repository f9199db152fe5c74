package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/custody"
)

// What a sighting is worth that rests on one party's word, in nats, however many units it names and whatever tier it states: somebody
// may want to harm a rival. Those of several parties add up; with evidence of another kind they count in full.
const (
	witnessHost  = 1.8 // says it of what stands at its own site
	witnessOther = 0.9
)

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
		if odd := m.firm(bySite[s]); len(odd) > 0 {
			fn(s, odd)
		}
	}
}

// faintMin is how many machines must be seen elsewhere of those that never checked in anywhere: an address database puts one at a wrong
// place, and hardly three.
const faintMin = 3

// firm leaves out what is faint, unless there is enough of it.
func (m *Memory) firm(odd []oddUnit) []oddUnit {
	faint := slices.DeleteFunc(slices.Clone(odd), func(o oddUnit) bool { return !o.odd.Faint })
	if m.machines(faint) >= faintMin {
		return odd
	}
	return slices.DeleteFunc(odd, func(o oddUnit) bool { return o.odd.Faint })
}

// machines counts the machines of which units were seen, as far as anybody knows what is in which, else the observations. What rests on
// somebody's word alone counts once for each who gives it, however often.
func (m *Memory) machines(list []oddUnit) int {
	seen := map[string]bool{}
	for _, o := range list {
		key := o.odd.By
		if key == "" {
			key = first(m.server(m.withoutCheckIn(o.id)), fmt.Sprint(o.odd.Place, o.odd.Seq))
		}
		seen[key] = true
	}
	return len(seen)
}

// tally is what counts in a list of sightings: how many units, how many observations (units of one machine are seen together: that is
// one), and whether any was in a barred country or signed by the device.
type tally struct {
	units, events  int
	barred, signed bool
}

func (m *Memory) tally(list []oddUnit) tally {
	var t tally
	units, events := map[string]bool{}, map[string]bool{}
	for _, o := range list {
		if !units[o.id] {
			units[o.id] = true
			events[fmt.Sprint(o.odd.Place, o.odd.Seq)] = true
		}
		t.barred = t.barred || IsBarred(m.placeCountry(o.odd.Place))
		t.signed = t.signed || o.odd.Tier >= 3
	}
	t.units, t.events = len(units), len(events)
	return t
}

// believed weighs sightings: in full what does not rest on somebody's word alone, and beside it no more than each word is worth.
func (m *Memory) believed(list []oddUnit, weigh func(tally) float64) float64 {
	var sworn []oddUnit
	words := map[string]float64{}
	for _, o := range list {
		if o.odd.By == "" {
			sworn = append(sworn, o)
			continue
		}
		worth := witnessOther
		if o.odd.By == custody.Operator(m.Custody, o.odd.Place) {
			worth = witnessHost
		}
		words[o.odd.By] = max(words[o.odd.By], worth)
	}
	all := weigh(m.tally(list))
	if len(words) == 0 {
		return all
	}
	most := 0.0
	if len(sworn) > 0 {
		most = weigh(m.tally(sworn))
	}
	for _, by := range slices.Sorted(maps.Keys(words)) {
		most += words[by]
	}
	return min(all, most)
}

// sighted begins a finding about units that should be at a site and were seen elsewhere.
func (m *Memory) sighted(kind, site string, list []oddUnit) Finding {
	f := Finding{ID: identify(kind, site), Kind: kind, Group: GroupSeen, Sites: []string{site}, First: list[0].odd.At}
	if op := custody.Operator(m.Custody, site); op != "" {
		f.Parties = append(f.Parties, op)
	}
	for _, o := range list {
		f.Evidence = append(f.Evidence, o.odd.Seq)
		f.First = min(f.First, o.odd.At)
		f.Sites = append(f.Sites, o.odd.Place)
		if !slices.Contains(f.Units, o.id) {
			f.Units = append(f.Units, o.id)
		}
	}
	if who := m.onlyWordOf(list); who != "" {
		f.Against = append(f.Against, who)
	}
	return f
}

// onlyWordOf says on whose word sightings rest, when they rest on nothing else.
func (m *Memory) onlyWordOf(list []oddUnit) string {
	var by []string
	for _, o := range list {
		if o.odd.By == "" {
			return ""
		}
		if n := m.Name(o.odd.By); !slices.Contains(by, n) {
			by = append(by, n)
		}
	}
	slices.Sort(by)
	if len(by) > 3 {
		by = append(by[:3], fmt.Sprintf("%d more", len(by)-3))
	}
	return "that they were seen elsewhere is the word of " + strings.Join(by, ", ") + " alone"
}

// placesText names the places at which units were seen.
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
	return strings.Join(names, "; ")
}
