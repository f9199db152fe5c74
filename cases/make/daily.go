package main

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// checkIns reports what a server's agent reports, once a week, while it is powered and connected.
func (w *world) checkIns(v *server, by *party, x *site, tier int, from, to time.Time) {
	for t := from.Add(w.hours(0, 167)); t.Before(to) && t.Before(w.end); t = t.Add(7 * day) {
		seen := t.Add(w.minutes(-150, 150))
		if within(x.dark, seen) || !seen.Before(to) || w.dice.between(1, 250) == 1 {
			continue
		}
		e := event{Type: "ObjectEvent", EPCs: v.inside(seen), Action: "OBSERVE", Step: "sensor_reporting", Tier: tier, Evidence: w.evidence(), at: seen, by: by}
		e.reads(x)
		w.fileAfter(e, w.minutes(1, 12))
	}
}

// evidence is the digest of stored evidence that these documents do not hold.
func (w *world) evidence() string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Append(nil, w.dice.next())))
}

// fleet reports the check-ins of several servers.
func (w *world) fleet(lot []*server, by *party, x *site, tier int, from, to time.Time) {
	for _, v := range lot {
		w.checkIns(v, by, x, tier, from, to)
	}
}

// inspects reports a visit: the servers that the inspector saw, with their accelerators.
func (w *world) inspects(lot []*server, by *party, x *site, t time.Time) {
	for i := 0; i < len(lot); i += 8 {
		e := event{Type: "ObjectEvent", Action: "OBSERVE", Step: "inspecting", Disposition: "conformant", at: t, by: by}
		for _, v := range lot[i:min(i+8, len(lot))] {
			e.EPCs = append(append(e.EPCs, v.uri), v.inside(t)...)
		}
		e.stays(x)
		w.file(e)
		t = t.Add(w.minutes(40, 90))
	}
}

// parcel is a small consignment whose contents carriers know by the papers only.
type parcel struct {
	shipper   *party
	from, to  *site
	via       []*site
	leave     time.Time
	class     *product
	grams     int  // gross
	pieces    int  // declared
	collected bool // the carrier scanned it when it was picked up
	heldAt    int  // it goes no further than this stop, counted from 1; 0: all the way
	named     bool // the papers name the consignee as end user
	handle    string
	number    string
}

// prepare draws by what carriers know a parcel: a number on a label, mostly.
func (w *world) prepare(p *parcel) {
	p.number = w.waybill()
	if w.dice.in100(75) {
		p.handle = w.handlingUnit(p.shipper)
	}
	p.collected, p.named = w.dice.in100(70), w.dice.in100(60)
}

func (p *parcel) id() string {
	if p.handle != "" {
		return p.handle
	}
	return p.number
}

// send moves a parcel and reports what those on the way report of it. It returns when it arrives where it goes no further.
func (w *world) send(p *parcel) time.Time {
	declared := papers{Consignment: p.number, Description: w.dice.words(p.class.name, "spare parts: "+p.class.name, p.class.name+" for servers"),
		HSCode: p.class.hs, Value: dollars(p.pieces * p.class.usd * w.dice.between(70, 125) / 100), GrossKg: kilograms(p.grams), Payer: p.shipper.link()}
	if p.named {
		declared.EndUser, declared.EndUse = p.to.operator.link(), p.to.country
	}
	here, t := end{p.shipper, p.shipper, p.from}, p.leave
	counted := p.handle == "" || w.dice.in100(40)
	for i, x := range append(p.via[:len(p.via):len(p.via)], p.to) {
		next := end{x.operator, p.to.operator, x}
		if i > 0 || p.collected {
			e := p.scanned("shipping", "in_transit", counted, declared, t)
			e.by = here.possessor
			e.reads(here.site)
			e.between(here, next)
			w.file(e)
		}
		t = t.Add(w.travel(here.site, x))
		if !x.silent {
			e := p.scanned("receiving", "in_progress", counted, papers{Consignment: p.number}, t)
			e.by = x.operator
			e.stays(x)
			e.between(here, next)
			w.file(e)
		}
		if p.heldAt == i+1 {
			return t
		}
		here, t = end{x.operator, p.to.operator, x}, t.Add(w.hours(5, 60))
	}
	return t
}

