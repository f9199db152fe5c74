package sim

import "strconv"

// documents writes the business transactions.
func (w *writer) documents(e *event) {
	if len(e.transactions) == 0 {
		return
	}
	w.key("bizTransactionList")
	w.open('[')
	for _, t := range e.transactions {
		w.open('{')
		w.key("type")
		w.word(e, txWord, t.kind)
		w.key("bizTransaction")
		w.quoted(func(b []byte) []byte {
			b = append(append(b, "urn:epcglobal:cbv:bt:"...), t.issuer.gln...)
			return strconv.AppendInt(append(b, ':'), int64(t.number), 10)
		})
		w.close('}')
	}
	w.close(']')
}

// ends writes the source and the destination of a hand-over.
func (w *writer) ends(e *event) {
	w.end(e, "sourceList", "source", e.from)
	w.end(e, "destinationList", "destination", e.to)
}

func (w *writer) end(e *event, list, name string, h *holder) {
	if h == nil {
		return
	}
	urn := e.by.feed.urn
	w.key(list)
	w.open('[')
	party := func(kind string, p *party) {
		if p == nil {
			return
		}
		w.open('{')
		w.key("type")
		w.word(e, holdsWord, kind)
		w.key(name)
		w.party(p, urn)
		w.close('}')
	}
	party("possessing_party", h.possessor)
	party("owning_party", h.owner)
	if h.site != nil {
		w.open('{')
		w.key("type")
		w.word(e, holdsWord, "location")
		w.key(name)
		w.place(h.site, urn)
		w.close('}')
	}
	w.close(']')
}

// extensions writes the fields of Tidewaiter's own namespace, and ilmd.
func (w *writer) extensions(world *World, e *event) {
	if e.tier > 0 {
		w.number("tw:tier", float64(e.tier), 0)
		w.key("tw:evidence")
		w.quoted(func(b []byte) []byte { return appendDigest(b, e.evidence) })
	}
	if e.sighting != "" {
		w.field("tw:sighting", e.sighting)
	}
	if e.papers != nil {
		w.papers(e)
	}
	if e.replaces != 0 {
		w.key("tw:replaces")
		w.quoted(func(b []byte) []byte { return appendThing(b, world.thing(e.replaces), e.by.feed.urn) })
	}
	if e.born {
		w.key("ilmd")
		w.open('{')
		w.key("tw:aliases")
		w.open('[')
		for _, a := range world.thing(e.items[0]).aliases() {
			w.text(a)
		}
		w.close(']')
		w.close('}')
	}
}

func appendDigest(b []byte, seed uint64) []byte {
	const hex = "0123456789abcdef"
	b = append(b, "sha256:"...)
	for i := range uint64(4) {
		x := mix(seed + i)
		for j := range 16 {
			b = append(b, hex[x>>(4*j)&15])
		}
	}
	return b
}

func (w *writer) papers(e *event) {
	p, urn := e.papers, e.by.feed.urn
	if p.consignment != "" {
		w.field("tw:consignment", p.consignment)
	}
	if p.description != "" {
		w.field("tw:declaredDescription", p.description)
	}
	if p.hs != "" {
		w.field("tw:declaredHSCode", p.hs)
	}
	if p.value > 0 {
		w.key("tw:declaredValue")
		w.open('{')
		w.number("amount", p.value, 2)
		w.field("currency", "USD")
		w.close('}')
	}
	if p.kg > 0 {
		w.number("tw:grossWeightKg", p.kg, 1)
	}
	if p.endUser != nil {
		w.key("tw:endUser")
		w.party(p.endUser, urn)
	}
	if p.endCountry != "" {
		w.field("tw:endUseCountry", p.endCountry)
	}
	if p.payer != nil {
		w.key("tw:payer")
		w.party(p.payer, urn)
	}
}
