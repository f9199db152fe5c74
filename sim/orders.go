package sim

import (
	"cmp"
	"slices"
)

// order is one purchase of servers, from the builder to the hall.
type order struct {
	customer *party // who buys
	site     *site  // where they are to run
	holder   *party // who possesses them there
	builder  *party
	chain    []*party // distributor and reseller between builder and customer
	broker   *party   // a reseller of record that never holds the goods; may be nil
	unit     *product
	n        int
	ready    instant // when the accelerators are made
	payer    *party
	boxed    *site // a second warehouse where they stay in their boxes
	scheme   *scheme
	servers  []*server
}

// buyer is who may place orders, and where its servers go.
type buyer struct {
	party  *party
	sites  []*site
	weight float64
	surge  bool
	clean  *party // broker of record it always uses, or nil
}

// planOrders divides the servers that can be built among buyers and the span.
func (g *gen) planOrders() {
	s := g.stream("orders")
	spares := int(float64(g.cfg.Units) * g.cfg.Fleet.SpareShare)
	rest := g.cfg.Units - spares
	for _, sc := range g.schemes {
		for _, o := range g.schemeOrders(sc) {
			g.orders = append(g.orders, o)
			rest -= o.n * 8
		}
	}
	cards := rest / 8 / 4 * 4 // an eighth of the accelerators are cards, four to a server
	eights, fours := (rest-cards)/8, cards/4
	g.spareCount = g.cfg.Units - eights*8 - fours*4
	for _, o := range g.orders {
		g.spareCount -= o.n * 8
	}
	buyers := g.buyers(s)
	for eights > 0 {
		n := min(eights, batch(s))
		g.orders = append(g.orders, g.draft(s, buyers, n, false))
		eights -= n
	}
	for fours > 0 {
		n := min(fours, batch(s))
		g.orders = append(g.orders, g.draft(s, buyers, n, true))
		fours -= n
	}
	g.boxBuyers(s)
	g.muteSites()
	slices.SortStableFunc(g.orders, func(a, b *order) int { return int(a.ready-b.ready) / int(second) })
}

// batch is the number of servers in one order.
func batch(s stream) int { return max(2, min(36, int(s.lognormal(8, 0.7)))) }

func (g *gen) buyers(s stream) []*buyer {
	var out []*buyer
	for _, p := range g.cast.operators {
		b := &buyer{party: p, weight: s.lognormal(1, 0.7), surge: s.chance(g.cfg.Trade.SurgeBuyers)}
		for _, x := range p.sites {
			if x.kind == datacentreSite {
				b.sites = append(b.sites, x)
			}
		}
		out = append(out, b)
	}
	for _, p := range g.cast.tenants {
		out = append(out, &buyer{party: p, weight: s.lognormal(0.6, 0.5), sites: []*site{g.rentedHall(s, nil)}})
	}
	for _, b := range out {
		if s.chance(0.25) {
			b.clean = pick(s, g.cast.brokers)
		}
	}
	for _, sc := range g.schemes {
		if sc.variant == viaIntermediary { // the intermediary has honest customers too
			for range s.count(1, 3) {
				pick(s, out).clean = sc.bridge
			}
		}
	}
	return out
}

// rentedHall is a hall of an operator, in which others rent space. It avoids one operator.
func (g *gen) rentedHall(s stream, not *party) *site {
	for {
		p := pick(s, g.cast.operators)
		if p == not {
			continue
		}
		for _, x := range p.sites {
			if x.kind == datacentreSite {
				return x
			}
		}
	}
}

// draft draws one honest order.
func (g *gen) draft(s stream, buyers []*buyer, n int, cards bool) *order {
	b := weighted(s, buyers)
	o := &order{customer: b.party, holder: b.party, site: pick(s, b.sites), n: n, builder: pick(s, g.cast.builders)}
	o.ready = g.orderTime(s, max(b.party.since, o.site.since))
	if b.surge && s.chance(0.6) && g.ruleDate-60*day > b.party.since {
		o.ready = g.ruleDate - s.days(45, 85)
	}
	o.unit = g.chooseUnit(s, o.ready, cards)
	g.chooseChannel(s, o, b.clean)
	g.choosePayer(s, o)
	return o
}

func weighted(s stream, buyers []*buyer) *buyer {
	total := 0.0
	for _, b := range buyers {
		total += b.weight
	}
	x := s.Float64() * total
	for _, b := range buyers {
		if x -= b.weight; x < 0 {
			return b
		}
	}
	return buyers[len(buyers)-1]
}

// orderTime is when an order's accelerators are made: any time in the first two thirds of the span, after the buyer
// became known.
func (g *gen) orderTime(s stream, since instant) instant {
	lo, hi := max(g.start+2*day, since-20*day), g.within(0.66)
	return lo + instant(s.Float64()*float64(max(hi-lo, 20*day)))
}

func (g *gen) chooseUnit(s stream, when instant, cards bool) *product {
	if cards {
		return g.goods.card
	}
	age := float64(when-g.start) / float64(g.end-g.start) // newer modules come in later
	return g.goods.modules[min(2, int(s.between(0, 1.4)+2*age))]
}

func (g *gen) chooseChannel(s stream, o *order, broker *party) {
	switch x := s.Float64(); {
	case broker != nil && x < 0.75:
		o.chain, o.broker = []*party{pick(s, g.cast.distributor)}, broker
	case x < 0.2:
	case x < 0.65:
		o.chain = []*party{pick(s, g.cast.distributor)}
	default:
		o.chain = []*party{pick(s, g.cast.distributor), pick(s, g.cast.resellers)}
	}
}

func (g *gen) choosePayer(s stream, o *order) {
	o.payer = o.customer
	if !s.chance(g.cfg.Trade.ThirdPayer) {
		return
	}
	switch s.IntN(3) {
	case 0:
		o.payer = cmp.Or(o.customer.parent, pick(s, g.cast.lessors))
	case 1:
		o.payer = pick(s, g.cast.forwarders)
	default:
		o.payer = pick(s, g.cast.brokers)
	}
}

// muteSites lets honest operators declare that a site does not check in, until their units reach the drawn share.
func (g *gen) muteSites() {
	s := g.stream("mute")
	units := map[*site]int{}
	for _, o := range g.orders {
		units[o.site] += o.n * 8
	}
	quota := s.between(g.cfg.Feed.NoCheckIn[0], g.cfg.Feed.NoCheckIn[1]) * float64(g.cfg.Units)
	for _, i := range s.Perm(len(g.w.sites)) {
		x := g.w.sites[i]
		if n := float64(units[x]); n > 0 && n <= quota*1.2 && !g.schemed(x) {
			x.checkin = false
			quota -= n
		}
	}
}
