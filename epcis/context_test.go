package epcis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

func TestExpand(t *testing.T) {
	ctx, err := epcis.ParseContext(jsontext.Value(`["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
		{"ex":"https://example.com/ns#","sub":"ex:sub/","term":{"@id":"sub:term","@type":"@id"},"alias":"term","@version":1.1,"ex:long":"https://example.com/no","none":null,"self":"tw:self"},
		{"late":"alias","tw":"https://example.com/other/"}]`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"ex:a": "https://example.com/ns#a", "ex:": "https://example.com/ns#", "ex": "https://example.com/ns#", "sub:a:b": "https://example.com/ns#sub/a:b",
		"term": "https://example.com/ns#sub/term", "alias": "https://example.com/ns#sub/term", "late": "https://example.com/ns#sub/term",
		"tw:a": "https://example.com/other/a", "cbv:BizStep-x": "https://ref.gs1.org/cbv/BizStep-x", "ex:long": "https://example.com/ns#long",
		"other:a": "other:a", "ex://a": "ex://a", ":a": ":a", "": "", "none": "none", "self": "https://tidewaiter.org/ns/self", "https://ex:a": "https://ex:a", "urn:ex:a": "urn:ex:a", "@type": "@type",
	} {
		if got := ctx.Expand(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	var none *epcis.Context
	if got := none.Expand("tw:payer"); got != "https://tidewaiter.org/ns/payer" {
		t.Errorf("in no context tw:payer is %q", got)
	}
}

func TestContextsRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`7`:                             "must be an address, an object, or an array of these, and holds a number",
		`null`:                          "must be an address, an object, or an array of these, and holds null",
		`["https://example.com/c",[]]`:  "must be an address, an object, or an array of these, and holds an array",
		`"context.jsonld"`:              "names “context.jsonld”, which is no absolute URI",
		`{"a":"b:x","b":"c:x","c":"a"}`: "defines “a” by itself, round a circle",
		`{"a":"a:x"}`:                   "defines “a” by itself, round a circle",
		`{"a":"x","a":"y"}`:             "is there twice: two readers could each believe another of the two",
		`{"a":`:                         "is not JSON: unexpected EOF",
		"{\"a\":\"\xff\"}":              "is not valid UTF-8: save the file as UTF-8",
	} {
		_, err := epcis.ParseContext(jsontext.Value(raw))
		checkError(t, err, "/@context "+want)
	}
}

// Contexts and identifiers are remembered by all, and many ask at once.
func TestManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 300 {
				raw := strings.Replace(objectEvent, "/21/7", fmt.Sprintf("/21/%d", i), 1)
				raw = with(raw, fmt.Sprintf(`"@context":{"p":"https://example.com/%d/"}`, i), fmt.Sprintf(`"p:g":%d`, g))
				ev, err := epcis.ParseEvent(jsontext.Value(raw), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if want := fmt.Sprintf("https://id.gs1.org/01/09521234500018/21/%d", i); ev.EPCs[0] != want {
					t.Errorf("got %s, want %s", ev.EPCs[0], want)
				}
				if v := ev.Extensions[fmt.Sprintf("https://example.com/%d/g", i)]; string(v) != fmt.Sprint(g) {
					t.Errorf("event %d of %d has %v", i, g, ev.Extensions)
				}
			}
		})
	}
	wg.Wait()
}
