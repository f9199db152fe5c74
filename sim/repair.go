package sim

import "slices"

// spare is an accelerator that waits to replace a failed one.
type spare struct {
	unit ref
	at   *site
	from instant
}

// supplySpares makes the spares and sends them to service centres and to operators' own shelves.
func (g *gen) supplySpares() {
	s := g.stream("spares")
	plant := g.cast.maker.sites[0]
	for left := g.spareCount; left > 0; {
		n := min(left, s.count(2, 10))
		left -= n
		unit := pick(s, append([]*product{g.goods.card}, append(g.goods.modules, g.goods.modules...)...))
		t := g.within(s.between(0.01, 0.6))
		var units []ref
		for range n {
			t += s.hours(0.02, 0.2)
			r := g.accelerator(unit, t)
			units = append(units, r)
			g.file(event{kind: objectEvent, action: actionAdd, at: t, by: plant.operator, step: "commissioning",
				disposition: "active", items: []ref{r}, readPoint: plant, bizLocation: plant, born: true})
		}
		to := pick(s, g.cast.services)
		x := to.sites[0]
		if s.chance(0.4) {
			to = pick(s, g.cast.operators)
			x = pick(s, to.sites)
		}
		arrived := g.convey(&consignment{
			s: s, items: units, leave: t + s.days(1, 6), from: holder{g.cast.maker, g.cast.maker, plant}, to: holder{to, to, x},
			kg: g.kg(units), value: unit.dollars * float64(n),
			papers: papers{description: "spare GPU modules", hs: unit.hs, endUser: to, endCountry: x.city.country, payer: to},
		})
		x.shelf = append(x.shelf, shelved{units, span{arrived, arrived + s.days(20, 200)}, to})
		for _, r := range units {
			g.spares = append(g.spares, spare{r, x, arrived})
		}
	}
}

// failure is one accelerator that stops working.
type failure struct {
	at   instant
	v    *server
	unit ref
}

// failures draws and works off the permanent failures, in order of time.
func (g *gen) failures() {
	s := g.stream("failures")
	var all []failure
	for _, v := range g.servers {
		until := min(v.gone, g.end)
		for _, r := range v.gpus {
			if t := g.failsAt(s, v.installed()); t < until {
				all = append(all, failure{t, v, r})
			}
		}
	}
	slices.SortFunc(all, func(a, b failure) int { return int((a.at - b.at) / second) })
	for _, f := range all {
		if f.v.running(f.at) && !f.v.busy(f.at) {
			g.repair(s, f)
		}
	}
}

// failsAt draws a unit's time of failure: three times as likely in its first sixty days.
func (g *gen) failsAt(s stream, from instant) instant {
	const infancy = 60 * day
	work := s.ExpFloat64() / g.cfg.Fleet.Failure * float64(365*day) // operating time at the plain rate
	if work < 3*float64(infancy) {
		return from + instant(work/3)
	}
	return min(never, from+infancy+instant(min(work-3*float64(infancy), float64(never/4))))
}

// busy says whether the server is already being repaired at a time.
func (v *server) busy(t instant) bool {
	return len(v.swaps) > 0 && t < v.swaps[len(v.swaps)-1].back+day
}

// repair replaces a failed accelerator and sends it to a service centre; now and then the chassis is replaced instead.
func (g *gen) repair(s stream, f failure) {
	st := f.v.stayAt(f.at)
	if f.v.board != 0 && s.chance(g.cfg.Fleet.ChassisSwap) {
		g.swapChassis(s, f, st)
		return
	}
	out := f.at + s.hours(2, 70)
	if out >= st.span.to {
		return
	}
	parent := f.v.ref
	if f.v.board != 0 {
		parent = f.v.board
	}
	g.scan(event{kind: associationEvent, action: actionDelete, at: out, by: st.holder, step: "removing", items: []ref{f.unit}, parent: parent,
		readPoint: st.site, bizLocation: st.site})
	centre := pick(s, g.cast.services)
	g.returnFailed(s, f, st, centre, out)
	w := swap{at: f.at, back: never, out: f.unit}
	if r, there := g.replacement(s, f, st, centre, out); r != 0 && there+s.hours(2, 48) < st.span.to {
		w.in, w.back = r, there+s.hours(2, 48)
		g.scan(event{kind: associationEvent, action: actionAdd, at: w.back, by: st.holder, step: "installing", items: []ref{r}, parent: parent,
			readPoint: st.site, bizLocation: st.site})
	}
	f.v.swaps = append(f.v.swaps, w)
}

