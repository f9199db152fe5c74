package epcis_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/epcis"
)

const (
	unit7 = "https://id.gs1.org/01/09521234500018/21/7"
	place = "https://id.gs1.org/414/9521234500018"
)

// refused are members that make an event invalid: beside an ObjectEvent, or in place of its own.
var refused = []struct{ member, want string }{
	// names
	{`"payer":"x"`, "/payer is no member of an event, and bears no prefix that says whose it is, such as tw:"},
	{`"@type":"x"`, "/@type is no member of an event, and bears no prefix that says whose it is, such as tw:"},
	{`"":1`, "/ is no member of an event, and bears no prefix that says whose it is, such as tw:"},
	{`"parentID":"urn:x:1"`, "/parentID may not stand in a ObjectEvent"},
	{`"childEPCs":[]`, "/childEPCs may not stand in a ObjectEvent"},
	{`"transformationID":"urn:x:1"`, "/transformationID may not stand in a ObjectEvent"},
	{`"action":"OBSERVE"`, "/action is there twice: two readers could each believe another of the two"},
	{`"tw:a":{"b":1,"b":2}`, "/tw:a/b is there twice: two readers could each believe another of the two"},
	{`"tw:a":1,"https://tidewaiter.org/ns/a":2`, "/https:~1~1tidewaiter.org~1ns~1a is there twice, with another prefix: both mean “https://tidewaiter.org/ns/a”"},
	{"\"tw:a\":\"\xff\"", "/tw:a is not valid UTF-8: save the file as UTF-8"},
	{`"tw:a":` + strings.Repeat("[", 65) + strings.Repeat("]", 65), "/tw:a is nested deeper than 64 levels"},
	{`"tw:a":tru`, `/tw:a is not JSON: invalid character ',' in literal true (expecting 'e')`},
	// times
	{`"recordTime":null`, "/recordTime must be a string, not null"},
	{`"recordTime":"yesterday"`, "/recordTime is “yesterday”" + noTime},
	{`"recordTime":"2025-03-14T09:30:00"`, "/recordTime is “2025-03-14T09:30:00”" + noTime},
	{`"recordTime":"2025-03-14 09:30:00Z"`, "/recordTime is “2025-03-14 09:30:00Z”" + noTime},
	{`"recordTime":"2025-03-14T09:30:00,5Z"`, "/recordTime is “2025-03-14T09:30:00,5Z”" + noTime},
	{`"recordTime":"2025-03-14T09:30:00.Z"`, "/recordTime is “2025-03-14T09:30:00.Z”" + noTime},
	{`"recordTime":"2025-03-14T9:30:00Z"`, "/recordTime is “2025-03-14T9:30:00Z”" + noTime},
	{`"recordTime":"2025-02-29T09:30:00Z"`, "/recordTime is “2025-02-29T09:30:00Z”" + noTime},
	{`"recordTime":"2025-04-31T09:30:00Z"`, "/recordTime is “2025-04-31T09:30:00Z”" + noTime},
	{`"recordTime":"2025-13-01T09:30:00Z"`, "/recordTime is “2025-13-01T09:30:00Z”" + noTime},
	{`"recordTime":"2025-03-14T24:00:00Z"`, "/recordTime is “2025-03-14T24:00:00Z”" + noTime},
	{`"recordTime":"2025-03-14T09:60:00Z"`, "/recordTime is “2025-03-14T09:60:00Z”" + noTime},
	{`"recordTime":"2025-03-14T09:30:60Z"`, "/recordTime is “2025-03-14T09:30:60Z”" + noTime},
	{`"recordTime":"2025-03-14T09:30:00+0100"`, "/recordTime is “2025-03-14T09:30:00+0100”" + noTime},
	{`"recordTime":"2025-03-14T09:30:00+24:00"`, "/recordTime is “2025-03-14T09:30:00+24:00”" + noTime},
	{`"recordTime":"+2025-03-14T09:30:00Z"`, "/recordTime is “+2025-03-14T09:30:00Z”" + noTime},
	{`"recordTime":"10000-03-14T09:30:00Z"`, "/recordTime is “10000-03-14T09:30:00Z”" + noTime},
	{`"recordTime":"9999-12-31T23:30:00-01:00"`, "/recordTime is “9999-12-31T23:30:00-01:00”" + noTime},
	{`"recordTime":"0000-01-01T00:30:00+01:00"`, "/recordTime is “0000-01-01T00:30:00+01:00”" + noTime},
	{`"eventTimeZoneOffset":"Z"`, "/eventTimeZoneOffset is “Z”; it must be an offset such as +01:00"},
	{`"eventTimeZoneOffset":"1:00"`, "/eventTimeZoneOffset is “1:00”; it must be an offset such as +01:00"},
	{`"eventTimeZoneOffset":"+14:01"`, "/eventTimeZoneOffset is “+14:01”; it must be an offset such as +01:00"},
	{`"eventTimeZoneOffset":"+01:60"`, "/eventTimeZoneOffset is “+01:60”; it must be an offset such as +01:00"},
	// words
	{`"action":"add"`, "/action is “add”; it must be ADD, OBSERVE or DELETE"},
	{`"action":["ADD"]`, "/action must be a string, not an array"},
	{`"bizStep":"shiping"`, "/bizStep is “shiping”, which is no business step of the CBV and no URI of somebody's own; did you mean shipping?"},
	{`"bizStep":"Shipping"`, "/bizStep is “Shipping”, which is no business step of the CBV and no URI of somebody's own; did you mean shipping?"},
	{`"bizStep":"selling"`, "/bizStep is “selling”, which is no business step of the CBV and no URI of somebody's own; did you mean killing?"},
	{`"bizStep":"qwertyuiop"`, "/bizStep is “qwertyuiop”, which is no business step of the CBV and no URI of somebody's own"},
	{`"bizStep":"in_transit"`, "/bizStep is “in_transit”, which is no business step of the CBV and no URI of somebody's own"},
	{`"bizStep":"https://ref.gs1.org/cbv/BizStep-shiping"`, "/bizStep is “https://ref.gs1.org/cbv/BizStep-shiping”, which is no business step of the CBV and no URI of somebody's own; did you mean shipping?"},
	{`"bizStep":"urn:epcglobal:cbv:bizstep:shiping"`, "/bizStep is “urn:epcglobal:cbv:bizstep:shiping”, which is no business step of the CBV and no URI of somebody's own; did you mean shipping?"},
	{`"bizStep":"https://ns.gs1.org/cbv/BizStep-ship"`, "/bizStep is “https://ns.gs1.org/cbv/BizStep-ship”, which is no business step of the CBV and no URI of somebody's own"},
	{`"bizStep":"cbv:BizStep-ship"`, "/bizStep is “cbv:BizStep-ship”, which is no business step of the CBV and no URI of somebody's own"},
	{`"bizStep":"urn:epcglobal:cbv:disp:active"`, "/bizStep is “urn:epcglobal:cbv:disp:active”, which is no business step of the CBV and no URI of somebody's own"},
	{`"bizStep":{"id":"shipping"}`, "/bizStep must be a string, not an object"},
	{`"disposition":"intransit"`, "/disposition is “intransit”, which is no disposition of the CBV and no URI of somebody's own; did you mean in_transit?"},
	{`"persistentDisposition":{}`, "/persistentDisposition must have set or unset"},
	{`"persistentDisposition":{"set":[]}`, "/persistentDisposition/set must name at least one disposition"},
	{`"persistentDisposition":{"set":"stolen"}`, "/persistentDisposition/set must be an array, not a string"},
	{`"persistentDisposition":{"set":["stolen","stolen"]}`, "/persistentDisposition/set/1 repeats “stolen”, which the list holds already"},
	{`"persistentDisposition":{"unset":["stole"]}`, "/persistentDisposition/unset/0 is “stole”, which is no disposition of the CBV and no URI of somebody's own; did you mean stolen?"},
	{`"persistentDisposition":{"set":["stolen"],"tw:x":1}`, "/persistentDisposition/tw:x is not known here: a persistent disposition has set and unset"},
	// identifiers
	{`"epcList":"` + unit7 + `"`, "/epcList must be an array, not a string"},
	{`"epcList":["7"]`, "/epcList/0 is “7”: not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own"},
	{`"epcList":["urn:x:1",7]`, "/epcList/1 must be a string, not a number"},
	{`"epcList":["urn:x:1","urn:x:2","urn:x:1"]`, "/epcList/2 repeats “urn:x:1”, which the list holds already"},
	{`"epcList":["https://id.gs1.org/01/09521234500018/21/7","urn:epc:id:sgtin:9521234.050001.7","urn:epc:id:sgtin:9521234.050001.7"]`,
		"/epcList/2 repeats “urn:epc:id:sgtin:9521234.050001.7”, which the list holds already"},
	{`"epcList":["urn:epc:id:sgtin:9521234.050001"]`, "/epcList/0 is “urn:epc:id:sgtin:9521234.050001”: sgtin \"9521234.050001\" has 2 parts; it must have 3, parted by dots"},
	{`"epcList":["https://id.gs1.org/01/09521234500011/21/7"]`,
		"/epcList/0 is “https://id.gs1.org/01/09521234500011/21/7”: GTIN (01) \"09521234500011\" has the check digit 1 at position 14, and its other digits need 8; compare with the label: one of them was misread"},
	{`"epcList":["https://example.com/a b"]`, "/epcList/0 is “https://example.com/a b”: not a URI: ' ' at position 22 may not stand there; write %20"},
	{`"eventID":"7"`, "/eventID is “7”, which is no absolute URI"},
	{`"eventID":"urn:x:%zz"`, "/eventID is “urn:x:%zz”, which is no absolute URI"},
	{`"eventID":"urn:"`, "/eventID is “urn:”, which is no absolute URI"},
	{`"eventID":"4u:x"`, "/eventID is “4u:x”, which is no absolute URI"},
	{`"certificationInfo":"none"`, "/certificationInfo is “none”, which is no absolute URI"},
	{`"certificationInfo":["urn:x:1","none"]`, "/certificationInfo/1 is “none”, which is no absolute URI"},
	{`"readPoint":"` + place + `"`, "/readPoint must be an object, not a string"},
	{`"readPoint":{}`, "/readPoint/id is missing"},
	{`"bizLocation":{"id":"here"}`, "/bizLocation/id is “here”: not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own"},
	// lists
	{`"quantityList":{}`, "/quantityList must be an array, not an object"},
	{`"quantityList":[7]`, "/quantityList/0 must be an object, not a number"},
	{`"quantityList":[{"quantity":7}]`, "/quantityList/0/epcClass is missing"},
	{`"quantityList":[{"epcClass":"urn:x:c","quantity":"7"}]`, "/quantityList/0/quantity must be a number, not a string"},
	{`"quantityList":[{"epcClass":"urn:x:c","quantity":1e999}]`, "/quantityList/0/quantity is “1e999”, which is out of range"},
	{`"quantityList":[{"epcClass":"urn:x:c","uom":"kg"}]`, "/quantityList/0/uom is “kg”; it must be a code of UN/ECE Recommendation 20, such as KGM"},
	{`"quantityList":[{"epcClass":"urn:x:c","tw:x":1}]`, "/quantityList/0/tw:x is not known here: a quantity has epcClass, quantity and uom"},
	{`"bizTransactionList":[{"type":"po"}]`, "/bizTransactionList/0/bizTransaction is missing"},
	{`"bizTransactionList":[{"type":"PO","bizTransaction":"urn:x:1"}]`, "/bizTransactionList/0/type is “PO”, which is no business transaction type of the CBV and no URI of somebody's own; did you mean po?"},
	{`"bizTransactionList":[{"type":"po","bizTransaction":"7"}]`, "/bizTransactionList/0/bizTransaction is “7”: not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own"},
	{`"sourceList":[{"source":"urn:x:1"}]`, "/sourceList/0/type is missing"},
	{`"sourceList":[{"type":"owning_party","destination":"urn:x:1"}]`, "/sourceList/0/destination is not known here: an entry has type and source"},
	{`"destinationList":[{"type":"owning_party","destination":"urn:x:1"},{"type":"owner","destination":"urn:x:1"}]`,
		"/destinationList/1/type is “owner”, which is no source or destination type of the CBV and no URI of somebody's own"},
	{`"destinationList":[{"type":"location"}]`, "/destinationList/0/destination is missing"},
	// error declarations
	{`"errorDeclaration":{}`, "/errorDeclaration/declarationTime is missing"},
	{`"errorDeclaration":{"declarationTime":"now"}`, "/errorDeclaration/declarationTime is “now”" + noTime},
	{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z","reason":"did_not_occurr"}`,
		"/errorDeclaration/reason is “did_not_occurr”, which is no error reason of the CBV and no URI of somebody's own; did you mean did_not_occur?"},
	{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z","reason":"did_not_occur","correctiveEventIDs":["urn:x:1"]}`,
		"/errorDeclaration/correctiveEventIDs may not stand beside did_not_occur: what did not occur is not corrected (CBV 2.0 §7.5)"},
	{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z","correctiveEventIDs":["1"]}`, "/errorDeclaration/correctiveEventIDs/0 is “1”, which is no absolute URI"},
	{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z","by":"me"}`, "/errorDeclaration/by is not known here, and bears no prefix that says whose it is"},
	// ILMD
	{`"ilmd":{"tw:a":1}`, "/ilmd may stand only where action is ADD (EPCIS 2.0 §7.4.2)"},
	{`"ilmd":{"a":1},"action":"ADD"`, "/ilmd/a must bear a prefix that says whose it is, or be a URI"},
	{`"ilmd":[],"action":"ADD"`, "/ilmd must be an object, not an array"},
	// sensors
	{`"sensorElementList":[{}]`, "/sensorElementList/0/sensorReport is missing, or empty"},
	{`"sensorElementList":[{"sensorReport":[]}]`, "/sensorElementList/0/sensorReport is missing, or empty"},
	{`"sensorElementList":[{"sensorReport":[{"value":1}]}]`, "/sensorElementList/0/sensorReport/0/type is missing"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperatur"}]}]`,
		"/sensorElementList/0/sensorReport/0/type is “Temperatur”, which is no measurement type of the CBV and no URI of somebody's own; did you mean Temperature?"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":"1"}]}]`, "/sensorElementList/0/sensorReport/0/value must be a number, not a string"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","booleanValue":"true"}]}]`, "/sensorElementList/0/sensorReport/0/booleanValue must be true or false, not a string"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","hexBinaryValue":"0x1"}]}]`, "/sensorElementList/0/sensorReport/0/hexBinaryValue is “0x1”; it must be hexadecimal"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","exception":"ALARM"}]}]`,
		"/sensorElementList/0/sensorReport/0/exception is “ALARM”, which is no sensor alert of the CBV and no URI of somebody's own"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","component":"X"}]}]`,
		"/sensorElementList/0/sensorReport/0/component is “X”, which is no component of the CBV and no URI of somebody's own; did you mean x?"},
	{`"sensorElementList":[{"sensorReport":[{"type":"Temperature","sensor":1}]}]`, "/sensorElementList/0/sensorReport/0/sensor is not known here, and bears no prefix that says whose it is"},
	{`"sensorElementList":[{"sensorMetadata":{"time":"now"},"sensorReport":[{"type":"Temperature"}]}]`, "/sensorElementList/0/sensorMetadata/time is “now”" + noTime},
	{`"sensorElementList":[{"sensorMetadata":[],"sensorReport":[{"type":"Temperature"}]}]`, "/sensorElementList/0/sensorMetadata must be an object, not an array"},
	{`"sensorElementList":[{"sensorReport":{"type":"Temperature"}}]`, "/sensorElementList/0/sensorReport must be an array, not an object"},
	// contexts
	{`"@context":{"a":"https://example.com/"},"a:b":{"b":1}`, ""},
	{`"@context":"context.jsonld"`, "/@context names “context.jsonld”, which is no absolute URI"},
	{`"@context":[null]`, "/@context must be an address, an object, or an array of these, and holds null"},
	{`"@context":{"a":"b:","b":"a:"}`, "/@context defines “a” by itself, round a circle"},
}

