package sim

// scaled is a number of happenings given per 5,000 units and 18 months.
func (g *gen) scaled(s stream, per float64) int {
	return s.poisson(per * float64(g.cfg.Units) / 5000 * float64(g.cfg.Months) / 18)
}

// settled picks an honest hall of which at least four servers have run for some time and nothing large has happened to
// them, and a time for something large: often soon after an inspection.
func (g *gen) settled(s stream, ran instant, fit func(*hall) bool) (*hall, []*server, instant) {
	for range 60 {
		h := pick(s, g.halls)
		when := g.within(s.between(0.4, 0.92))
		if len(h.visits) > 0 && s.chance(0.5) {
			when = pick(s, h.visits).at + s.days(1, 20)
		}
		if when > g.end-25*day || !fit(h) {
			continue
		}
		var some []*server
		for _, v := range h.servers {
			if v.macro == "" && v.order.scheme == nil && v.installed()+ran < when && v.running(when) {
				some = append(some, v)
			}
		}
		if len(some) >= 4 {
			n := len(some)
			if s.chance(0.5) {
				n = s.count(4, n)
			}
			return h, sample(s, some, n), when
		}
	}
	return nil, nil, 0
}

// moveHalls moves halls to another site of the same operator: reported, with papers, and dark on the way.
func (g *gen) moveHalls() {
	s := g.stream("moves")
	for range g.scaled(s, g.cfg.Fleet.HallMoves) {
		h, some, when := g.settled(s, 30*day, func(h *hall) bool { return otherHall(s, h) != nil })
		if h == nil {
			return
		}
		g.moveHall(s, h, some, when, otherHall(s, h))
	}
}

