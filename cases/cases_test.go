package cases_test

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/cases"
)

// document is what these tests read of an EPCIS document.
type document struct {
	Type    string `json:"type"`
	Version string `json:"schemaVersion"`
	Header  struct {
		Master struct {
			Lists []struct {
				Elements []struct {
					ID string `json:"id"`
				} `json:"vocabularyElementList"`
			} `json:"vocabularyList"`
		} `json:"epcisMasterData"`
	} `json:"epcisHeader"`
	Body struct {
		Events []jsontext.Value `json:"eventList"`
	} `json:"epcisBody"`
}

// event is what these tests read of an event; raw is all of it.
type event struct {
	ID       string                    `json:"eventID"`
	Time     time.Time                 `json:"eventTime"`
	Recorded time.Time                 `json:"recordTime"`
	Error    jsontext.Value            `json:"errorDeclaration"`
	Parent   string                    `json:"parentID"`
	EPCs     []string                  `json:"epcList"`
	Children []string                  `json:"childEPCs"`
	Step     string                    `json:"bizStep"`
	Rest     map[string]jsontext.Value `json:",embed"`
	raw      string
}

// read is a case, read.
type read struct {
	cases.Case
	texts  []string // of the documents, in order
	events []event
	known  []map[string]bool // subjects of master data that are known when each event is
}

func open(t *testing.T, letter string) *read {
	t.Helper()
	c, err := cases.Open(letter)
	if err != nil {
		t.Fatal(err)
	}
	r := &read{Case: c}
	names, err := fs.Glob(c.Documents, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("case %s has no documents (%v)", letter, err)
	}
	known := map[string]bool{}
	for _, name := range names {
		r.document(t, name, known)
	}
	return r
}

func (r *read) document(t *testing.T, name string, known map[string]bool) {
	t.Helper()
	text, err := fs.ReadFile(r.Documents, name)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("case %s, %s: %v", r.Letter, name, err)
	}
	if d.Type != "EPCISDocument" || d.Version != "2.0" {
		t.Errorf("case %s, %s: it is a %q of version %q", r.Letter, name, d.Type, d.Version)
	}
	for _, l := range d.Header.Master.Lists {
		for _, e := range l.Elements {
			known[e.ID] = true
		}
	}
	r.texts, known = append(r.texts, string(text)), maps.Clone(known)
	for _, raw := range d.Body.Events {
		e := event{raw: string(raw)}
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("case %s, %s: %v in %s", r.Letter, name, err, raw)
		}
		r.events = append(r.events, e)
		r.known = append(r.known, known)
	}
}

func each(t *testing.T, check func(t *testing.T, r *read)) {
	for _, letter := range cases.Letters() {
		t.Run(letter, func(t *testing.T) { check(t, open(t, letter)) })
	}
}

func TestUnknownLetterNamesTheKnownOnes(t *testing.T) {
	for _, letter := range []string{"", "z", "A", "..", "a/epcis"} {
		if _, err := cases.Open(letter); err == nil || !strings.Contains(err.Error(), "a and b") {
			t.Errorf("Open(%q): %v", letter, err)
		}
	}
}

func TestEveryCaseExplainsItself(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		if r.Title == "" || strings.ContainsAny(r.Title, "#\n") {
			t.Errorf("the title is %q", r.Title)
		}
		for _, part := range []string{"What was reported", "What was changed", "What the documents hold", "An honest reading", "What Tidewaiter is expected to say"} {
			if !strings.Contains(r.README, "\n## "+part+"\n") {
				t.Errorf("the README has no part %q", part)
			}
		}
		if !strings.Contains(r.README, "unexplained") {
			t.Error("the README does not say that what is found is unexplained, no more")
		}
	})
}

func TestDocumentsComeInTheOrderOfWhatWasKnown(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		if n := len(r.events); n < 1500 || n > 6000 {
			t.Errorf("%d events", n)
		}
		for i, e := range r.events {
			if e.Recorded.IsZero() || e.Time.IsZero() {
				t.Fatalf("event %d has no time: %s", i, e.raw)
			}
			if i > 0 && e.Recorded.Before(r.events[i-1].Recorded) {
				t.Errorf("event %d was known before event %d: %s", i, i-1, e.raw)
			}
			if e.Time.After(e.Recorded) {
				t.Errorf("event %d was known before it happened: %s", i, e.raw)
			}
		}
	})
}

var (
	uuid8      = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	recordTime = regexp.MustCompile(`"recordTime":"[^"]*",`)
	declared   = regexp.MustCompile(`"errorDeclaration":\{[^}]*\},`)
)

