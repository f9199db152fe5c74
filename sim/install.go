package sim

// install puts servers into racks at their site, and starts their life there.
func (g *gen) install(s stream, o *order, servers []*server, arrived instant) {
	t := arrived + s.days(1.5, 16)
	byRack := s.chance(0.7)
	for i := 0; i < len(servers); i += 4 {
		some := servers[i:min(i+4, len(servers))]
		t += s.hours(1, 9)
		e := event{kind: associationEvent, action: actionAdd, at: t, by: o.holder, step: "installing", items: refs(some),
			readPoint: o.site, bizLocation: o.site}
		if byRack {
			e.parent = g.rack(o.site.operator)
			g.scan(event{kind: associationEvent, action: actionAdd, at: t - s.hours(1, 30), by: o.site.operator, step: "installing",
				items: []ref{e.parent}, parentSite: o.site, readPoint: o.site, bizLocation: o.site})
		} else {
			e.parentSite = o.site
		}
		g.scan(e)
		for _, v := range some {
			v.rack = e.parent
			v.stays = []stay{{o.site, o.holder, span{t + s.hours(6, 90), never}}}
		}
	}
}

// keepBoxed leaves servers in their boxes in a second warehouse for months.
func (g *gen) keepBoxed(s stream, o *order, servers []*server, t instant) instant {
	out := t + s.days(90, 260)
	o.boxed.shelf = append(o.boxed.shelf, shelved{refs(servers), span{t, out}, o.customer})
	var units []ref
	for _, v := range servers {
		units = append(units, v.gpus...)
	}
	g.resembles("boxed_stock", o.boxed, o.customer, units)
	return g.convey(&consignment{
		s: s, items: refs(servers), leave: out, from: holder{o.holder, o.customer, o.boxed}, to: holder{o.holder, o.customer, o.site},
		kg: g.weight(servers), value: g.worth(servers), stops: []*site{},
		papers: papers{description: "GPU servers, own stock transfer", hs: "8471.80", endUser: o.customer, endCountry: o.site.city.country},
	})
}

func (g *gen) weight(servers []*server) float64 {
	kg := 0.0
	for _, v := range servers {
		kg += v.kg
	}
	return kg
}

func (g *gen) worth(servers []*server) float64 {
	dollars := 0.0
	for _, v := range servers {
		dollars += v.dollars
	}
	return dollars
}
