package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Dispersal sees a sender whose parcels without serials are suddenly more, heavier, or go by several routes to one consignee.
// Parcels are matched to units by content, weight and time, as likelihood, never as fact.
//
// Source: reported dispersal of stripped accelerators as spare parts in small parcels over several transit countries to one
// hub; scatter-gather among the known laundering motifs.
//
// Innocent: a repair campaign; consolidation of returns; a new service centre; a forwarder that collects for many. Honest
// parcels of fans, cables and cards are light, go on at a steady rate, and mostly take one way.
type Dispersal struct{}

// Parameters of Dispersal.
const (
	parcelWindow    = 60 * Day
	parcelMinCount  = 3
	parcelModuleKg  = 3.2 // an accelerator module with its packing
	parcelNetShare  = 0.9 // of the gross weight
	parcelBaseline  = 0.7 // parcels in a window that a sender without history may send
	parcelRateMost  = 2.6
	parcelTwoWays   = 0.9 // two routes to one consignee; three and more count double
	parcelBarred    = 0.7
	parcelHeavy     = 0.8 // parcels twice as heavy as parcels are
	parcelLeast     = 1.2 // below that it is not worth a finding
	parcelMaxKg     = 400 // above that it is freight, not a parcel
	parcelMinModule = 1   // modules that it could hold, to count at all
)

// Kind implements Detector.
func (Dispersal) Kind() string { return "dispersed-as-parts" }

// Find implements Detector.
func (d Dispersal) Find(m *Memory, now Micros) []Finding {
	bySender := map[string][]*Load{}
	var weights []float64
	m.Loads(func(l *Load) {
		if !isParcel(l) {
			return
		}
		weights = append(weights, l.WeightKg)
		if from := l.Legs[0].From; from != "" {
			bySender[from] = append(bySender[from], l)
		}
	})
	if len(weights) == 0 {
		return nil
	}
	slices.Sort(weights)
	usual := weights[len(weights)/2]
	senders := make([]string, 0, len(bySender))
	for s := range bySender {
		senders = append(senders, s)
	}
	slices.Sort(senders)
	var out []Finding
	for _, s := range senders {
		if f, ok := d.judge(m, s, bySender[s], usual, now); ok {
			out = append(out, f)
		}
	}
	return out
}

// isParcel says whether a load is a small consignment whose contents nobody names.
func isParcel(l *Load) bool {
	return !l.Void && len(l.Legs) > 0 && len(l.Units) == 0 && l.WeightKg > 0 && l.WeightKg <= parcelMaxKg
}

// Modules is how many accelerator modules a parcel could hold by its weight.
func Modules(l *Load) int { return int(l.WeightKg * parcelNetShare / parcelModuleKg) }

// judge looks for the window of a sender's parcels that surprises most.
func (d Dispersal) judge(m *Memory, sender string, list []*Load, usual float64, now Micros) (Finding, bool) {
	slices.SortFunc(list, func(a, b *Load) int {
		if c := a.Legs[0].At - b.Legs[0].At; c != 0 {
			return int(min(max(c, -1), 1))
		}
		return strings.Compare(a.ID, b.ID)
	})
	var best Finding
	for i := range list {
		start := list[i].Legs[0].At
		n := i
		for n < len(list) && list[n].Legs[0].At-start <= parcelWindow {
			n++
		}
		if n-i < parcelMinCount {
			continue
		}
		f := d.window(m, sender, list[:i], list[i:n], usual)
		if f.MilliNats > best.MilliNats {
			best = f
		}
	}
	return best, best.MilliNats >= nats(parcelLeast)
}

