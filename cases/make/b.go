package main

import "time"

// worldB is who takes part in case b: inspect, strip, ship, rebuild.
type worldB struct {
	*world
	builder, distributor, hall, depot *site
	lima, arequipa, service, recycler *site // of honest work
	transit, homes                    []*site
	front, tenant, inspector          *party
	consignee                         *site
	parts                             []*product
	rented, beside, ours              []*server
	inspected                         time.Time
}

// caseB: a young firm sets up 32 servers in a rented hall, passes the inspection, and a week later begins to take
// them apart; parcels of "spare parts" leave over three routes.
func caseB() *world {
	w := &worldB{world: newWorld(2, on(2023, 4, 3), 266, "95202")}
	w.invite()
	w.honestWork()
	w.setUp()
	w.parcelsLeave()
	w.mistakes()
	return w.world
}

func (w *worldB) invite() {
	maker := w.party("manufacturer", "Alder Silicon 61", "Cork", "IE", "semiconductors", "1998-03-11", 900_000_000)
	builder := w.party("manufacturer", "Bluebell Servers 14", "Guadalajara", "MX", "server manufacturing", "2004-02-26", 85_000_000)
	seller := w.party("distributor", "Dogwood Distribution 47", "Miami", "US", "wholesale of computer equipment", "2003-08-19", 30_000_000)
	landlord := w.party("operator", "Larch Halls 26", "Santiago", "CL", "data centre operation", "2011-12-05", 60_000_000)
	w.front = w.party("tenant", "Foxglove Compute 83", "Santiago", "CL", "artificial intelligence services", "2023-01-24", 45_000)
	w.front.since = w.from(34)
	w.tenant = w.party("tenant", "Juniper Labs 38", "Valparaiso", "CL", "software development", "2017-07-13", 4_000_000)
	honest := w.party("operator", "Hawthorn Cloud 92", "Lima", "PE", "cloud infrastructure", "2013-05-30", 50_000_000)
	service := w.party("service", "Sorrel Repair 55", "Monterrey", "MX", "computer repair and maintenance", "2008-09-22", 2_000_000)
	recycler := w.party("recycler", "Pimpernel Recovery 71", "Houston", "US", "recovery of electronic equipment", "2012-11-06", 3_000_000)
	w.inspector = w.party("authority", "Yarrow Export Office 3", "Santiago", "CL", "public administration", "1990-01-01", 0)
	consignee := w.party("recycler", "Tansy Components 88", "Hong Kong", "HK", "trade in spare parts", "2019-10-10", 700_000)
	service.weekly = true
	w.builder = w.site(builder, "factory", "Guadalajara", "MX", 20.67, -103.35, -6)
	w.distributor = w.site(seller, "warehouse", "Miami", "US", 25.79, -80.30, -5)
	w.hall = w.hallOf(landlord, "Santiago", "CL", -33.38, -70.68, -4, 5_000)
	w.lima, w.arequipa = w.hallOf(honest, "Lima", "PE", -12.05, -77.04, -5, 2_000), w.hallOf(honest, "Arequipa", "PE", -16.41, -71.54, -5, 800)
	w.site(w.inspector, "office", "Santiago", "CL", -33.44, -70.65, -4)
	w.service = w.site(service, "service", "Monterrey", "MX", 25.69, -100.32, -6)
	w.recycler = w.site(recycler, "warehouse", "Houston", "US", 29.76, -95.37, -6)
	w.consignee = w.site(consignee, "warehouse", "Hong Kong", "HK", 22.35, 114.13, 8)
	w.consignee.silent = true
	for _, x := range []struct {
		name, role, city, country string
		lat, lon                  float64
		zone                      int
	}{
		{"Clover Express 70", "carrier", "Panama", "PA", 9.07, -79.38, -5}, {"Thyme Airways 33", "carrier", "Istanbul", "TR", 41.01, 28.98, 3},
		{"Fennel Freight 16", "forwarder", "Incheon", "KR", 37.46, 126.44, 9},
	} {
		p := w.party(x.role, x.name, x.city, x.country, "air and road freight", "2005-07-01", 15_000_000)
		w.transit = append(w.transit, w.site(p, "forwarder", x.city, x.country, x.lat, x.lon, x.zone))
	}
	w.depot = w.site(w.transit[2].operator, "forwarder", "Miami", "US", 25.80, -80.28, -5)
	w.newPlant(w.site(maker, "factory", "Cork", "IE", 51.90, -8.47, 0), w.builder)
	w.parts = w.spares(builder)
	w.homes = []*site{w.service, w.recycler, w.distributor}
}

// order has servers built, brought to the distributor and sold, and returns when they arrive.
func (w *worldB) order(n, day int, to end) ([]*server, time.Time) {
	lot, ready := w.build(n, w.day(day))
	stocked := w.stock(lot, ready, w.distributor).Add(w.days(2, 5))
	seller := w.distributor.operator
	terms, orders := w.invoiced(sale{seller, to.owner, to.owner, lot, to.site.country}, stocked)
	return lot, w.convey(consignment{items: uris(lot), from: end{seller, seller, w.distributor}, via: []*site{w.depot}, to: to, leave: stocked.Add(w.hours(20, 60)),
		grams: len(lot) * serverGrams, value: len(lot) * w.maker.price(), papers: terms, orders: orders})
}