func (p *parcel) scanned(step, disposition string, counted bool, declared papers, t time.Time) event {
	e := event{Type: "ObjectEvent", Action: "OBSERVE", Step: step, Disposition: disposition, papers: declared, at: t}
	if p.handle != "" {
		e.EPCs = []string{p.handle}
	}
	if counted {
		e.Quantities = p.class.counted(p.pieces)
	}
	return e
}

// spareParts sends what a site of some size sends in ordinary work: a parcel every few weeks, now and then a heavy one.
func (w *world) spareParts(shipper *party, from *site, first, last, every int, to, via []*site, parts []*product) {
	for d := first + w.dice.between(0, every); d < last; d += w.dice.between(every/2, every*3/2) {
		p := &parcel{shipper: shipper, from: from, to: pick(&w.dice, to), leave: w.day(d), class: pick(&w.dice, parts)}
		p.pieces = max(1, w.dice.between(2_000, 22_000)/p.class.grams)
		if w.dice.in100(8) {
			p.pieces = w.dice.between(45_000, 120_000) / p.class.grams
		}
		p.grams = p.pieces*p.class.grams*w.dice.between(108, 128)/100 + 400
		if w.dice.in100(70) {
			p.via = []*site{pick(&w.dice, via)}
		}
		w.prepare(p)
		w.send(p)
	}
}

// repair sends a failed accelerator to a service centre and puts it back when it returns.
func (w *world) repair(v *server, failed string, holder, centre end, t time.Time) {
	rma := []transaction{w.reference("rma", centre.possessor)}
	w.swaps("DELETE", "removing", v, failed, holder, t)
	arrived := w.convey(consignment{items: []string{failed}, leave: t.Add(w.days(1, 4)), from: holder, to: end{centre.possessor, holder.owner, centre.site},
		grams: 3_200, value: 900, orders: rma, papers: papers{Description: "failed accelerator module for repair", HSCode: "8473.30"}})
	done := arrived.Add(w.days(4, 9))
	fixed := event{Type: "ObjectEvent", EPCs: []string{failed}, Action: "OBSERVE", Step: "repairing", Disposition: "available", at: done, by: centre.possessor}
	fixed.stays(centre.site)
	w.file(fixed)
	back := w.convey(consignment{items: []string{failed}, leave: done.Add(w.days(1, 3)), from: end{centre.possessor, holder.owner, centre.site}, to: holder,
		grams: 3_200, value: w.maker.accelerator.usd, orders: rma,
		papers: papers{Description: "repaired accelerator module under warranty", HSCode: "8473.30", EndUser: holder.owner.link(), EndUse: holder.site.country}})
	again := back.Add(w.hours(3, 40))
	w.swaps("ADD", "installing", v, failed, holder, again)
	v.out = append(v.out, absence{failed, span{t.Add(-6 * time.Hour), again}})
}

func (w *world) swaps(action, step string, v *server, unit string, holder end, t time.Time) {
	e := event{Type: "AssociationEvent", Parent: v.board, Children: []string{unit}, Action: action, Step: step, at: t, by: holder.possessor}
	e.stays(holder.site)
	w.file(e)
}

// sighted reports that a third party saw units at a site.
func (w *world) sighted(kind string, seen []string, x *site, t time.Time) {
	e := event{Type: "ObjectEvent", EPCs: seen, Action: "OBSERVE", Sighting: kind, at: t, by: x.operator}
	e.reads(x)
	w.file(e)
}

// activated is the maker's report that units were switched on, or asked about, near a place.
func (w *world) activated(kind string, seen []string, lat, lon float64, zone int, t time.Time) {
	e := event{Type: "ObjectEvent", EPCs: seen, Action: "OBSERVE", Sighting: kind, at: t, by: w.maker.factory.operator, zone: zone,
		ReadPoint: &place{fmt.Sprintf("geo:%.2f,%.2f;u=%d", lat, lon, w.dice.between(8, 30)*1000)}}
	w.file(e)
}
