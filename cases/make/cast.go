package main

import "time"

// hallOf gives an operator a data centre.
func (w *world) hallOf(p *party, city, country string, lat, lon float64, zone, powerKW int) *site {
	x := w.site(p, "datacentre", city, country, lat, lon, zone)
	x.powerKW = powerKW
	return x
}

// spares are parts without serials, from light to heavy.
func (w *world) spares(maker *party) []*product {
	return []*product{
		w.product(maker, "part", "fan trays", "8414.59", 1_100, 60),
		w.product(maker, "part", "adapter modules", "8473.30", 700, 90),
		w.product(maker, "part", "heat sink assemblies", "8473.30", 2_200, 110),
		w.product(maker, "part", "rail kits", "8302.49", 4_500, 80),
		w.product(maker, "part", "power supplies", "8504.40", 1_900, 240),
		w.product(maker, "part", "cabinet doors and panels", "9403.99", 7_500, 95),
		w.product(maker, "part", "cold plates and manifolds", "8419.50", 2_800, 190),
	}
}

// stock brings servers from the builder to a distributor's warehouse.
func (w *world) stock(lot []*server, ready time.Time, to *site) time.Time {
	builder := w.maker.works
	buyer := to.operator
	return w.convey(consignment{items: uris(lot), leave: ready, from: end{builder.operator, builder.operator, builder}, to: end{buyer, buyer, to},
		grams: len(lot) * serverGrams, value: len(lot) * w.maker.price(), orders: []transaction{w.reference("po", buyer), w.reference("inv", builder.operator)},
		papers: papers{Description: w.words("computing servers with accelerators", "data processing machines"), HSCode: "8471.80", Payer: buyer.link()}})
}
