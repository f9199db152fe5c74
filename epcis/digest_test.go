package epcis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/gs1"
)

// rich has a member of every kind, everything in its canonical spelling.
const rich = `{"type":"ObjectEvent","eventID":"urn:uuid:0195a3f0-7c1e-7d3a-9a57-3a5b8f7e2c11","eventTime":"2025-03-14T09:30:00.25Z","eventTimeZoneOffset":"+01:00",
"action":"ADD","bizStep":"commissioning","disposition":"active","certificationInfo":["urn:x:cert:1","urn:x:cert:2"],
"epcList":["https://id.gs1.org/01/09521234500018/21/A%2F1","https://id.gs1.org/01/09521234500018/21/A2","https://id.gs1.org/8004/9521234X7"],
"quantityList":[{"epcClass":"https://id.gs1.org/01/09521234500018","quantity":5},{"epcClass":"https://id.gs1.org/01/09521234500018","quantity":5,"uom":"KGM"},
{"epcClass":"https://id.gs1.org/01/09521234500018/10/L1","quantity":5.25}],
"readPoint":{"id":"https://id.gs1.org/414/9521234500018/254/DOCK-3","tw:door":"3"},"bizLocation":{"id":"https://id.gs1.org/414/9521234500018"},
"persistentDisposition":{"set":["completeness_verified","conformant"],"unset":["completeness_inferred","unknown"]},
"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000006:PO-1"},{"bizTransaction":"https://id.gs1.org/253/9521234000013INV7"}],
"sourceList":[{"type":"owning_party","source":"https://id.gs1.org/417/9521234000006"},{"type":"possessing_party","source":"https://id.gs1.org/417/9521234000006"}],
"destinationList":[{"type":"location","destination":"https://id.gs1.org/414/9521234500018"},{"type":"https://example.com/agent","destination":"urn:x:agent"}],
"errorDeclaration":{"declarationTime":"2025-03-15T00:00:00Z","reason":"incorrect_data","correctiveEventIDs":["urn:x:e1","urn:x:e2"],"tw:by":"A"},
"sensorElementList":[{"sensorMetadata":{"time":"2025-03-14T09:00:00Z","deviceID":"https://id.gs1.org/8004/9521234S1","tw:m":1},
"sensorReport":[{"type":"Temperature","value":26.5,"uom":"CEL","component":"x"},{"type":"Temperature","value":26.5,"uom":"CEL","component":"x"},
{"type":"Speed","exception":"ALARM_CONDITION","booleanValue":true,"hexBinaryValue":"0f","stringValue":"s","uriValue":"urn:x:u","minValue":-1}]},
{"sensorReport":[{"type":"https://example.com/loudness","sDev":0.5}]}],
"ilmd":{"urn:epcglobal:cbv:mda:lotNumber":"007","tw:aliases":["nvidia-sn:1","pdi:0x2"]},
"tw:consignment":"C-1","tw:declaredValue":{"amount":96000,"currency":"USD","parts":[1,[2,null,true],{"tw:x":{}}]},"https://example.com/ns#flag":false,
"tw:quoted":"\\\"}a\\\\"}`