// window weighs the parcels of one window against those before.
func (d Dispersal) window(m *Memory, sender string, before, in []*Load, usual float64) Finding {
	f := Finding{ID: identify(d.Kind(), sender, fmt.Sprint(in[0].Legs[0].At/parcelWindow)), Kind: d.Kind(), Group: GroupMoved, Parties: []string{sender},
		First: in[0].Legs[0].At, From: in[0].Legs[0].At, To: in[len(in)-1].Legs[0].At,
		Innocent: []string{
			"a repair campaign or a consolidation of returns: the sender can name what was in them",
			"parcels of fans, cables and cards that happen to coincide",
			"a forwarder that collects for many senders",
		}}
	expected := parcelBaseline
	if len(before) > 0 {
		span := max(float64(in[0].Legs[0].At-before[0].Legs[0].At), float64(parcelWindow))
		expected = max(expected, float64(len(before))*float64(parcelWindow)/span)
	}
	k := float64(len(in))
	llr := 0.0
	if k > expected {
		llr = min(parcelRateMost, (k*math.Log(k/expected)-(k-expected))/2)
	}
	modules, kg := 0, 0.0
	for _, l := range in {
		modules += Modules(l)
		kg += l.WeightKg
		f.Consignments = append(f.Consignments, l.ID)
		f.Sites = append(f.Sites, l.Legs[0].Site)
		for _, g := range append(slices.Clone(l.Legs), l.Receipts...) {
			f.Evidence = append(f.Evidence, g.Seq)
		}
	}
	if kg/k > 2*usual {
		llr += parcelHeavy
	}
	dest, routes, barred := m.converge(in)
	switch {
	case routes >= 3:
		llr += 2 * parcelTwoWays
	case routes == 2:
		llr += parcelTwoWays
	}
	if barred != "" {
		llr += parcelBarred
	}
	if modules < parcelMinModule*len(in) {
		llr -= parcelHeavy // too light for what they would have to hold
	}
	f.Estimated, f.Routes, f.Dest, f.MilliNats = modules, routes, barred, nats(llr)
	if dest != "" {
		f.Parties = append(f.Parties, dest)
	}
	f.Explanation = d.text(m, in, sender, dest, barred, modules, routes, kg)
	return f
}

func (Dispersal) text(m *Memory, in []*Load, sender, dest, barred string, modules, routes int, kg float64) string {
	s := fmt.Sprintf("%d parcels declared as %s, %.0f kg together, left %s between %s and %s; by weight they could hold up to %d accelerators",
		len(in), quoteDesc(in), kg, m.Name(sender), day(in[0].Legs[0].At), day(in[len(in)-1].Legs[0].At), modules)
	if dest != "" && routes > 1 {
		s += fmt.Sprintf("; over %d routes to %s", routes, m.Name(dest))
	} else if dest != "" {
		s += "; to " + m.Name(dest)
	}
	if barred != "" {
		s += " in " + barred
	}
	return s
}

func quoteDesc(in []*Load) string {
	count := map[string]int{}
	for _, l := range in {
		count[l.Desc]++
	}
	best := ""
	for d, n := range count {
		if d != "" && (best == "" || n > count[best] || n == count[best] && d < best) {
			best = d
		}
	}
	if best == "" {
		return "parts"
	}
	return "“" + best + "”"
}

// converge finds the consignee at which most parcels end, and by how many ways they go there: a way is the places between.
func (m *Memory) converge(in []*Load) (dest string, routes int, barred string) {
	count := map[string]int{}
	ways := map[string]map[string]bool{}
	all := map[string]bool{}
	for _, l := range in {
		last := l.Legs[len(l.Legs)-1]
		end := first(last.To, last.ToSite)
		count[end]++
		via := m.via(l)
		all[via] = true
		if ways[end] == nil {
			ways[end] = map[string]bool{}
		}
		ways[end][via] = true
		if c, _ := m.destination(l); IsBarred(c) {
			barred = c
		}
	}
	for end, n := range count {
		if end != "" && (dest == "" || n > count[dest] || n == count[dest] && end < dest) {
			dest = end
		}
	}
	routes = len(ways[dest])
	if count[dest] < 2 {
		dest, routes = "", 0
	}
	// Parcels whose last leg nobody saw end at forwarders: several of those are several ways all the same.
	if forwarders := len(all); forwarders > routes && barred != "" {
		routes = forwarders
	}
	return dest, routes, barred
}

// via is the way of a load: the countries, or else the parties, through which it goes.
func (m *Memory) via(l *Load) string {
	var parts []string
	for _, g := range l.Legs[:len(l.Legs)-1] {
		parts = append(parts, first(m.placeCountry(g.ToSite), m.partyCountry(g.To), g.To))
	}
	if len(l.Legs) == 1 {
		parts = append(parts, "direct:"+first(m.placeCountry(l.Legs[0].ToSite), l.Legs[0].To))
	}
	return strings.Join(parts, ">")
}
