package epcis_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/epcis"
)

const standardContext = `"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"`

func utf16Text(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// Each row is a document that is refused, and all that is said about it.
var badDocuments = []struct{ name, text, want string }{
	{"empty", "", "not an EPCIS document: it is empty"},
	{"only white space", " \n\t ", "not an EPCIS document: it is empty"},
	{"only a byte order mark", "\xef\xbb\xbf", "not an EPCIS document: it is empty"},
	{"UTF-16", utf16Text(document()), "not an EPCIS document: it is UTF-16 or UTF-32 text; save it as UTF-8"},
	{"UTF-16 without a mark", utf16Text(document())[2:], "not an EPCIS document: it is UTF-16 or UTF-32 text; save it as UTF-8"},
	{"gzip", "\x1f\x8b\x08\x00", "not an EPCIS document: it is compressed; decompress it first (gunzip)"},
	{"ZIP", "PK\x03\x04rest", "not an EPCIS document: it is a ZIP archive (or a spreadsheet); unpack it first"},
	{"XML", "\n <?xml version=\"1.0\"?>", "not an EPCIS document in JSON: it looks like XML, which is not read yet"},
	{"CSV", "serial,site\n1,2\n", "not an EPCIS document: it is not JSON, at byte 0: is not JSON: invalid character 's' at start of value"},
	{"array", "[]", "not an EPCIS document: it is an array; an EPCISDocument, an EPCISQueryDocument or a single event is an object"},
	{"null", "null", "not an EPCIS document: it is null; an EPCISDocument, an EPCISQueryDocument or a single event is an object"},
	{"a string", `"EPCISDocument"`, "not an EPCIS document: it is a string; an EPCISDocument, an EPCISQueryDocument or a single event is an object"},
	{"an empty object", `{}`, "not an EPCIS document: it is a JSON object without a type"},
	{"another format", `{"type":"FeatureCollection"}`, "not an EPCIS document: its type is “FeatureCollection”"},
	{"type that is no string", `{"type":["ObjectEvent"]}`, "/type must be a string, not an array"},
	{"an unfinished key", `{"a`, "the document ends in the middle, after 3 bytes and 0 events: is the file complete?"},
	{"single quotes", `{'type':'EPCISDocument'}`, "not an EPCIS document: it is not JSON, at byte 1: is not JSON: invalid character '\\'' at start of value"},
	{"trailing garbage", document() + "x", fmt.Sprintf("something follows the document, at byte %d: give one document a file", len(document()))},
	{"two documents", document() + "\n" + document(), fmt.Sprintf("something follows the document, at byte %d: give one document a file", len(document()))},
	{"a name twice", strings.Replace(document(), `"schemaVersion":"2.0"`, `"schemaVersion":"2.0","schemaVersion":"2.0"`, 1),
		"/schemaVersion is there twice: two readers could each believe another of the two"},
	{"a body twice", strings.Replace(document(), `"epcisBody":`, `"epcisBody":{"eventList":[]},"epcisBody":`, 1),
		"/epcisBody is there twice: two readers could each believe another of the two"},
	{"no body", `{` + standardContext + `,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2025-03-14T10:00:00Z"}`, "/epcisBody is missing"},
	{"no event list", strings.Replace(document(), `{"eventList":[]}`, `{}`, 1), "/epcisBody/eventList is missing; it is what an EPCISDocument is for"},
	{"a body that is a list", strings.Replace(document(), `{"eventList":[]}`, `[]`, 1), "/epcisBody must be an object, not an array"},
	{"an event list that is an event", strings.Replace(document(), `[]}}`, objectEvent+`}}`, 1), "/epcisBody/eventList must be an array, not an object"},
	{"no @context", strings.Replace(document(), `"@context"`, `"tw:context"`, 1), "/@context is missing"},
	{"a @context that is a number", `{"@context":2,"type":"EPCISDocument"}`, "/@context must be an address, an object, or an array of these, and holds a number"},
	{"no type", strings.Replace(document(), `"type"`, `"tw:type"`, 1), "/type is missing"},
	{"a body of another format", `{"type":"Invoice","epcisBody":{}}`, "not an EPCIS document: its type is “Invoice”, not EPCISDocument or EPCISQueryDocument"},
	{"no version", strings.Replace(document(), `"schemaVersion"`, `"tw:v"`, 1), "/schemaVersion is missing"},
	{"version 1.2", strings.Replace(document(), `"2.0"`, `"1.2"`, 1), "/schemaVersion is “1.2”; only EPCIS 2 is written in JSON, such as 2.0"},
	{"version 2.", strings.Replace(document(), `"2.0"`, `"2."`, 1), "/schemaVersion is “2.”; only EPCIS 2 is written in JSON, such as 2.0"},
	{"version as a number", strings.Replace(document(), `"2.0"`, `2.0`, 1), "/schemaVersion must be a string, not a number"},
	{"no date", strings.Replace(document(), `"creationDate"`, `"tw:date"`, 1), "/creationDate is missing"},
	{"a date without time", strings.Replace(document(), `"2025-03-14T10:00:00Z"`, `"2025-03-14"`, 1),
		"/creationDate is “2025-03-14”, which is no date and time with an offset (RFC 3339)"},
	{"an id that is no URI", strings.Replace(document(), `"schemaVersion"`, `"id":"7","schemaVersion"`, 1), "/id is “7”, which is no absolute URI"},
	{"an unknown member", strings.Replace(document(), `"schemaVersion"`, `"version":2,"schemaVersion"`, 1),
		"/version is no member of an EPCISDocument, and bears no prefix that says whose it is"},
	{"an unknown member of the header", strings.Replace(document(), `"epcisBody"`, `"epcisHeader":{"sender":1},"epcisBody"`, 1),
		"/epcisHeader/sender is not known here, and bears no prefix that says whose it is"},
	{"a vocabulary without a type", headed(`{"vocabularyElementList":[{"id":"urn:x:1"}]}`),
		"/epcisHeader/epcisMasterData/vocabularyList/0/type is missing"},
	{"a vocabulary that is a string", headed(`"places"`), "/epcisHeader/epcisMasterData/vocabularyList/0 must be an object, not a string"},
	{"a query without its name", query(`"resultsBody":{"eventList":[]}`), "/epcisBody/queryResults/queryName is missing"},
	{"a query without results", query(`"queryName":"Q"`), "/epcisBody/queryResults/resultsBody is missing"},
	{"a query without events", query(`"queryName":"Q","resultsBody":{}`), "/epcisBody/queryResults/resultsBody/eventList is missing"},
	{"a query with a sender", strings.Replace(query(`"queryName":"Q","resultsBody":{"eventList":[]}`), `"type"`, `"sender":"x","type"`, 1),
		"/sender is no member of an EPCISQueryDocument, and bears no prefix that says whose it is"},
	{"a document's body in a query", strings.Replace(document(), "EPCISDocument", "EPCISQueryDocument", 1),
		"/epcisBody/queryResults is missing; it is what an EPCISQueryDocument is for"},
	{"a bare word among the events", document("shipping"),
		"at byte 188: /epcisBody/eventList/0 is not JSON: invalid character 's' at start of value"},
	{"a comma too many", document(objectEvent, ""), "at byte 351: /epcisBody/eventList is not JSON: invalid character ',' at start of value"},
	{"nested 10,000 deep", document(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)),
		"at byte 10185: /epcisBody/eventList" + strings.Repeat("/0", 118) + " is nested too deep"},
}

