package epcis_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// shipping is an event as they come by the million: one kilobyte, three units, papers.
const shipping = `{"type":"ObjectEvent","eventID":"urn:uuid:0195a3f0-7c1e-7d3a-9a57-3a5b8f7e2c11","eventTime":"2025-03-14T09:30:00.000+01:00",` +
	`"eventTimeZoneOffset":"+01:00","action":"OBSERVE","bizStep":"shipping","disposition":"in_transit","epcList":["https://id.gs1.org/01/09521234500018/21/1652923003067",` +
	`"https://id.gs1.org/01/09521234500018/21/1652923003068","https://id.gs1.org/01/09521234500018/21/1652923003069"],` +
	`"readPoint":{"id":"https://id.gs1.org/414/9521234500018/254/DOCK-3"},"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000006:PO-88213"},` +
	`{"type":"desadv","bizTransaction":"urn:epcglobal:cbv:bt:9521234000006:ASN1099"}],"sourceList":[{"type":"possessing_party","source":"https://id.gs1.org/417/9521234000006"}],` +
	`"destinationList":[{"type":"possessing_party","destination":"https://id.gs1.org/417/4023333000000"}],"tw:consignment":"C-2025-03-0007","tw:declaredHSCode":"847180",` +
	`"tw:declaredValue":{"amount":96000,"currency":"USD"},"tw:endUseCountry":"NL","tw:grossWeightKg":31.5}`

// hundred is a document of a hundred such events, each of other units.
func hundred() []byte {
	list := make([]string, 100)
	for i := range list {
		serial := []byte("1652923003067")
		serial[8], serial[9] = byte('0'+i/10), byte('0'+i%10)
		list[i] = string(bytes.ReplaceAll([]byte(shipping), []byte("16529230030"), serial[:11]))
	}
	return []byte(document(list...))
}

func BenchmarkDecode(b *testing.B) {
	doc := hundred()
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if items, _, err := decode(bytes.NewReader(doc), epcis.Options{}); err != nil || len(items) != 100 {
			b.Fatal(err, len(items))
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(shipping)))
	b.ReportAllocs()
	raw := jsontext.Value(shipping)
	for b.Loop() {
		if _, err := epcis.ParseEvent(raw, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	ev := event(b, shipping)
	b.SetBytes(int64(len(shipping)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := epcis.Digest(ev, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	ev := event(b, shipping)
	b.SetBytes(int64(len(shipping)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := epcis.Hash(ev, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkToTokenizer compares with what nobody can do without: the plain walk over the tokens of the same bytes. Both take
// turns, so that what else the machine does hits both. named is decode, validate, canonicalise and hash; all is that with the
// digest as well.
func BenchmarkToTokenizer(b *testing.B) {
	docs := map[string][]byte{"100 events": hundred()}
	if text, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "epcis", "json", "Example_9.6.1-ObjectEvent.jsonld")); err == nil {
		docs["GS1 example 9.6.1"] = text
	}
	for name, doc := range docs {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			var walking, naming, all time.Duration
			for b.Loop() {
				start := time.Now()
				walk(b, doc)
				walked := time.Now()
				capture(b, doc, false)
				named := time.Now()
				capture(b, doc, true)
				walking, naming, all = walking+walked.Sub(start), naming+named.Sub(walked), all+time.Since(named)
			}
			rate := func(d time.Duration) float64 { return float64(len(doc)) * float64(b.N) / 1e6 / d.Seconds() }
			b.ReportMetric(rate(walking), "tokenizer-MB/s")
			b.ReportMetric(rate(naming), "named-MB/s")
			b.ReportMetric(float64(walking)/float64(naming), "named/tokenizer")
			b.ReportMetric(float64(walking)/float64(all), "all/tokenizer")
		})
	}
}

func walk(b *testing.B, doc []byte) {
	dec := jsontext.NewDecoder(bytes.NewReader(doc))
	for {
		if _, err := dec.ReadToken(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// capture does with a document what its capture does, but for keeping it.
func capture(b *testing.B, doc []byte, digest bool) {
	items, dec, err := decode(bytes.NewReader(doc), epcis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, err := epcis.ParseContext(dec.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, it := range items {
		ev, err := epcis.ParseEvent(it.Raw, ctx)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := epcis.Hash(ev, ctx); err != nil {
			b.Fatal(err)
		}
		if digest {
			if _, err := epcis.Digest(ev, ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
}
