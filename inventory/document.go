package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Options say what an inventory cannot know of itself.
type Options struct {
	Time  time.Time // when the machine was read
	Site  string    // SGLN of the place where the machine stands; empty when it is not to be stated
	Party string    // PGLN of whoever vouches for the reading; becomes the document's sender; may be empty
}

// tier is the evidence tier of a BMC's word.
const tier = 2

// wire types: the parts of EPCIS 2.0 JSON (EPCIS 2.0 §10) that an inventory needs.
type (
	document struct {
		Context       []any     `json:"@context"`
		Type          string    `json:"type"`
		SchemaVersion string    `json:"schemaVersion"`
		CreationDate  string    `json:"creationDate"`
		Sender        string    `json:"sender,omitzero"`
		Header        header    `json:"epcisHeader"`
		Body          eventList `json:"epcisBody"`
	}
	header struct {
		MasterData struct {
			VocabularyList []vocabulary `json:"vocabularyList"`
		} `json:"epcisMasterData"`
	}
	vocabulary struct {
		Type     string    `json:"type"`
		Elements []element `json:"vocabularyElementList"`
	}
	element struct {
		ID         string      `json:"id"`
		Attributes []attribute `json:"attributes"`
	}
	attribute struct {
		ID    string `json:"id"`
		Value string `json:"attribute"`
	}
	eventList struct {
		Events []event `json:"eventList"`
	}
	event struct {
		ID             string   `json:"eventID,omitzero"`
		Type           string   `json:"type"`
		Time           string   `json:"eventTime"`
		TimeZoneOffset string   `json:"eventTimeZoneOffset"`
		EPCs           []string `json:"epcList,omitzero"`
		Parent         string   `json:"parentID,omitzero"`
		Children       []string `json:"childEPCs,omitzero"`
		Action         string   `json:"action"`
		BizStep        string   `json:"bizStep"`
		Disposition    string   `json:"disposition,omitzero"`
		ReadPoint      *place   `json:"readPoint,omitzero"`
		BizLocation    *place   `json:"bizLocation,omitzero"`
		ILMD           *ilmd    `json:"ilmd,omitzero"`
		Tier           int      `json:"tw:tier"`
	}
	place struct {
		ID string `json:"id"`
	}
	ilmd struct {
		Aliases    []string `json:"tw:aliases"`
		Kind       string   `json:"tw:kind"`
		Model      string   `json:"tw:model,omitzero"`
		PartNumber string   `json:"tw:partNumber,omitzero"`
	}
)

// Document writes an inventory as an EPCIS 2.0 JSON-LD document: each unit commissioned, on a first sight, then assembled from
// the inside out, then the outermost installed at the site when there is one.
//
// The same inventory with the same options gives the same bytes, event ids included. The commissioning happens at o.Time, each
// step of assembly one millisecond after the one before, because events at one time have no order.
func Document(inv *Inventory, o Options) ([]byte, error) {
	doc := document{
		Context:       []any{"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", map[string]string{"tw": "https://tidewaiter.org/ns/"}},
		Type:          "EPCISDocument",
		SchemaVersion: "2.0",
		CreationDate:  o.Time.Format(timeFormat),
		Sender:        o.Party,
	}
	doc.Header.MasterData.VocabularyList = []vocabulary{{Type: "urn:epcglobal:epcis:vtype:EPCInstance", Elements: instances(inv)}}
	events := append(commissioning(inv, o), assembling(inv, o)...)
	for i := range events {
		if err := nameEvent(&events[i]); err != nil {
			return nil, fmt.Errorf("writing the inventory: %w", err)
		}
	}
	doc.Body.Events = events
	out, err := json.Marshal(doc, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("writing the inventory: %w", err)
	}
	return append(out, '\n'), nil
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func at(t time.Time, o Options) event {
	e := event{Time: t.Format(timeFormat), TimeZoneOffset: t.Format("-07:00"), Tier: tier}
	if o.Site != "" {
		e.ReadPoint, e.BizLocation = &place{o.Site}, &place{o.Site}
	}
	return e
}

// commissioning is one event a unit, because instance data hold for all units of an event alike, and aliases do not.
func commissioning(inv *Inventory, o Options) (events []event) {
	for _, u := range inv.Units {
		e := at(o.Time, o)
		e.Type, e.Action, e.BizStep, e.Disposition = "ObjectEvent", "ADD", "commissioning", "active"
		e.EPCs = []string{u.URI}
		e.ILMD = &ilmd{Aliases: u.Aliases, Kind: u.Kind, Model: u.Model, PartNumber: u.PartNumber}
		events = append(events, e)
	}
	return events
}

// assembling is one event for each unit that holds others, the innermost first.
func assembling(inv *Inventory, o Options) (events []event) {
	children, depth := map[string][]string{}, map[string]int{}
	var parents, outermost []string
	for _, u := range inv.Units { // a parent stands before its children
		if u.Parent == "" {
			outermost = append(outermost, u.URI)
			continue
		}
		depth[u.URI] = depth[u.Parent] + 1
		if children[u.Parent] == nil {
			parents = append(parents, u.Parent)
		}
		children[u.Parent] = append(children[u.Parent], u.URI)
	}
	slices.SortStableFunc(parents, func(a, b string) int { return depth[b] - depth[a] })
	step := o.Time
	for i, p := range parents {
		if i == 0 || depth[p] != depth[parents[i-1]] {
			step = step.Add(time.Millisecond)
		}
		e := at(step, o)
		e.Type, e.Action, e.BizStep, e.Parent, e.Children = "AssociationEvent", "ADD", "assembling", p, children[p]
		events = append(events, e)
	}
	if o.Site != "" && len(outermost) > 0 {
		e := at(step.Add(time.Millisecond), o)
		e.Type, e.Action, e.BizStep, e.Parent, e.Children = "AssociationEvent", "ADD", "installing", o.Site, outermost
		events = append(events, e)
	}
	return events
}

// nameEvent gives an event an id that follows from its content: a UUID of version 8 (RFC 9562 §5.8) made of its SHA-256.
func nameEvent(e *event) error {
	body, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	e.ID = "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
	return nil
}

// instances is the master data of the units: what each is. They bear no trade item number by which a class would tell it.
func instances(inv *Inventory) []element {
	all := []element{}
	for _, u := range inv.Units {
		e := element{ID: u.URI, Attributes: []attribute{{"tw:kind", u.Kind}}}
		for _, a := range []attribute{{"cbvmda:descriptionShort", u.Model}, {"cbvmda:manufacturerOfTradeItemPartyName", u.Maker}, {"tw:partNumber", u.PartNumber}} {
			if a.Value != "" {
				e.Attributes = append(e.Attributes, a)
			}
		}
		all = append(all, e)
	}
	return all
}