func headed(vocabularies string) string {
	return strings.Replace(document(), `"epcisBody"`, `"epcisHeader":{"epcisMasterData":{"vocabularyList":[`+vocabularies+`]}},"epcisBody"`, 1)
}

func query(results string) string {
	return `{` + standardContext + `,"type":"EPCISQueryDocument","epcisBody":{"queryResults":{` + results + `}}}`
}

func TestBadDocumentsAreRefusedWithAClearMessage(t *testing.T) {
	for _, test := range badDocuments {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole":       strings.NewReader(test.text),
				"byte wise":   iotest.OneByteReader(strings.NewReader(test.text)),
				"end at once": iotest.DataErrReader(strings.NewReader(test.text)),
			} {
				_, dec, err := decode(r, epcis.Options{})
				if err == nil {
					t.Fatal("accepted")
				}
				if got := err.Error(); got != test.want {
					t.Errorf("%s: got %.300q\nwant %.300q", name, got, test.want)
				}
				if strings.HasPrefix(test.want, "not an EPCIS") != errors.Is(err, epcis.ErrNotEPCIS) {
					t.Errorf("errors.Is(%v, ErrNotEPCIS) is wrong", err)
				}
				if _, again := dec.Next(); again != err { //nolint:errorlint // the very same error, not one like it
					t.Errorf("the next call says %v, not the same", again)
				}
			}
		})
	}
}

