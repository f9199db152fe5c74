package epcis_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/epcis"
)

const locations = "urn:epcglobal:epcis:vtype:Location"

func TestMasterData(t *testing.T) {
	ctx, err := epcis.ParseContext(jsontext.Value(`{"ex":"https://example.com/"}`))
	if err != nil {
		t.Fatal(err)
	}
	el, err := epcis.ParseMasterData(jsontext.Value(`{"isA":"x","id":"urn:epc:id:sgln:9521234.50001.0","attributes":[{"id":"cbvmda:countryCode","attribute":"DE"},
		{"id":"tw:itPowerKW","attribute": 1.5 },{"id":"ex:address","attribute":{"a":[1]}},{"id":"tw:none"},
		{"id":"tw:phone","attribute":"1"},{"attribute":"2","id":"https://tidewaiter.org/ns/phone"},{"id":"tw:phone","attribute":3,"ex:x":0}],
		"children":["urn:epc:id:sgln:9521234.50001.A","https://id.gs1.org/414/9521234500018/254/A"],"ex:more":{}}`), "ex:Places", ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := &epcis.Element{Type: "https://example.com/Places", ID: place, Children: []string{place + "/254/A"}, Attributes: epcis.Fields{
		"urn:epcglobal:cbv:mda:countryCode":   jsontext.Value(`"DE"`),
		"https://tidewaiter.org/ns/itPowerKW": jsontext.Value("1.5"),
		"https://example.com/address":         jsontext.Value(`{"a":[1]}`),
		"https://tidewaiter.org/ns/none":      jsontext.Value(`""`),
		"https://tidewaiter.org/ns/phone":     jsontext.Value(`["1","2",3]`),
	}}
	if diff := cmp.Diff(want, el); diff != "" {
		t.Error(diff)
	}
}

func TestMasterDataRefused(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{`[]`, "must be an object, not an array"},
		{`{}`, "/id is missing"},
		{`{"id":"here"}`, "/id is “here”: not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own"},
		{`{"id":"urn:epc:id:sgln:9521234.5001.0"}`, "/id is “urn:epc:id:sgln:9521234.5001.0”: sgln has 11 digits in company prefix and reference together; it must have 12, here 5 in the reference, without a check digit"},
		{`{"id":"urn:x:1","id":"urn:x:1"}`, "/id is there twice: two readers could each believe another of the two"},
		{`{"id":"urn:x:1","atributes":[]}`, "/atributes is not known here, and bears no prefix that says whose it is"},
		{`{"id":"urn:x:1","attributes":{}}`, "/attributes must be an array, not an object"},
		{`{"id":"urn:x:1","attributes":[{"attribute":"x"}]}`, "/attributes/0/id is missing"},
		{`{"id":"urn:x:1","attributes":[{"id":"name","attribute":"x"}]}`, "/attributes/0/id is “name”, which is no absolute URI"},
		{`{"id":"urn:x:1","attributes":[{"id":"tw:x","attribute":"x"},{"id":"tw:x","attribute":[]}]}`, "/attributes/1/attribute must be a string, a number or an object, not an array"},
		{`{"id":"urn:x:1","attributes":[{"id":"tw:x","attribute":null}]}`, "/attributes/0/attribute must be a string, a number or an object, not null"},
		{`{"id":"urn:x:1","attributes":[{"id":"tw:x","value":"x"}]}`, "/attributes/0/value is not known here, and bears no prefix that says whose it is"},
		{`{"id":"urn:x:1","children":["x"]}`, "/children/0 is “x”: not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own"},
	} {
		_, err := epcis.ParseMasterData(jsontext.Value(test.raw), locations, nil)
		checkError(t, err, test.want)
	}
	_, err := epcis.ParseMasterData(jsontext.Value(`{"id":"urn:x:1"}`), "places", nil)
	checkError(t, err, "belongs to a vocabulary whose type is “places”, which is no absolute URI")
}

// An attribute that is given a hundred thousand times is gathered in linear time.
func TestAnAttributeGivenOftenIsAnArray(t *testing.T) {
	raw := `{"id":"urn:x:1","attributes":[{"id":"tw:x","attribute":"y"}` + strings.Repeat(`,{"id":"tw:x","attribute":"y"}`, 100_000) + `]}`
	el, err := epcis.ParseMasterData(jsontext.Value(raw), locations, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v := el.Attributes["https://tidewaiter.org/ns/x"]; len(v) != 100_001*4+1 || !v.IsValid() {
		t.Errorf("%d bytes", len(v))
	}
}
