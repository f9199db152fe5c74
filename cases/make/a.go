package main

import "time"

// worldA is who takes part in case a: a split route over three transit countries.
type worldA struct {
	*world
	builder, distributor, forwarder, hall, store     *site // in the order of the goods
	operator, payer                                  *party
	transit                                          []*site // one in each country
	consignee, customs                               *site
	lisbon, porto, boxes, milan, service, recycler   *site // of honest work
	rotterdam                                        *site
	parts                                            []*product
	early, late, stopped, ours, more, spare, removed []*server
	inspected                                        time.Time
}

// caseA: an operator buys 100 servers through a distributor and sets up twelve of them; most of the others leave in pallets that
// are declared as other goods, and the last lot never leaves the distributor.
func caseA() *world {
	w := &worldA{world: newWorld(1, on(2024, 1, 8), 273, "95201")}
	w.invite()
	w.honestWork()
	w.purchases()
	w.palletsLeave()
	w.lastOrderStops()
	w.mistakes()
	return w.world
}

func (w *worldA) invite() {
	maker := w.party("manufacturer", "Avocet Silicon 23", "Cork", "IE", "semiconductors", "1998-03-11", 900_000_000)
	builder := w.party("manufacturer", "Bittern Servers 58", "Brno", "CZ", "server manufacturing", "2006-10-02", 120_000_000)
	seller := w.party("distributor", "Corncrake Distribution 31", "Rotterdam", "NL", "wholesale of computer equipment", "2001-05-21", 40_000_000)
	forwarder := w.party("forwarder", "Dunlin Freight 64", "Piraeus", "GR", "freight forwarding", "2009-02-17", 6_000_000)
	w.operator = w.party("operator", "Eider Data 12", "Thessaloniki", "GR", "data centre operation", "2023-08-30", 150_000)
	honest := w.party("operator", "Fieldfare Cloud 77", "Lisbon", "PT", "cloud infrastructure", "2012-09-14", 75_000_000)
	small := w.party("operator", "Guillemot Hosting 40", "Milan", "IT", "managed hosting", "2015-01-27", 9_000_000)
	service := w.party("service", "Harrier Repair 19", "Leipzig", "DE", "computer repair and maintenance", "2010-06-08", 3_000_000)
	w.payer = w.party("broker", "Lapwing Trading 28", "Dubai", "AE", "trade in computer equipment", "2022-11-15", 400_000)
	recycler := w.party("recycler", "Pintail Recovery 67", "Antwerp", "BE", "recovery of electronic equipment", "2014-04-03", 2_500_000)
	customs := w.party("authority", "Nightjar Customs 9", "Istanbul", "TR", "public administration", "1990-01-01", 0)
	consignee := w.party("recycler", "Osprey Parts 44", "Moscow", "RU", "trade in spare parts", "2023-06-19", 80_000)
	service.weekly = true
	w.builder = w.site(builder, "factory", "Brno", "CZ", 49.20, 16.61, 1)
	w.distributor = w.site(seller, "warehouse", "Rotterdam", "NL", 51.92, 4.48, 1)
	w.forwarder = w.site(forwarder, "free_zone", "Piraeus", "GR", 37.94, 23.64, 2)
	w.rotterdam = w.site(forwarder, "forwarder", "Rotterdam", "NL", 51.89, 4.29, 1)
	w.hall = w.hallOf(w.operator, "Thessaloniki", "GR", 40.64, 22.94, 2, 900)
	w.store = w.site(w.operator, "warehouse", "Piraeus", "GR", 37.95, 23.61, 2)
	w.lisbon, w.porto = w.hallOf(honest, "Lisbon", "PT", 38.72, -9.14, 0, 3_000), w.hallOf(honest, "Porto", "PT", 41.15, -8.61, 0, 1_200)
	w.boxes, w.milan = w.site(small, "warehouse", "Bergamo", "IT", 45.70, 9.67, 1), w.hallOf(small, "Milan", "IT", 45.46, 9.19, 1, 600)
	w.service = w.site(service, "service", "Leipzig", "DE", 51.34, 12.37, 1)
	w.recycler = w.site(recycler, "warehouse", "Antwerp", "BE", 51.22, 4.40, 1)
	w.customs = w.site(customs, "office", "Istanbul", "TR", 40.98, 28.82, 3)
	w.consignee = w.site(consignee, "warehouse", "Moscow", "RU", 55.76, 37.62, 3)
	w.consignee.silent = true
	for _, x := range []struct {
		name, city, country string
		lat, lon            float64
		zone                int
	}{
		{"Jackdaw Lines 52", "Istanbul", "TR", 41.01, 28.98, 3}, {"Knot Airways 35", "Dubai", "AE", 25.20, 55.27, 4}, {"Ibis Express 86", "Almaty", "KZ", 43.24, 76.89, 5},
	} {
		p := w.party("carrier", x.name, x.city, x.country, "air and road freight", "2005-07-01", 15_000_000)
		w.transit = append(w.transit, w.site(p, "forwarder", x.city, x.country, x.lat, x.lon, x.zone))
	}
	w.newPlant(w.site(maker, "factory", "Cork", "IE", 51.90, -8.47, 0), w.builder)
	w.parts = w.spares(builder)
}

