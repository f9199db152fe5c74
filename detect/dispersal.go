package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Dispersal sees parcels without serials that go from one sender to one consignee, more of them or heavier than that sender
// sends otherwise, and by several routes. Parcels are matched to units by content, weight and time, as likelihood, never as
// fact.
//
// Source: reported dispersal of stripped accelerators as spare parts in small parcels over several transit countries to one
// hub; scatter-gather among the known laundering motifs.
//
// Innocent: a repair campaign; consolidation of returns; a new service centre; a forwarder that collects for many. Honest
// parcels of fans, cables and cards are light, go on at a steady rate, and to many consignees.
type Dispersal struct{}

// Parameters of Dispersal, in nats where they are weights.
const (
	parcelWindow   = 60 * Day
	parcelMinCount = 2
	parcelModuleKg = 3.2  // an accelerator module
	parcelNetShare = 0.9  // of the gross weight
	parcelUsual    = 0.35 // parcels to one consignee in a window that a sender without history may send
	parcelRateMost = 2.6
	parcelRoute    = 0.5 // each route beyond the first, up to two
	parcelBarred   = 0.9 // the consignee is in a barred country
	parcelHeavy    = 1.1 // twice as heavy as parcels are
	parcelLight    = 1.5 // taken off: too light for what they would have to hold
	parcelCheap    = 0.6 // declared at less than a part of that weight is worth
	parcelPerKg    = 300 // US dollars
	parcelLeast    = 1.2 // below that it is not worth a finding
	parcelMaxKg    = 400 // above that it is freight, not a parcel
)

// Kind implements Detector.
func (Dispersal) Kind() string { return "dispersed-as-parts" }

// channel is where parcels come from and go to.
type channel struct{ from, to string }

// Find implements Detector.
func (d Dispersal) Find(m *Memory, now Micros) []Finding {
	lists, bySender := map[channel][]*Load{}, map[string][]*Load{}
	var weights []float64
	m.Loads(func(l *Load) {
		if !isParcel(l) {
			return
		}
		weights = append(weights, l.WeightKg)
		if c := (channel{l.Origin, l.consignee()}); c.from != "" && c.to != "" && c.from != c.to {
			lists[c] = append(lists[c], l)
			bySender[c.from] = append(bySender[c.from], l)
		}
	})
	if len(weights) == 0 {
		return nil
	}
	slices.Sort(weights)
	usual := weights[len(weights)/2]
	channels := make([]channel, 0, len(lists))
	for c := range lists {
		channels = append(channels, c)
	}
	slices.SortFunc(channels, func(a, b channel) int { return strings.Compare(a.from+"\x00"+a.to, b.from+"\x00"+b.to) })
	var out []Finding
	for _, c := range channels {
		if f, ok := d.judge(m, c, lists[c], bySender[c.from], usual); ok {
			out = append(out, f)
		}
	}
	return out
}

// isParcel says whether a load is a small consignment of which nobody names the contents, or hardly any.
func isParcel(l *Load) bool {
	machines := strings.HasPrefix(l.HSCode, "8471") // declared as what machines are
	return !l.Void && !machines && len(l.Legs) > 0 && l.WeightKg > 0 && l.WeightKg <= parcelMaxKg && len(l.Units)*2 <= max(Modules(l), 1) && !(len(l.Units) > 0 && l.RMA)
}

// Modules is how many accelerator modules a parcel could hold by its weight.
func Modules(l *Load) int { return int(l.WeightKg * parcelNetShare / parcelModuleKg) }

// consignee is at whom a load ends, as far as its papers say.
func (l *Load) consignee() string {
	if l.Final != "" {
		return l.Final
	}
	return first(l.EndUser, l.Legs[len(l.Legs)-1].To)
}

// leaves is when a load was first seen to move.
func (l *Load) leaves() Micros {
	t := l.Legs[0].At
	for _, r := range l.Receipts {
		t = min(t, r.At)
	}
	return t
}

// judge looks for the window of a channel's parcels that surprises most.
func (d Dispersal) judge(m *Memory, c channel, list, sent []*Load, usual float64) (Finding, bool) {
	if len(list) < parcelMinCount {
		return Finding{}, false
	}
	byTime := func(a, b *Load) int {
		if t := a.leaves() - b.leaves(); t != 0 {
			return int(min(max(t, -1), 1))
		}
		return strings.Compare(a.ID, b.ID)
	}
	slices.SortFunc(list, byTime)
	var best Finding
	for i := range list {
		start := list[i].leaves()
		n := i
		for n < len(list) && list[n].leaves()-start <= parcelWindow {
			n++
		}
		if n-i < parcelMinCount {
			continue
		}
		f := d.window(m, c, list[i:n], expected(list, sent, start), usual)
		if f.MilliNats > best.MilliNats {
			best = f
		}
		if n == len(list) {
			break
		}
	}
	return best, best.MilliNats >= nats(parcelLeast)
}

