package epcis_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// shared finds a folder of the public test data, or skips.
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED, NOT PASSED: the public test data is not here: %v", err)
	}
	return dir
}

// documents are the public documents in a folder.
func documents(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared(t, folder), "*.jsonld"))
	if err != nil || len(files) == 0 {
		t.Fatal("no documents: ", err)
	}
	return files
}

// decode reads a document to its end, or to its fault.
func decode(r io.Reader, o epcis.Options) (items []epcis.Item, dec *epcis.Decoder, err error) {
	dec = epcis.NewDecoder(r, o)
	for {
		it, err := dec.Next()
		if errors.Is(err, io.EOF) {
			return items, dec, nil
		}
		if err != nil {
			return items, dec, err
		}
		items = append(items, it)
	}
}

// events decodes a document to its events.
func events(t testing.TB, r io.Reader) (list []*epcis.Event, ctx *epcis.Context) {
	t.Helper()
	items, dec, err := decode(r, epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err = epcis.ParseContext(dec.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Kind != epcis.ItemEvent {
			continue
		}
		ev, err := epcis.ParseEvent(it.Raw, ctx)
		if err != nil {
			t.Fatalf("%s%v", it.Pointer, err)
		}
		list = append(list, ev)
	}
	return list, ctx
}

// eventsIn decodes a document of the public test data.
func eventsIn(t testing.TB, path string) ([]*epcis.Event, *epcis.Context) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return events(t, strings.NewReader(string(text)))
}

// event parses one event in the standard context.
func event(t testing.TB, raw string) *epcis.Event {
	t.Helper()
	ev, err := epcis.ParseEvent(jsontext.Value(raw), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return ev
}

// The smallest events of each type; with adds members to one.
const (
	objectEvent = `{"type":"ObjectEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","action":"OBSERVE",` +
		`"epcList":["https://id.gs1.org/01/09521234500018/21/7"]}`
	aggregationEvent = `{"type":"AggregationEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","action":"ADD",` +
		`"parentID":"https://id.gs1.org/00/395212340000000014","childEPCs":["https://id.gs1.org/01/09521234500018/21/7"]}`
	associationEvent = `{"type":"AssociationEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","action":"ADD",` +
		`"parentID":"https://id.gs1.org/8004/9521234RACK12","childEPCs":["https://id.gs1.org/01/09521234500018/21/7"]}`
	transactionEvent = `{"type":"TransactionEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","action":"ADD",` +
		`"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000006:PO-1"}],"epcList":["https://id.gs1.org/01/09521234500018/21/7"]}`
	transformationEvent = `{"type":"TransformationEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00",` +
		`"inputEPCList":["https://id.gs1.org/01/09521234500018/21/7"],"outputEPCList":["https://id.gs1.org/01/09521234500018/21/8"]}`
)

// with adds members to an event.
func with(ev string, members ...string) string {
	return ev[:len(ev)-1] + "," + strings.Join(members, ",") + "}"
}

// without takes a member out, given as it stands there.
func without(t testing.TB, ev, member string) string {
	t.Helper()
	for _, m := range []string{member + ",", "," + member} {
		if strings.Contains(ev, m) {
			return strings.Replace(ev, m, "", 1)
		}
	}
	t.Fatalf("%s is not in %s", member, ev)
	return ""
}

// document puts events into a document.
func document(list ...string) string {
	return `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0",` +
		`"creationDate":"2025-03-14T10:00:00Z","epcisBody":{"eventList":[` + strings.Join(list, ",") + `]}}`
}
