package sim

import "time"

type instants = map[string]time.Time

// claim is what some fronts say afterwards, without evidence: lost, stolen, or moved to a warehouse.
func (g *gen) claim(sc *scheme, units []ref) {
	s := sc.s
	if !s.chance(0.4) {
		return
	}
	when := sc.from + sc.window + s.days(8, 45)
	if s.chance(0.5) {
		g.file(event{kind: objectEvent, action: actionObserve, at: when, by: sc.front, items: sample(s, units, s.count(len(units)/10, len(units)/2)),
			step: "stock_taking", persistent: pick(s, []string{"unknown", "stolen"}), readPoint: sc.site})
		return
	}
	to := g.newSite(sc.front, warehouseSite, sc.front.country)
	to.since = when - day
	moved := refs(sc.stripped)
	g.file(event{kind: objectEvent, action: actionObserve, at: when, by: sc.front, step: "shipping", disposition: "in_transit",
		items: moved, readPoint: sc.site, from: &holder{sc.front, sc.front, sc.site}, to: &holder{sc.front, sc.front, to},
		papers: &papers{consignment: g.consignmentID(), description: "GPU servers, own stock transfer", hs: "8471.80", endUser: sc.front,
			kg: g.weight(sc.stripped), value: cents(g.worth(sc.stripped))}})
}

// reappear lets up to a tenth of the units be seen again: switched on elsewhere, or inside a server that checks in.
func (g *gen) reappear(sc *scheme, units []ref, t *TruthCase) {
	s := sc.s
	n := int(s.between(0, 0.1) * float64(len(units)))
	seen := sample(s, units, n)
	if n == 0 {
		return
	}
	when := sc.from + sc.window + s.days(25, 70)
	if n >= 2 && s.chance(0.4) {
		k := min(8, n)
		g.rebuild(sc, seen[:k], when)
		if when < g.end {
			t.Activated = append(t.Activated, g.w.links(seen[:k])...)
		}
		seen = seen[k:]
	}
	for _, r := range seen {
		when += s.days(0, 6)
		where, kind := near(s, sc.consignee, 0.6, s.count(8, 40)*1000), pick(s, []string{"activation", "activation", "warranty"})
		if g.sight([]ref{r}, where, kind, when) {
			t.Activated = append(t.Activated, g.w.link(r))
		}
	}
}

// sight is the maker's report that units were switched on, or asked about, at a place. It says whether the registry
// learns of it.
func (g *gen) sight(units []ref, where *point, kind string, when instant) bool {
	e := g.file(event{kind: objectEvent, action: actionObserve, at: when, by: g.cast.maker, items: units, geo: where, sighting: kind})
	return e.known < g.end
}

// rebuild puts units into a server elsewhere, whose owner bought them in good faith and checks in.
func (g *gen) rebuild(sc *scheme, units []ref, when instant) {
	s := sc.s
	by := pick(s, g.cast.secondHand)
	x := by.sites[0]
	chassis := g.serialised(g.goods.serverOf(pick(s, g.cast.builders), g.w.thing(units[0]).product), when)
	g.file(event{kind: associationEvent, action: actionAdd, at: when, by: by, step: "installing", items: units, parent: chassis,
		readPoint: x, bizLocation: x})
	v := &server{ref: chassis, gpus: units, gone: never, badYear: never}
	for t := when + s.days(0.5, 3); t < g.end; t += week {
		g.agent(g.checkIn(s, v, by, x, t))
	}
}
