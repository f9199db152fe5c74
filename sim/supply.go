package sim

import "cmp"

// server is one installed computer and its life.
type server struct {
	ref      ref
	board    ref // 0 for servers with cards
	gpus     []ref
	order    *order
	owner    *party
	holder   *party
	rack     ref
	stays    []stay
	dark     []span // silent, for whatever reason of its own
	swaps    []swap
	macro    string  // the one large thing that happens to it, empty if none
	gone     instant // it leaves honest service; never
	phase    instant // of its weekly check-in
	badYear  instant // its clock has the wrong year for some weeks from here; never
	kg       float64
	dollars  float64
	stripped bool
}

// stay is a time at a site, in a party's hands.
type stay struct {
	site   *site
	holder *party
	span   span
}

// swap is one accelerator replaced by another (0: not replaced).
type swap struct {
	at      instant // the old one is out
	back    instant // the new one is in
	out, in ref
}

// contents are the accelerators in the server at a time.
func (v *server) contents(t instant) []ref {
	var changed []ref
	for _, w := range v.swaps {
		if t < w.at {
			break
		}
		if changed == nil {
			changed = append([]ref(nil), v.gpus...)
		}
		for i, r := range changed {
			if r == w.out {
				if w.in != 0 && t >= w.back {
					changed[i] = w.in
				} else {
					changed = append(changed[:i], changed[i+1:]...)
				}
				break
			}
		}
	}
	if changed == nil {
		return v.gpus
	}
	return changed
}

// stayAt is where and with whom the server is at a time, or nil.
func (v *server) stayAt(t instant) *stay {
	for i := range v.stays {
		if v.stays[i].span.holds(t) {
			return &v.stays[i]
		}
	}
	return nil
}

// running says whether the server is switched on and connected at a time.
func (v *server) running(t instant) bool {
	st := v.stayAt(t)
	return st != nil && !darkAt(v.dark, t) && !darkAt(st.site.dark, t)
}

func (v *server) installed() instant {
	if len(v.stays) == 0 {
		return never
	}
	return v.stays[0].span.from
}

// move ends the present stay and begins another.
func (v *server) move(leave, arrive instant, to *site, by *party) {
	v.leaveAt(leave)
	if to != nil {
		v.stays = append(v.stays, stay{to, by, span{arrive, never}})
		v.gone = never
	}
}

// leaveAt ends the present stay for good.
func (v *server) leaveAt(t instant) {
	v.gone, v.stays[len(v.stays)-1].span.to = t, t
}

// fulfil makes an order's accelerators, builds the servers, and brings them to the hall.
func (g *gen) fulfil(o *order) {
	s := g.stream("order/" + o.site.gln + "/" + padded(int(o.ready/second), 1))
	made, done := g.makeBoards(s, o)
	arrived := g.convey(&consignment{
		s: s, items: made, leave: done + s.hours(8, 72), brief: o.scheme != nil,
		from: holder{g.cast.maker, g.cast.maker, g.cast.maker.sites[0]},
		to:   holder{o.builder, o.builder, o.builder.sites[0]},
		kg:   g.kg(made), value: g.value(o.unit, o.n), papers: papers{description: g.describe(s, o.unit), hs: o.unit.hs, endUser: o.builder},
	})
	built := g.build(s, o, made, arrived)
	halves := [][]*server{o.servers}
	if len(o.servers) > 3 && s.chance(g.cfg.Trade.Split) {
		k := s.count(1, len(o.servers)-2)
		halves = [][]*server{o.servers[:k], o.servers[k:]}
	}
	for _, part := range halves {
		g.deliver(s, o, part, built)
		built += s.days(1, 12)
	}
}

// makeBoards commissions accelerators and, for modules, assembles them on boards of eight.
func (g *gen) makeBoards(s stream, o *order) (made []ref, done instant) {
	plant := g.cast.maker.sites[0]
	t := o.ready
	per := 8
	if o.unit == g.goods.card {
		per = 4
	}
	for range o.n {
		v := &server{order: o, owner: o.customer, holder: o.holder, gone: never, badYear: never, phase: s.hours(0, 168)}
		for range per {
			t += s.hours(0.02, 0.15)
			r := g.accelerator(o.unit, t)
			v.gpus = append(v.gpus, r)
			g.file(event{kind: objectEvent, action: actionAdd, at: t, by: plant.operator, step: "commissioning",
				disposition: "active", items: []ref{r}, readPoint: plant, bizLocation: plant, born: true})
		}
		o.servers = append(o.servers, v)
		if per == 4 {
			made = append(made, v.gpus...)
			continue
		}
		v.board = g.serialised(g.goods.boards[o.unit], t)
		g.scan(event{kind: associationEvent, action: actionAdd, at: t + s.hours(2, 20), by: plant.operator, step: "assembling",
			items: v.gpus, parent: v.board, readPoint: plant, bizLocation: plant})
		made = append(made, v.board)
	}
	return made, t + day
}

