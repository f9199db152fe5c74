package main

import (
	"fmt"
	"time"
)

// plant is where servers come from: who makes the accelerators and boards, who builds the servers, and of what.
type plant struct {
	factory, works             *site
	accelerator, board, server *product
}

// server is a computer of eight accelerators on a board.
type server struct {
	uri, board string
	gpus       []string
	out        []absence
	gone       time.Time // it is taken apart
}

// absence is a time in which an accelerator was not in its server.
type absence struct {
	unit string
	span
}

// inside are the accelerators in the server at a time.
func (v *server) inside(t time.Time) []string {
	var units []string
	for _, u := range v.gpus {
		away := false
		for _, a := range v.out {
			away = away || a.unit == u && within([]span{a.span}, t)
		}
		if !away {
			units = append(units, u)
		}
	}
	return units
}

const serverGrams = 92_000 + 12_000 + 8*3_200

func uris(servers []*server) (list []string) {
	for _, v := range servers {
		list = append(list, v.uri)
	}
	return list
}

func units(servers []*server) (list []string) {
	for _, v := range servers {
		list = append(list, v.gpus...)
	}
	return list
}

// newPlant sets up the catalogue. Products are generic: an accelerator module of the 700 W class, eight to a board.
func (w *world) newPlant(factory, works *site) {
	maker, builder := factory.operator, works.operator
	w.maker = &plant{factory: factory, works: works,
		accelerator: w.product(maker, "accelerator", "accelerator module, 700 W class", "8473.30", 3_200, 26_000),
		board:       w.product(maker, "baseboard", "board for eight accelerator modules", "8473.30", 12_000, 9_000),
		server:      w.product(builder, "server", "server for eight accelerator modules", "8471.80", 92_000, 42_000)}
}

// serial is the next of a line: year, week and a running number.
func (w *world) serial(line string, t time.Time) string {
	year, week := t.ISOWeek()
	w.serials[line] += w.dice.between(1, 3)
	return fmt.Sprintf("%s%02d%02d%04d", line, year%100, week, w.serials[line])
}

// build makes accelerators and boards, ships the boards to the builder, and has servers built there. It returns when the
// servers are ready.
func (w *world) build(n int, t time.Time) ([]*server, time.Time) {
	p := w.maker
	var lot []*server
	var boards []string
	for range n {
		t = t.Add(w.minutes(50, 160))
		v := &server{board: p.board.serial(w.serial("B", t))}
		for range 8 {
			v.gpus = append(v.gpus, p.accelerator.serial(w.serial("", t)))
		}
		w.made(append([]string{v.board}, v.gpus...), p.factory, t)
		w.joins(v.board, v.gpus, p.factory, t.Add(w.hours(2, 20)))
		boards = append(boards, v.board)
		lot = append(lot, v)
	}
	w.units += 8 * n
	arrived := w.convey(consignment{items: boards, leave: t.Add(w.hours(26, 72)),
		from: end{p.factory.operator, p.factory.operator, p.factory}, to: end{p.works.operator, p.works.operator, p.works},
		grams: n * (12_000 + 8*3_200), value: n * 8 * p.accelerator.usd,
		papers: papers{Description: "accelerator modules on boards", HSCode: "8473.30", EndUser: p.works.operator.link()}})
	return lot, w.assemble(lot, arrived.Add(w.days(1, 3)))
}

// assemble puts the boards into servers. The chassis get their numbers first.
func (w *world) assemble(lot []*server, t time.Time) time.Time {
	p := w.maker
	for _, v := range lot {
		v.uri = p.server.serial(w.serial("S", t))
	}
	w.made(uris(lot), p.works, t)
	for _, v := range lot {
		t = t.Add(w.minutes(30, 150))
		w.joins(v.uri, []string{v.board}, p.works, t)
	}
	return t.Add(w.days(1, 3))
}

// made reports that units came to be.
func (w *world) made(list []string, x *site, t time.Time) {
	e := event{Type: "ObjectEvent", EPCs: list, Action: "ADD", Step: "commissioning", Disposition: "active", at: t, by: x.operator}
	e.stays(x)
	w.file(e)
}