// expected is how many parcels the sender would send to the consignee in a window, by what it sent before and after: to this
// consignee, or to anybody, shared among those to whom it sends.
func expected(list, sent []*Load, start Micros) float64 {
	span := parcelWindow
	outside := func(of []*Load) (n int) {
		for _, l := range of {
			t := l.leaves()
			if t < start || t > start+parcelWindow {
				n++
			}
			span = max(span, t-start, start-t)
		}
		return n
	}
	others := map[string]bool{}
	for _, l := range sent {
		others[l.consignee()] = true
	}
	windows := max(1, float64(span)/float64(parcelWindow))
	to, all := float64(outside(list))/windows, float64(outside(sent))/windows
	return max(parcelUsual, to, all/float64(len(others)+2))
}

// window weighs the parcels of one window.
func (d Dispersal) window(m *Memory, c channel, in []*Load, usually, usual float64) Finding {
	f := Finding{ID: identify(d.Kind(), c.from, c.to, fmt.Sprint(in[0].leaves()/parcelWindow)), Kind: d.Kind(), Group: GroupMoved, Parties: []string{c.from},
		Consignee: c.to, First: in[0].leaves(), From: in[0].leaves(), To: in[len(in)-1].leaves(), Innocent: parcelInnocent}
	modules, kg, value := 0, 0.0, 0.0
	routes := map[string]bool{}
	for _, l := range in {
		modules += Modules(l)
		kg += l.WeightKg
		value += l.Value
		routes[m.via(l)] = true
		f.Consignments = append(f.Consignments, l.ID)
		f.Sites = append(f.Sites, l.OriginSite)
		if country, _ := m.destination(l); IsBarred(country) {
			f.Dest = country
		}
		for _, g := range append(slices.Clone(l.Legs), l.Receipts...) {
			f.Evidence = append(f.Evidence, g.Seq)
		}
	}
	if country := m.partyCountry(c.to); IsBarred(country) {
		f.Dest = country
	}
	k := float64(len(in))
	llr := min(parcelRateMost, k*math.Log(k/usually)-(k-usually)) + parcelRoute*float64(min(len(routes)-1, 2))
	if f.Dest != "" {
		llr += parcelBarred
	}
	light := false
	switch each := kg / k; {
	case each > 2*usual:
		llr += parcelHeavy
	case each < usual/2, modules < 2*len(in):
		llr -= parcelLight
		light = true // and their price says nothing
	}
	if !light && value > 0 && value < parcelPerKg*kg {
		llr += parcelCheap
	}
	f.Estimated, f.Routes, f.MilliNats = modules, len(routes), nats(llr)
	f.Explanation = d.text(m, in, f, kg)
	return f
}

var parcelInnocent = []string{
	"a repair campaign or a consolidation of returns: the sender can name what was in them",
	"parcels of fans, cables, rails and heat sinks that happen to coincide",
	"a forwarder that collects for many senders",
}

func (Dispersal) text(m *Memory, in []*Load, f Finding, kg float64) string {
	s := fmt.Sprintf("%s declared as %s, %.0f kg together, left %s between %s and %s for %s", Counted(len(in), "parcel"), quoteDesc(in), kg, m.Name(f.Parties[0]),
		day(f.From), day(f.To), m.Name(f.Consignee))
	if f.Dest != "" {
		s += " in " + f.Dest
	}
	if f.Routes > 1 {
		s += fmt.Sprintf(", over %d routes", f.Routes)
	}
	return s + fmt.Sprintf("; by weight they could hold up to %s", Counted(f.Estimated, "accelerator"))
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

// via is the way of a load: the countries, or else the parties, through which it goes.
func (m *Memory) via(l *Load) string {
	var parts []string
	for _, g := range l.Legs {
		if g.To != l.consignee() {
			parts = append(parts, first(m.placeCountry(g.ToSite), m.partyCountry(g.To), g.To))
		}
	}
	for _, r := range l.Receipts {
		if r.To != l.consignee() {
			parts = append(parts, first(m.placeCountry(r.Site), m.partyCountry(r.To), r.To))
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ">")
}
