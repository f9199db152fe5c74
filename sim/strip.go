package sim

import "slices"

// planStrips decides when each scheme's hall is torn down: soon after an inspection, one to twelve weeks after the last
// server was installed.
func (g *gen) planStrips() {
	for _, sc := range g.schemes {
		g.planStrip(sc)
	}
}

func (g *gen) planStrip(sc *scheme) {
	s := sc.s
	hall := g.hallOf(sc)
	last := instant(0)
	for _, v := range hall {
		last = max(last, v.installed())
	}
	room := g.end - 30*day - last // what is left of the span
	if room < 10*day {
		return // the goods came too late: nothing happens within the span
	}
	sc.inspected = g.inspectedAfter(sc, last, min(9*week, room/2))
	sc.from = sc.inspected + min(s.days(1, 16), max(day, room/4))
	n := max(minSchemeUnits/8, int(sc.share*float64(len(hall))+0.5))
	sc.stripped = sample(s, hall, n)
	for _, v := range sc.stripped {
		when := sc.from + instant(s.Float64()*float64(sc.window))
		v.macro, v.stripped = "strip", true
		v.leaveAt(when)
	}
	sc.stripped[s.IntN(len(sc.stripped))].leaveAt(sc.from)
}

// hallOf is what the front has installed.
func (g *gen) hallOf(sc *scheme) []*server {
	var out []*server
	for _, v := range g.servers {
		if v.order.scheme == sc {
			out = append(out, v)
		}
	}
	return out
}

// disperse ships the stripped units, once it is known which units the servers held.
func (g *gen) disperse() {
	for _, sc := range g.schemes {
		if len(sc.stripped) == 0 {
			continue
		}
		t := TruthCase{
			ID: sc.id, Typology: "T3", Variant: sc.variant, Bridge: partyLink(sc.bridge), Front: partyLink(sc.front),
			Site: siteLink(sc.site), InspectedAt: sc.inspected.time(), DivergedAt: sc.from.time(),
			Destination: sc.consignee.city.country,
		}
		units := g.tearDown(sc, &t)
		g.shipStripped(sc, units, &t)
		g.claim(sc, units)
		g.reappear(sc, units, &t)
		slices.Sort(t.Units)
		g.w.truth.Cases = append(g.w.truth.Cases, t)
	}
}

// tearDown takes the accelerators out; some fronts report it as if it were ordinary work.
func (g *gen) tearDown(sc *scheme, t *TruthCase) []ref {
	s := sc.s
	reported := s.chance(0.4)
	t.UnitTimes = instants{}
	var units []ref
	for _, v := range sc.stripped {
		inside := v.contents(v.gone)
		for _, r := range inside {
			t.UnitTimes[g.w.link(r)] = v.gone.time()
		}
		units = append(units, inside...)
		if reported && s.chance(0.8) {
			g.reportTeardown(s, v, sc.front, sc.site, v.gone)
		}
	}
	t.Units = g.w.links(units)
	return units
}

// reportTeardown reports that a server is taken apart, as honest operators do at decommissioning.
func (g *gen) reportTeardown(s stream, v *server, by *party, x *site, when instant) {
	e := event{kind: associationEvent, action: actionDelete, at: when, by: by, step: "disassembling", parent: v.ref,
		items: v.contents(when), readPoint: x, bizLocation: x}
	if v.board != 0 {
		g.scan(event{kind: associationEvent, action: actionDelete, at: when - s.hours(0.2, 2), by: by, step: "removing", parent: v.board,
			items: e.items, readPoint: x, bizLocation: x})
		e.items = []ref{v.board}
	}
	g.scan(e)
}

// shipStripped sends the units in parcels over several countries to one consignee.
func (g *gen) shipStripped(sc *scheme, units []ref, t *TruthCase) {
	s := sc.s
	n := s.count(4, 12)
	visible := s.between(0.2, 0.6) * float64(len(units))
	mixed := make([]ref, len(units))
	for i, j := range s.Perm(len(units)) {
		mixed[i] = units[j]
	}
	leave := sc.from + sc.window
	for i := range n {
		take := len(mixed) / (n - i)
		if i < n-1 && take > 2 {
			take += s.count(-take/3, take/3)
		}
		held := mixed[:take]
		mixed = mixed[take:]
		leave += s.days(0, 5)
		p := g.stripParcel(sc, held, leave)
		if visible > float64(take)/2 {
			visible -= float64(take)
			g.send(p)
		}
		t.Parcels = append(t.Parcels, TruthParcel{ID: p.id(g), Units: g.w.links(held), Seen: p.seen, Route: p.countries()})
	}
}

// stripParcel draws a parcel of stripped units: true-ish weight, understated value, the words of spare parts.
func (g *gen) stripParcel(sc *scheme, held []ref, leave instant) *parcel {
	s := sc.s
	class := g.part(s, "riser", "heat-sink", "control-board", "cold-plate")
	p := &parcel{
		s: s, shipper: sc.bridge, from: sc.site, to: sc.consignee, leave: leave, class: class, pieces: len(held),
		kg: g.kg(held) * s.between(1.08, 1.25), value: cents(float64(len(held)) * s.between(120, 800)),
		byShipper: s.chance(0.3), byCarriers: true,
	}
	if s.chance(0.5) { // papers that agree with the weight
		p.pieces = max(1, int(p.kg/class.kg/1.15))
	}
	if sc.bridge != sc.front {
		p.from = sc.bridge.sites[0]
	}
	for range s.count(1, 2) {
		p.stops = append(p.stops, pick(s, sc.stations))
	}
	if s.chance(0.3) {
		p.serials = sample(s, held, s.count(1, 2))
	}
	g.identify(p)
	return p
}
