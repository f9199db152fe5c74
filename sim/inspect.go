package sim

// hall is what one holder has installed at one site: what an inspector visits.
type hall struct {
	site    *site
	holder  *party
	servers []*server
	visits  []visit
}

// visit is one inspection.
type visit struct {
	at instant
	by *party
}

// findHalls groups the installed servers.
func (g *gen) findHalls() {
	type key struct {
		x *site
		p *party
	}
	index := map[key]*hall{}
	for _, v := range g.servers {
		k := key{v.order.site, v.order.holder}
		if index[k] == nil {
			index[k] = &hall{site: k.x, holder: k.p}
			g.halls = append(g.halls, index[k])
		}
		index[k].servers = append(index[k].servers, v)
	}
}

// inspectSites draws the inspectors' calendar: most deliveries are inspected within weeks, and every hall again about
// half-yearly.
func (g *gen) inspectSites() {
	g.findHalls()
	for _, h := range g.halls {
		s := g.stream("inspect/" + h.site.gln + h.holder.gln)
		var seen *order
		first := never
		for _, v := range h.servers {
			first = min(first, v.installed())
			if v.order == seen {
				continue
			}
			seen = v.order
			if s.chance(0.6) {
				h.visits = append(h.visits, g.visit(s, v.installed()+s.days(4, 75)))
			}
		}
		for t := first + s.days(110, 240); t < g.end; t += s.days(120, 240) {
			h.visits = append(h.visits, g.visit(s, t))
		}
	}
}

func (g *gen) visit(s stream, t instant) visit {
	t = t - t%day + s.hours(1, 9)
	if s.chance(0.45) {
		return visit{t, g.cast.maker}
	}
	return visit{t, pick(s, g.cast.authorities)}
}

// hallWith is the hall that holds a server.
func (g *gen) hallWith(v *server) *hall {
	for _, h := range g.halls {
		if h.site == v.order.site && h.holder == v.order.holder {
			return h
		}
	}
	return nil
}

// inspectedAfter is the visit to a front's hall after which it is stripped: one of the calendar, or one more.
func (g *gen) inspectedAfter(sc *scheme, last, within instant) instant {
	h := g.hallWith(g.hallOf(sc)[0])
	for _, v := range h.visits {
		if v.at > last+3*day && v.at < last+within {
			return v.at
		}
	}
	v := g.visit(sc.s, last+3*day+instant(sc.s.between(0.1, 0.9)*float64(within-3*day)))
	h.visits = append(h.visits, v)
	return v.at
}

// reportInspections reports every visit: the units that the inspector saw. What is absent is not named.
func (g *gen) reportInspections() {
	for _, h := range g.halls {
		s := g.stream("visit/" + h.site.gln + h.holder.gln)
		for _, v := range h.visits {
			if v.at < g.end {
				g.reportVisit(s, h, v)
			}
		}
	}
}

func (g *gen) reportVisit(s stream, h *hall, visit visit) {
	var present []*server
	expected := 0
	for _, v := range h.servers {
		if v.installed() > visit.at {
			continue
		}
		if st := v.stayAt(visit.at); st != nil && st.site == h.site {
			present = append(present, v)
			expected++
		} else if v.stripped && visit.at >= v.gone {
			expected++
		}
	}
	disposition := "conformant"
	if len(present)*10 < expected*9 || s.chance(0.02) {
		disposition = "non_conformant"
	}
	chassis := s.chance(0.5)
	seen := sample(s, present, max(min(2, len(present)), int(s.between(0.4, 1.15)*float64(len(present)))))
	for i := 0; i < len(seen); i += 12 {
		e := event{kind: objectEvent, action: actionObserve, at: visit.at + instant(i)*6*60*second, by: visit.by, step: "inspecting",
			disposition: disposition, readPoint: h.site, bizLocation: h.site}
		for _, v := range seen[i:min(i+12, len(seen))] {
			if chassis {
				e.items = append(e.items, v.ref)
			}
			e.items = append(e.items, v.contents(visit.at)...)
		}
		g.file(e)
	}
}