// honestWork is another operator that buys through the same distributor and goes on checking in, and a small one that keeps
// servers in their boxes for months.
func (w *worldA) honestWork() {
	for _, x := range []*site{w.lisbon, w.porto} { // a regional outage of five days
		x.dark = append(x.dark, span{w.from(203), w.from(208).Add(9 * time.Hour)})
	}
	w.ours, w.more, w.spare = w.order(12, 1), w.order(6, 96), w.order(4, 28)
	ours, more := w.lisbon.operator, w.porto.operator
	running := w.install(w.ours, ours, w.lisbon, w.sold(w.ours, end{ours, ours, w.lisbon}, ours, 22, false).Add(w.days(1, 4)))
	w.repair(w.ours[4], w.ours[4].gpus[2], end{ours, ours, w.lisbon}, end{w.service.operator, ours, w.service}, w.day(88))
	w.fleet(w.ours, ours, w.lisbon, 3, running, w.end)
	running = w.install(w.more, more, w.porto, w.sold(w.more, end{more, more, w.porto}, more, 118, true).Add(w.days(1, 4)))
	w.fleet(w.more, more, w.porto, 3, running, w.end)
	w.inspects(w.ours, w.maker.factory.operator, w.lisbon, w.day(76))
	small := w.milan.operator
	w.sold(w.spare, end{small, small, w.boxes}, small, 50, false)
	w.resembles("boxed_stock", w.boxes, units(w.spare))
	w.resembles("regional_outage", w.lisbon, units(w.ours))
	moved := w.convey(consignment{items: uris(w.spare), leave: w.day(192), from: end{small, small, w.boxes}, to: end{small, small, w.milan}, grams: 4 * serverGrams,
		value: 4 * w.maker.price(), papers: papers{Description: "computing servers, own stock transfer", HSCode: "8471.80", EndUser: small.link(), EndUse: "IT"}})
	w.fleet(w.spare, small, w.milan, 2, w.install(w.spare, small, w.milan, moved.Add(w.days(1, 3))), w.end)
	homes := []*site{w.service, w.recycler, w.distributor}
	w.spareParts(ours, w.lisbon, 45, 270, 26, homes, w.transit, w.parts)
	w.spareParts(more, w.porto, 140, 270, 34, homes, w.transit, w.parts)
	w.spareParts(small, w.milan, 205, 270, 30, homes, w.transit, w.parts)
	w.spareParts(w.service.operator, w.service, 20, 270, 18, []*site{w.lisbon, w.porto, w.recycler}, w.transit, w.parts)
	w.spareParts(w.distributor.operator, w.distributor, 15, 270, 22, []*site{w.service, w.recycler, w.builder}, w.transit, w.parts)
}

// order has servers built and brought to the distributor's stock.
func (w *worldA) order(n, day int) []*server {
	lot, ready := w.build(n, w.day(day))
	w.stock(lot, ready, w.distributor)
	return lot
}

// sold sells from the distributor's stock and delivers, through the forwarder's station beside it.
func (w *worldA) sold(lot []*server, to end, payer *party, day int, unreported bool) time.Time {
	seller := w.distributor.operator
	terms, orders := w.invoiced(sale{seller, to.owner, payer, lot, to.site.country}, w.day(day-1))
	return w.convey(consignment{items: uris(lot), from: end{seller, seller, w.distributor}, via: []*site{w.rotterdam}, to: to, leave: w.day(day),
		grams: len(lot) * serverGrams, value: len(lot) * w.maker.price(), papers: terms, orders: orders, unreported: unreported})
}

// purchases are the operator's: a first lot that is set up and inspected, then two that the forwarder stores for it and
// delivers under one note.
func (w *worldA) purchases() {
	us := w.operator
	first := w.order(12, 18)
	w.early, w.late = first, append(w.order(40, 44), w.order(32, 58)...)
	running := w.install(first, us, w.hall, w.sold(first, end{us, us, w.hall}, w.payer, 40, false).Add(w.days(1, 3)))
	w.removed = first[6:10]
	w.fleet(first[:6], us, w.hall, 2, running, w.end)
	w.fleet(first[10:], us, w.hall, 2, running, w.end)
	w.fleet(w.removed, us, w.hall, 2, running, w.from(117))
	w.inspected = w.day(63)
	w.inspects(first, w.maker.factory.operator, w.hall, w.inspected)
	stored := end{w.forwarder.operator, us, w.forwarder}
	w.sold(w.late[:40], stored, w.payer, 71, false)
	w.sold(w.late[40:], stored, w.payer, 86, false)
	w.convey(consignment{items: uris(w.late), from: stored, to: end{us, us, w.hall}, leave: w.day(103), grams: 72 * serverGrams, value: 72 * w.maker.price(), unreported: true,
		papers: papers{Description: "computing servers with accelerators", HSCode: "8471.80", EndUser: us.link(), EndUse: "GR", Payer: w.payer.link()}})
}