func digestOf(t testing.TB, raw string) [32]byte {
	t.Helper()
	d, err := epcis.Digest(event(t, raw), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func hashOf(t testing.TB, raw string) string {
	t.Helper()
	h, err := epcis.Hash(event(t, raw), nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// respeller writes an event in another way that says the same.
type respeller struct {
	*rand.Rand
	b strings.Builder
}

func (r *respeller) maybe() bool { return r.IntN(2) == 0 }

func (r *respeller) space() {
	for r.IntN(3) == 0 {
		r.b.WriteByte(" \t\r\n"[r.IntN(4)])
	}
}

// Which members hold what, in the standard's own objects.
var (
	setMembers = strings.Fields("certificationInfo epcList quantityList set unset bizTransactionList sourceList destinationList correctiveEventIDs sensorElementList sensorReport childEPCs")
	idMembers  = strings.Fields("epcList epcClass id bizTransaction source destination deviceID childEPCs parentID")
	wordPrefix = map[string]string{"bizStep": "BizStep-", "disposition": "Disp-", "set": "Disp-", "unset": "Disp-", "reason": "ER-", "bizTransactionList/type": "BTT-",
		"sourceList/type": "SDT-", "destinationList/type": "SDT-", "component": "Comp-"}
	wordURN     = map[string]string{"BizStep-": "bizstep:", "Disp-": "disp:", "ER-": "er:", "BTT-": "btt:", "SDT-": "sdt:"}
	timeMembers = strings.Fields("eventTime declarationTime time startTime endTime")
)

// value writes v, the value of a member called name in an object that is the value of parent; name is "" in somebody else's.
func (r *respeller) value(v any, parent, name string) {
	r.space()
	switch v := v.(type) {
	case map[string]any:
		r.object(v, name)
	case []any:
		r.list(v, parent, name)
	case string:
		r.text(v, parent, name)
	case float64:
		r.b.WriteString(pick(r.Rand, []string{fmt.Sprint(v), fmt.Sprintf("%e", v), fmt.Sprintf("%.4f", v), strconv.FormatFloat(v*100, 'f', -1, 64) + "E-2"}))
	default:
		text, _ := json.Marshal(v)
		r.b.Write(text)
	}
	r.space()
}

func (r *respeller) list(v []any, parent, name string) {
	v = slices.Clone(v)
	if slices.Contains(setMembers, name) {
		r.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
	}
	if name == "certificationInfo" && len(v) == 1 && r.maybe() {
		r.text(v[0].(string), parent, name)
		return
	}
	r.b.WriteByte('[')
	for i, sub := range v {
		if i > 0 {
			r.b.WriteByte(',')
		}
		r.value(sub, parent, name)
	}
	r.space()
	r.b.WriteByte(']')
}

func (r *respeller) object(v map[string]any, within string) {
	names := sortedNames(v)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	r.b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			r.b.WriteByte(',')
		}
		r.space()
		foreign := strings.Contains(name, ":") || within == "ilmd" || within == "-"
		if rest, ok := strings.CutPrefix(name, "tw:"); ok && r.maybe() {
			r.quote(pick(r.Rand, []string{"https://tidewaiter.org/ns/" + rest, "t:" + rest, name}))
		} else if rest, ok := strings.CutPrefix(name, "urn:epcglobal:cbv:mda:"); ok && r.maybe() {
			r.quote("cbvmda:" + rest)
		} else {
			r.quote(name)
		}
		r.space()
		r.b.WriteByte(':')
		inner := name
		if foreign {
			inner = "-"
		}
		r.value(v[name], within, inner)
	}
	r.space()
	r.b.WriteByte('}')
}

func (r *respeller) text(s, parent, name string) {
	prefix, isWord := wordPrefix[parent+"/"+name]
	if !isWord {
		prefix, isWord = wordPrefix[name]
	}
	switch {
	case isWord && !strings.Contains(s, ":"):
		s = r.word(s, prefix)
	case parent == "sensorReport" && (name == "type" || name == "exception") && !strings.Contains(s, ":"):
		s = pick(r.Rand, []string{s, "gs1:" + s, "https://gs1.org/voc/" + s})
	case slices.Contains(timeMembers, name):
		s = r.time(s)
	case slices.Contains(idMembers, name):
		s = r.id(s)
	case name == "type" && parent == "":
		s = pick(r.Rand, []string{s, "epcis:" + s, "https://ref.gs1.org/epcis/" + s})
	}
	r.quote(s)
}

func (r *respeller) word(s, prefix string) string {
	all := []string{s, "cbv:" + prefix + s, "https://ref.gs1.org/cbv/" + prefix + s, "https://ns.gs1.org/cbv/" + prefix + s}
	if urn := wordURN[prefix]; urn != "" {
		all = append(all, "urn:epcglobal:cbv:"+urn+s)
	}
	return pick(r.Rand, all)
}

func (r *respeller) time(s string) string {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	layout := pick(r.Rand, []string{time.RFC3339Nano, "2006-01-02T15:04:05.00Z07:00", "2006-01-02t15:04:05.000000000000-07:00"})
	return at.In(time.FixedZone("", 60*(r.IntN(28*60)-14*60))).Format(layout)
}

func (r *respeller) id(s string) string {
	k, ok := gs1.Parse(s)
	if !ok {
		return s
	}
	all := []string{s, strings.Replace(s, "https://id.gs1.org/", "https://www.example.com/some/where/", 1), s + "?a=b"}
	if urn, err := k.URN(7); err == nil {
		all = append(all, urn)
	}
	return pick(r.Rand, all)
}

func (r *respeller) quote(s string) {
	r.b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\' || r.IntN(40) == 0 && c < 0x10000:
			fmt.Fprintf(&r.b, `\u%04x`, c)
		case c == '/' && r.IntN(4) == 0:
			r.b.WriteString(`\/`)
		default:
			r.b.WriteRune(c)
		}
	}
	r.b.WriteByte('"')
}

