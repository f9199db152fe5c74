package custody

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/gs1"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// Element is the master data of one subject: a party, a place or a class, in all the versions that were told.
type Element struct {
	Type     string    `json:"type"`
	Versions []Version `json:"v"`
}

// Version is what was told about a subject at one time. Attributes are under their local name, Tidewaiter's own as "tw:name".
type Version struct {
	Known Micros            `json:"k"`
	Seq   int64             `json:"s"`
	By    string            `json:"by,omitzero"`
	Attrs map[string]string `json:"a"`
}

// Directory answers from master data, as known at a ledger time.
type Directory interface {
	// Element returns what is known of a subject, or nil.
	Element(id string) *Element
}

// At returns the version that was known at a ledger time; before the first was known, the first.
func (e *Element) At(known Micros) *Version {
	if e == nil || len(e.Versions) == 0 {
		return nil
	}
	v := &e.Versions[0]
	for i := range e.Versions {
		if e.Versions[i].Known <= known {
			v = &e.Versions[i]
		}
	}
	return v
}

// Attr returns one attribute as last known, or "".
func (e *Element) Attr(name string) string {
	if v := e.At(math.MaxInt64); v != nil {
		return v.Attrs[name]
	}
	return ""
}

// Site finds the master data of a place: of itself, else of the site that it is a part of.
func Site(d Directory, id string) *Element {
	if id == "" || isGeo(id) {
		return nil
	}
	if e := d.Element(id); e != nil {
		return e
	}
	if base := gs1.SiteOf(id); base != "" && base != id {
		return d.Element(base)
	}
	return nil
}

// Operator is the party that operates a place, or "".
func Operator(d Directory, place string) string {
	return party(Site(d, place).Attr("tw:operator"))
}

// party is the canonical form of a party's identifier, or "" for what is none: a name, or several parties at once.
func party(id string) string {
	if c, err := gs1.Canonical(id); err == nil {
		return c
	}
	return ""
}

// operatorAt is the party that operated a place at an event time, or "": an element is valid from the time at which it was told.
func operatorAt(d Directory, place string, at Micros) string {
	if v := Site(d, place).At(at); v != nil {
		return party(v.Attrs["tw:operator"])
	}
	return ""
}

// Country is the ISO 3166-1 alpha-2 code of a place's country, upper case, or "".
func Country(d Directory, place string) string {
	return strings.ToUpper(Site(d, place).Attr("countryCode"))
}

// NameOf is what people call a subject: its name, else its identifier.
func NameOf(d Directory, id string) string {
	if e := d.Element(id); e != nil {
		if n := e.Attr("name"); n != "" {
			return n
		}
	}
	return id
}

// Position is a place's latitude and longitude in degrees (WGS 84).
func Position(d Directory, place string) (lat, lon float64, ok bool) {
	if isGeo(place) {
		return GeoPoint(place)
	}
	e := Site(d, place)
	lat, err1 := strconv.ParseFloat(e.Attr("latitude"), 64)
	lon, err2 := strconv.ParseFloat(e.Attr("longitude"), 64)
	return lat, lon, err1 == nil && err2 == nil
}

// GeoPoint reads a geo: URI (RFC 5870).
func GeoPoint(uri string) (lat, lon float64, ok bool) {
	rest, found := strings.CutPrefix(uri, "geo:")
	if !found {
		return 0, 0, false
	}
	rest, _, _ = strings.Cut(rest, ";")
	parts := strings.Split(rest, ",")
	if len(parts) < 2 {
		return 0, 0, false
	}
	lat, err1 := strconv.ParseFloat(parts[0], 64)
	lon, err2 := strconv.ParseFloat(parts[1], 64)
	ok = err1 == nil && err2 == nil && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
	return lat, lon, ok
}

// Kilometres is the great-circle distance between two points, with the mean radius of the Earth (6371 km).
func Kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	a := math.Sin((lat2 - lat1) * rad / 2)
	b := math.Sin((lon2 - lon1) * rad / 2)
	h := a*a + math.Cos(lat1*rad)*math.Cos(lat2*rad)*b*b
	return 2 * 6371 * math.Asin(math.Min(1, math.Sqrt(h)))
}

// ClassOf is the product class of a unit (its GTIN as a Digital Link), or "" where the identifier does not say.
func ClassOf(unit string) string {
	k, ok := gs1.Parse(unit)
	if !ok || k.AI != "01" {
		return ""
	}
	return "https://id.gs1.org/01/" + k.Value
}

