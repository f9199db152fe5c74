package detect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Unproven sees accelerators that were delivered to a site from which none has ever been heard, and that nobody else has counted
// since heavy parcels began to go from there to a barred country. Where nothing reports, nothing can fall silent: what was declared
// about such a site proves nothing, whatever its operator declares about check-ins.
//
// Source: reported cases in which servers stood in a rented hall for an inspection and left afterwards; material balance as in
// safeguards, where what cannot be verified counts as unverified and not as present.
//
// Innocent: all of them are there: an inspection that counts them, or their first check-in, shows it. Parcels of rails and cables are
// heavy too.
type Unproven struct{}

// Parameters of Unproven.
const (
	unprovenMin    = 17       // units; what two machines hold may be in any heavy parcel
	unprovenSettle = 30 * Day // how long a delivery may take to be switched on
	unprovenLLR    = 1.0      // nats
	unprovenShare  = 8        // parcels could hold at least one in so many of the units
)

// Kind implements Detector.
func (Unproven) Kind() string { return "unproven-stock" }

// Find implements Detector.
func (d Unproven) Find(m *Memory, now Micros) []Finding {
	left := map[string][]*Load{} // heavy parcels to a barred country, by the site that they left
	m.Loads(func(l *Load) {
		if l.OriginSite == "" || !isParcel(l) || Modules(l) < 2 || m.heardFrom(l.OriginSite) {
			return
		}
		if country, _ := m.destination(l); IsBarred(country) || IsBarred(m.partyCountry(l.consignee())) {
			left[l.OriginSite] = append(left[l.OriginSite], l)
		}
	})
	var out []Finding
	for _, site := range slices.Sorted(maps.Keys(left)) {
		if f, ok := d.judge(m, site, left[site]); ok {
			out = append(out, f)
		}
	}
	return out
}

func (d Unproven) judge(m *Memory, site string, parcels []*Load) (Finding, bool) {
	f := Finding{ID: identify(d.Kind(), site), Kind: d.Kind(), Group: GroupUnproven, Sites: []string{site}, Innocent: []string{
		"all of them are there: an inspection that counts them, or their first check-in, would show it",
		"parcels of rails, cables and heat sinks are heavy too: the sender can name what was in them",
	}}
	modules := 0
	for _, l := range parcels {
		modules += Modules(l)
		if f.From == 0 || l.leaves() < f.From {
			f.From = l.leaves()
		}
		f.To = max(f.To, l.leaves())
		f.Evidence = append(f.Evidence, l.Legs[0].Seq)
	}
	f.First = f.From
	f.Units = m.unprovenAt(site, f.From)
	if len(parcels) < parcelMinCount || len(f.Units) < unprovenMin || modules*unprovenShare < len(f.Units) {
		return f, false
	}
	f.Parties = []string{custody.Operator(m.Custody, site), parcels[0].Origin}
	f.MilliNats = nats(unprovenLLR)
	f.Explanation = fmt.Sprintf("%d accelerators were delivered to %s, none of which was ever heard from, and nobody has counted them since %d heavy parcels went from there to a barred country from %s on",
		len(f.Units), m.Name(site), len(parcels), day(f.From))
	return f, true
}

// unprovenAt lists the accelerators that were sent to a site well before a time, stand there by their papers, and have not been
// passed by an inspection since. That their receipt was scanned is not asked: many are missed.
func (m *Memory) unprovenAt(site string, since Micros) []string {
	var out []string
	seen := map[string]bool{}
	m.Loads(func(l *Load) {
		if len(l.Legs) == 0 || l.Legs[len(l.Legs)-1].ToSite != site || l.Legs[len(l.Legs)-1].At > since-unprovenSettle {
			return
		}
		for _, unit := range l.Units {
			u := m.Unit(unit)
			if seen[unit] || u != nil && (u.Passed > since || u.Count > 0) {
				continue
			}
			seen[unit] = true
			if st := m.Standing(unit); st != nil && st.Transit == nil && st.Own.Ended == nil && custody.SameSite(st.Site, site) {
				out = append(out, unit)
			}
		}
	})
	return out
}