// respell writes an event in another way, with other prefixes, and another recordTime.
func respell(seed uint64, v any) string {
	r := &respeller{Rand: rand.New(rand.NewPCG(seed, 0))}
	c := clone(v).(map[string]any)
	if r.maybe() {
		c["recordTime"] = "2025-03-14T09:30:0" + fmt.Sprint(r.IntN(10)) + "Z"
	}
	c["@context"] = []any{"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", map[string]any{"t": "https://tidewaiter.org/ns/"}}
	r.value(c, "", "")
	return r.b.String()
}

// However an event is spelt, it is the same; and so is its name.
func TestDigestDoesNotDependOnSpelling(t *testing.T) {
	for _, raw := range []string{rich, shipping, aggregationEvent, associationEvent} {
		want, name, v := digestOf(t, raw), hashOf(t, raw), decoded(t, raw)
		rapid.Check(t, func(rt *rapid.T) {
			other := respell(rapid.Uint64().Draw(rt, "seed"), v)
			if digestOf(t, other) != want {
				rt.Fatalf("another digest: %s", other)
			}
			if hashOf(t, other) != name {
				rt.Fatalf("another event hash: %s", other)
			}
		})
	}
}

// leaves calls fn with every value below v that holds no other, and how to put another in its place.
func leaves(v any, at string, set func(any), fn func(at string, v any, set func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			leaves(v[name], at+"/"+name, func(other any) { v[name] = other }, fn)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i := range v {
			leaves(v[i], fmt.Sprint(at, "/", i), func(other any) { v[i] = other }, fn)
		}
		if len(v) > 0 {
			return
		}
	}
	fn(at, v, set)
}

// Whatever is changed in an event, it is another one.
func TestDigestDependsOnEveryValue(t *testing.T) {
	want := digestOf(t, rich)
	others := []any{"https://id.gs1.org/414/9521234500018/254/X", "https://example.com/z", "receiving", "stolen", "inv", "location", "did_not_occur", "OBSERVE", "2025-03-14T09:30:00.2500000001Z",
		"-02:00", "C6", "y", "Humidity", "RelativeHumidity", "ERROR_CONDITION", "0e", "other", true, false, 17.0, nil, map[string]any{"tw:q": 1.0}, []any{}, "urn:x:other"}
	n := 0
	v := decoded(t, rich)
	leaves(v, "", nil, func(at string, leaf any, set func(any)) {
		if at == "/type" {
			return // other types have other members
		}
		changed := 0
		for _, other := range others {
			set(other)
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			set(leaf)
			ev, err := epcis.ParseEvent(raw, nil)
			if err != nil {
				continue
			}
			changed++
			if got, err := epcis.Digest(ev, nil); err != nil || (got == want) != (fmt.Sprint(other) == fmt.Sprint(leaf)) {
				t.Errorf("%s: %v instead of %v: the same digest (%v)", at, other, leaf, err)
			}
		}
		if n++; changed == 0 && at != "/action" {
			t.Errorf("%s: nothing that was tried is valid there, so nothing is shown", at)
		}
	})
	if n < 70 {
		t.Errorf("%d leaves", n)
	}
}