const noTime = ", which is no date and time with an offset, such as 2025-03-14T09:30:00.000+01:00 (RFC 3339)"

func TestWhatIsRefused(t *testing.T) {
	for _, test := range refused {
		t.Run(test.member, func(t *testing.T) {
			raw := objectEvent
			name := test.member[:strings.IndexByte(test.member[1:], '"')+2]
			if strings.Contains(raw, name+":") && !strings.Contains(test.want, "is there twice") { // in its place
				from := strings.Index(raw, name+":")
				to := from + strings.IndexAny(raw[from:], ",")
				if name == `"epcList"` {
					to = len(raw) - 1
				}
				raw = strings.Replace(raw[:from]+raw[min(to+1, len(raw)-1):], ",}", "}", 1)
			}
			if strings.Contains(test.member, `"action":"ADD"`) {
				raw = strings.Replace(raw, `"action":"OBSERVE",`, "", 1)
			}
			raw = with(raw, test.member, `"tw:last":1`)
			_, err := epcis.ParseEvent(jsontext.Value(raw), nil)
			checkError(t, err, test.want)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	var e *epcis.Error
	switch {
	case err == nil && want == "":
	case err == nil:
		t.Errorf("accepted; want %s", want)
	case err.Error() != want:
		t.Errorf("\n got %s\nwant %s", err, want)
	case !errors.As(err, &e):
		t.Errorf("%v is no *Error", err)
	}
}

func TestWhatATypeNeeds(t *testing.T) {
	sensors := `"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":26.0,"uom":"CEL"}]}]`
	readPoint := `"readPoint":{"id":"geo:52,4"}`
	drop := func(ev string, members ...string) string {
		for _, m := range members {
			ev = without(t, ev, m)
		}
		return ev
	}
	epcs, parent := `"epcList":["`+unit7+`"]`, `"parentID":"https://id.gs1.org/00/395212340000000014"`
	rack, child := `"parentID":"https://id.gs1.org/8004/9521234RACK12"`, `"childEPCs":["`+unit7+`"]`
	inputs, outputs := `"inputEPCList":["`+unit7+`"]`, `"outputEPCList":["https://id.gs1.org/01/09521234500018/21/8"]`
	po := `"bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000006:PO-1"}]`
	action := func(ev, a string) string { return strings.Replace(ev, `"action":"ADD"`, `"action":"`+a+`"`, 1) }
	for _, test := range []struct{ name, raw, want string }{
		{"all types", objectEvent, ""}, {"", aggregationEvent, ""}, {"", associationEvent, ""}, {"", transactionEvent, ""}, {"", transformationEvent, ""},
		{"no object", `[]`, "must be an object, not an array"}, {"nothing", ``, "must be an object, not nothing"}, {"two", objectEvent + objectEvent, "is followed by something else"},
		{"cut", objectEvent[:90], "is not JSON: unexpected EOF"},
		{"no type", drop(objectEvent, `"type":"ObjectEvent"`), "/type is missing"},
		{"no time", drop(objectEvent, `"eventTime":"2025-03-14T09:30:00Z"`), "/eventTime is missing"},
		{"no offset", drop(objectEvent, `"eventTimeZoneOffset":"+01:00"`), "/eventTimeZoneOffset is missing"},
		{"no action", drop(objectEvent, `"action":"OBSERVE"`), "/action is missing"},
		{"type is no string", strings.Replace(objectEvent, `"ObjectEvent"`, `5`, 1), "/type must be a string, not a number"},
		{"unknown type", strings.Replace(objectEvent, "ObjectEvent", "ShippingEvent", 1), "/type is “ShippingEvent”, which is no type of event: it must be ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent, or a URI"},
		{"object without things", drop(objectEvent, epcs), "says nothing of what it is about: it needs epcList or quantityList, or sensorElementList with readPoint"},
		{"an empty list of things", strings.Replace(objectEvent, `"`+unit7+`"`, "", 1), ""},
		{"quantities", with(drop(objectEvent, epcs), `"quantityList":[{"epcClass":"urn:x:c","quantity":2}]`), ""},
		{"no quantities", with(drop(objectEvent, epcs), `"quantityList":[]`), "says nothing of what it is about: it needs epcList or quantityList, or sensorElementList with readPoint"},
		{"sensors", with(drop(objectEvent, epcs), sensors, readPoint), ""},
		{"sensors nowhere", with(drop(objectEvent, epcs), sensors), "says nothing of what it is about: it needs epcList or quantityList, or sensorElementList with readPoint"},
		{"ILMD", with(action(strings.Replace(objectEvent, "OBSERVE", "ADD", 1), "ADD"), `"ilmd":{"cbvmda:lotNumber":"A"}`), ""},
		{"packed into nothing", drop(aggregationEvent, parent), "/parentID is missing: nothing can be added to a parent, or taken from it, that is not named (EPCIS 2.0 §7.4.3)"},
		{"seen together", action(drop(aggregationEvent, parent), "OBSERVE"), ""},
		{"empty parcel", drop(aggregationEvent, child), "names no children: it needs childEPCs or childQuantityList"},
		{"all out", action(drop(aggregationEvent, child), "DELETE"), ""},
		{"parcel of quantities", with(drop(aggregationEvent, child), `"childQuantityList":[{"epcClass":"urn:x:c"}]`), ""},
		{"aggregation with ILMD", with(aggregationEvent, `"ilmd":{}`), "/ilmd may not stand in a AggregationEvent"},
		{"built into nothing", action(drop(associationEvent, rack), "OBSERVE"), "/parentID is missing"},
		{"nothing built in", action(drop(associationEvent, child), "OBSERVE"), "names no children: it needs childEPCs or childQuantityList"},
		{"taken apart", action(drop(associationEvent, child), "DELETE"), ""},
		{"association with a list", with(associationEvent, `"epcList":[]`), "/epcList may not stand in a AssociationEvent"},
		{"no transaction", drop(transactionEvent, po), "/bizTransactionList must name at least one transaction"},
		{"transaction of nothing", drop(transactionEvent, epcs), "says nothing of what it is about: it needs epcList or quantityList"},
		{"transaction that ends", action(drop(transactionEvent, epcs), "DELETE"), ""},
		{"a thing twice in a transaction", strings.Replace(transactionEvent, `["`+unit7+`"]`, `["`+unit7+`","`+unit7+`"]`, 1), ""},
		{"persistent disposition of a transaction", with(transactionEvent, `"persistentDisposition":{"set":["stolen"]}`), "/persistentDisposition may not stand in a TransactionEvent"},
		{"nothing out", drop(transformationEvent, outputs), "needs inputs and outputs, or one of them and a transformationID"},
		{"nothing in", drop(transformationEvent, inputs), "needs inputs and outputs, or one of them and a transformationID"},
		{"nothing out yet", with(drop(transformationEvent, outputs), `"transformationID":"urn:x:t"`), ""},
		{"nothing at all", with(drop(transformationEvent, inputs, outputs), `"transformationID":"urn:x:t"`), "has neither inputs nor outputs"},
		{"quantities made", with(drop(transformationEvent, outputs), `"outputQuantityList":[{"epcClass":"urn:x:c","quantity":1.5,"uom":"KGM"}]`, `"ilmd":{"tw:a":1}`), ""},
		{"transformation with action", with(transformationEvent, `"action":"ADD"`), "/action may not stand in a TransformationEvent"},
		{"own type", `{"type":"https://example.com/Seen","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","by":1}`, ""},
		{"own type behind its members", `{"by":{"a":1},"eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","type":"example:Seen"}`, ""},
		{"own type without time", `{"type":"example:Seen"}`, "/eventTime is missing"},
		{"own type with a bad word", `{"type":"example:Seen","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","bizStep":"x"}`,
			"/bizStep is “x”, which is no business step of the CBV and no URI of somebody's own"},
		{"standard type by its URI", strings.Replace(drop(objectEvent, epcs), "ObjectEvent", "https://ref.gs1.org/epcis/ObjectEvent", 1), "says nothing of what it is about: it needs epcList or quantityList, or sensorElementList with readPoint"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := epcis.ParseEvent(jsontext.Value(test.raw), nil)
			checkError(t, err, test.want)
		})
	}
}

func TestTimesAreInstants(t *testing.T) {
	for written, want := range map[string]time.Time{
		"2025-03-14T09:30:00Z":                 time.Date(2025, 3, 14, 9, 30, 0, 0, time.UTC),
		"2025-03-14t09:30:00z":                 time.Date(2025, 3, 14, 9, 30, 0, 0, time.UTC),
		"2025-03-14T09:30:00.5+01:00":          time.Date(2025, 3, 14, 8, 30, 0, 500_000_000, time.UTC),
		"2025-03-14T09:30:00.1234567899-00:30": time.Date(2025, 3, 14, 10, 0, 0, 123456789, time.UTC),
		"2016-12-31T23:59:60Z":                 time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2017-01-01T00:59:60.5+01:00":          time.Date(2017, 1, 1, 0, 0, 0, 500_000_000, time.UTC),
		"2024-02-29T00:00:00+23:59":            time.Date(2024, 2, 28, 0, 1, 0, 0, time.UTC),
		"1969-07-20T20:17:40Z":                 time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC),
		"1969-12-31T23:59:59.5Z":               time.Date(1969, 12, 31, 23, 59, 59, 500_000_000, time.UTC),
		"0000-01-01T00:00:00Z":                 time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"0001-01-01T00:00:00Z":                 {},
		"9999-12-31T23:59:59.999999999Z":       time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		ev := event(t, with(strings.Replace(objectEvent, "2025-03-14T09:30:00Z", written, 1), `"errorDeclaration":{"declarationTime":"`+written+`"}`, `"recordTime":"`+written+`"`))
		for _, got := range []time.Time{ev.Time, ev.RecordTime, ev.ErrorDeclaration.Time} {
			if got != want.UTC() {
				t.Errorf("%s is %v, want %v", written, got, want)
			}
		}
		if ev.TimeZoneOffset != "+01:00" {
			t.Errorf("offset %s", ev.TimeZoneOffset)
		}
	}
}

// One row a vocabulary: where a word of it stands, and its prefixes.
var vocabularies = []struct {
	member, word, web, urn string
	got                    func(*epcis.Event) string
}{
	{`"bizStep":"%s"`, "shipping", "https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:bizstep:", func(e *epcis.Event) string { return e.BizStep }},
	{`"disposition":"%s"`, "in_transit", "https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", func(e *epcis.Event) string { return e.Disposition }},
	{`"persistentDisposition":{"set":["%s"]}`, "stolen", "https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", func(e *epcis.Event) string { return e.PersistentSet[0] }},
	{`"persistentDisposition":{"unset":["%s"]}`, "stolen", "https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", func(e *epcis.Event) string { return e.PersistentUnset[0] }},
	{`"bizTransactionList":[{"bizTransaction":"urn:x:1","type":"%s"}]`, "desadv", "https://ref.gs1.org/cbv/BTT-", "urn:epcglobal:cbv:btt:", func(e *epcis.Event) string { return e.Transactions[0].Type }},
	{`"sourceList":[{"source":"urn:x:1","type":"%s"}]`, "location", "https://ref.gs1.org/cbv/SDT-", "urn:epcglobal:cbv:sdt:", func(e *epcis.Event) string { return e.Sources[0].Type }},
	{`"destinationList":[{"destination":"urn:x:1","type":"%s"}]`, "owning_party", "https://ref.gs1.org/cbv/SDT-", "urn:epcglobal:cbv:sdt:", func(e *epcis.Event) string { return e.Destinations[0].Type }},
	{`"errorDeclaration":{"declarationTime":"2025-03-14T09:30:00Z","reason":"%s"}`, "incorrect_data", "https://ref.gs1.org/cbv/ER-", "urn:epcglobal:cbv:er:", func(e *epcis.Event) string { return e.ErrorDeclaration.Reason }},
}

func TestWordsInAllSpellings(t *testing.T) {
	for _, v := range vocabularies {
		local := strings.TrimPrefix(v.web, "https://ref.gs1.org/cbv/")
		for _, written := range []string{v.word, v.web + v.word, v.urn + v.word, "cbv:" + local + v.word, "https://ns.gs1.org/cbv/" + local + v.word, "mine:" + v.word, "my_word"} {
			context := `"@context":{"mine":"` + v.web + `","my_word":"mine:` + v.word + `"}`
			for _, raw := range []string{with(objectEvent, context, fmt.Sprintf(v.member, written)), with(objectEvent, fmt.Sprintf(v.member, written), context)} {
				if got := v.got(event(t, raw)); got != v.word {
					t.Errorf("%s is %q, want %q", written, got, v.word)
				}
			}
		}
		const own = "https://example.com/word"
		for _, written := range []string{own, "ex:word", "theirs"} {
			context := `"@context":["https://example.com/c.jsonld",{"ex":{"@id":"https://example.com/","@prefix":true}},{"theirs":{"@id":"ex:word","@type":"@vocab"}}]`
			if got := v.got(event(t, with(objectEvent, fmt.Sprintf(v.member, written), context))); got != own {
				t.Errorf("%s is %q, want %q", written, got, own)
			}
		}
	}
}

func TestSensorWords(t *testing.T) {
	for _, member := range []string{
		`"type":"Temperature"`, `"type":"gs1:Temperature"`, `"type":"https://gs1.org/voc/Temperature"`, `"type":"https://gs1.org/voc/Loudness"`, `"type":"urn:x:t"`,
		`"type":"Speed","exception":"gs1:ALARM_CONDITION"`, `"type":"Speed","component":"cbv:Comp-x"`, `"type":"Speed","component":"example:x"`,
		`"type":"Speed","value":-1.5e3,"minValue":0,"stringValue":"","booleanValue":false,"hexBinaryValue":"0Ff","uriValue":"urn:x:1","uom":"KMH","tw:x":[1]`,
	} {
		ev := event(t, with(objectEvent, `"sensorElementList":[{"sensorReport":[{`+member+`}],"tw:y":{}}]`))
		if !ev.HasSensorElements {
			t.Error(member)
		}
	}
}

func TestListsHoldAThingOnce(t *testing.T) {
	urn := "urn:epc:id:sgtin:9521234.050001."
	ev := event(t, `{"type":"TransactionEvent","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"-11:30","action":"OBSERVE",`+
		`"bizTransactionList":[{"bizTransaction":"urn:x:1"}],"epcList":["`+urn+`9","`+urn+`7","`+unit7+`","`+urn+`7","https://shop.example.com/01/09521234500018/21/9?a=b"],`+
		`"quantityList":[{"epcClass":"urn:epc:idpat:sgtin:9521234.050001.*","quantity":5,"uom":"KGM"},{"epcClass":"urn:epc:idpat:sgtin:9521234.050001.*","quantity":5,"uom":"KGM"}]}`)
	if diff := cmp.Diff([]string{"https://id.gs1.org/01/09521234500018/21/9", unit7}, ev.EPCs); diff != "" {
		t.Error(diff)
	}
	q := epcis.Quantity{Class: "https://id.gs1.org/01/09521234500018", Quantity: 5, UOM: "KGM"}
	if diff := cmp.Diff([]epcis.Quantity{q, q}, ev.Quantities); diff != "" {
		t.Error(diff) // twice five are ten
	}
}

// A million times the same thing is one thing, and is read in linear time.
func TestTheSameEPCAMillionTimes(t *testing.T) {
	list := `"childEPCs":[` + strings.Repeat(`"urn:x:1",`, 1_000_000) + `"urn:x:2"]`
	ev := event(t, strings.Replace(aggregationEvent, `"childEPCs":["`+unit7+`"]`, list, 1))
	if diff := cmp.Diff([]string{"urn:x:1", "urn:x:2"}, ev.ChildEPCs); diff != "" {
		t.Error(diff)
	}
	_, err := epcis.ParseEvent(jsontext.Value(strings.Replace(objectEvent, `"`+unit7+`"`, list[len(`"childEPCs":[`):len(list)-1], 1)), nil)
	checkError(t, err, "/epcList/1 repeats “urn:x:1”, which the list holds already")
}

func TestExtensionsHaveTheirFullNames(t *testing.T) {
	ev := event(t, with(strings.Replace(objectEvent, "OBSERVE", "ADD", 1), `"@context":{"ex":"https://example.com/ns#","payer":"tw:payer"}`,
		`"payer":"A"`, `"ex:b" : [ 1 ]`, `"urn:x:c":null`, `"tw:\u0064":{"x":"\u00e4"}`, `"ilmd":{"cbvmda:lotNumber":"7","ex:e":{}}`))
	want := epcis.Fields{"https://tidewaiter.org/ns/payer": jsontext.Value(`"A"`), "https://example.com/ns#b": jsontext.Value(`[ 1 ]`), "urn:x:c": jsontext.Value("null"),
		"https://tidewaiter.org/ns/d": jsontext.Value(`{"x":"\u00e4"}`)}
	if diff := cmp.Diff(want, ev.Extensions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(epcis.Fields{"urn:epcglobal:cbv:mda:lotNumber": jsontext.Value(`"7"`), "https://example.com/ns#e": jsontext.Value("{}")}, ev.ILMD); diff != "" {
		t.Error(diff)
	}
}

// The normalised fields of some public documents, in full.
func TestPublicDocumentsNormalised(t *testing.T) {
	dir := shared(t, "epcis/json")
	for name, want := range map[string]string{
		"Example_9.6.1-ObjectEvent.jsonld": `ObjectEvent OBSERVE shipping in_transit 2005-04-04T02:33:31.116Z -06:00 epcs=[https://id.gs1.org/01/10614141073464/21/2017 https://id.gs1.org/01/10614141073464/21/2018] read=https://id.gs1.org/414/0614141073467/254/1234 tx=[{po http://transaction.acme.com/po/12345678}]
ObjectEvent OBSERVE receiving in_progress 2005-04-05T02:33:31.116Z -06:00 epcs=[https://id.gs1.org/01/10614141073464/21/2018] read=https://id.gs1.org/414/0012345111112/254/400 loc=https://id.gs1.org/414/0012345111112 tx=[{po http://transaction.acme.com/po/12345678} {desadv urn:epcglobal:cbv:bt:0614141073467:1152}] ext=[http://ns.example.com/epcis/myField]
`,
		"AssociationEvent-a.jsonld": `AssociationEvent ADD assembling  2019-11-01T13:00:00Z +01:00 parent=https://id.gs1.org/8003/04012345555554987 children=[https://id.gs1.org/8004/400000112345] read=https://id.gs1.org/414/4012345000016
`,
		"ErrorDeclarationAndCorrectiveEvent.jsonld": `TransformationEvent  commissioning  2020-01-13T23:00:00Z +01:00 in=[https://id.gs1.org/01/04012345111118/21/987] out=[https://id.gs1.org/01/04012345333336/21/AGHFG] inq=[{https://id.gs1.org/01/04012345222227/10/87545GHGH 500 KGM}] outq=[{https://id.gs1.org/01/04012345444445 452 KGM}] read=https://id.gs1.org/414/0614141073467/254/1234 error=2020-01-14T23:00:00Z incorrect_data [urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8]
TransformationEvent  commissioning  2021-01-27T23:00:00Z +01:00 in=[https://id.gs1.org/01/04012345111118/21/987] out=[https://id.gs1.org/01/04012345333336/21/AGHFG] inq=[{https://id.gs1.org/01/04012345222227/10/87545GHGH 500 KGM}] outq=[{https://id.gs1.org/01/04012345444445 500 KGM}] read=https://id.gs1.org/414/0614141073467/254/1234
`,
	} {
		list, _ := eventsIn(t, filepath.Join(dir, name))
		got := ""
		for _, ev := range list {
			got += summary(ev) + "\n"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s\n%s", name, diff, got)
		}
	}
}

func summary(ev *epcis.Event) string {
	s := fmt.Sprint(ev.Type, " ", ev.Action, " ", ev.BizStep, " ", ev.Disposition, " ", ev.Time.Format(time.RFC3339Nano), " ", ev.TimeZoneOffset)
	add := func(name string, list any, n int) {
		if n > 0 {
			s += fmt.Sprintf(" %s=%v", name, list)
		}
	}
	add("parent", ev.ParentID, len(ev.ParentID))
	add("children", ev.ChildEPCs, len(ev.ChildEPCs))
	add("epcs", ev.EPCs, len(ev.EPCs))
	add("in", ev.InputEPCs, len(ev.InputEPCs))
	add("out", ev.OutputEPCs, len(ev.OutputEPCs))
	add("inq", ev.InputQuantities, len(ev.InputQuantities))
	add("outq", ev.OutputQuantities, len(ev.OutputQuantities))
	add("read", ev.ReadPoint, len(ev.ReadPoint))
	add("loc", ev.BizLocation, len(ev.BizLocation))
	add("tx", ev.Transactions, len(ev.Transactions))
	for name := range ev.Extensions {
		add("ext", []string{name}, 1)
	}
	if d := ev.ErrorDeclaration; d != nil {
		s += fmt.Sprint(" error=", d.Time.Format(time.RFC3339), " ", d.Reason, " ", d.CorrectiveEventIDs)
	}
	return s
}
