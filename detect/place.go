package detect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/gs1"
)

// besideKm is how far a position may lie from a site that has nothing to do with the unit and still mean it.
const besideKm = 15.0

// nearKm is how far a position may lie from a site and still mean it: coordinates in master data are often those of the city.
const nearKm = 50.0

// located is a site with its coordinates.
type located struct {
	id       string
	lat, lon float64
}

// sitesWithPosition are the sites of master data that have coordinates, in the order of their ids.
func (m *Memory) sitesWithPosition() []located {
	if m.places != nil {
		return m.places
	}
	m.places = []located{}
	err := m.Custody.Elements(func(id string, e *custody.Element) error {
		if lat, lon, ok := custody.Position(m.Custody, id); ok && custody.IsPlace(id) {
			m.places = append(m.places, located{id, lat, lon})
		}
		return nil
	})
	if err != nil && m.err == nil {
		m.err = err
	}
	slices.SortFunc(m.places, func(a, b located) int { return strings.Compare(a.id, b.id) })
	return m.places
}

// siteAt turns the position of a unit into the site that it means: where the unit is, or where it is being sent, when that is
// near enough; else a site of whoever holds it; else the position itself, which is no site that anybody declared.
func (m *Memory) siteAt(unit, geo string) string {
	lat, lon, ok := custody.GeoPoint(geo)
	if !ok {
		return ""
	}
	within := nearKm + uncertaintyKm(geo)
	near := func(site string) bool {
		slat, slon, ok := custody.Position(m.Custody, site)
		return ok && !isPosition(site) && custody.Kilometres(lat, lon, slat, slon) <= within
	}
	mine := map[string]bool{}
	if st := m.Standing(unit); st != nil {
		if near(st.Site) {
			return siteOf(st.Site)
		}
		if t := st.Transit; t != nil {
			if near(t.ToSite) {
				return siteOf(t.ToSite)
			}
			mine[t.To] = true
		}
		mine[st.Holder], mine[st.Owner] = true, true
	}
	if u := m.Unit(unit); u != nil && near(u.Site) {
		return u.Site
	}
	delete(mine, "")
	if s := first(m.nearest(lat, lon, within, func(id string) bool { return mine[custody.Operator(m.Custody, id)] }),
		m.nearest(lat, lon, besideKm, func(id string) bool { return m.siteType(id) == "datacentre" })); s != "" {
		return siteOf(s)
	}
	base, _, _ := strings.Cut(geo, ";")
	return base
}

// nearest is the nearest site within a distance that fits, or "".
func (m *Memory) nearest(lat, lon, within float64, fits func(id string) bool) string {
	best := ""
	for _, s := range m.sitesWithPosition() {
		if km := custody.Kilometres(lat, lon, s.lat, s.lon); km < within && fits(s.id) {
			best, within = s.id, km
		}
	}
	return best
}

// kilometres is the distance between two places, or -1 when it is not known.
func (m *Memory) kilometres(a, b string) int {
	lat1, lon1, ok1 := custody.Position(m.Custody, a)
	lat2, lon2, ok2 := custody.Position(m.Custody, b)
	if !ok1 || !ok2 {
		return -1
	}
	return int(custody.Kilometres(lat1, lon1, lat2, lon2))
}

// near says whether one of two places is a position that means the other.
func (m *Memory) near(a, b string) bool {
	if !isPosition(a) && !isPosition(b) {
		return false
	}
	km := m.kilometres(a, b)
	return km >= 0 && km <= nearKm
}

// uncertaintyKm reads the uncertainty of a geo: URI (RFC 5870 §3.4.3), at most 500 km.
func uncertaintyKm(geo string) float64 {
	_, rest, found := strings.Cut(geo, ";u=")
	if !found {
		return 0
	}
	rest, _, _ = strings.Cut(rest, ";")
	metres, err := strconv.ParseFloat(rest, 64)
	if err != nil {
		return 0
	}
	return min(metres/1000, 500)
}

func isPosition(place string) bool { return strings.HasPrefix(place, "geo:") }

// siteOf is a place without its extension: the site of which it is a part.
func siteOf(place string) string {
	if base := gs1.SiteOf(place); base != "" {
		return base
	}
	return place
}
