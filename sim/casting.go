package sim

import "math"

// makeCast draws who takes part. Numbers grow with the world, but slower than it.
func (g *gen) makeCast() {
	scale := math.Pow(float64(g.cfg.Units)/5000, 0.6)
	n := func(at5000 float64, least int) int { return max(least, int(math.Round(at5000*scale))) }
	c := &g.cast
	c.maker = g.member(roleManufacturer, "TW", factorySite)
	c.maker.country, c.maker.city = "US", pick(g.people, citiesOf("US"))
	for range n(3, 3) {
		c.builders = append(c.builders, g.member(roleManufacturer, pick(g.people, buildCountries), factorySite))
	}
	c.distributor = g.members(n(3, 2), roleDistributor, tradeCountries, warehouseSite)
	c.resellers = g.members(n(4, 3), roleDistributor, tradeCountries, warehouseSite)
	c.brokers = g.members(n(4, 3), roleBroker, tradeCountries, officeSite)
	c.forwarders = g.members(n(7, 5), roleForwarder, hubCountries, forwarderSite)
	for _, f := range c.forwarders {
		g.spread(f)
	}
	c.carriers = g.members(n(4, 3), roleCarrier, hubCountries, forwarderSite)
	for _, p := range c.carriers {
		g.spread(p)
	}
	c.authorities = g.members(2, roleAuthority, officialCountry, officeSite)
	c.services = g.members(n(3, 2), roleService, partsCountries, serviceSite)
	c.recyclers = g.members(n(2, 1), roleRecycler, partsCountries, warehouseSite)
	c.dealers = g.members(n(3, 2), roleRecycler, barredDealers, warehouseSite)
	c.lessors = g.members(n(1, 1), roleLessor, tradeCountries, officeSite)
	c.treasuries = g.members(n(2, 1), roleLessor, tradeCountries, officeSite)
	g.makeBuyers(n)
}

func (g *gen) makeBuyers(n func(float64, int) int) {
	c := &g.cast
	c.operators = g.members(n(15, 5), roleOperator, hallCountries, datacentreSite)
	for _, p := range c.operators {
		g.furnishOperator(p)
	}
	for range n(6, 3) {
		p := g.newParty(roleTenant, pick(g.people, hallCountries))
		g.newSite(p, officeSite, p.country)
		g.character(p)
		c.tenants = append(c.tenants, p)
	}
	c.secondHand = g.members(n(2, 1), roleOperator, hallCountries, datacentreSite)
	for _, p := range c.secondHand {
		p.sites[0].checkin = g.people.chance(0.3)
		p.sites[0].powerKW = 400
	}
	for _, p := range g.w.parties {
		if g.people.chance(g.cfg.Trade.NameChange) {
			p.renamed = g.start + g.people.days(30, 0.9*float64((g.end-g.start)/day))
			p.newName = g.namer.name(p.role)
		}
	}
}

// furnishOperator gives an operator its halls, sometimes a warehouse, and its character.
func (g *gen) furnishOperator(p *party) {
	s := g.people
	for range s.count(0, 2) {
		country := p.country
		if s.chance(0.35) {
			country = pick(s, hallCountries)
		}
		g.newSite(p, datacentreSite, country)
	}
	if s.chance(0.5) {
		g.newSite(p, warehouseSite, p.country)
	}
	for _, x := range p.sites {
		if x.kind == datacentreSite {
			x.powerKW = int(s.lognormal(3_000, 0.8))
		}
	}
	g.character(p)
}

// character makes some buyers young, small, renamed or of an odd trade, and gives some a parent elsewhere.
func (g *gen) character(p *party) {
	s := g.people
	if s.chance(g.cfg.Trade.Young) {
		p.formed = g.start - s.days(-200, 330)
		p.capital = int64(s.between(50, 4_000)) * 1_000
		p.since = max(g.start, p.formed)
		for _, x := range p.sites {
			x.since = p.since
		}
	}
	if s.chance(g.cfg.Trade.OddBusiness) {
		p.business = pick(s, oddBusiness)
	}
	if s.chance(0.25) {
		p.parent = pick(s, g.cast.treasuries)
		p.parentLand, p.share = p.parent.country, math.Round(s.between(0.5, 1)*100)/100
	} else if s.chance(0.15) {
		p.parentLand = pick(s, append([]string{"CN", "HK"}, hallCountries...))
		p.share = math.Round(s.between(0.2, 1)*100) / 100
	}
}

func (g *gen) member(role, country, kind string) *party {
	p := g.newParty(role, country)
	g.newSite(p, kind, country)
	return p
}

func (g *gen) members(n int, role string, countries []string, kind string) []*party {
	out := make([]*party, n)
	for i := range out {
		out[i] = g.member(role, pick(g.people, countries), kind)
	}
	return out
}

// spread gives a forwarder or carrier stations in several hubs, some of them free zones.
func (g *gen) spread(p *party) {
	s := g.people
	had := map[string]bool{p.country: true}
	for range s.count(3, 6) {
		country := pick(s, hubCountries)
		if had[country] {
			continue
		}
		had[country] = true
		kind := forwarderSite
		if s.chance(0.3) {
			kind = freeZoneSite
		}
		g.newSite(p, kind, country)
	}
	if s.chance(0.6) {
		g.newSite(p, forwarderSite, pick(s, barredDealers))
	}
}
