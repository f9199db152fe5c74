package detect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Unproven sees accelerators that were delivered to a site from which none has ever been heard, and that nobody else has counted
// since heavy parcels began to go from there to a barred country, or since several of its machines were seen elsewhere. Where nothing reports, nothing can fall silent: what was declared
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
	sites := map[string]*leaks{}
	at := func(site string) *leaks {
		if sites[site] == nil {
			sites[site] = &leaks{}
		}
		return sites[site]
	}
	m.Loads(func(l *Load) {
		if l.OriginSite == "" || !isParcel(l) || Modules(l) < 2 || m.heardFrom(l.OriginSite) {
			return
		}
		if country, _ := m.destination(l); IsBarred(country) || IsBarred(m.partyCountry(l.consignee())) {
			at(l.OriginSite).parcels = append(at(l.OriginSite).parcels, l)
		}
	})
	m.oddBySite(func(site string, odd []oddUnit) {
		if m.machines(odd) >= faintMin && !m.heardFrom(site) {
			at(site).seen = odd
		}
	})
	var out []Finding
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		if f, ok := d.judge(m, site, sites[site]); ok {
			out = append(out, f)
		}
	}
	return out
}

// leaks are the signs that units left a site: heavy parcels to a barred country, and sightings of several of its machines elsewhere.
type leaks struct {
	parcels []*Load
	seen    []oddUnit
}

func (d Unproven) judge(m *Memory, site string, l *leaks) (Finding, bool) {
	f := Finding{ID: identify(d.Kind(), site), Kind: d.Kind(), Group: GroupUnproven, Sites: []string{site}, Innocent: []string{
		"all of them are there: an inspection that counts them, or their first check-in, would show it",
	}}
	modules := d.cite(&f, l)
	f.First = f.From
	f.Units = m.unprovenAt(site, f.From)
	heavy := len(l.parcels) >= parcelMinCount && modules*unprovenShare >= len(f.Units)
	if len(f.Units) < unprovenMin || !heavy && len(l.seen) == 0 {
		return f, false
	}
	f.Parties = []string{custody.Operator(m.Custody, site)}
	why := fmt.Sprintf("%s of it were seen elsewhere", Counted(len(l.seen), "accelerator"))
	if heavy {
		f.Parties = append(f.Parties, l.parcels[0].Origin)
		f.Innocent = append(f.Innocent, "parcels of rails, cables and heat sinks are heavy too: the sender can name what was in them")
		why = fmt.Sprintf("%d heavy parcels went from there to a barred country", len(l.parcels))
	}
	f.MilliNats = nats(unprovenLLR)
	f.Explanation = fmt.Sprintf("%d accelerators were delivered to %s, none of which was ever heard from, and nobody has counted them since %s from %s on",
		len(f.Units), m.Name(site), why, day(f.From))
	return f, true
}

// cite names the events on which a finding rests, and from when to when they were; it returns how many modules the parcels could hold.
func (Unproven) cite(f *Finding, l *leaks) (modules int) {
	at := func(t Micros, seq int64) {
		if f.From == 0 || t < f.From {
			f.From = t
		}
		f.To = max(f.To, t)
		f.Evidence = append(f.Evidence, seq)
	}
	for _, p := range l.parcels {
		modules += Modules(p)
		at(p.leaves(), p.Legs[0].Seq)
	}
	for _, o := range l.seen {
		at(o.odd.At, o.odd.Seq)
	}
	return modules
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