// honestWork is an operator in another country, and a tenant in the same hall, that go on checking in.
func (w *worldB) honestWork() {
	for _, x := range []*site{w.lima, w.arequipa} { // a regional outage of almost five days
		x.dark = append(x.dark, span{w.from(177), w.from(181).Add(15 * time.Hour)})
	}
	ours := w.lima.operator
	lot, arrived := w.order(14, 1, end{ours, ours, w.lima})
	w.ours = lot
	running := w.install(lot, ours, w.lima, arrived.Add(w.days(1, 4)))
	w.repair(lot[7], lot[7].gpus[5], end{ours, ours, w.lima}, end{w.service.operator, ours, w.service}, w.day(86))
	w.fleet(lot, ours, w.lima, 3, running, w.end)
	w.inspects(lot, w.maker.factory.operator, w.lima, w.day(103))
	second, arrived := w.order(6, 92, end{ours, ours, w.arequipa})
	w.fleet(second, ours, w.arequipa, 3, w.install(second, ours, w.arequipa, arrived.Add(w.days(1, 4))), w.end)
	w.beside, arrived = w.order(8, 5, end{w.tenant, w.tenant, w.hall})
	w.fleet(w.beside, w.tenant, w.hall, 3, w.install(w.beside, w.tenant, w.hall, arrived.Add(w.days(1, 4))), w.end)
	w.resembles("regional_outage", w.lima, units(lot))
	w.spareParts(ours, w.lima, 45, 262, 24, w.homes, w.transit, w.parts)
	w.spareParts(w.tenant, w.hall, 50, 262, 40, w.homes, w.transit, w.parts)
	w.spareParts(w.service.operator, w.service, 15, 262, 20, []*site{w.lima, w.recycler, w.consignee}, w.transit, w.parts)
	w.spareParts(w.recycler.operator, w.recycler, 30, 262, 30, []*site{w.service, w.consignee}, w.transit, w.parts)
	w.spareParts(w.distributor.operator, w.distributor, 15, 262, 26, []*site{w.service, w.recycler, w.builder}, w.transit, w.parts)
}

// setUp is what the front shows: two deliveries, set up in the rented hall, weekly evidence signed by the devices, and an
// inspection that finds everything in its place. A week later the first server is taken apart, and within six days the last.
func (w *worldB) setUp() {
	us := end{w.front, w.front, w.hall}
	w.inspected = w.day(124)
	for _, day := range []int{36, 45} {
		lot, arrived := w.order(16, day, us)
		running := w.install(lot, w.front, w.hall, arrived.Add(w.days(1, 3)))
		for _, v := range lot {
			v.gone = w.from(131).Add(w.days(0, 6))
			w.checkIns(v, w.front, w.hall, 3, running, v.gone)
		}
		w.rented = append(w.rented, lot...)
	}
	w.inspects(append(append([]*server(nil), w.rented...), w.beside...), w.inspector, w.hall, w.inspected)
}

// parcelsLeave: the accelerators travel in twelve parcels of spare parts, and some are seen switched on weeks later.
func (w *worldB) parcelsLeave() {
	c := truthCase{ID: "case-1", Typology: "T3", Variant: "rented_space", Bridge: w.front.link(), Front: w.front.link(), Site: w.hall.link(),
		InspectedAt: w.inspected, Destination: w.consignee.country}
	for _, v := range w.rented {
		c.diverted(v.gpus, v.gone)
	}
	loose := units(w.rented)
	for i := range 12 {
		held := loose[i*len(loose)/12 : (i+1)*len(loose)/12]
		class := pick(&w.dice, w.parts[1:3])
		if i%4 == 3 {
			class = w.parts[6]
		}
		p := &parcel{shipper: w.front, from: w.hall, to: w.consignee, via: []*site{w.transit[i%3]}, leave: w.day(138 + i*5/2), class: class,
			grams: len(held)*3_200*w.dice.between(109, 124)/100 + 400}
		p.pieces = p.grams * 100 / 116 / class.grams
		w.prepare(p)
		w.send(p)
		c.carried(p, held, true)
	}
	c.Activated = w.switchedOn(loose)
	w.truth.Cases = append(w.truth.Cases, c)
}

// switchedOn are the few of which the maker hears again.
func (w *worldB) switchedOn(loose []string) []string {
	w.activated("activation", loose[37:39], 22.54, 114.06, 8, w.day(196))
	w.activated("warranty", loose[118:119], 22.62, 114.03, 8, w.day(209))
	w.activated("activation", loose[201:203], 23.13, 113.26, 8, w.day(221))
	return append(append(append([]string{}, loose[37:39]...), loose[118]), loose[201:203]...)
}

func (w *worldB) mistakes() {
	w.misread(w.find("receiving", w.beside[0].uri, 0), 5)
	w.twice(w.find("receiving", w.ours[0].uri, 1), w.hours(4, 60))
	for _, v := range []*server{w.ours[2], w.ours[10], w.beside[3], w.rented[20]} {
		w.twice(w.find("sensor_reporting", v.gpus[0], 4), w.hours(1, 20))
	}
	w.wrongYear(w.beside[6].gpus[0], span{w.from(205), w.from(217)})
	pounds := w.find("shipping", w.ours[0].uri, 1)
	pounds.GrossKg = kilograms(int(pounds.GrossKg*1000) * 22046 / 10000)
}
