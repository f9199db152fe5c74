package sim

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// writer appends JSON. It writes only what the simulator made, so that nothing can fail.
type writer struct {
	b     []byte
	comma bool
}

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

func (w *writer) open(c byte)  { w.sep(); w.b = append(w.b, c); w.comma = false }
func (w *writer) close(c byte) { w.b = append(w.b, c); w.comma = true }

func (w *writer) sep() {
	if w.comma {
		w.b = append(w.b, ',')
	}
	w.comma = true
}

func (w *writer) key(k string) {
	w.sep()
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, '"', ':')
	w.comma = false
}

func (w *writer) text(s string) {
	w.sep()
	w.b, _ = jsontext.AppendQuote(w.b, s) // fails only on invalid UTF-8, which the simulator does not make
}

func (w *writer) field(k, s string) { w.key(k); w.text(s) }

func (w *writer) number(k string, f float64, decimals int) {
	w.key(k)
	w.sep()
	w.b = strconv.AppendFloat(w.b, f, 'f', decimals, 64)
}

// quoted wraps an appender of plain ASCII.
func (w *writer) quoted(f func([]byte) []byte) {
	w.sep()
	w.b = append(w.b, '"')
	w.b = f(w.b)
	w.b = append(w.b, '"')
}

func (w *writer) party(p *party, urn bool) {
	w.quoted(func(b []byte) []byte { return appendParty(b, p.gln, urn) })
}

func (w *writer) place(x *site, urn bool) {
	w.quoted(func(b []byte) []byte { return appendPlace(b, x.gln, urn) })
}

func (w *writer) time(k string, t instant, zone int, local bool) {
	w.key(k)
	when := t.time()
	w.quoted(func(b []byte) []byte {
		if !local {
			return when.AppendFormat(b, "2006-01-02T15:04:05.000Z")
		}
		b = (t + instant(zone)*hour).time().AppendFormat(b, "2006-01-02T15:04:05.000")
		return appendZone(b, zone)
	})
}

func appendZone(b []byte, zone int) []byte {
	sign := byte('+')
	if zone < 0 {
		sign, zone = '-', -zone
	}
	return append(b, sign, byte('0'+zone/10), byte('0'+zone%10), ':', '0', '0')
}

func (w *writer) uuid(id [2]uint64) {
	w.quoted(func(b []byte) []byte { return appendUUID(b, id) })
}

// appendUUID writes a random (version 4) UUID as a URN.
func appendUUID(b []byte, id [2]uint64) []byte {
	const hex = "0123456789abcdef"
	id[0] = id[0]&^0xf000 | 0x4000
	id[1] = id[1]&^(3<<62) | 2<<62
	b = append(b, "urn:uuid:"...)
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b = append(b, '-')
		}
		b = append(b, hex[id[i/16]>>(60-4*(i%16))&15])
	}
	return b
}

// vocabulary prefixes of CBV 2.0 Web URIs.
const (
	stepWord  = "https://ref.gs1.org/cbv/BizStep-"
	dispWord  = "https://ref.gs1.org/cbv/Disp-"
	txWord    = "https://ref.gs1.org/cbv/BTT-"
	holdsWord = "https://ref.gs1.org/cbv/SDT-"
	errorWord = "https://ref.gs1.org/cbv/ER-"
)

// word spells a word of the CBV as its reporter does.
func (w *writer) word(e *event, prefix, bare string) {
	if e.by.feed.webWords {
		w.text(prefix + bare)
		return
	}
	w.text(bare)
}

// event writes one event as its reporter spells it.
func (w *writer) event(world *World, e *event) {
	f := &e.by.feed
	w.open('{')
	w.field("type", e.kind)
	if e.id != [2]uint64{} {
		w.key("eventID")
		w.uuid(e.id)
	}
	zone := e.zone()
	w.time("eventTime", e.at, zone, f.local)
	w.key("eventTimeZoneOffset")
	w.quoted(func(b []byte) []byte { return appendZone(b, zone) })
	w.time("recordTime", e.known, 0, false)
	w.declaration(e)
	w.subjects(world, e)
	w.field("action", e.action)
	w.context(e)
	w.documents(e)
	w.ends(e)
	w.extensions(world, e)
	w.close('}')
}

func (e *event) zone() int {
	if x := e.place(); x != nil {
		return x.city.zone
	}
	return e.by.city.zone
}

func (w *writer) declaration(e *event) {
	if e.error == nil {
		return
	}
	w.key("errorDeclaration")
	w.open('{')
	w.time("declarationTime", e.error.at, 0, false)
	w.key("reason")
	w.word(e, errorWord, e.error.reason)
	if e.error.corrective != [2]uint64{} {
		w.key("correctiveEventIDs")
		w.open('[')
		w.uuid(e.error.corrective)
		w.close(']')
	}
	w.close('}')
}

// subjects writes what the event is about.
func (w *writer) subjects(world *World, e *event) {
	urn := e.by.feed.urn
	list, classes := "epcList", "quantityList"
	if e.kind == aggregationEvent || e.kind == associationEvent {
		list, classes = "childEPCs", "childQuantityList"
		w.key("parentID")
		if e.parentSite != nil {
			w.place(e.parentSite, urn)
		} else {
			w.quoted(func(b []byte) []byte { return appendThing(b, world.thing(e.parent), urn) })
		}
	}
	if len(e.items) > 0 || len(e.classes) == 0 && list == "epcList" {
		w.key(list)
		w.open('[')
		for _, r := range e.items {
			w.quoted(func(b []byte) []byte { return appendThing(b, world.thing(r), urn) })
		}
		w.close(']')
	}
	if len(e.classes) == 0 {
		return
	}
	w.key(classes)
	w.open('[')
	for _, q := range e.classes {
		w.open('{')
		w.key("epcClass")
		w.quoted(func(b []byte) []byte { return appendClass(b, q.product, urn) })
		w.number("quantity", float64(q.n), 0)
		w.close('}')
	}
	w.close(']')
}

// context writes why and where.
func (w *writer) context(e *event) {
	if e.step != "" {
		w.key("bizStep")
		w.word(e, stepWord, e.step)
	}
	if e.disposition != "" {
		w.key("disposition")
		w.word(e, dispWord, e.disposition)
	}
	if e.persistent != "" {
		w.key("persistentDisposition")
		w.open('{')
		w.key("set")
		w.open('[')
		w.word(e, dispWord, e.persistent)
		w.close(']')
		w.close('}')
	}
	urn := e.by.feed.urn
	if e.geo != nil {
		w.key("readPoint")
		w.open('{')
		w.key("id")
		w.quoted(func(b []byte) []byte { return appendGeo(b, e.geo) })
		w.close('}')
	} else if e.readPoint != nil {
		w.located("readPoint", e.readPoint, urn)
	}
	if e.bizLocation != nil {
		w.located("bizLocation", e.bizLocation, urn)
	}
}

func (w *writer) located(k string, x *site, urn bool) {
	w.key(k)
	w.open('{')
	w.key("id")
	w.place(x, urn)
	w.close('}')
}

// appendGeo writes a geo: URI with its uncertainty (RFC 5870 §3.4.3).
func appendGeo(b []byte, p *point) []byte {
	b = append(b, "geo:"...)
	b = strconv.AppendFloat(b, p.lat, 'f', 4, 64)
	b = append(b, ',')
	b = strconv.AppendFloat(b, p.lon, 'f', 4, 64)
	b = append(b, ";u="...)
	return strconv.AppendInt(b, int64(p.metres), 10)
}