// joins reports that parts were built into something.
func (w *world) joins(parent string, parts []string, x *site, t time.Time) {
	e := event{Type: "AssociationEvent", Parent: parent, Children: parts, Action: "ADD", Step: "assembling", at: t, by: x.operator}
	e.stays(x)
	w.file(e)
}

// consignment is goods with serials on their way from one holder to another, with papers.
type consignment struct {
	items        []string
	from, to     end
	via          []*site // where forwarders store or reload it
	leave        time.Time
	grams, value int // net
	papers       papers
	orders       []transaction
	unreported   bool // its arrival is never reported
}

// convey moves a consignment; each party on the way reports what it sees. It returns when the goods arrive.
func (w *world) convey(c consignment) time.Time {
	c.papers.Consignment = w.waybill()
	if c.papers.GrossKg == 0 {
		c.papers.GrossKg = kilograms(c.grams*w.dice.between(112, 122)/100 + 2_000)
	}
	c.papers.Value = dollars(c.value * w.dice.between(95, 108) / 100)
	here, t := c.from, c.leave
	for i, x := range append(c.via[:len(c.via):len(c.via)], c.to.site) {
		last := i == len(c.via)
		next := end{x.operator, c.to.owner, x}
		if last {
			next = c.to
		}
		w.ships(c, here, next, t)
		t = t.Add(w.travel(here.site, x))
		if !last || !c.unreported {
			w.receives(c, here, next, t)
		}
		here = end{next.possessor, c.from.owner, x}
		if !last {
			t = t.Add(w.hours(10, 80))
		}
	}
	return t
}

func (w *world) ships(c consignment, from, to end, t time.Time) *event {
	e := event{Type: "ObjectEvent", EPCs: c.items, Action: "OBSERVE", Step: "shipping", Disposition: "in_transit", Transactions: c.orders, papers: c.papers,
		at: t, by: from.possessor}
	e.reads(from.site)
	e.between(from, to)
	return w.file(e)
}

// receives reports an arrival; the papers other than the consignment's number stay with the shipper.
func (w *world) receives(c consignment, from, to end, t time.Time) *event {
	e := event{Type: "ObjectEvent", EPCs: c.items, Action: "OBSERVE", Step: "receiving", Disposition: "in_progress", Transactions: c.orders,
		papers: papers{Consignment: c.papers.Consignment}, at: t, by: to.possessor}
	e.stays(to.site)
	e.between(from, to)
	return w.file(e)
}

// travel is the time on the way.
func (w *world) travel(from, to *site) time.Duration {
	if from.country == to.country {
		return w.hours(5, 40)
	}
	return w.days(2, 6)
}

// sale is what a distributor sells: servers, to whom, for which country, paid by whom.
type sale struct {
	seller, buyer, payer *party
	lot                  []*server
	country              string
}

// invoiced reports the sale, and gives the papers and orders under which the goods travel.
func (w *world) invoiced(s sale, t time.Time) (papers, []transaction) {
	orders := []transaction{w.reference("po", s.buyer), w.reference("inv", s.seller)}
	e := event{Type: "TransactionEvent", EPCs: uris(s.lot), Action: "ADD", Transactions: orders[1:], at: t, by: s.seller,
		papers: papers{Value: dollars(len(s.lot) * w.maker.price() * w.dice.between(103, 115) / 100), Payer: s.payer.link()}}
	e.between(end{owner: s.seller}, end{owner: s.buyer})
	w.file(e)
	return papers{Description: w.dice.words("computing servers with accelerators", "data processing machines"), HSCode: "8471.80",
		EndUser: s.buyer.link(), EndUse: s.country, Payer: s.payer.link()}, orders
}

// price is what a server is worth.
func (p *plant) price() int { return p.server.usd + p.board.usd + 8*p.accelerator.usd }

func (d *dice) words(list ...string) string { return pick(d, list) }

// install reports that servers were set up at a site, a few at a time, and returns when each was running.
func (w *world) install(lot []*server, by *party, x *site, t time.Time) time.Time {
	for i := 0; i < len(lot); i += 4 {
		t = t.Add(w.hours(2, 9))
		e := event{Type: "AssociationEvent", Parent: x.link(), Children: uris(lot[i:min(i+4, len(lot))]), Action: "ADD", Step: "installing", at: t, by: by}
		e.stays(x)
		w.file(e)
	}
	return t.Add(w.hours(5, 30))
}