// returnFailed ships a failed unit under warranty; the centre repairs it for its shelf, or scraps it.
func (g *gen) returnFailed(s stream, f failure, st *stay, centre *party, out instant) {
	x := centre.sites[0]
	if s.chance(0.25) { // some send it as a parcel that names no serials
		p := &parcel{s: s, shipper: st.holder, from: st.site, to: x, leave: out + s.days(1, 8), class: g.w.thing(f.unit).product, pieces: 1,
			kg: 3.2 * s.between(1.1, 1.4), value: cents(s.between(200, 4000)), byShipper: true, byCarriers: s.chance(0.5)}
		g.identify(p)
		g.send(p)
		return
	}
	arrived := g.convey(&consignment{
		s: s, items: []ref{f.unit}, leave: out + s.days(1, 8), stops: []*site{}, from: holder{st.holder, f.v.owner, st.site}, to: holder{centre, f.v.owner, x},
		kg: 3.2, value: s.between(200, 4000), documents: []transaction{g.document("rma", centre)},
		papers: papers{description: "failed GPU module for repair", hs: "8473.30"},
	})
	t := arrived + s.days(3, 25)
	if s.chance(0.7) {
		g.scan(event{kind: objectEvent, action: actionObserve, at: t, by: centre, step: "repairing", disposition: "available",
			items: []ref{f.unit}, readPoint: x, bizLocation: x})
		g.spares = append(g.spares, spare{f.unit, x, t + day})
		return
	}
	g.scan(event{kind: objectEvent, action: actionDelete, at: t, by: centre, step: pick(s, []string{"destroying", "decommissioning"}),
		disposition: "inactive", items: []ref{f.unit}, readPoint: x, bizLocation: x})
}

// replacement finds a unit of the same product: on the spot, or from a service centre.
func (g *gen) replacement(s stream, f failure, st *stay, centre *party, out instant) (ref, instant) {
	best := -1
	for i, sp := range g.spares {
		if sp.from > out || g.w.thing(sp.unit).product != g.w.thing(f.unit).product {
			continue
		}
		if sp.at.operator == st.holder && sp.at == st.site {
			best = i
			break
		}
		if sp.at.operator.role == roleService && (best < 0 || sp.at.operator == centre) {
			best = i
		}
	}
	if best < 0 {
		return 0, 0
	}
	sp := g.spares[best]
	g.spares = slices.Delete(g.spares, best, best+1)
	if sp.at == st.site {
		return sp.unit, out + s.hours(2, 40)
	}
	return sp.unit, g.convey(&consignment{
		s: s, items: []ref{sp.unit}, leave: out + s.days(0.3, 3), stops: []*site{},
		from: holder{sp.at.operator, sp.at.operator, sp.at}, to: holder{st.holder, f.v.owner, st.site},
		kg: 3.2, value: g.w.thing(sp.unit).product.dollars, documents: []transaction{g.document("rma", sp.at.operator)},
		papers: papers{description: "replacement GPU module under warranty", hs: "8473.30", endUser: f.v.order.customer, endCountry: st.site.city.country},
	})
}

// swapChassis replaces the host: the board moves into another chassis, which checks in from then on.
func (g *gen) swapChassis(s stream, f failure, st *stay) {
	builder := f.v.order.builder
	model := g.w.thing(f.v.ref).product
	made := f.at + s.hours(4, 60)
	chassis := g.serialised(model, made)
	g.file(event{kind: objectEvent, action: actionAdd, at: made, by: builder, step: "commissioning", disposition: "active",
		items: []ref{chassis}, readPoint: builder.sites[0], bizLocation: builder.sites[0]})
	arrived := g.convey(&consignment{
		s: s, items: []ref{chassis}, leave: made + s.days(0.5, 3), stops: []*site{}, from: holder{builder, builder, builder.sites[0]},
		to: holder{st.holder, f.v.owner, st.site}, kg: model.kg, value: model.dollars, documents: []transaction{g.document("rma", builder)},
		papers: papers{description: "replacement chassis under warranty", hs: "8473.30", endUser: f.v.order.customer, endCountry: st.site.city.country},
	})
	t := arrived + s.hours(4, 60)
	if t >= st.span.to {
		return
	}
	g.scan(event{kind: associationEvent, action: actionDelete, at: t, by: st.holder, step: "removing", items: []ref{f.v.board}, parent: f.v.ref,
		readPoint: st.site, bizLocation: st.site})
	g.scan(event{kind: associationEvent, action: actionAdd, at: t + s.hours(1, 5), by: st.holder, step: "installing", items: []ref{f.v.board}, parent: chassis,
		readPoint: st.site, bizLocation: st.site})
	f.v.dark = append(f.v.dark, span{f.at, t + 6*hour})
	f.v.ref = chassis
	e := event{kind: associationEvent, action: actionAdd, at: t + s.hours(5, 9), by: st.holder, step: "installing", items: []ref{chassis}, parent: f.v.rack,
		readPoint: st.site, bizLocation: st.site}
	if f.v.rack == 0 {
		e.parentSite = st.site
	}
	g.scan(e)
}