// With two events of a row, whoever mistook one for the other would lose one of them.
func TestDigestTellsApart(t *testing.T) {
	for _, test := range [][2]string{
		{`"tw:a":12345678901234567890`, `"tw:a":12345678901234567891`},
		{`"tw:a":"12345678901234567890"`, `"tw:a":"12345678901234567891"`},
		{`"tw:a":0.1`, `"tw:a":0.10000000000000000001`},
		{`"tw:a":1e400`, `"tw:a":1e401`},
		{`"tw:a":1e99999999999999999999`, `"tw:a":1e99999999999999999998`},
		{`"tw:a":-1`, `"tw:a":1`},
		{`"tw:a":"0324622030567"`, `"tw:a":"324622030567"`},
		{`"tw:a":"1","tw:b":"x"`, `"tw:a":"1{https://tidewaiter.org/ns/}b=x"`},
		{`"tw:a":"1","tw:b":"2"`, `"tw:a":"2","tw:b":"1"`},
		{`"tw:a":"x","tw:bc":"y"`, `"tw:ab":"x","tw:c":"y"`},
		{`"tw:a":"x y"`, `"tw:a":"x  y"`}, {`"tw:a":"x"`, `"tw:a":"x "`}, {`"tw:a":"x"`, `"tw:a":"X"`},
		{`"tw:a":"ä"`, `"tw:a":"a\u0308"`},
		{`"tw:a":1`, `"tw:a":"1"`}, {`"tw:a":true`, `"tw:a":"true"`}, {`"tw:a":null`, `"tw:a":"null"`}, {`"tw:a":null`, `"tw:a":""`},
		{`"tw:a":null`, `"tw:b":null`}, {`"tw:a":0`, `"tw:a":false`}, {`"tw:a":[]`, `"tw:a":{}`},
		{`"tw:a":"x"`, `"tw:a":["x"]`}, {`"tw:a":["x"]`, `"tw:a":[["x"]]`}, {`"tw:a":["x","y"]`, `"tw:a":["y","x"]`}, {`"tw:a":["x","x"]`, `"tw:a":["x"]`},
		{`"tw:a":["x",["y"]]`, `"tw:a":[["x"],"y"]`}, {`"tw:a":[[],[]]`, `"tw:a":[[[]]]`}, {`"tw:a":["xy"]`, `"tw:a":["x","y"]`},
		{`"tw:a":{"b":1},"tw:c":2`, `"tw:a":{"b":1,"tw:c":2}`}, {`"tw:a":{"b":{}},"tw:c":{}`, `"tw:a":{},"tw:c":{"b":{}}`},
		{`"tw:a":{"b":"x"}`, `"tw:a":{"tw:b":"x"}`},
		{`"tw:a":"2025-03-14T09:30:00Z"`, `"tw:a":"2025-03-14T09:30:00+00:00"`}, {`"tw:a":"shipping"`, `"tw:a":"https://ref.gs1.org/cbv/BizStep-shipping"`},
		{`"tw:a":{"id":"https://id.gs1.org/01/09521234500018/21/7"}`, `"tw:a":{"id":"urn:epc:id:sgtin:9521234.050001.7"}`},
		{`"tw:a":{"eventTime":"2025-03-14T09:30:00Z"}`, `"tw:a":{"eventTime":"2025-03-14T10:30:00+01:00"}`},
		{`"tw:a":{"recordTime":1}`, `"tw:a":{"recordTime":2}`}, {`"tw:a":{"@context":1}`, `"tw:a":{}`},
		{`"tw:action":"OBSERVE"`, `"tw:a":"OBSERVE"`}, {`"tw:a":1`, `"tw:A":1`}, {`"tw:a":"\\"`, `"tw:a":"\\\\"`}, {`"tw:a":"\"","tw:b":1`, `"tw:a":"\",\"tw:b\":1"`},
		{`"bizStep":"shipping"`, `"disposition":"https://ref.gs1.org/cbv/BizStep-shipping"`},
		{`"bizStep":"shipping"`, `"tw:bizStep":"shipping"`}, {`"bizStep":"shipping"`, `"epcis:bizStep":"shipping"`},
		{`"bizLocation":{"id":"urn:x:1"}`, `"readPoint":{"id":"urn:x:1"}`},
		{`"sourceList":[{"type":"location","source":"urn:x:1"}]`, `"destinationList":[{"type":"location","destination":"urn:x:1"}]`},
		{`"sourceList":[{"type":"location","source":"urn:x:1"},{"type":"owning_party","source":"urn:x:2"}]`, `"sourceList":[{"type":"location","source":"urn:x:2"},{"type":"owning_party","source":"urn:x:1"}]`},
		{`"quantityList":[{"epcClass":"urn:x:1","quantity":5}]`, `"quantityList":[{"epcClass":"urn:x:1","quantity":5},{"epcClass":"urn:x:1","quantity":5}]`},
		{`"quantityList":[{"epcClass":"urn:x:1"}]`, `"quantityList":[{"epcClass":"urn:x:1","quantity":0}]`},
		{`"quantityList":[{"epcClass":"urn:x:1","quantity":12345678901234567890}]`, `"quantityList":[{"epcClass":"urn:x:1","quantity":12345678901234567891}]`},
		{`"quantityList":[]`, `"tw:a":[]`}, {`"quantityList":[]`, `"sourceList":[]`},
		{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z"}`, `"tw:a":1`},
		{`"recordTime":"2025-03-14T09:30:00Z","errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z"}`, `"recordTime":"2025-03-14T09:30:00Z"`},
		{`"eventID":"urn:uuid:1"`, `"eventID":"urn:uuid:2"`}, {`"eventID":"urn:uuid:1"`, `"tw:x":"urn:uuid:1"`},
		{`"persistentDisposition":{"set":["active"]}`, `"persistentDisposition":{"unset":["active"]}`},
		{`"sensorElementList":[{"sensorReport":[{"type":"Speed"}]},{"sensorReport":[{"type":"Speed"}]}]`, `"sensorElementList":[{"sensorReport":[{"type":"Speed"},{"type":"Speed"}]}]`},
	} {
		if digestOf(t, with(objectEvent, test[0])) == digestOf(t, with(objectEvent, test[1])) {
			t.Errorf("the same digest: %s and %s", test[0], test[1])
		}
	}
	for _, test := range [][2]string{
		{`"eventTimeZoneOffset":"+01:00"`, `"eventTimeZoneOffset":"+02:00"`}, {`"2025-03-14T09:30:00Z"`, `"2025-03-14T09:30:00.0000000001Z"`}, {`"OBSERVE"`, `"DELETE"`},
		{`/21/7`, `/21/07`}, {`/21/7`, `/10/7`}, {`"ObjectEvent"`, `"https://example.com/ObjectEvent"`},
	} {
		if digestOf(t, objectEvent) == digestOf(t, strings.Replace(objectEvent, test[0], test[1], 1)) {
			t.Errorf("the same digest: %s and %s", test[0], test[1])
		}
	}
}

func TestDigestTakesForTheSame(t *testing.T) {
	for _, test := range [][2]string{
		{`"tw:a":1`, `"tw:a":1.0`}, {`"tw:a":100`, `"tw:a":1E+2`}, {`"tw:a":0`, `"tw:a":-0.00e5`}, {`"tw:a":0.5`, `"tw:a":5e-1`}, {`"tw:a":12345678901234567890`, `"tw:a":1234567890123456789.0e1`},
		{`"tw:a":"\u00e4\/"`, `"tw:a":"ä/"`}, {`"tw:a":{"b":1,"c":2}`, `"tw:a":{"c":2,"b":1}`},
		{`"certificationInfo":"urn:x:1"`, `"certificationInfo":["urn:x:1"]`},
		{`"persistentDisposition":{"set":["active","stolen"]}`, `"persistentDisposition":{"set":["stolen","cbv:Disp-active","active"]}`},
		{`"persistentDisposition":{"unset":["active"]}`, `"persistentDisposition":{"unset":["active","cbv:Disp-active"]}`},
		{`"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"}]`, `"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"},{"bizTransaction":"urn:x:1","type":"po"}]`},
		{`"recordTime":"2025-03-14T09:30:00Z"`, `"@context":{"tw":"https://tidewaiter.org/ns/"}`},
		{`"@context":{"n":"https://example.com/a"},"n":1`, `"https://example.com/a":1`},
		{`"@context":{"e":"https://example.com/"},"tw:a":{"e:b":1}`, `"tw:a":{"https://example.com/b":1}`},
		{`"tw:a":1`, `"\u0074w:a":1`}, {`"\u0040context":{"q":"https://tidewaiter.org/ns/"},"q:a":1`, `"tw:a":1`},
	} {
		if digestOf(t, with(objectEvent, test[0])) != digestOf(t, with(objectEvent, test[1])) {
			t.Errorf("two digests: %s and %s", test[0], test[1])
		}
	}
}

// An event that was put together by hand is looked at before it is read; nothing that is no JSON gets a digest or a name.
func TestDigestOfWhatIsNoEvent(t *testing.T) {
	for _, raw := range []string{"", "{", `{"a":1,"a":2}`, "{}x", "\"\\", "\x00", `{"a":"\xff"}`, `{"@context":5}`} {
		ev := &epcis.Event{Type: epcis.ObjectEvent, Raw: jsontext.Value(raw)}
		if _, err := epcis.Digest(ev, nil); err == nil {
			t.Errorf("%q has a digest", raw)
		}
		if _, err := epcis.Hash(ev, nil); err == nil {
			t.Errorf("%q has a name", raw)
		}
	}
}

// A short prefix that stands for a long name, a hundred thousand times: refused, not worked out.
func TestNamesThatGrow(t *testing.T) {
	context := `"@context":{"l":"https://example.com/` + strings.Repeat("x", 2000) + `/"}`
	ids := `"childEPCs":["l:0"` + strings.Repeat(`,"l:1"`, 100_000) + `]`
	_, err := epcis.ParseEvent(jsontext.Value(with(strings.Replace(aggregationEvent, `"childEPCs":["`+unit7+`"]`, context, 1), ids)), nil)
	const want = "is too long when its names are written in full: write fewer of them with prefixes that stand for so much"
	checkError(t, err, want)
	fields := `"tw:a":[{"l:x":0}` + strings.Repeat(`,{"l:x":0}`, 100_000) + `]`
	ev := event(t, with(objectEvent, context, fields))
	_, err = epcis.Digest(ev, nil)
	checkError(t, err, want)
	_, err = epcis.Hash(ev, nil)
	checkError(t, err, want)
	_, err = epcis.ParseContext(jsontext.Value(`{"l":"https://example.com/` + strings.Repeat("x", 2048) + `/"}`))
	checkError(t, err, "/@context defines “l” to stand for more than 2048 characters")
}