// build assembles the servers at the builder.
func (g *gen) build(s stream, o *order, made []ref, arrived instant) instant {
	works := o.builder.sites[0]
	t := arrived + s.days(1, 8)
	model := g.goods.serverOf(o.builder, o.unit)
	for _, v := range o.servers {
		t += s.hours(0.3, 3)
		v.ref = g.serialised(model, t)
		children := v.gpus
		if v.board != 0 {
			children = []ref{v.board}
		}
		v.kg = model.kg + g.kg(children)
		v.dollars = model.dollars + float64(len(v.gpus))*o.unit.dollars
		g.scan(event{kind: associationEvent, action: actionAdd, at: t, by: o.builder, step: "assembling",
			items: children, parent: v.ref, readPoint: works, bizLocation: works})
		if s.chance(0.02) {
			v.badYear = t + s.days(60, 400)
		}
	}
	g.file(event{kind: objectEvent, action: actionAdd, at: t + s.hours(1, 5), by: o.builder, step: "commissioning", disposition: "active",
		items: refs(o.servers), readPoint: works, bizLocation: works})
	g.w.servers += len(o.servers)
	g.servers = append(g.servers, o.servers...)
	return t + s.days(1, 6)
}

func refs(servers []*server) []ref {
	out := make([]ref, len(servers))
	for i, v := range servers {
		out[i] = v.ref
	}
	return out
}

// kg is the net weight of things by their class; a board carries its eight modules.
func (g *gen) kg(things []ref) float64 {
	sum := 0.0
	for _, r := range things {
		p := g.w.thing(r).product
		sum += p.kg
		if p.kind == boardKind {
			sum += 8 * 3.2
		}
	}
	return sum
}

func (g *gen) value(unit *product, servers int) float64 {
	per := 8.0
	if unit == g.goods.card {
		per = 4
	}
	return unit.dollars * per * float64(servers)
}

func (g *gen) describe(s stream, p *product) string {
	switch p.kind {
	case serverKind:
		return pick(s, []string{"GPU servers", "computing servers with accelerators", p.name, "data processing machines, GPU servers"})
	default:
		return pick(s, []string{"GPU modules", p.name, "accelerator boards " + p.name, "parts of data processing machines (GPU)"})
	}
}

// deliver brings servers from the builder through the channel to the site, and installs them.
func (g *gen) deliver(s stream, o *order, servers []*server, ready instant) {
	here := holder{o.builder, o.builder, o.builder.sites[0]}
	t := ready
	for _, p := range o.chain {
		next := holder{p, p, p.sites[0]}
		t = g.leg(s, o, servers, here, next, t)
		dwell := s.days(0.5, 25)
		next.site.shelf = append(next.site.shelf, shelved{refs(servers), span{t, t + dwell}, p})
		here, t = next, t+dwell
	}
	if o.broker != nil {
		g.invoice(s, o, here.owner, o.broker, o.broker, servers, t-s.days(0.2, 3))
		here.owner = o.broker
	}
	g.invoice(s, o, here.owner, o.customer, o.payer, servers, t-s.hours(1, 40))
	last := holder{o.holder, o.customer, cmp.Or(o.boxed, o.site)}
	t = g.leg(s, o, servers, here, last, t)
	if o.boxed != nil {
		t = g.keepBoxed(s, o, servers, t)
	}
	g.install(s, o, servers, t)
}

// leg is one sale's movement.
func (g *gen) leg(s stream, o *order, servers []*server, from, to holder, leave instant) instant {
	kg, value := 0.0, 0.0
	for _, v := range servers {
		kg += v.kg
		value += v.dollars
	}
	c := &consignment{
		s: s, items: refs(servers), from: from, to: to, leave: leave, kg: kg, value: value, brief: o.scheme != nil,
		papers: papers{
			description: g.describe(s, g.goods.serverOf(o.builder, o.unit)), hs: "8471.80",
			endUser: o.customer, endCountry: o.site.city.country, payer: o.payer,
		},
		documents: []transaction{g.document("po", to.owner), g.document("inv", from.owner)},
	}
	if to.owner != o.customer { // a trader's own purchase; it may not tell its supplier for whom
		c.papers.payer = to.owner
		if s.chance(0.4) {
			c.papers.endUser, c.papers.endCountry = nil, ""
		}
	}
	return g.convey(c)
}

// invoice tells who paid, where a seller reports it.
func (g *gen) invoice(s stream, o *order, seller, buyer, payer *party, servers []*server, when instant) {
	if !s.chance(0.75) {
		return
	}
	value := 0.0
	for _, v := range servers {
		value += v.dollars
	}
	g.file(event{kind: transactionEvent, action: actionAdd, at: when, by: seller, items: refs(servers),
		from: &holder{owner: seller}, to: &holder{owner: buyer},
		transactions: []transaction{g.document("inv", seller), g.document("po", buyer)},
		papers:       &papers{value: cents(value * s.between(1.02, 1.2)), payer: payer}})
}
