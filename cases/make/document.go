package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const preamble = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}],` +
	`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"%s",`

// files are the generated files of a case by their names: a document a month, in the order in which the registry learns, and
// the truth.
func (w *world) files() (map[string][]byte, error) {
	events, err := w.settled()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	n := 0
	for from := w.start; from.Before(w.end); {
		n++
		to := time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		var month []*event
		for len(events) > 0 && events[0].known.Before(to) {
			month, events = append(month, events[0]), events[1:]
		}
		doc, err := w.document(span{from, to}, month)
		if err != nil {
			return nil, err
		}
		files[fmt.Sprintf("epcis/%04d-%s.json", n, from.Format("2006-01"))] = doc
		from = to
	}
	w.truth.Units = w.units
	truth, err := json.Marshal(w.truth, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("encode the truth: %w", err)
	}
	files["truth.json"] = append(truth, '\n')
	return files, nil
}

// settled are the events in the order in which the registry learns them. What it would learn after the end is left out.
func (w *world) settled() ([]*event, error) {
	for _, e := range w.events {
		if e.again != nil {
			continue
		}
		if err := e.seal(); err != nil {
			return nil, err
		}
	}
	var kept []*event
	for _, e := range w.events {
		if e.again != nil {
			e = e.repeated()
		}
		e.RecordTime = stamp(e.known)
		if e.known.Before(w.end) {
			kept = append(kept, e)
		}
	}
	slices.SortStableFunc(kept, func(a, b *event) int { return a.known.Compare(b.known) })
	return kept, nil
}

// repeated is the event that e tells once more, under the same id, as e tells it.
func (e *event) repeated() *event {
	r := *e.again
	r.known, r.Error = e.known, e.Error
	if e.corrected != nil {
		r.Error.Corrective = []string{e.corrected.ID}
	}
	return &r
}

// document writes one document: what became known in a month, one element or event a line.
func (w *world) document(month span, events []*event) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, preamble, stamp(month.from))
	if err := w.header(&b, month); err != nil {
		return nil, err
	}
	b.WriteString(`"epcisBody":{"eventList":[`)
	if err := lines(&b, events); err != nil {
		return nil, err
	}
	b.WriteString("]}}\n")
	return b.Bytes(), nil
}

// lines writes the members of a JSON array, one a line.
func lines[T any](b *bytes.Buffer, list []T) error {
	for i, x := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		line, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("encode a line: %w", err)
		}
		b.Write(line)
	}
	b.WriteByte('\n')
	return nil
}

// element is what the directory says of one subject.
type element struct {
	ID         string      `json:"id"`
	Attributes []attribute `json:"attributes"`
}

type attribute struct {
	ID    string `json:"id"`
	Value any    `json:"attribute"`
}

// header writes the master data that first becomes known in a month.
func (w *world) header(b *bytes.Buffer, month span) error {
	lists := []struct {
		kind     string
		elements []element
	}{
		{"urn:epcglobal:epcis:vtype:EPCClass", w.classElements(month)},
		{"urn:epcglobal:epcis:vtype:Location", w.siteElements(month)},
		{"urn:tidewaiter:vtype:Party", w.partyElements(month)},
	}
	opened := false
	for _, l := range lists {
		if len(l.elements) == 0 {
			continue
		}
		b.WriteString(map[bool]string{false: `"epcisHeader":{"epcisMasterData":{"vocabularyList":[`, true: ","}[opened])
		opened = true
		fmt.Fprintf(b, `{"type":"%s","vocabularyElementList":[`, l.kind)
		if err := lines(b, l.elements); err != nil {
			return err
		}
		b.WriteString("]}")
	}
	if opened {
		b.WriteString("]}},\n")
	}
	return nil
}

func (w *world) classElements(month span) (list []element) {
	if month.from.After(w.start) {
		return nil
	}
	for _, p := range w.classes {
		a := []attribute{{"cbvmda:descriptionShort", p.name}, {"tw:manufacturer", p.maker.link()}, {"cbvmda:netWeight", kilograms(p.grams)}}
		if p.kind != "part" {
			a = append(a, attribute{"tw:kind", p.kind})
		}
		list = append(list, element{p.link(), a})
	}
	return list
}

func (w *world) siteElements(month span) (list []element) {
	for _, x := range w.sites {
		if !within([]span{month}, x.since) {
			continue
		}
		a := []attribute{{"cbvmda:name", x.name()}, {"cbvmda:city", x.city}, {"cbvmda:countryCode", x.country},
			{"cbvmda:latitude", x.lat}, {"cbvmda:longitude", x.lon}, {"tw:operator", x.operator.link()}, {"tw:siteType", x.kind}}
		if x.kind == "datacentre" {
			a = append(a, attribute{"tw:itPowerKW", x.powerKW}, attribute{"tw:checkin", "expected"})
		}
		list = append(list, element{x.link(), a})
	}
	return list
}

// name is what people call a site.
func (x *site) name() string {
	word := map[string]string{"datacentre": "hall", "free_zone": "free-zone store", "forwarder": "station", "warehouse": "store"}[x.kind]
	if word == "" {
		word = x.kind
	}
	return x.operator.name + " " + word + ", " + x.city
}

func (w *world) partyElements(month span) (list []element) {
	for _, p := range w.parties {
		if !within([]span{month}, p.since) {
			continue
		}
		list = append(list, element{p.link(), []attribute{{"cbvmda:name", p.name}, {"tw:role", p.role}, {"cbvmda:city", p.city},
			{"cbvmda:countryCode", p.country}, {"tw:incorporated", p.formed}, {"tw:lineOfBusiness", p.business}, {"tw:capital", p.capital}}})
	}
	return list
}