// otherHall is another data centre of the hall's own operator, or nil.
func otherHall(s stream, h *hall) *site {
	var others []*site
	for _, x := range h.holder.sites {
		if x != h.site && x.kind == datacentreSite {
			others = append(others, x)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return pick(s, others)
}

func (g *gen) moveHall(s stream, h *hall, some []*server, when instant, to *site) {
	g.resembles("hall_move", h.site, h.holder, accelerators(some))
	last := g.takeOut(s, some, h.site, h.holder, when)
	arrived := g.convey(&consignment{
		s: s, items: refs(some), leave: last + s.days(0.3, 4), brief: true,
		from: holder{h.holder, some[0].owner, h.site}, to: holder{h.holder, some[0].owner, to},
		kg: g.weight(some), value: g.worth(some),
		papers: papers{description: "used GPU servers, own equipment transfer", hs: "8471.80", endUser: h.holder, endCountry: to.city.country},
	})
	g.putIn(s, some, to, h.holder, arrived+s.days(1, 7))
}

// takeOut removes servers from their racks, over one to four days.
func (g *gen) takeOut(s stream, some []*server, x *site, by *party, when instant) instant {
	last := when
	for _, v := range some {
		t := when + s.days(0, 4)
		last = max(last, t)
		v.macro = "moved"
		v.leaveAt(t)
		e := event{kind: associationEvent, action: actionDelete, at: t, by: by, step: "removing", items: []ref{v.ref}, parent: v.rack,
			readPoint: x, bizLocation: x}
		if v.rack == 0 {
			e.parentSite = x
		}
		g.scan(e)
	}
	return last
}

// putIn installs servers at a site.
func (g *gen) putIn(s stream, some []*server, x *site, by *party, t instant) {
	for i := 0; i < len(some); i += 4 {
		four := some[i:min(i+4, len(some))]
		t += s.hours(1, 12)
		rack := g.rack(x.operator)
		g.scan(event{kind: associationEvent, action: actionAdd, at: t - s.hours(1, 30), by: x.operator, step: "installing",
			items: []ref{rack}, parentSite: x, readPoint: x, bizLocation: x})
		g.scan(event{kind: associationEvent, action: actionAdd, at: t, by: by, step: "installing", items: refs(four), parent: rack,
			readPoint: x, bizLocation: x})
		for _, v := range four {
			v.rack = rack
			v.move(v.gone, t+s.hours(6, 90), x, by)
		}
	}
}

// sellHalls decommissions halls and sells them, with papers, to second-hand buyers that may not check in, or to a
// recycler that takes them apart.
func (g *gen) sellHalls() {
	s := g.stream("resales")
	for range g.scaled(s, g.cfg.Fleet.Resales) {
		h, some, when := g.settled(s, 100*day, func(*hall) bool { return true })
		if h == nil {
			return
		}
		if s.chance(0.25) {
			g.scrapHall(s, h, some, when)
			continue
		}
		g.sellHall(s, h, some, when, pick(s, g.cast.secondHand))
	}
}

func (g *gen) sellHall(s stream, h *hall, some []*server, when instant, to *party) {
	g.resembles("resale", h.site, h.holder, accelerators(some))
	last := g.takeOut(s, some, h.site, h.holder, when)
	owner := some[0].owner
	g.file(event{kind: transactionEvent, action: actionAdd, at: last + s.hours(2, 60), by: owner, items: refs(some),
		from: &holder{owner: owner}, to: &holder{owner: to}, transactions: []transaction{g.document("inv", owner)},
		papers: &papers{value: cents(g.worth(some) * s.between(0.3, 0.6)), payer: to}})
	arrived := g.convey(&consignment{
		s: s, items: refs(some), leave: last + s.days(1, 20), from: holder{h.holder, owner, h.site}, to: holder{to, to, to.sites[0]},
		kg: g.weight(some), value: g.worth(some) * s.between(0.3, 0.6),
		papers:    papers{description: "used GPU servers", hs: "8471.80", endUser: to, endCountry: to.sites[0].city.country, payer: to},
		documents: []transaction{g.document("inv", owner)},
	})
	for _, v := range some {
		v.owner = to
	}
	g.putIn(s, some, to.sites[0], to, arrived+s.days(3, 30))
}

// scrapHall sends servers to a recycler, which takes them apart and decommissions the accelerators.
func (g *gen) scrapHall(s stream, h *hall, some []*server, when instant) {
	g.resembles("scrapped", h.site, h.holder, accelerators(some))
	to := pick(s, g.cast.recyclers)
	last := g.takeOut(s, some, h.site, h.holder, when)
	t := g.convey(&consignment{
		s: s, items: refs(some), leave: last + s.days(1, 10), from: holder{h.holder, some[0].owner, h.site}, to: holder{to, to, to.sites[0]},
		kg: g.weight(some), value: g.worth(some) * 0.1,
		papers: papers{description: "used servers for recovery", hs: "8549.21", endUser: to, endCountry: to.country, payer: h.holder},
	})
	for _, v := range some {
		t += s.hours(2, 20)
		g.reportTeardown(s, v, to, to.sites[0], t)
		g.scan(event{kind: objectEvent, action: actionDelete, at: t + s.days(1, 20), by: to, step: pick(s, []string{"decommissioning", "destroying"}),
			disposition: "inactive", items: v.contents(v.gone), readPoint: to.sites[0]})
	}
}

// leaseBack sells halls to a lessor and rents them back: the owner changes, the place does not.
func (g *gen) leaseBack() {
	s := g.stream("leases")
	for range g.scaled(s, g.cfg.Fleet.Leasebacks) {
		h, some, when := g.settled(s, 30*day, func(*hall) bool { return true })
		if h == nil {
			return
		}
		owner, lessor := some[0].owner, pick(s, g.cast.lessors)
		g.file(event{kind: transactionEvent, action: actionAdd, at: when, by: owner, items: refs(some),
			from: &holder{owner: owner}, to: &holder{owner: lessor},
			transactions: []transaction{g.document("inv", owner)}, papers: &papers{value: cents(g.worth(some)), payer: lessor}})
		for _, v := range some {
			v.owner = lessor
		}
		g.resembles("sale_and_lease_back", h.site, h.holder, accelerators(some))
	}
}

// rerack moves clusters of servers to other racks of the same site.
func (g *gen) rerack() {
	s := g.stream("racks")
	for _, h := range g.halls {
		years := float64(g.end-h.servers[0].installed()) / float64(365*day)
		for range s.poisson(max(0, years) * g.cfg.Fleet.Rerack * float64(len(h.servers)) / 4) {
			when := h.servers[0].installed() + instant(s.Float64()*float64(g.end-h.servers[0].installed()))
			g.rerackAt(s, h, when)
		}
	}
}

func (g *gen) rerackAt(s stream, h *hall, when instant) {
	var some []*server
	for _, v := range h.servers {
		if v.macro == "" && v.rack != 0 && v.installed() < when-day && len(some) < 4 && s.chance(0.5) {
			some = append(some, v)
		}
	}
	if len(some) == 0 {
		return
	}
	back := when + s.hours(5, 80)
	rack := g.rack(h.site.operator)
	g.scan(event{kind: associationEvent, action: actionAdd, at: when - s.hours(1, 50), by: h.site.operator, step: "installing",
		items: []ref{rack}, parentSite: h.site, readPoint: h.site, bizLocation: h.site})
	for _, v := range some {
		g.scan(event{kind: associationEvent, action: actionDelete, at: when, by: h.holder, step: "removing", items: []ref{v.ref}, parent: v.rack,
			readPoint: h.site, bizLocation: h.site})
		v.dark = append(v.dark, span{when, back})
		v.rack = rack
	}
	g.scan(event{kind: associationEvent, action: actionAdd, at: back, by: h.holder, step: "installing", items: refs(some), parent: rack,
		readPoint: h.site, bizLocation: h.site})
}
