package detect

import (
	"fmt"
	"slices"
	"strings"
)

// Barred sees accelerators, by their serials, sent to or received at a barred destination.
//
// Source: design §6: barred destinations until rules are loaded; EAR part 744 and country group D:5 for the kind of rule.
//
// Innocent: an authorisation that is not in the ledger; a warranty return to a service centre there; a wrong country code in
// master data; a mis-scan.
type Barred struct{}

// BarredCountries are the destinations that are barred until rules are loaded (ISO 3166-1 alpha-2).
var BarredCountries = []string{"CN", "HK", "MO", "RU", "BY", "IR", "KP", "SY", "CU"}

// IsBarred says whether a country is a barred destination.
func IsBarred(country string) bool { return slices.Contains(BarredCountries, strings.ToUpper(country)) }

// Parameters of Barred, in nats.
const (
	barredSent     = 4.0 // sent there: may be turned back
	barredArrived  = 6.0
	barredReturn   = 2.5      // taken off for a return with its number
	barredFewUnits = 1.5      // taken off for fewer than three units
	barredTransit  = 21 * Day // how long goods may lie at a carrier's on the way to an owner elsewhere
)

// Kind implements Detector.
func (Barred) Kind() string { return "barred-destination" }

// Find implements Detector.
func (d Barred) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	m.Loads(func(l *Load) {
		if l.Void || len(l.Units) == 0 || len(l.Legs) == 0 {
			return
		}
		country, arrived := m.destination(l)
		if !IsBarred(country) || m.passesThrough(l, now) {
			return
		}
		llr, verb := barredSent, "sent to"
		if arrived {
			llr, verb = barredArrived, "received in"
		}
		if l.RMA {
			llr -= barredReturn
		}
		if len(l.Units) < 3 {
			llr -= barredFewUnits
		}
		last := l.Legs[len(l.Legs)-1]
		f := Finding{ID: identify(d.Kind(), l.ID), Kind: d.Kind(), Group: GroupConsumed, MilliNats: nats(llr), Units: slices.Clone(l.Units),
			Parties: []string{last.From, last.To}, Sites: []string{last.Site, last.ToSite}, Consignments: []string{l.ID}, First: last.At, From: last.At, To: last.At, Dest: country,
			Innocent: []string{
				"an authorisation for this destination exists and is not in the ledger",
				"a warranty return to a service centre there",
				"the country in the master data or in the papers is wrong",
			},
			Explanation: fmt.Sprintf("%s %s %s %s, a barred destination", Counted(len(l.Units), "accelerator"), were(len(l.Units)), verb, country)}
		for _, g := range append(slices.Clone(l.Legs), l.Receipts...) {
			f.Evidence = append(f.Evidence, g.Seq)
		}
		out = append(out, f)
	})
	return out
}

// passesThrough says whether a load is on its way to a named owner in another country, and only lies at a carrier's since it was last
// heard of: who changes aircraft does not arrive.
func (m *Memory) passesThrough(l *Load, now Micros) bool {
	last := l.Legs[len(l.Legs)-1]
	at, to, site := last.At, last.To, last.ToSite
	for _, r := range l.Receipts {
		if r.At >= at {
			at, to, site = r.At, r.To, first(r.Site, site)
		}
	}
	home := m.partyCountry(l.Final)
	if home == "" || IsBarred(home) || IsBarred(l.EndUse) || to == l.Final || now-at > barredTransit {
		return false
	}
	role, kind := m.Attr(to, "tw:role"), m.siteType(site)
	return role == "carrier" || role == "forwarder" || kind == "forwarder" || kind == "free_zone"
}

// destination is the country to which a load went last, and whether it was received there.
func (m *Memory) destination(l *Load) (country string, arrived bool) {
	var last Micros
	for _, g := range l.Legs {
		if c := first(m.placeCountry(g.ToSite), m.partyCountry(g.To)); c != "" && g.At >= last {
			country, arrived, last = first2(c, l.EndUse), false, g.At
		}
	}
	for _, r := range l.Receipts {
		if c := m.placeCountry(r.Site); c != "" && r.At >= last {
			country, arrived, last = c, true, r.At
		}
	}
	return first(country, l.EndUse), arrived
}

// first2 prefers the barred one of two countries: papers that name a barred end use speak for themselves.
func first2(a, b string) string {
	if IsBarred(b) {
		return b
	}
	return a
}

// placeCountry is the country of a place: by its master data, or for a position by the nearest place that is known.
func (m *Memory) placeCountry(place string) string {
	if place == "" {
		return ""
	}
	return m.Country(place)
}

func (m *Memory) partyCountry(party string) string {
	e := m.Custody.Element(party)
	return strings.ToUpper(first(e.Attr("countryCode"), e.Attr("tw:country")))
}