// An id may come again with the same event told twice, or declared erroneous; never with another event.
func TestIDsAreUnique(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		first := map[string]string{}
		again, errors := 0, 0
		for _, e := range r.events {
			if !uuid8.MatchString(e.ID) {
				t.Errorf("%q is not a UUID of version 8", e.ID)
			}
			content := declared.ReplaceAllString(recordTime.ReplaceAllString(e.raw, ""), "")
			switch was, seen := first[e.ID]; {
			case !seen:
				first[e.ID] = content
			case was != content:
				t.Errorf("%s names two events:\n%s\n%s", e.ID, was, content)
			case e.Error != nil:
				errors++
			default:
				again++
			}
		}
		if again == 0 || errors == 0 {
			t.Errorf("%d events told twice and %d declared erroneous: real documents have some", again, errors)
		}
	})
}

var key = regexp.MustCompile(`https://id\.gs1\.org/(00|01|414|417)/(\d+)`)

// checkDigit follows GS1 General Specifications §7.9: from the right, weights 3 and 1 in turn.
func checkDigit(digits string) int {
	sum, weight := 0, 3
	for _, d := range slices.Backward([]byte(digits)) {
		sum += weight * int(d-'0')
		weight = 4 - weight
	}
	return (10 - sum%10) % 10
}

func TestKeysAreWellFormed(t *testing.T) {
	length := map[string]int{"00": 18, "01": 14, "414": 13, "417": 13}
	prefixAt := map[string]int{"00": 1, "01": 1, "414": 0, "417": 0}
	each(t, func(t *testing.T, r *read) {
		checked := 0
		for _, m := range key.FindAllStringSubmatch(strings.Join(r.texts, "")+string(r.Truth), -1) {
			checked++
			n := len(m[2])
			if n != length[m[1]] || checkDigit(m[2][:n-1]) != int(m[2][n-1]-'0') {
				t.Fatalf("%s is not well formed", m[0])
			}
			if !strings.HasPrefix(m[2][prefixAt[m[1]]:], "952") {
				t.Fatalf("%s may belong to somebody: its prefix is not one for examples", m[0])
			}
		}
		if checked < 10_000 {
			t.Errorf("only %d keys found", checked)
		}
	})
}

func TestPartiesAndPlacesAreKnownByMasterData(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		for i, e := range r.events {
			for _, m := range key.FindAllString(e.raw, -1) {
				if (strings.Contains(m, "/414/") || strings.Contains(m, "/417/") || strings.Contains(m, "/01/")) && !r.known[i][m] {
					t.Fatalf("nothing is known of %s when it is named: %s", m, e.raw)
				}
			}
		}
	})
}

// Every field that an event may have is one of EPCIS or of the profile (docs/design.md): none says what really happened.
func TestNoFieldKnowsMoreThanItsReporter(t *testing.T) {
	may := strings.Fields(`type eventTimeZoneOffset action disposition readPoint bizLocation quantityList bizTransactionList sourceList destinationList
		tw:tier tw:evidence tw:sighting tw:consignment tw:declaredDescription tw:declaredHSCode tw:declaredValue tw:grossWeightKg tw:endUser tw:endUseCountry tw:payer`)
	each(t, func(t *testing.T, r *read) {
		for _, e := range r.events {
			for name := range e.Rest {
				if !slices.Contains(may, name) {
					t.Fatalf("%s: %s", name, e.raw)
				}
			}
		}
	})
}

// digests are hexadecimal and say nothing, but now and then spell something.
var digests = regexp.MustCompile(`urn:uuid:[0-9a-f-]{36}|sha256:[0-9a-f]{64}`)

func TestForbiddenWords(t *testing.T) {
	never := strings.Fields("smuggl nvidia geforce amd xeon supermicro dell lenovo hewlett foxconn huawei a100 h100 h200 b200 b300 blackwell hopper sxm")
	untold := strings.Fields("scheme divert diverg diversion illicit fake front suspic barred stolen truth honest typolog")
	each(t, func(t *testing.T, r *read) {
		documents := digests.ReplaceAllString(strings.Join(r.texts, ""), "")
		for name, text := range map[string]string{"README": r.README, "truth file": string(r.Truth), "text of the documents": documents} {
			if w := said(text, never); w != "" {
				t.Errorf("the %s says %q", name, w)
			}
		}
		if w := said(documents, untold); w != "" {
			t.Errorf("the documents say %q, which only the truth may", w)
		}
	})
}

// said is the first of some beginnings of words that a text has.
func said(text string, beginnings []string) string {
	isWord := func(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	text = " " + strings.ToLower(text)
	for _, b := range beginnings {
		for at := 1; ; at++ {
			i := strings.Index(text[at:], b)
			if i < 0 {
				break
			}
			if at += i; !isWord(text[at-1]) {
				return b
			}
		}
	}
	return ""
}

func TestCasesAreSmall(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		if n := len(strings.Join(r.texts, "")) + len(r.Truth); n > 3<<19 {
			t.Errorf("%d bytes; above a million and a half nobody reads a change of it", n)
		}
	})
}