// KindOf is what a unit is (accelerator, baseboard, server, …) by the master data of its class or by its own, or "".
func KindOf(d Directory, unit string) string {
	for _, id := range []string{unit, ClassOf(unit)} {
		if id == "" {
			continue
		}
		if e := d.Element(id); e != nil {
			if k := e.Attr("tw:kind"); k != "" {
				return k
			}
		}
	}
	return ""
}

// Kind is KindOf by the directory as it is, remembered until that changes: it is asked of every unit of every event.
func (v *View) Kind(unit string) string {
	if v.kinds.weight != v.weight || len(v.kinds.of) > keepStandings {
		v.kinds.of, v.kinds.weight = map[string]string{}, v.weight
	}
	kind, ok := v.kinds.of[unit]
	if !ok {
		kind = KindOf(v, unit)
		if v.kinds.of == nil {
			v.kinds.of = map[string]string{}
		}
		v.kinds.of[unit] = kind
	}
	return kind
}

// kinds remembers what units are.
type kinds struct {
	weight int // the directory's
	of     map[string]string
}

// maxVersions is how many versions of a subject are kept. Beyond it, the oldest goes that changes nothing in who operates a
// place or what a party is: on that depends who speaks with authority, and an event keeps the weight that it had.
const maxVersions = 64

// told adds a version, if who says it may: anybody introduces a subject; afterwards it speaks for itself, or the registrar,
// an authority, or whoever introduced it does.
//
// Whose word counts is asked of what was known at that moment: a directory grows in the order of the ledger.
func (e *Element) told(en ledger.Entry, el *epcis.Element, isAuthority func(party string) bool) bool {
	if len(e.Versions) > 0 {
		by := en.Speaker
		if by != el.ID && by != Registrar && by != e.Versions[0].By && !isAuthority(by) {
			return false
		}
	}
	attrs := map[string]string{}
	for name, v := range el.Attributes {
		attrs[localName(name)] = attrText(v)
	}
	e.Type = el.Type
	e.Versions = append(e.Versions, Version{Known: At(en.Recorded), Seq: en.Seq, By: en.Speaker, Attrs: attrs})
	if len(e.Versions) > maxVersions {
		e.forgetOne()
	}
	return true
}

// forgetOne drops the oldest version that says of operator and role what the one before it says, if there is one.
func (e *Element) forgetOne() {
	for i := 1; i < len(e.Versions)-1; i++ {
		a, b := e.Versions[i-1].Attrs, e.Versions[i].Attrs
		if a["tw:operator"] == b["tw:operator"] && a["tw:role"] == b["tw:role"] {
			e.Versions = slices.Delete(e.Versions, i, i+1)
			return
		}
	}
}

// knownBy is the element as it was known at a ledger time, or nil.
func (e *Element) knownBy(known Micros) *Element {
	if e == nil {
		return nil
	}
	n := len(e.Versions)
	for n > 0 && e.Versions[n-1].Known > known {
		n--
	}
	switch n {
	case 0:
		return nil
	case len(e.Versions):
		return e
	}
	return &Element{Type: e.Type, Versions: e.Versions[:n:n]}
}

// asOf is a directory as it was known at a ledger time.
type asOf struct {
	d     Directory
	known Micros
}

// Element implements Directory.
func (a asOf) Element(id string) *Element { return a.d.Element(id).knownBy(a.known) }

func localName(expanded string) string {
	if l, ok := strings.CutPrefix(expanded, NS); ok {
		return "tw:" + l
	}
	i := strings.LastIndexAny(expanded, "/#:")
	return expanded[i+1:]
}

// attrText keeps a string as it is; of anything else, the JSON.
func attrText(v jsontext.Value) string {
	if v.Kind() == '"' {
		if s, err := unquote(v); err == nil {
			return s
		}
	}
	return string(v)
}

// Canonical gives the canonical form of an identifier where there is one, else the identifier.
func Canonical(id string) string { return canonical(id) }

func canonical(id string) string {
	if id == "" {
		return ""
	}
	if c, err := gs1.Canonical(id); err == nil {
		return c
	}
	return id
}

// With returns the element with one more version, leaving e (which may be nil) as it is.
func (e *Element) With(en ledger.Entry, el *epcis.Element) *Element {
	next := &Element{}
	if e != nil {
		next.Type, next.Versions = e.Type, slices.Clone(e.Versions)
	}
	next.told(en, el, func(string) bool { return false })
	return next
}
