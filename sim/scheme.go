package sim

import "math"

// The planted scheme is typology T3, "inspect, strip, ship, rebuild". Every number is drawn per scheme; everything that
// is not the scheme itself (feeds, names, papers on the way in, installation, inspections) comes from the same code as
// honest work.

// minSchemeUnits is the smallest scheme: three servers.
const minSchemeUnits = 24

// The variants: who bridges the declared chain and the rest.
const (
	ownSite         = "own_site"     // the front operates the hall
	rentedSpace     = "rented_space" // the front is a tenant in an honest operator's hall
	viaIntermediary = "intermediary" // a broker of record sold to it, and to honest customers, and consigns the parcels
)

// scheme is one planted diversion.
type scheme struct {
	s         stream
	id        string
	variant   string
	front     *party // customer and holder
	bridge    *party // the front, or the intermediary
	site      *site
	servers   int
	ready     instant
	payer     *party
	misfit    bool
	consignee *site   // where parcels converge
	stations  []*site // transit stations, 2–4 countries
	inspected instant
	from      instant // the first server is torn down
	share     float64 // of the hall
	window    instant
	stripped  []*server
}

// castSchemes draws the parties of the schemes.
func (g *gen) castSchemes() {
	for i := range g.cfg.Schemes {
		sc := &scheme{s: g.stream("scheme/" + padded(i, 1)), id: "case-" + padded(i+1, 1)}
		g.schemes = append(g.schemes, sc)
		s := sc.s
		sc.variant = pick(s, []string{ownSite, rentedSpace, viaIntermediary})
		hi := min(256, g.cfg.Units/10)
		lo := max(minSchemeUnits, min(64, hi/2))
		sc.servers = s.count(lo/8, max(lo, hi)/8)
		latest := max(g.start+8*day, g.end-265*day)
		sc.ready = g.start + 2*day + instant(s.Float64()*float64(latest-g.start-2*day))
		sc.share = s.between(0.5, 1)
		if s.chance(0.3) {
			sc.share = 1
		}
		sc.window = s.days(1, 10)
		g.castFront(sc)
		g.castDestination(sc)
	}
}

// castFront draws the front and, for an intermediary, the broker.
func (g *gen) castFront(sc *scheme) {
	s := sc.s
	country := pick(s, frontCountries)
	role := roleTenant
	if sc.variant == ownSite || sc.variant == viaIntermediary && s.chance(0.4) {
		role = roleOperator
	}
	p := g.newParty(role, country)
	sc.front, sc.bridge, sc.payer = p, p, p
	if role == roleOperator {
		sc.site = g.newSite(p, datacentreSite, country)
		sc.site.powerKW = int(s.lognormal(2_000, 0.8))
		sc.site.checkin = !s.chance(0.08)
	} else {
		g.newSite(p, officeSite, country)
		sc.site = g.rentedHall(s, nil)
	}
	if sc.variant == viaIntermediary {
		sc.bridge = pick(s, g.cast.brokers)
	}
	if sc.misfit = s.chance(0.75); sc.misfit {
		g.misfit(sc)
	}
}

// misfit makes the front a party that does not suit its orders: young, small, of an odd trade, or paid for by another.
func (g *gen) misfit(sc *scheme) {
	s, p := sc.s, sc.front
	p.formed = sc.ready - s.days(20, 300)
	p.since = max(g.start, min(p.formed+s.days(5, 60), sc.ready-day))
	for _, x := range p.sites {
		x.since = p.since
	}
	p.capital = int64(s.between(20, 1_500)) * 1_000
	if s.chance(0.45) {
		p.business = pick(s, oddBusiness)
	}
	if s.chance(0.6) {
		sc.payer = pick(s, append([]*party{pick(s, g.cast.brokers)}, g.cast.forwarders...))
	}
	if s.chance(0.25) {
		p.parentLand, p.share = pick(s, []string{"CN", "HK", "SG", "US"}), math.Round(s.between(0.2, 1)*100)/100
	}
	if s.chance(0.15) {
		p.renamed, p.newName = sc.ready+s.days(-30, 60), g.namer.name(p.role)
	}
}

// castDestination draws where the parcels converge: a parts hub that honest parcels reach too, or a firm of its own.
func (g *gen) castDestination(sc *scheme) {
	s := sc.s
	sc.consignee = pick(s, g.cast.dealers).sites[0]
	if s.chance(0.5) {
		role := pick(s, []string{roleRecycler, roleBroker})
		p := g.member(role, pick(s, []string{"HK", "HK", "HK", "CN", "CN", "MO", "RU"}), warehouseSite)
		p.since = max(g.start, sc.ready-s.days(0, 200))
		p.sites[0].since = p.since
		sc.consignee = p.sites[0]
		g.cast.dealers = append(g.cast.dealers, p) // it has honest trade as well
	}
	var stations []*site
	for _, p := range append(append([]*party(nil), g.cast.forwarders...), g.cast.carriers...) {
		for _, x := range p.sites {
			if !barred[x.city.country] && x.city.country != sc.front.country {
				stations = append(stations, x)
			}
		}
	}
	countries := map[string]bool{}
	n := s.count(2, 4)
	for _, i := range s.Perm(len(stations)) {
		x := stations[i]
		if len(countries) == n && !countries[x.city.country] {
			continue
		}
		countries[x.city.country] = true
		sc.stations = append(sc.stations, x)
	}
}

// schemeOrders are the front's purchases: one to three orders, through the ordinary channel.
func (g *gen) schemeOrders(sc *scheme) []*order {
	s := sc.s
	n := min(s.count(1, 3), max(1, sc.servers/3))
	ready, left := sc.ready, sc.servers
	builder, unit := pick(s, g.cast.builders), g.chooseUnit(s, sc.ready, false)
	var out []*order
	for i := range n {
		o := &order{customer: sc.front, holder: sc.front, site: sc.site, n: left / (n - i), builder: builder,
			ready: ready, unit: unit, payer: sc.payer, scheme: sc}
		left -= o.n
		o.chain = []*party{pick(s, g.cast.distributor)}
		if sc.variant == viaIntermediary {
			o.broker = sc.bridge
		} else if s.chance(0.5) {
			o.chain = append(o.chain, pick(s, g.cast.resellers))
		}
		out = append(out, o)
		ready += s.days(0, 25)
	}
	return out
}
