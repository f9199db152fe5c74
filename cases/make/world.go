package main

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// world is one case: who takes part, what happened, and what is true of it.
type world struct {
	dice
	start, end time.Time
	prefixes   string // the first five digits of the parties' company prefixes
	classes    []*product
	sites      []*site
	parties    []*party
	events     []*event
	truth      truth
	units      int            // accelerators made
	serials    map[string]int // given out by each maker's line
	papersNo   int
	maker      *plant
}

// party is a legal entity, with what the directory says of it.
type party struct {
	name, role, country, city, business, formed string
	capital                                     int // US dollars
	since                                       time.Time
	prefix                                      string
	sites, packed                               int
	weekly                                      bool // uploads its files once a week
}

// site is a physical place with an operator.
type site struct {
	operator      *party
	kind          string
	gln           string
	city, country string
	lat, lon      float64
	zone          int // whole hours east of UTC
	powerKW       int // of a data centre
	since         time.Time
	silent        bool // tells the registry nothing
	dark          []span
}

// span is a stretch of time, its end not included.
type span struct{ from, to time.Time }

func within(spans []span, t time.Time) bool {
	for _, s := range spans {
		if !t.Before(s.from) && t.Before(s.to) {
			return true
		}
	}
	return false
}

// product is a trade item.
type product struct {
	kind, name, hs string
	maker          *party
	gtin           string
	grams, usd     int
}

func (p *product) link() string               { return link + "01/" + p.gtin }
func (p *product) serial(s string) string     { return p.link() + "/21/" + s }
func (p *product) counted(n int) []quantity   { return []quantity{{p.link(), n}} }
func kilograms(grams int) float64             { return float64((grams+50)/100) / 10 }
func on(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func (p *party) link() string {
	if p == nil {
		return ""
	}
	return link + "417/" + gln(p.prefix, 0)
}

func (x *site) link() string {
	if x == nil {
		return ""
	}
	return link + "414/" + x.gln
}

// newWorld begins a case at midnight of a Monday.
func newWorld(seed uint64, start time.Time, days int, prefixes string) *world {
	return &world{dice: dice(seed), start: start, end: start.AddDate(0, 0, days), prefixes: prefixes, serials: map[string]int{}}
}

// day is some time in the working hours of a day of the world, the first being 0.
func (w *world) day(n int) time.Time {
	return w.start.AddDate(0, 0, n).Add(7*time.Hour + w.minutes(0, 540))
}

// from is the midnight at which a day begins.
func (w *world) from(n int) time.Time { return w.start.AddDate(0, 0, n) }

func (w *world) party(role, name, city, country, business, formed string, capital int) *party {
	p := &party{name: name, role: role, country: country, city: city, business: business, formed: formed, capital: capital,
		since: w.start, prefix: fmt.Sprintf("%s%02d", w.prefixes, len(w.parties)+1)}
	w.parties = append(w.parties, p)
	return p
}

// site gives a party a place in a city.
func (w *world) site(p *party, kind, city, country string, lat, lon float64, zone int) *site {
	p.sites++
	x := &site{operator: p, kind: kind, gln: gln(p.prefix, p.sites), city: city, country: country, lat: lat, lon: lon, zone: zone, since: p.since}
	w.sites = append(w.sites, x)
	return x
}

func (w *world) product(maker *party, kind, name, hs string, grams, usd int) *product {
	p := &product{kind: kind, name: name, hs: hs, maker: maker, gtin: gtin(maker.prefix, len(w.classes)+1), grams: grams, usd: usd}
	w.classes = append(w.classes, p)
	return p
}

// waybill numbers a consignment.
func (w *world) waybill() string {
	return fmt.Sprintf("WB-%08d", w.dice.between(10_000_000, 99_999_999))
}

// reference numbers a business document of a party.
func (w *world) reference(kind string, issuer *party) transaction {
	w.papersNo += w.dice.between(1, 9)
	return transaction{kind, fmt.Sprintf("urn:epcglobal:cbv:bt:%s:%d", gln(issuer.prefix, 0), 10_000+w.papersNo)}
}

// handlingUnit numbers a parcel or pallet that a party packs.
func (w *world) handlingUnit(by *party) string {
	by.packed += w.dice.between(1, 7)
	return sscc(by.prefix, by.packed)
}

// file tells the registry of an event, some time after somebody did the work.
func (w *world) file(e event) *event { return w.fileAfter(e, w.minutes(15, 1500)) }

// fileAfter tells the registry of an event some time after it happened; a party that uploads once a week does so on Mondays.
func (w *world) fileAfter(e event, lag time.Duration) *event {
	e.known = e.at.Add(lag)
	if e.by != nil && e.by.weekly {
		monday := e.known.Truncate(7 * day) // weeks since the year 1, which began on a Monday
		e.known = monday.Add(7*day + 5*time.Hour + lag%time.Hour)
	}
	w.events = append(w.events, &e)
	return &e
}