// palletsLeave: the servers of the delivery, and four of those set up before, leave the operator's store in pallets of two or
// three. Some pallets nobody reports.
func (w *worldA) palletsLeave() {
	c := truthCase{ID: "case-1", Typology: "T8", Variant: "own_site", Bridge: w.operator.link(), Front: w.operator.link(), Site: w.hall.link(),
		InspectedAt: w.inspected, Destination: w.consignee.country, Activated: []string{}}
	for i, held := range w.pallets() {
		p := w.pallet(len(held), i, w.day(109+i*40/36))
		seen := i == opened || i == openedToo || w.dice.in100(72)
		if seen {
			w.palletSent(p, i, held)
		}
		for _, v := range held {
			c.diverted(v.gpus, p.leave)
		}
		c.carried(p, units(held), seen)
	}
	w.truth.Cases = append(w.truth.Cases, c)
}

// The pallets that customs open: one with servers that were set up before, one with servers that never were.
const opened, openedToo = 29, 33

// pallets are what the pallets really hold.
func (w *worldA) pallets() (list [][]*server) {
	rest := w.late
	for i := 0; len(rest) > 0; i++ {
		switch {
		case i == 20:
			list = append(list, w.removed[:2])
		case i == opened:
			list = append(list, w.removed[2:])
		case i%9 == 4:
			list, rest = append(list, rest[:3]), rest[3:]
		default:
			list, rest = append(list, rest[:2]), rest[2:]
		}
	}
	return list
}

// pallet is declared as other goods of about its weight.
func (w *worldA) pallet(servers, i int, leave time.Time) *parcel {
	class := pick(&w.dice, w.parts[3:6])
	p := &parcel{shipper: w.operator, from: w.store, to: w.consignee, via: []*site{w.transit[i%3]}, leave: leave, class: class,
		grams: servers*serverGrams*w.dice.between(101, 107)/100 + 22_000}
	if i%7 == 3 {
		p.via = append(p.via, w.transit[(i+1)%3])
	}
	p.pieces = p.grams * 100 / 118 / class.grams
	w.prepare(p)
	p.named = false
	return p
}

// palletSent moves a pallet. Customs open two and hold them.
func (w *worldA) palletSent(p *parcel, i int, held []*server) {
	if i != opened && i != openedToo {
		w.send(p)
		return
	}
	p.via, p.heldAt, p.handle = w.transit[:1], 1, w.handlingUnit(p.shipper)
	arrived := w.send(p)
	w.sighted("customs", append([]string{p.handle}, uris(held)...), w.customs, arrived.Add(w.hours(8, 50)))
}

// lastOrderStops: the distributor takes a fourth lot back before it leaves the country, and counts it in stock.
func (w *worldA) lastOrderStops() {
	w.stopped = w.order(16, 124)
	seller, us := w.distributor.operator, w.operator
	terms, orders := w.invoiced(sale{seller, us, w.payer, w.stopped, "GR"}, w.day(158))
	c := consignment{items: uris(w.stopped), orders: orders, papers: terms}
	c.papers.Consignment, c.papers.GrossKg = w.waybill(), kilograms(16*serverGrams*115/100)
	from, to := end{seller, seller, w.distributor}, end{us, us, w.hall}
	sent := w.ships(c, from, to, w.day(159))
	void := event{Type: "ObjectEvent", EPCs: c.items, Action: "OBSERVE", Step: "void_shipping", papers: papers{Consignment: c.papers.Consignment},
		at: sent.at.Add(w.hours(20, 30)), by: seller}
	void.stays(w.distributor)
	void.between(from, to)
	w.file(void)
	count := event{Type: "ObjectEvent", EPCs: c.items, Action: "OBSERVE", Step: "stock_taking", Disposition: "in_progress", at: w.day(201), by: seller}
	count.stays(w.distributor)
	w.file(count)
}

func (w *worldA) mistakes() {
	w.misread(w.find("receiving", w.more[0].uri, 0), 3)
	w.twice(w.find("receiving", w.ours[0].uri, 2), w.hours(4, 60))
	for _, v := range []*server{w.ours[2], w.ours[10], w.early[0]} {
		w.twice(w.find("sensor_reporting", v.gpus[0], 7), w.hours(1, 20))
	}
	w.wrongYear(w.ours[8].gpus[0], span{w.from(150), w.from(170)})
	pounds := w.find("shipping", w.spare[0].uri, 1)
	pounds.GrossKg = kilograms(int(pounds.GrossKg*1000) * 22046 / 10000)
}
