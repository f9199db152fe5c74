package epcis_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// schemaOfEvents is the official JSON Schema's definition of an event in a document.
func schemaOfEvents(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shared(t, "epcis/schema"), "EPCIS-JSON-Schema.json"))
	if err != nil {
		t.Skipf("SKIPPED, NOT PASSED: the official schema is not here: %v", err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: checkURI})
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkDateTime})
	c.UseRegexpEngine(compileWithLookahead)
	if err := c.AddResource("https://example.com/schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://example.com/schema.json#/definitions/EPCIS-Document-Event")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// uri is RFC 3986's absolute URI with an optional fragment, by its characters.
var uri = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})+$`)

func checkURI(v any) error {
	if s, ok := v.(string); ok && !uri.MatchString(s) {
		return errors.New("is no absolute URI")
	}
	return nil
}

var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// checkDateTime is RFC 3339 §5.6, with the leap seconds of its §5.7.
func checkDateTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if !dateTime.MatchString(s) {
		return errors.New("is no date and time")
	}
	s = strings.ToUpper(s)
	leap := s[17:19] == "60"
	if leap {
		s = s[:17] + "59" + s[19:]
	}
	at, err := time.Parse(time.RFC3339, s)
	if leap && err == nil && at.UTC().Format("15:04") != "23:59" {
		err = errors.New("is no second of that minute")
	}
	return err
}

// lookahead is the one kind of pattern of the schema that Go's regular expressions cannot say: not beginning with something.
type lookahead struct{ *regexp.Regexp }

func (l lookahead) MatchString(s string) bool { return !l.Regexp.MatchString(s) }

func compileWithLookahead(pattern string) (jsonschema.Regexp, error) {
	if rest, ok := strings.CutPrefix(pattern, "^(?!"); ok {
		re, err := regexp.Compile("^(?:" + strings.TrimSuffix(rest, ")") + ")")
		return lookahead{re}, err
	}
	return regexp.Compile(pattern)
}

// The pieces that mutations put into events: right in one place and wrong in another.
var (
	someStrings = []string{"", " ", "x", "shipping", "Shipping", "in_transit", "po", "location", "incorrect_data", "did_not_occur", "ADD", "OBSERVE", "DELETE", "add",
		"https://ref.gs1.org/cbv/BizStep-shipping", "https://ref.gs1.org/cbv/BizStep-ship", "https://ref.gs1.org/cbv/Disp-active", "urn:epcglobal:cbv:bizstep:shipping",
		"urn:epcglobal:cbv:disp:active", "urn:epcglobal:cbv:mda:x", "https://ns.gs1.org/cbv/BizStep-shipping", "http://ns.gs1.org/cbv/BTT-po", "cbv:BizStep-packing",
		"https://gs1.org/voc/Temperature", "https://gs1.org/voc/Other", "gs1:Speed", "Temperature", "ALARM_CONDITION", "Comp-x", "cbv:Comp-x", "latitude",
		"https://example.com/own", "example:own", "urn:x", "urn:x:y", "https://example.com/a b", "https://example.com/%zz", "https://example.com/%20", "a:<b>", "1a:b", "://x",
		"https://example.com/straße", "https://id.gs1.org/01/09521234500018/21/7", "https://id.gs1.org/01/09521234500011/21/7", "urn:epc:id:sgtin:9521234.050001.7",
		"urn:epc:id:sgtin:9521234", "urn:epc:class:lgtin:9521234.050001.A", "urn:uuid:6ba7b810-9dad-81d1-80b4-00c04fd430c8", "geo:52,4",
		"2025-03-14T09:30:00Z", "2025-03-14t09:30:00.5+01:00", "2025-03-14T09:30:00", "2025-02-30T09:30:00Z", "2025-03-14T09:30:60Z", "2016-12-31T23:59:60Z", "2025-03-14",
		"9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", "2025-03-14T09:30:00,5Z", "2025-03-14 09:30:00Z", "2025-03-14T09:30:00+24:00", "2025-03-14T24:00:00Z",
		"+01:00", "-13:59", "+14:00", "+14:01", "-1:00", "+01:60", "KGM", "kg", "KGMX", "C6", "f0", "0x", "ObjectEvent", "AssociationEvent", "TransformationEvent",
		"TransactionEvent", "AggregationEvent", "epcis:ObjectEvent", "https://ref.gs1.org/epcis/AggregationEvent", "FooEvent", "https://example.com/FooEvent"}
	someNames = []string{"type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "certificationInfo", "errorDeclaration", "action", "epcList", "quantityList",
		"parentID", "childEPCs", "childQuantityList", "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID", "bizStep", "disposition",
		"persistentDisposition", "readPoint", "bizLocation", "bizTransactionList", "sourceList", "destinationList", "sensorElementList", "ilmd", "set", "unset", "id",
		"epcClass", "quantity", "uom", "source", "destination", "bizTransaction", "declarationTime", "reason", "correctiveEventIDs", "sensorMetadata", "sensorReport", "value",
		"component", "exception", "time", "deviceID", "booleanValue", "hexBinaryValue", "uriValue", "stringValue", "@type", "foo", "tw:foo", "https://example.com/foo",
		"https://tidewaiter.org/ns/foo", "a b:c", "foo:", ":foo"}
)

func someValue(r *rand.Rand) any {
	switch r.IntN(12) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return []any{0.0, -1.5, 3e300, 200.0}[r.IntN(4)]
	case 3:
		return map[string]any{}
	case 4:
		return []any{}
	case 5:
		return []any{pick(r, someStrings)}
	case 6:
		return map[string]any{pick(r, someNames): pick(r, someStrings)}
	case 7:
		return []any{map[string]any{"type": pick(r, someStrings), "bizTransaction": pick(r, someStrings)}}
	default:
		return pick(r, someStrings)
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// mutate changes something, at a random place below v, and returns v as it is now.
func mutate(r *rand.Rand, v any, others []any) any {
	if r.IntN(3) > 0 { // further down, more often than not
		switch v := v.(type) {
		case map[string]any:
			if len(v) > 0 {
				name := pick(r, sortedNames(v))
				v[name] = mutate(r, v[name], others)
				return v
			}
		case []any:
			if len(v) > 0 {
				i := r.IntN(len(v))
				v[i] = mutate(r, v[i], others)
				return v
			}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		return mutateObject(r, v, others)
	case []any:
		switch r.IntN(4) {
		case 0:
			if len(v) > 0 {
				return append(v, clone(pick(r, v)))
			}
		case 1:
			if len(v) > 0 {
				return v[:len(v)-1]
			}
		case 2:
			return append(v, someValue(r))
		}
	case string:
		if r.IntN(3) == 0 && v != "" { // one character
			i := r.IntN(len(v))
			return v[:i] + string("aZ0:/%. -"[r.IntN(9)]) + v[i+1:]
		}
	}
	return someValue(r)
}

func mutateObject(r *rand.Rand, v map[string]any, others []any) any {
	names := sortedNames(v)
	switch r.IntN(5) {
	case 0, 1:
		if len(names) > 0 {
			delete(v, pick(r, names))
		}
	case 2: // the same under another name
		if len(names) > 0 {
			name := pick(r, names)
			v[pick(r, someNames)] = v[name]
			delete(v, name)
		}
	case 3: // a member of another event
		other := pick(r, others).(map[string]any)
		name := pick(r, sortedNames(other))
		v[name] = clone(other[name])
	case 4:
		v[pick(r, someNames)] = someValue(r)
	}
	return v
}

func sortedNames(v map[string]any) []string {
	var names []string
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := map[string]any{}
		for name, sub := range v {
			c[name] = clone(sub)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, sub := range v {
			c[i] = clone(sub)
		}
		return c
	}
	return v
}

// goodEvents are what the mutations begin with.
func goodEvents(t testing.TB) (list []any) {
	for _, name := range documents(t, "epcis/json") {
		evs, _ := eventsIn(t, name)
		for _, ev := range evs {
			list = append(list, decoded(t, string(ev.Raw)))
		}
	}
	for _, raw := range []string{objectEvent, aggregationEvent, associationEvent, transactionEvent, transformationEvent, shipping,
		`{"type":"https://example.com/Seen","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","by":1}`} {
		list = append(list, decoded(t, raw), decoded(t, raw), decoded(t, raw)) // small ones more often: more of a mutation shows
	}
	return list
}

func decoded(t testing.TB, raw string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// ParseEvent accepts what the official JSON Schema accepts, and refuses what it refuses, but for what the comment of ParseEvent
// says, and explained knows.
func TestAgainstTheOfficialSchema(t *testing.T) {
	const cases = 20_000
	schema, good := schemaOfEvents(t), goodEvents(t)
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	for i := range cases {
		v := clone(good[i%len(good)])
		for range r.IntN(3) {
			v = mutate(r, v, good)
		}
		raw, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		theirs := schema.Validate(v)
		_, ours := epcis.ParseEvent(raw, nil)
		why := "agreed: accepted"
		switch {
		case theirs != nil && ours != nil:
			why = "agreed: refused"
		case theirs == nil && ours != nil:
			why = stricter(v, ours)
		case theirs != nil:
			why = looser(schema, v)
		}
		if counts[why]++; why == "" && counts[why] < 10 {
			t.Errorf("no reason why we differ: %s\nschema: %v\nours: %v", raw, theirs, ours)
		}
	}
	for _, why := range []string{"agreed: accepted", "agreed: refused"} {
		if counts[why] < cases/10 {
			t.Errorf("%s only %d times: the mutations are too mild or too wild", why, counts[why])
		}
	}
	for why, n := range counts {
		t.Logf("%6d %s", n, why)
	}
}

// stricter says why we refuse an event that the schema accepts.
func stricter(v any, err error) string {
	typ, _ := v.(map[string]any)["type"].(string)
	reason := err.Error()
	switch {
	case !slices.Contains([]string{"ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"}, typ):
		return "stricter: the standard's own rules in events of somebody else's type, or of a type spelt in full"
	case strings.Contains(reason, "nothing can be added to a parent"):
		return "stricter: an aggregation needs its parent"
	case strings.Contains(reason, "may not stand beside did_not_occur"):
		return "stricter: no corrective events of what did not occur"
	case strings.Contains(reason, "no business step of the CBV"), strings.Contains(reason, "no disposition of the CBV"), strings.Contains(reason, "type of the CBV"),
		strings.Contains(reason, "no error reason of the CBV"), strings.Contains(reason, "no component of the CBV"):
		if strings.Contains(reason, "ref.gs1.org/cbv/") || strings.Contains(reason, "“cbv:") || strings.Contains(reason, "http://ns.gs1.org") {
			return "stricter: what has a prefix of the CBV must be of the CBV"
		}
	case strings.Contains(reason, "”: "):
		return "stricter: GS1 keys are well formed"
	case strings.Contains(reason, "is there twice, with another prefix"):
		return "stricter: one field under two prefixes"
	case strings.Contains(reason, "no date and time") && (strings.Contains(reason, "9999-12-31T23:59:59-") || strings.Contains(reason, "0000-01-01T00:00:00+")):
		return "stricter: instants of the years 0 to 9999"
	}
	return ""
}

// looser says why we accept an event that the schema refuses: with older spellings replaced by those of the schema, it accepts.
func looser(schema *jsonschema.Schema, v any) string {
	for _, step := range []struct {
		why     string
		respell func(string) string
	}{
		{"looser: older and longer spellings of words", respellWord},
		{"looser: IRIs", respellIRI},
		{"looser: both", func(s string) string { return respellIRI(respellWord(s)) }},
	} {
		if schema.Validate(respelt(v, step.respell)) == nil {
			return step.why
		}
	}
	return ""
}

var longWord = regexp.MustCompile(`^(?:urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt|er):|https?://ns\.gs1\.org/cbv/(?:BizStep|Disp|BTT|SDT|ER|Comp)-)(\w+)$`)

func respellWord(s string) string {
	if m := longWord.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return strings.Replace(s, "https://gs1.org/voc/", "https://example.com/voc/", 1)
}

func respellIRI(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < 0x80 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func respelt(v any, respell func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		c := map[string]any{}
		for name, sub := range v {
			c[respell(name)] = respelt(sub, respell)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, sub := range v {
			c[i] = respelt(sub, respell)
		}
		return c
	case string:
		return respell(v)
	}
	return v
}
