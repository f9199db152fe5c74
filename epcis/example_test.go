package epcis_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

const exampleDocument = `{
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
  "type": "EPCISDocument",
  "schemaVersion": "2.0",
  "creationDate": "2025-03-14T10:00:00Z",
  "epcisBody": {
    "eventList": [
      {
        "type": "ObjectEvent",
        "eventTime": "2025-03-14T09:30:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "epcList": ["urn:epc:id:sgtin:9521234.050001.7"],
        "action": "OBSERVE",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-shipping",
        "readPoint": {"id": "urn:epc:id:sgln:9521234.50001.0"}
      },
      {"type": "ObjectEvent", "eventTime": "yesterday"}
    ]
  }
}`

// Events are read one by one; what is wrong with one of them is said of that one. The context is complete at the end of the
// document, so items are kept until then.
func ExampleDecoder() {
	dec := epcis.NewDecoder(strings.NewReader(exampleDocument), epcis.Options{})
	var items []epcis.Item
	for {
		item, err := dec.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		items = append(items, item)
	}
	ctx, err := epcis.ParseContext(dec.Context())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range items {
		ev, err := epcis.ParseEvent(item.Raw, ctx)
		if err != nil {
			fmt.Printf("event %d: %s%v\n", item.Index+1, item.Pointer, err)
			continue
		}
		fmt.Printf("event %d: %s of %s at %s\n", item.Index+1, ev.BizStep, ev.EPCs[0], ev.ReadPoint)
	}
	// Output:
	// event 1: shipping of https://id.gs1.org/01/09521234500018/21/7 at https://id.gs1.org/414/9521234500018
	// event 2: /epcisBody/eventList/1/eventTime is “yesterday”, which is no date and time with an offset, such as 2025-03-14T09:30:00.000+01:00 (RFC 3339)
}

func ExampleParseEvent() {
	_, err := epcis.ParseEvent(jsontext.Value(`{"type":"ObjectEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00",
		"action":"OBSERVE","epcList":["https://id.gs1.org/01/09521234500018/21/7"],"bizStep":"shiping"}`), nil)
	var invalid *epcis.Error
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Pointer)
		fmt.Println(invalid.Reason)
	}
	// Output:
	// /bizStep
	// is “shiping”, which is no business step of the CBV and no URI of somebody's own; did you mean shipping?
}

// One event in two spellings has one name and one digest. Numbers show the difference between the two: the name reads them as
// doubles.
func ExampleHash() {
	const common = `{"type":"ObjectEvent","eventTimeZoneOffset":"+01:00","action":"OBSERVE",`
	for _, raw := range []string{
		common + `"eventTime":"2025-03-14T09:30:00+01:00","epcList":["urn:epc:id:sgtin:9521234.050001.7"],"tw:serial":12345678901234567890}`,
		common + `"tw:serial":12345678901234567890,"epcList":["https://id.gs1.org/01/09521234500018/21/7"],"eventTime":"2025-03-14T08:30:00Z"}`,
		common + `"tw:serial":12345678901234567891,"epcList":["https://id.gs1.org/01/09521234500018/21/7"],"eventTime":"2025-03-14T08:30:00Z"}`,
	} {
		ev, err := epcis.ParseEvent(jsontext.Value(raw), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		name, _ := epcis.Hash(ev, nil)
		digest, _ := epcis.Digest(ev, nil)
		fmt.Printf("%s %x\n", name, digest[:4])
	}
	// Output:
	// ni:///sha-256;c671cd57049189d5647427d86ff92450a7796a539988826c96c8a245a85eca46?ver=CBV2.0 a5efcbac
	// ni:///sha-256;c671cd57049189d5647427d86ff92450a7796a539988826c96c8a245a85eca46?ver=CBV2.0 a5efcbac
	// ni:///sha-256;c671cd57049189d5647427d86ff92450a7796a539988826c96c8a245a85eca46?ver=CBV2.0 1c935926
}
