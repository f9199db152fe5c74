package sim

import (
	"cmp"
	"slices"
)

// vocabulary types of the header.
const (
	classType = "urn:epcglobal:epcis:vtype:EPCClass"
	placeType = "urn:epcglobal:epcis:vtype:Location"
	partyType = "urn:tidewaiter:vtype:Party"
)

// masterdata writes the header of a document: what the registry learns in [from, to). Everything is in the order of its
// key, so that order tells nothing.
func (w *writer) masterdata(world *World, from, to instant) {
	classes, sites, parties := world.news(from, to)
	if len(classes)+len(sites)+len(parties) == 0 {
		return
	}
	w.key("epcisHeader")
	w.open('{')
	w.key("epcisMasterData")
	w.open('{')
	w.key("vocabularyList")
	w.open('[')
	vocabulary(w, classType, classes, (*writer).class)
	vocabulary(w, placeType, sites, (*writer).site)
	vocabulary(w, partyType, parties, func(w *writer, p *party) { w.member(p, to) })
	w.close(']')
	w.close('}')
	w.close('}')
}

// news is what first becomes known, or changes, in [from, to).
func (w *World) news(from, to instant) (classes []*product, sites []*site, parties []*party) {
	within := func(t instant) bool { return from <= t && t < to }
	for _, p := range w.products {
		if within(w.start) {
			classes = append(classes, p)
		}
	}
	for _, x := range w.sites {
		if within(x.since) {
			sites = append(sites, x)
		}
	}
	for _, p := range w.parties {
		if within(p.since) || within(p.renamed) && p.renamed > p.since {
			parties = append(parties, p)
		}
	}
	slices.SortFunc(classes, func(a, b *product) int { return cmp.Compare(a.gtin, b.gtin) })
	slices.SortFunc(sites, func(a, b *site) int { return cmp.Compare(a.gln, b.gln) })
	slices.SortFunc(parties, func(a, b *party) int { return cmp.Compare(a.gln, b.gln) })
	return classes, sites, parties
}

func vocabulary[T any](w *writer, kind string, elements []T, write func(*writer, T)) {
	if len(elements) == 0 {
		return
	}
	w.open('{')
	w.field("type", kind)
	w.key("vocabularyElementList")
	w.open('[')
	for _, x := range elements {
		w.open('{')
		write(w, x)
		w.close('}')
	}
	w.close(']')
	w.close('}')
}

func (w *writer) attributes(list func()) {
	w.key("attributes")
	w.open('[')
	list()
	w.close(']')
}

func (w *writer) attribute(id, value string) {
	if value == "" {
		return
	}
	w.open('{')
	w.field("id", id)
	w.field("attribute", value)
	w.close('}')
}

func (w *writer) measure(id string, value float64, decimals int) {
	w.open('{')
	w.field("id", id)
	w.number("attribute", value, decimals)
	w.close('}')
}

func (w *writer) class(p *product) {
	w.key("id")
	w.quoted(func(b []byte) []byte { return appendClass(b, p, p.maker.feed.urn) })
	w.attributes(func() {
		w.attribute("cbvmda:descriptionShort", p.name)
		w.key2party("tw:manufacturer", p.maker)
		if p.kind != partKind {
			w.attribute("tw:product", p.key)
			w.attribute("tw:kind", string(p.kind))
		}
		w.measure("cbvmda:netWeight", p.kg, 1)
	})
}

// key2party is an attribute whose value is a party.
func (w *writer) key2party(id string, p *party) {
	w.attribute(id, string(appendParty(nil, p.gln, false)))
}

func (w *writer) site(x *site) {
	w.key("id")
	w.place(x, x.operator.feed.urn)
	w.attributes(func() {
		w.attribute("cbvmda:name", x.name)
		w.attribute("cbvmda:streetAddressOne", x.operator.address)
		w.attribute("cbvmda:city", x.city.name)
		w.attribute("cbvmda:countryCode", x.city.country)
		w.measure("cbvmda:latitude", x.lat, 5)
		w.measure("cbvmda:longitude", x.lon, 5)
		w.key2party("tw:operator", x.operator)
		w.attribute("tw:siteType", x.kind)
		if x.kind == datacentreSite {
			w.measure("tw:itPowerKW", float64(x.powerKW), 0)
			w.attribute("tw:checkin", map[bool]string{true: "expected", false: "none"}[x.checkin])
		}
	})
}

// member writes a party as it was known before a time.
func (w *writer) member(p *party, before instant) {
	w.key("id")
	w.party(p, p.feed.urn)
	w.attributes(func() {
		name := p.name
		if p.renamed < before {
			name = p.newName
		}
		w.attribute("cbvmda:name", name)
		w.attribute("tw:role", p.role)
		w.attribute("cbvmda:streetAddressOne", p.address)
		w.attribute("cbvmda:city", p.city.name)
		w.attribute("cbvmda:countryCode", p.country)
		w.attribute("tw:phone", p.phone)
		w.attribute("tw:domain", p.domain)
		w.attribute("tw:incorporated", p.formed.time().Format("2006-01-02"))
		w.attribute("tw:lineOfBusiness", p.business)
		w.measure("tw:capital", float64(p.capital), 0)
		if p.parent != nil {
			w.key2party("tw:parentParty", p.parent)
		}
		if p.parentLand != "" {
			w.attribute("tw:parentCountry", p.parentLand)
			w.measure("tw:parentShare", p.share, 2)
		}
	})
}
