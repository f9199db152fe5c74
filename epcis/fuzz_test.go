package epcis_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// Whatever comes in: no panic, an end, items that are JSON and stand in the document, and the same items in whatever pieces
// the document arrives.
func FuzzDecoder(f *testing.F) {
	for _, test := range badDocuments {
		if len(test.text) < 2000 { // the fuzzer makes large ones itself, and small ones are quick
			f.Add([]byte(test.text))
		}
	}
	f.Add([]byte(document(objectEvent, shipping)))
	f.Add([]byte(rich))
	f.Add([]byte(query(`"queryName":"Q","resultsBody":{"vocabularyList":[{"vocabularyElementList":[{"id":"urn:x:1"}],"type":"urn:x:t"}],"eventList":[{}]}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		const most = 4096
		items, dec, err := decode(bytes.NewReader(text), epcis.Options{MaxItemBytes: most})
		for _, it := range items {
			switch {
			case it.Err != nil && it.Raw == nil:
			case it.Err != nil, len(it.Raw) == 0, len(it.Raw) > most, !bytes.Contains(text, it.Raw):
				t.Fatalf("%+v", it)
			case !it.Raw.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
				t.Fatalf("%s is no JSON: %s", it.Pointer, it.Raw)
			}
		}
		if err == nil && len(text) > 0 && !jsontext.Value(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("accepted: %q", text)
		}
		again, dec2, err2 := decode(iotest.OneByteReader(bytes.NewReader(text)), epcis.Options{MaxItemBytes: most})
		if diff := cmp.Diff(items, again); diff != "" || (err == nil) != (err2 == nil) || string(dec.Context()) != string(dec2.Context()) || dec.Header() != dec2.Header() {
			t.Fatalf("in pieces it is another document: %v, %v\n%s", err, err2, diff)
		}
	})
}

// What is accepted has a digest and a name, and is read as the same event again, alone and in a document.
func FuzzParseEvent(f *testing.F) {
	for _, raw := range []string{objectEvent, aggregationEvent, associationEvent, transactionEvent, transformationEvent, shipping, rich} {
		f.Add([]byte(raw))
	}
	for _, test := range refused {
		f.Add([]byte(with(objectEvent, test.member)))
	}
	f.Add([]byte(respell(1, any(map[string]any{"type": "ObjectEvent", "eventTime": "2025-03-14T09:30:00Z"}))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ev, err := epcis.ParseEvent(raw, nil)
		if err != nil {
			var e *epcis.Error
			if !errors.As(err, &e) || e.Reason == "" || ev != nil {
				t.Fatalf("%v, %v", ev, err)
			}
			return
		}
		if !bytes.Equal(ev.Raw, raw) {
			t.Fatal("Raw is not what came")
		}
		digest, err := epcis.Digest(ev, nil)
		name, err2 := epcis.Hash(ev, nil)
		if err != nil || err2 != nil || !strings.HasPrefix(name, "ni:///sha-256;") || len(name) != len("ni:///sha-256;?ver=CBV2.0")+64 {
			t.Fatalf("%v, %q, %v", err, name, err2)
		}
		neat := jsontext.Value(bytes.Clone(raw))
		if err := neat.Indent(); err != nil {
			t.Fatalf("accepted, and no JSON: %v", err)
		}
		again, err := epcis.ParseEvent(neat, nil)
		if err != nil {
			t.Fatalf("with other white space: %v\n%s", err, neat)
		}
		if diff := cmp.Diff(ev, again, cmpopts.IgnoreUnexported(epcis.Event{}), cmpopts.IgnoreFields(epcis.Event{}, "Raw", "ILMD", "Extensions")); diff != "" {
			t.Fatalf("with other white space it is another event:\n%s", diff)
		}
		if d, err := epcis.Digest(again, nil); err != nil || d != digest {
			t.Fatalf("with other white space it has another digest (%v)\n%s", err, neat)
		}
		if n, err := epcis.Hash(again, nil); err != nil || n != name {
			t.Fatalf("with other white space it has another name: %s, not %s (%v)\n%s", n, name, err, neat)
		}
		if items, _, err := decode(strings.NewReader(document(string(raw))), epcis.Options{}); err != nil || len(items) != 1 || !bytes.Equal(items[0].Raw, bytes.TrimSpace(raw)) {
			t.Fatalf("in a document: %v, %v", err, items)
		}
	})
}

// A context is the same whenever it is read, whoever reads others meanwhile, and expanding comes to an end.
func FuzzParseContext(f *testing.F) {
	f.Add([]byte(`["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"a":"https://example.com/","b":"a:b/","c":{"@id":"b:c"}}]`), "c:d")
	f.Add([]byte(`{"a":"b:","b":"c:","c":"a:"}`), "a:b")
	f.Add([]byte(`{"a":"a"}`), "a")
	f.Add([]byte(`{"a":"tw:x","tw":"urn:x:"}`), "a")
	f.Add([]byte(`{"":"x:","@vocab":"y:"," ":"z:"}`), ":x")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		c, err := epcis.ParseContext(raw)
		if err != nil {
			var e *epcis.Error
			if !errors.As(err, &e) || e.Pointer != "/@context" {
				t.Fatal(err)
			}
			return
		}
		if len(raw) == 0 {
			return // no context is the standard one; white space is none
		}
		full := c.Expand(name)
		other, err := epcis.ParseContext(append(jsontext.Value(" "), raw...))
		if err != nil || other.Expand(name) != full {
			t.Fatalf("%q is %q, and then %q (%v)", name, full, other.Expand(name), err)
		}
	})
}

func FuzzParseMasterData(f *testing.F) {
	f.Add([]byte(`{"id":"urn:epc:id:sgln:9521234.50001.0","attributes":[{"id":"cbvmda:countryCode","attribute":"DE"}],"children":["urn:x:1"]}`))
	f.Add([]byte(`{"id":"urn:x:1","attributes":[{"id":"tw:a","attribute":1},{"id":"tw:a"},{"id":"tw:a","attribute":{"b":[]}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		el, err := epcis.ParseMasterData(raw, "urn:x:t", nil)
		if err != nil {
			var e *epcis.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			return
		}
		for name, v := range el.Attributes {
			if !v.IsValid() {
				t.Fatalf("%s is no JSON: %s", name, v)
			}
		}
	})
}
