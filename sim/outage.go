package sim

// darkenSites draws the times when whole sites, countries or single servers do not check in although nothing moved.
func (g *gen) darkenSites() {
	s := g.stream("outages")
	days := float64((g.end - g.start) / day)
	for _, x := range g.w.sites {
		if x.kind != datacentreSite {
			continue
		}
		for range s.poisson(days * g.cfg.Feed.OutagePerDay) {
			from := g.start + instant(s.Float64()*float64(g.end-g.start))
			x.dark = append(x.dark, span{from, from + outageLength(s)})
		}
	}
	for range s.poisson(g.cfg.Feed.RegionalOutages) {
		g.regionalOutage(s)
	}
	if s.chance(g.cfg.Feed.LongFreeze) {
		g.longFreeze(s)
	}
	for _, v := range g.servers {
		years := float64(g.end-v.installed()) / float64(365*day)
		if years > 0 && s.chance(g.cfg.Fleet.PowerOff*years) {
			from := v.installed() + instant(s.Float64()*float64(g.end-v.installed()))
			v.dark = append(v.dark, span{from, from + s.days(7, 28)})
		}
	}
}

// outageLength: most are over within a day, a quarter last up to a week, a few up to two.
func outageLength(s stream) instant {
	switch x := s.Float64(); {
	case x < 0.7:
		return s.hours(1, 24)
	case x < 0.95:
		return s.days(1, 7)
	default:
		return s.days(7, 14)
	}
}

func (g *gen) regionalOutage(s stream) {
	country := pick(s, hallCountries)
	from := g.within(s.between(0.25, 0.95))
	length := s.days(1.5, 7)
	for _, x := range g.w.sites {
		if x.kind == datacentreSite && x.city.country == country {
			x.dark = append(x.dark, span{from, from + length})
		}
	}
}

// longFreeze silences an honest hall's site for two to three weeks, days after an inspection.
func (g *gen) longFreeze(s stream) {
	for _, i := range s.Perm(len(g.halls)) {
		h := g.halls[i]
		if len(h.servers) < 4 || g.schemed(h.site) || !h.site.checkin {
			continue
		}
		for _, v := range h.visits {
			n := 0
			for _, w := range h.servers {
				if w.installed() < v.at-7*day {
					n++
				}
			}
			if n < 4 || v.at > g.end-45*day {
				continue
			}
			from := v.at + s.days(1, 9)
			h.site.dark = append(h.site.dark, span{from, from + s.days(14, 21)})
			g.resembles("freeze_after_inspection", h.site, h.holder, accelerators(h.servers))
			return
		}
	}
}

// schemed says whether a front has a hall at the site.
func (g *gen) schemed(x *site) bool {
	for _, sc := range g.schemes {
		if sc.site == x {
			return true
		}
	}
	return false
}

// accelerators are the units that servers were built with.
func accelerators(servers []*server) []ref {
	var out []ref
	for _, v := range servers {
		out = append(out, v.gpus...)
	}
	return out
}
