package sim

import "math"

// parcel is a small consignment without serials: what carriers see of spare parts, honest or not.
type parcel struct {
	s          stream
	shipper    *party
	from, to   *site
	stops      []*site
	leave      instant
	class      *product
	pieces     int
	kg, value  float64 // gross, declared
	serials    []ref   // some shippers name them
	unit       ref     // its SSCC, 0 if it is known by its contents only
	counted    bool    // known by class and quantity
	byShipper  bool    // the shipper reports it
	byCarriers bool    // the stations on the way report it
	number     string
	seen       bool // the registry learnt something of it
}

// part is one of the named spare parts.
func (g *gen) part(s stream, keys ...string) *product {
	key := pick(s, keys)
	for _, p := range g.goods.parts {
		if p.key == key {
			return p
		}
	}
	return g.goods.parts[0]
}

// identify gives a parcel what carriers will know it by.
func (g *gen) identify(p *parcel) {
	x := p.s.Float64()
	if x < 0.75 {
		p.unit = g.handlingUnit(p.shipper)
	}
	p.counted = x > 0.55
	p.number = g.consignmentID()
}

func (p *parcel) id(g *gen) string {
	if p.unit != 0 {
		return g.w.link(p.unit)
	}
	return p.number
}

func (p *parcel) countries() []string {
	out := []string{p.from.city.country}
	for _, x := range append(append([]*site(nil), p.stops...), p.to) {
		if x.city.country != out[len(out)-1] {
			out = append(out, x.city.country)
		}
	}
	return out
}

// send moves a parcel and reports what its shipper, the stations and the consignee report of it.
func (g *gen) send(p *parcel) instant {
	s := p.s
	declared := papers{
		consignment: p.number, description: p.describe(), hs: p.class.hs, value: p.value,
		kg: math.Round(g.wrongWeight(p.shipper, p.kg)*10) / 10, payer: p.shipper,
	}
	if s.chance(0.6) {
		declared.endUser, declared.endCountry = p.to.operator, p.to.city.country
	}
	here, t := holder{p.shipper, p.shipper, p.from}, p.leave
	for i := range len(p.stops) + 1 {
		next := holder{p.to.operator, p.to.operator, p.to}
		if i < len(p.stops) {
			next = holder{p.stops[i].operator, p.to.operator, p.stops[i]}
		}
		leg := p.event(here, next, &declared)
		if i == 0 && p.byShipper || i > 0 && p.byCarriers {
			leg.by, leg.at, leg.step, leg.disposition, leg.readPoint = here.possessor, t, "shipping", "in_transit", here.site
			p.seen = g.scan(leg) || p.seen
		}
		t += travel(s, here.site, next.site)
		if i < len(p.stops) && p.byCarriers || i == len(p.stops) && s.chance(0.4) {
			leg.by, leg.at, leg.step, leg.disposition, leg.readPoint = next.possessor, t, "receiving", "", next.site
			leg.bizLocation, leg.papers = next.site, &papers{consignment: p.number}
			p.seen = g.scan(leg) || p.seen
		}
		here = next
		t += s.hours(4, 110)
	}
	return t
}

// describe is what the papers call the goods.
func (p *parcel) describe() string {
	return pick(p.s, []string{p.class.name, p.class.name + " for servers", "spare parts: " + p.class.name, "computer spare parts"})
}

func (p *parcel) event(from, to holder, papers *papers) event {
	e := event{kind: objectEvent, action: actionObserve, from: &from, to: &to, papers: papers, items: p.serials}
	if p.unit != 0 {
		e.items = append([]ref{p.unit}, p.serials...)
	}
	if p.counted || p.unit == 0 {
		e.classes = []quantity{{p.class, p.pieces}}
	}
	return e
}

// honestParcels sends what operators and service centres really send: fans, cables, network cards, failed parts, some
// of it heavy and cheap, some of it to parts hubs in barred destinations.
func (g *gen) honestParcels() {
	s := g.stream("parcels")
	for _, from := range g.partsSenders() {
		years := float64(g.end-from.busy.from) / float64(365*day)
		n := s.poisson(g.cfg.Fleet.PartsParcels * float64(from.servers) * max(years, 0))
		for range n {
			leave := from.busy.from + instant(s.Float64()*float64(g.end-from.busy.from))
			g.send(g.honestParcel(s, from.site, from.sender, leave))
		}
	}
}

// sender is a party that sends spare parts from a site since some time.
type sender struct {
	site    *site
	sender  *party
	busy    span
	servers int
}

// partsSenders are the holders of servers at each site, and the service centres.
func (g *gen) partsSenders() []*sender {
	type key struct {
		x *site
		p *party
	}
	index := map[key]*sender{}
	var out []*sender
	for _, v := range g.servers {
		if len(v.stays) == 0 || v.installed() >= g.end {
			continue
		}
		k := key{v.stays[0].site, v.stays[0].holder}
		if index[k] == nil {
			index[k] = &sender{k.x, k.p, span{v.installed(), g.end}, 0}
			out = append(out, index[k])
		}
		index[k].busy.from = min(index[k].busy.from, v.installed())
		index[k].servers++
	}
	for _, p := range g.cast.services {
		out = append(out, &sender{p.sites[0], p, span{g.start + 60*day, g.end}, len(g.servers) / 25})
	}
	for _, p := range g.cast.brokers {
		out = append(out, &sender{p.sites[0], p, span{g.start + 30*day, g.end}, len(g.servers) / 60})
	}
	return out
}

func (g *gen) honestParcel(s stream, from *site, by *party, leave instant) *parcel {
	class := pick(s, g.goods.parts)
	p := &parcel{s: s, shipper: by, from: from, leave: leave, class: class, pieces: s.count(1, 40)}
	if s.chance(g.cfg.Trade.HeavyParcels) {
		p.class = g.part(s, "rail-kit", "heat-sink", "cold-plate", "psu-3kw", "cable-kit")
		p.pieces = max(8, int(s.between(40, 160)/p.class.kg))
	} else {
		p.pieces = max(1, min(p.pieces, int(30/p.class.kg)))
	}
	p.kg = float64(p.pieces)*p.class.kg*s.between(1.08, 1.3) + 0.4
	p.value = cents(float64(p.pieces) * p.class.dollars * s.between(0.7, 1.3))
	switch {
	case s.chance(g.cfg.Trade.HubParcels):
		p.to = pick(s, g.cast.dealers).sites[0]
	case s.chance(0.5):
		p.to = pick(s, g.cast.services).sites[0]
	default:
		p.to = pick(s, append(append([]*party(nil), g.cast.recyclers...), g.cast.brokers...)).sites[0]
	}
	p.byShipper, p.byCarriers = s.chance(0.5), s.chance(0.8)
	for range s.count(0, 2) {
		p.stops = append(p.stops, g.station(s))
	}
	g.identify(p)
	return p
}

// station is any station of a carrier or forwarder.
func (g *gen) station(s stream) *site {
	return pick(s, pick(s, append(append([]*party(nil), g.cast.carriers...), g.cast.forwarders...)).sites)
}
