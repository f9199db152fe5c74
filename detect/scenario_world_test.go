package detect_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// world turns the names of a story into identifiers, and its sentences into events.
type world struct {
	ids      map[string]string // by name
	names    map[string]string // by identifier
	parties  []sentence
	sites    []sentence
	operator map[string]string // of a site, by their names
	home     map[string]string // the first site of a party
	country  map[string]string // of a party
	inside   map[string][]string
	numbers  map[string]int
	events   []*event
}

// event is one EPCIS event: its members, when it happened and was known, and who said it where that is not implied.
type event struct {
	s         *sentence
	at, known time.Time
	as        string
	members   map[string]any
}

// prefix is a company prefix of the range that GS1 keeps for examples.
const prefix = "9521234"

// build makes the world of a scenario. Sentences may stand in any order: events are made in the order of their times.
func build(sc *scenario) (*world, error) {
	w := &world{ids: map[string]string{}, names: map[string]string{}, operator: map[string]string{}, home: map[string]string{}, country: map[string]string{},
		inside: map[string][]string{}, numbers: map[string]int{}}
	for i := range sc.lines {
		if err := w.declare(&sc.lines[i]); err != nil {
			return nil, sc.lines[i].errorf("%w", err)
		}
	}
	var acts []act
	for i := range sc.lines {
		s := &sc.lines[i]
		more, err := w.acts(s)
		if err != nil {
			return nil, s.errorf("%w", err)
		}
		acts = append(acts, more...)
	}
	slices.SortStableFunc(acts, func(a, b act) int { return a.at.Compare(b.at) })
	for _, a := range acts {
		if err := w.make(a); err != nil {
			return nil, a.s.errorf("%w", err)
		}
	}
	return w, nil
}

// declare gives parties, sites and units their identifiers.
func (w *world) declare(s *sentence) error {
	switch {
	case roles[s.verb] != "":
		w.parties = append(w.parties, *s)
		w.country[s.name] = s.clauses["in"]
		return w.call(s.name, w.key("417", "party", 5))
	case s.verb == "site":
		w.sites = append(w.sites, *s)
		of := s.clauses["of"]
		w.operator[s.name] = of
		if w.home[of] == "" {
			w.home[of] = s.name
		}
		return w.call(s.name, w.key("414", "site", 5))
	case s.verb == "parcel":
		return w.call(s.name, w.key("00", "parcel", 9))
	case s.verb == "made":
		for _, u := range s.units {
			if err := w.call(u, unitID(u)); err != nil {
				return err
			}
		}
		held, err := contents(s)
		for _, u := range held {
			err = cmp.Or(err, w.call(u, unitID(u)))
		}
		return err
	}
	return nil
}

func (w *world) call(name, id string) error {
	if w.ids[name] != "" {
		return fmt.Errorf("%s is named twice", name)
	}
	w.ids[name], w.names[id] = id, name
	return nil
}

// key makes the next key of one kind: company prefix, number and check digit.
func (w *world) key(ai, kind string, digits int) string {
	w.numbers[kind]++
	number := w.numbers[kind]
	if kind == "site" {
		number += 50000
	}
	body := fmt.Sprintf("%s%0*d", prefix, digits, number)
	if ai == "00" {
		body = "0" + body // the extension digit of an SSCC
	}
	return "https://id.gs1.org/" + ai + "/" + checked(body)
}

func checked(digits string) string {
	c, err := gs1.CheckDigit(digits)
	if err != nil {
		return digits // and capture will refuse it
	}
	return digits + string(c)
}

// classOf is the trade item of a unit's name: accelerators are g1, g2, …, servers s1, s2, …
func classOf(name string) string {
	item := map[byte]string{'g': "10001", 's': "10002"}[name[0]]
	return "https://id.gs1.org/01/" + checked("0"+prefix+item)
}

func unitID(name string) string { return classOf(name) + "/21/" + name }

// id is the identifier of a name, or the name where there is none: no finding will have it.
func (w *world) id(name string) string { return cmp.Or(w.ids[name], name) }

func (w *world) name(id string) string { return cmp.Or(w.names[id], id) }

// mustID is the identifier of a name that somebody declared.
func (w *world) mustID(name string) (string, error) {
	if id := w.ids[name]; id != "" {
		return id, nil
	}
	return "", fmt.Errorf("nobody declared %s", name)
}

// end is a party, and the place where it sends or receives.
func (w *world) end(name string) (party, site string, err error) {
	if op, ok := w.operator[name]; ok {
		party, err = w.mustID(op)
		return party, w.ids[name], err
	}
	if party, at, ok := strings.Cut(name, "@"); ok { // a tenant in somebody else's hall
		p, err := w.mustID(party)
		if err != nil {
			return "", "", err
		}
		site, err = w.mustID(at)
		return p, site, err
	}
	party, err = w.mustID(name)
	return party, w.ids[w.home[name]], err
}

// elements are the master data of the world.
func (w *world) elements() []any {
	attribute := func(list *[]any, id string, v string) {
		if v != "" {
			*list = append(*list, map[string]any{"id": id, "attribute": v})
		}
	}
	var parties, sites []any
	for _, p := range w.parties {
		var a []any
		attribute(&a, "cbvmda:name", p.name)
		attribute(&a, "cbvmda:countryCode", p.clauses["in"])
		attribute(&a, "tw:role", roles[p.verb])
		attribute(&a, "tw:incorporated", p.clauses["incorporated"])
		attribute(&a, "tw:lineOfBusiness", p.clauses["business"])
		attribute(&a, "tw:capital", p.clauses["capital"])
		attribute(&a, "tw:parentParty", w.ids[p.clauses["parent"]])
		attribute(&a, "tw:parentCountry", p.clauses["parent-country"])
		parties = append(parties, map[string]any{"id": w.ids[p.name], "attributes": a})
	}
	for _, x := range w.sites {
		var a []any
		lat, lon, _ := strings.Cut(x.clauses["at"], ",")
		attribute(&a, "cbvmda:name", x.name)
		attribute(&a, "cbvmda:countryCode", cmp.Or(x.clauses["in"], w.country[x.clauses["of"]]))
		attribute(&a, "cbvmda:latitude", lat)
		attribute(&a, "cbvmda:longitude", lon)
		attribute(&a, "tw:operator", w.ids[x.clauses["of"]])
		attribute(&a, "tw:siteType", cmp.Or(x.clauses["used-as"], "datacentre"))
		sites = append(sites, map[string]any{"id": w.ids[x.name], "attributes": a})
	}
	var classes []any
	for _, c := range [][2]string{{"g", "accelerator"}, {"s", "server"}} {
		classes = append(classes, map[string]any{"id": classOf(c[0]), "attributes": []any{map[string]any{"id": "tw:kind", "attribute": c[1]}}})
	}
	return []any{
		vocabularyOf("urn:epcglobal:epcis:vtype:EPCClass", classes), vocabularyOf("urn:epcglobal:epcis:vtype:Location", sites),
		vocabularyOf("urn:tidewaiter:vtype:Party", parties),
	}
}

func vocabularyOf(kind string, list []any) any {
	return map[string]any{"type": kind, "vocabularyElementList": list}
}