func TestADocumentCutAnywhereIsRefused(t *testing.T) {
	full := headed(`{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":[{"id":"urn:x:1","attributes":[{"id":"tw:siteType","attribute":"office"}]}]}`)
	full = strings.Replace(full, `"eventList":[]`, `"eventList":[`+objectEvent+","+with(objectEvent, `"tw:note":"\u00e4"`)+`]`, 1)
	for _, whole := range []string{full, query(`"queryName":"Q","resultsBody":{"eventList":[` + objectEvent + `]}`), objectEvent} {
		if _, _, err := decode(strings.NewReader(whole), epcis.Options{}); err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) {
			if items, _, err := decode(strings.NewReader(whole[:n]), epcis.Options{}); err == nil {
				t.Fatalf("accepted with %d items, cut after %d of %d bytes: %s", len(items), n, len(whole), whole[:n])
			}
		}
	}
}

func TestAReadErrorIsNotTheEnd(t *testing.T) {
	broken := errors.New("the line is down")
	for _, n := range []int{0, 1, 50, len(document(objectEvent)) - 1, len(document(objectEvent))} {
		r := io.MultiReader(strings.NewReader(document(objectEvent)[:n]), iotest.ErrReader(broken))
		if _, _, err := decode(r, epcis.Options{}); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// Members may come in any order, and items come out as they are with the place where they were.
func TestItemsAreWhatStandsInTheDocument(t *testing.T) {
	place := "{ \"id\" : \"urn:x:1\",\n \"attributes\":[] }"
	event1, event2 := with(objectEvent, `"tw:a":[1 , 2]`), "{ \"type\" :\t\"ObjectEvent\" }"
	vocabulary := `"type":"urn:epcglobal:epcis:vtype:Location"`
	elements := `"vocabularyElementList":[` + place + `, ` + place + `]`
	const body = `"epcisBody":{"eventList":[ %s ,%s ]}`
	header := func(v string) string { return `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{` + v + `}]}}` }
	rest := `"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2025-03-14T11:00:00+01:00","sender":"S","receiver":"R","instanceIdentifier":"I","id":"urn:x:d"`
	text := fmt.Sprintf(body, event1, event2)

	for _, doc := range []string{
		`{` + standardContext + `,` + rest + `,` + header(vocabulary+`,`+elements) + `,` + text + `}`,
		`{` + text + `,` + rest + `,` + header(elements+`,`+vocabulary) + `,` + standardContext + "}\n",
		"\xef\xbb\xbf\n{" + header(elements+`,`+vocabulary+`,"tw:x":{}`) + `,"tw:mine":{"epcisBody":[]},` + text + `,` + standardContext + `,` + rest + `}`,
	} {
		for _, r := range []io.Reader{strings.NewReader(doc), iotest.OneByteReader(strings.NewReader(doc)), iotest.HalfReader(strings.NewReader(doc))} {
			items, dec, err := decode(r, epcis.Options{})
			if err != nil {
				t.Fatal(err, doc)
			}
			got := map[string]string{}
			for _, it := range items {
				if it.Err != nil || it.Kind == epcis.ItemMasterData != (it.VocabularyType == "urn:epcglobal:epcis:vtype:Location") {
					t.Errorf("%+v", it)
				}
				got[fmt.Sprintf("%d %d %s", it.Kind, it.Index, it.Pointer)] = string(it.Raw)
			}
			const v = "/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/"
			want := map[string]string{
				"0 0 /epcisBody/eventList/0": event1, "0 1 /epcisBody/eventList/1": event2, "1 0 " + v + "0": place, "1 1 " + v + "1": place,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			h := dec.Header()
			if len(items) != 4 || h.Type != "EPCISDocument" || h.Sender != "S" || h.Receiver != "R" || h.InstanceIdentifier != "I" || h.ID != "urn:x:d" ||
				h.SchemaVersion != "2.0" || h.CreationDate.Format("15:04") != "10:00" || "{"+standardContext+"}" != `{"@context":`+string(dec.Context())+"}" {
				t.Errorf("%d items, %+v, context %s", len(items), h, dec.Context())
			}
		}
	}
}

func TestAQueryDocument(t *testing.T) {
	doc := query(`"subscriptionID":"S","queryName":"Q","tw:n":1,"resultsBody":{"vocabularyList":[{"type":"urn:x:t","vocabularyElementList":[{"id":"urn:x:1"}]}],"eventList":[` + objectEvent + `]}`)
	items, dec, err := decode(strings.NewReader(doc), epcis.Options{})
	if err != nil || len(items) != 2 || dec.Header().Type != "EPCISQueryDocument" {
		t.Fatal(err, items)
	}
	if items[0].Kind != epcis.ItemMasterData || items[1].Pointer != "/epcisBody/queryResults/resultsBody/eventList/0" || string(items[1].Raw) != objectEvent {
		t.Errorf("%+v", items)
	}
}

// What a single event is called is left to ParseEvent, so that the fault is told in its words.
func TestASingleEvent(t *testing.T) {
	for _, ev := range []string{
		objectEvent, " \n" + with(objectEvent, standardContext) + "\n", "\xef\xbb\xbf" + objectEvent,
		`{"type":"ObjectEvent"}`,
		`{"type":"https://example.com/Sighting","eventTime":"2025-03-14T09:30:00Z","eventTimeZoneOffset":"+01:00","seen":{"by":["a"]}}`,
		`{"eventTime":"2025-03-14T09:30:00Z"}`,
	} {
		items, dec, err := decode(strings.NewReader(ev), epcis.Options{})
		if err != nil || len(items) != 1 {
			t.Fatal(err, items)
		}
		if want := strings.Trim(ev, " \n\xef\xbb\xbf"); string(items[0].Raw) != want || items[0].Pointer != "" || items[0].Kind != epcis.ItemEvent {
			t.Errorf("got %+v, want %s", items[0], want)
		}
		if hasContext := strings.Contains(ev, "@context"); hasContext != (dec.Context() != nil) {
			t.Errorf("context is %s", dec.Context())
		}
	}
}

// An event that is too large is refused alone: those around it are read, and their places are right.
func TestAnEventThatIsTooLarge(t *testing.T) {
	const most = 1 << 10
	for _, size := range []int{most - 300, 10 * most, 400 * most} {
		large := with(objectEvent, `"tw:padding":[`+strings.TrimSuffix(strings.Repeat(`"12345678",`, size/11), ",")+`]`)
		items, _, err := decode(strings.NewReader(document(objectEvent, large, objectEvent, large, objectEvent)), epcis.Options{MaxItemBytes: most})
		if err != nil || len(items) != 5 {
			t.Fatal(err, len(items))
		}
		for i, it := range items {
			if it.Pointer != fmt.Sprintf("/epcisBody/eventList/%d", i) || it.Index != i {
				t.Errorf("%+v", it)
			}
			switch fits := i%2 == 0 || len(large) <= most; {
			case !fits && (it.Err == nil || it.Err.Error() != "is larger than 1024 bytes; split it"):
				t.Errorf("event %d of %d bytes: %v", i, len(large), it.Err)
			case fits && (it.Err != nil || i%2 == 0 && string(it.Raw) != objectEvent):
				t.Errorf("event %d: %v %s", i, it.Err, it.Raw)
			}
		}
	}
}

func TestASingleEventThatIsTooLarge(t *testing.T) {
	large := strings.Replace(objectEvent, `"type":"ObjectEvent",`, "", 1)
	large = with(large, `"tw:padding":[`+strings.Repeat(`"12345678",`, 100_000)+`0]`, `"type":"ObjectEvent"`)
	items, _, err := decode(strings.NewReader(large), epcis.Options{MaxItemBytes: 1000})
	if err != nil || len(items) != 1 || items[0].Err == nil || items[0].Raw != nil {
		t.Fatal(err, len(items))
	}
}

func TestAStringThatIsTooLarge(t *testing.T) {
	huge := with(objectEvent, `"tw:padding":"`+strings.Repeat("x", 10<<20)+`"`)
	items, _, err := decode(strings.NewReader(document(objectEvent, huge)), epcis.Options{MaxItemBytes: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "a single value is larger than 1048576 bytes") || len(items) != 1 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestAVocabularyWhoseTypeComesTooLate(t *testing.T) {
	element := `{"id":"urn:x:1","tw:padding":"` + strings.Repeat("x", 800) + `"}`
	doc := headed(`{"vocabularyElementList":[` + strings.Repeat(element+",", 9) + element + `],"type":"urn:x:t"}`)
	_, _, err := decode(strings.NewReader(doc), epcis.Options{MaxItemBytes: 1000})
	if err == nil || !strings.Contains(err.Error(), "write the vocabulary's type before its elements") {
		t.Error(err)
	}
}

// Broken UTF-8 and names that are given twice are faults of the event in which they stand, not of the document.
func TestFaultsOfAnEventStayWithTheEvent(t *testing.T) {
	bad := []string{with(objectEvent, "\"tw:a\":\"\xff\""), with(objectEvent, `"action":"ADD"`), `17`, with(objectEvent, `"tw:a":"\ud800"`)}
	items, _, err := decode(strings.NewReader(document(append(bad, objectEvent)...)), epcis.Options{})
	if err != nil || len(items) != len(bad)+1 {
		t.Fatal(err, items)
	}
	for i, it := range items {
		_, err := epcis.ParseEvent(it.Raw, nil)
		if (err == nil) != (i == len(bad)) {
			t.Errorf("%s: %v", it.Raw, err)
		}
	}
}
