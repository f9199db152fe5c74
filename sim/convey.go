package sim

import (
	"math"
	"strconv"
)

// consignment is goods on their way from one holder to another, with papers.
type consignment struct {
	s         stream
	items     []ref // top-level things
	from, to  holder
	leave     instant
	kg, value float64 // net weight, true value
	papers    papers
	documents []transaction
	stops     []*site // nil: drawn
	brief     bool    // no long storage on the way
}

func cents(x float64) float64 { return math.Round(x*100) / 100 }

// consignmentID numbers a consignment as its forwarder or shipper does.
func (g *gen) consignmentID() string {
	return pick(g.ids, []string{"WB", "HAWB", "CN", "DN"}) + "-" + strconv.FormatUint(10_000_000+g.ids.Uint64N(90_000_000), 10)
}

// convey moves a consignment and reports it as the parties on the way see it. It returns when the goods arrive.
func (g *gen) convey(c *consignment) instant {
	s := c.s
	if c.stops == nil {
		c.stops = g.route(s, c.from.site, c.to.site)
	}
	c.papers.consignment = g.consignmentID()
	c.papers.kg = math.Round(g.wrongWeight(c.from.possessor, c.kg*s.between(1.1, 1.25)+2)*10) / 10
	if c.papers.value == 0 {
		c.papers.value = cents(c.value * s.between(0.92, 1.12))
	}
	if s.chance(0.5) {
		c.documents = append(c.documents, g.document("desadv", c.from.possessor))
	}
	onBoard := g.pack(c)
	here, t := c.from, c.leave
	for i := range len(c.stops) + 1 {
		next := holder{c.to.possessor, c.to.owner, c.to.site}
		if i < len(c.stops) {
			next = holder{c.stops[i].operator, c.to.owner, c.stops[i]}
		}
		t = g.handOver(c, onBoard, here, next, t)
		if i < len(c.stops) {
			here = holder{next.possessor, c.from.owner, next.site}
			t += g.stay(c)
		}
	}
	g.unpack(c, onBoard, t)
	return t
}

// handOver is one leg: shipped here, received there.
func (g *gen) handOver(c *consignment, onBoard []ref, here, next holder, t instant) instant {
	declared := c.papers
	from, to := here, next
	g.scan(event{kind: objectEvent, action: actionObserve, at: t, by: here.possessor, step: "shipping", disposition: "in_transit",
		items: onBoard, readPoint: here.site, from: &from, to: &to, papers: &declared, transactions: c.documents})
	t += travel(c.s, here.site, next.site)
	disposition := "in_progress"
	if next.site == c.to.site {
		disposition = ""
	}
	g.scan(event{kind: objectEvent, action: actionObserve, at: t, by: next.possessor, step: "receiving", disposition: disposition,
		items: onBoard, readPoint: next.site, bizLocation: next.site, from: &from, to: &to,
		papers: &papers{consignment: c.papers.consignment}, transactions: c.documents}) // the other papers stay with the shipper
	return t
}

// travel is the time on the way between two sites.
func travel(s stream, from, to *site) instant {
	if from.city.country == to.city.country {
		return s.days(0.2, 2.5)
	}
	return s.days(1, 7)
}

// stay is the time at a forwarder's stop.
func (g *gen) stay(c *consignment) instant {
	s := c.s
	switch x := s.Float64(); {
	case x < g.cfg.Trade.CrossDock:
		return s.hours(3, 24)
	case x < g.cfg.Trade.CrossDock+g.cfg.Trade.FreeZone && !c.brief:
		return min(instant(s.lognormal(20, 0.8)*float64(day)), 180*day)
	default:
		return s.days(1, 5)
	}
}

// route draws the forwarder stops between two sites; accelerators do not go through barred places on purpose.
func (g *gen) route(s stream, from, to *site) []*site {
	n := s.count(0, 1)
	if from.city.country != to.city.country {
		n = s.count(1, 2)
	}
	stops := []*site{}
	for range n {
		f := pick(s, g.cast.forwarders)
		x := pick(s, f.sites)
		if !barred[x.city.country] {
			stops = append(stops, x)
		}
	}
	return stops
}

// barred are the destinations that may not have accelerators, until rules say otherwise.
var barred = map[string]bool{"CN": true, "HK": true, "MO": true, "RU": true, "BY": true, "IR": true, "KP": true, "SY": true, "CU": true}

// pack puts goods on pallets, where the shipper does.
func (g *gen) pack(c *consignment) []ref {
	s := c.s
	if len(c.items) < 2 || !s.chance(g.cfg.Trade.Palletised) {
		return c.items
	}
	per := g.perPallet(c)
	var pallets []ref
	for i := 0; i < len(c.items); i += per {
		pallet := g.handlingUnit(c.from.possessor)
		pallets = append(pallets, pallet)
		g.scan(event{kind: aggregationEvent, action: actionAdd, at: c.leave - s.hours(1, 12), by: c.from.possessor, step: "packing",
			items: c.items[i:min(i+per, len(c.items))], parent: pallet, readPoint: c.from.site, bizLocation: c.from.site})
	}
	return pallets
}

// unpack takes goods off their pallets; some receivers only say that a pallet is empty.
func (g *gen) unpack(c *consignment, onBoard []ref, t instant) {
	if len(onBoard) == 0 || g.w.thing(onBoard[0]).product.kind != parcelKind {
		return
	}
	s, per := c.s, g.perPallet(c)
	named := s.chance(0.7)
	for i, pallet := range onBoard {
		e := event{kind: aggregationEvent, action: actionDelete, at: t + s.hours(0.5, 20), by: c.to.possessor, step: "unpacking",
			parent: pallet, readPoint: c.to.site, bizLocation: c.to.site}
		if named {
			e.items = c.items[i*per : min((i+1)*per, len(c.items))]
		}
		g.scan(e)
	}
}

// perPallet is how many pieces of a consignment go on one pallet.
func (g *gen) perPallet(c *consignment) int {
	if g.w.thing(c.items[0]).product.kind == serverKind {
		return 6
	}
	return 24
}
