package sim

// losses loses or has stolen a few honest units, and their holders report it.
func (g *gen) losses() {
	s := g.stream("losses")
	years := float64(g.end-g.start) / float64(365*day) * 0.6 // of installed time
	for range s.poisson(g.cfg.Fleet.Loss * float64(g.cfg.Units) * years) {
		v := pick(s, g.servers)
		when := g.within(s.between(0.4, 0.97))
		st := v.stayAt(when)
		if st == nil || v.order.scheme != nil || len(v.swaps) > 0 {
			continue
		}
		n := s.count(1, 2)
		lost := sample(s, v.gpus, n)
		for _, r := range lost {
			v.swaps = append(v.swaps, swap{at: when, back: never, out: r})
		}
		g.file(event{kind: objectEvent, action: actionObserve, at: when + s.days(0.5, 20), by: st.holder, step: "stock_taking", items: lost,
			persistent: pick(s, []string{"stolen", "unknown"}), readPoint: st.site})
		g.resembles("loss", st.site, st.holder, lost)
	}
}

// takeStock reports what stood in each warehouse at the end of each quarter.
func (g *gen) takeStock() {
	s := g.stream("stock")
	for month := 3; month <= g.cfg.Months; month += 3 {
		for _, x := range g.w.sites {
			g.count(s, x, g.w.month(month)-s.days(1, 9))
		}
	}
}

func (g *gen) count(s stream, x *site, when instant) {
	var there []ref
	for _, sh := range x.shelf {
		if sh.span.holds(when) {
			there = append(there, sh.items...)
		}
	}
	for i := 0; i < len(there); i += 100 {
		g.scan(event{kind: objectEvent, action: actionObserve, at: when, by: x.operator, step: pick(s, []string{"stock_taking", "cycle_counting"}),
			disposition: "sellable_accessible", items: there[i:min(i+100, len(there))], readPoint: x, bizLocation: x})
	}
}

// sightings are what the maker sees of honest units when they are first switched on or asked about. Address databases
// and private networks put some of them at the wrong place, abroad or even in a barred destination.
func (g *gen) sightings() {
	s := g.stream("sightings")
	for _, o := range g.orders {
		if !s.chance(0.5) {
			continue
		}
		for i, v := range o.servers {
			if i%3 > 0 || v.installed() >= g.end {
				continue
			}
			at := near(s, o.site, 0.3, s.count(8, 40)*1000)
			if s.chance(g.cfg.Feed.WrongGeo) {
				c := pick(s, cities)
				at = near(s, &site{lat: c.lat, lon: c.lon}, 0.5, s.count(8, 40)*1000)
				g.resembles("misplaced_activation", o.site, o.holder, v.gpus)
			}
			units := v.gpus
			kind := "activation"
			if s.chance(0.1) {
				units, kind = units[:1], "warranty"
			}
			g.sight(units, at, kind, v.installed()+s.days(-0.2, 10))
		}
	}
}

// boxBuyers lets large buyers keep an order in its boxes, in a second warehouse.
func (g *gen) boxBuyers(s stream) {
	n := g.scaled(s, g.cfg.Fleet.BoxedBuyers)
	for _, i := range s.Perm(len(g.orders)) {
		o := g.orders[i]
		if n == 0 {
			return
		}
		if o.scheme != nil || o.n < 6 || o.customer.role != roleOperator || o.ready > g.within(0.5) {
			continue
		}
		o.boxed = g.newSite(o.customer, warehouseSite, o.customer.country)
		n--
	}
}
