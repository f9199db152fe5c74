package ledger_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
)

func drawEntry(t *rapid.T) ledger.Entry {
	e := ledger.Entry{
		Seq:      rapid.Int64Range(0, 1<<62).Draw(t, "seq"),
		Kind:     ledger.Kind(rapid.StringN(1, 8, -1).Draw(t, "kind")),
		Recorded: time.UnixMicro(rapid.Int64Range(-62167219200000000, 253402300799999999).Draw(t, "recorded")).UTC(),
		Trusted:  rapid.Bool().Draw(t, "trusted"),
		Speaker:  rapid.String().Draw(t, "speaker"),
		Name:     rapid.String().Draw(t, "name"),
		Body:     rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
	}
	if rapid.Bool().Draw(t, "has context") {
		e.Context = rapid.SliceOfN(rapid.Byte(), 1, -1).Draw(t, "context")
	}
	copy(e.Salt[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt"))
	return e
}

// TestOpeningsKeepEverything: whatever Validate lets through is opened, written, read again unchanged, and gives the leaf.
func TestOpeningsKeepEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t)
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, o := range []ledger.Opening{ledger.Open(e), ledger.Open(e).Redact()} {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			read, err := ledger.ParseOpening(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !reflect.DeepEqual(read, o) {
				t.Fatalf("read\n%+v\nwant\n%+v", read, o)
			}
			leaf, err := read.Leaf()
			if err != nil {
				t.Fatal(err)
			}
			if leaf != ledger.LeafHash(e) {
				t.Fatalf("leaf %v, want %v\n%s", leaf, ledger.LeafHash(e), text)
			}
		}
	})
}

// TestEveryFieldCounts: an opening with any one field changed gives another leaf.
func TestEveryFieldCounts(t *testing.T) {
	e := entry(7)
	leaf := ledger.LeafHash(e)
	for field, change := range map[string]func(*ledger.Entry){
		"seq":      func(e *ledger.Entry) { e.Seq++ },
		"kind":     func(e *ledger.Entry) { e.Kind = ledger.KindSweep },
		"recorded": func(e *ledger.Entry) { e.Recorded = e.Recorded.Add(time.Microsecond) },
		"trusted":  func(e *ledger.Entry) { e.Trusted = !e.Trusted },
		"speaker":  func(e *ledger.Entry) { e.Speaker += "x" },
		"name":     func(e *ledger.Entry) { e.Name = "" },
		"context":  func(e *ledger.Entry) { e.Context = nil },
		"body":     func(e *ledger.Entry) { e.Body = append(bytes.Clone(e.Body), ' ') },
		"salt":     func(e *ledger.Entry) { e.Salt[31] ^= 1 },
	} {
		changed := e
		change(&changed)
		for _, o := range []ledger.Opening{ledger.Open(changed), ledger.Open(changed).Redact()} {
			got, err := o.Leaf()
			if err != nil {
				t.Fatal(err)
			}
			if got == leaf {
				t.Errorf("another %s gives the same leaf", field)
			}
		}
	}
}

func TestOpenTakesTimeAsTheCommitmentDoes(t *testing.T) {
	e := entry(7)
	e.Recorded = time.Date(1969, 12, 31, 18, 59, 59, 999999999, time.FixedZone("UTC-5", -5*3600))
	o := ledger.Open(e)
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"recorded":"1969-12-31T23:59:59.999999Z"`)) {
		t.Errorf("written as %s", text)
	}
	if leaf, err := o.Leaf(); err != nil || leaf != ledger.LeafHash(e) {
		t.Errorf("leaf %v, %v; want %v", leaf, err, ledger.LeafHash(e))
	}
}

func TestRedactWithholdsTheContentOnly(t *testing.T) {
	e := entry(7)
	o := ledger.Open(e).Redact()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"body":`, `"context":`} {
		if bytes.Contains(text, []byte(member)) {
			t.Errorf("a redacted opening has %s\n%s", member, text)
		}
	}
	if o.Entry.Body != nil || o.Entry.Context != nil {
		t.Error("the content is still there")
	}
	if again := o.Redact(); !reflect.DeepEqual(again, o) {
		t.Errorf("redacted twice: %+v", again)
	}
	if o.Entry.Name != e.Name || o.Entry.Salt != e.Salt {
		t.Errorf("more than the content is gone: %+v", o.Entry)
	}
}

func TestParseOpeningSaysWhatIsWrong(t *testing.T) {
	good, err := json.Marshal(ledger.Open(entry(7)))
	if err != nil {
		t.Fatal(err)
	}
	redacted, err := json.Marshal(ledger.Open(entry(7)).Redact())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(text []byte, from, to string) []byte {
		out := bytes.Replace(text, []byte(from), []byte(to), 1)
		if bytes.Equal(out, text) {
			t.Fatalf("%s has no %s", text, from)
		}
		return out
	}
	digest := strings.Repeat("0", 64)
	for _, c := range []struct {
		about string
		text  []byte
		want  string
	}{
		{"nothing", nil, "EOF"},
		{"null", []byte("null"), "commitment"},
		{"no object", []byte(`"x"`), "opening"},
		{"trailing text", append(bytes.Clone(good), '{'), "after top-level value"},
		{"a member twice", replace(good, `"seq":7`, `"seq":7,"seq":7`), "duplicate"},
		{"an unknown member", replace(good, `"seq":7`, `"seq":7,"note":""`), "unknown"},
		{"another spelling of a name", replace(good, `"seq"`, `"Seq"`), "unknown"},
		{"another commitment", replace(good, "entry/v1", "entry/v2"), "entry/v2"},
		{"no seq", replace(good, `"seq":7,`, ``), "must all be there"},
		{"null for seq", replace(good, `"seq":7`, `"seq":null`), "must all be there"},
		{"no trusted", replace(good, `"trusted":false,`, ``), "must all be there"},
		{"negative seq", replace(good, `"seq":7`, `"seq":-7`), "numbered from 0"},
		{"seq of 65 bits", replace(good, `"seq":7`, `"seq":18446744073709551617`), "seq"},
		{"seq with a fraction", replace(good, `"seq":7`, `"seq":7.5`), "seq"},
		{"no kind", replace(good, `"kind":"event"`, `"kind":""`), "needs a kind"},
		{"broken UTF-8", replace(good, `"kind":"event"`, "\"kind\":\"\xff\""), "UTF-8"},
		{"half a surrogate", replace(good, `"kind":"event"`, `"kind":"\ud800"`), "surrogate"},
		{"another zone", replace(good, `500Z`, `500+01:00`), "recorded"},
		{"milliseconds", replace(good, `.004500Z`, `.004Z`), "recorded"},
		{"nanoseconds", replace(good, `.004500Z`, `.004500000Z`), "recorded"},
		{"no such day", replace(good, `2026-03-01`, `2026-02-30`), "recorded"},
		{"comma", replace(good, `.004500Z`, `,004500Z`), "recorded"},
		{"short salt", replace(good, `"salt":"`, `"salt":"","x":"`), "64"},
		{"salt in upper case", upperSalt(good), "lower-case"},
		{"no base64", replace(good, `"body":"`, `"body":"*`), "body"},
		{"no body", replace(good, `"body":`, `"bodySHA256":`), "hexadecimal"},
		{"neither", []byte(before(t, redacted, `,"contextSHA256`) + "}"), "neither"},
		{"one digest", replace(good, `"body":`, `"bodySHA256":"`+digest+`","body":`), "together"},
		{"content and digests", replace(good, `"body":`, `"contextSHA256":"`+digest+`","bodySHA256":"`+digest+`","body":`), "both"},
		{"context and digests", replace(redacted, `"contextSHA256"`, `"context":"AA==","contextSHA256"`), "both"},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := ledger.ParseOpening(c.text)
			wantError(t, err, c.want)
		})
	}
}

func upperSalt(text []byte) []byte {
	at := bytes.Index(text, []byte(`"salt":"`)) + len(`"salt":"`)
	return bytes.Join([][]byte{text[:at], bytes.ToUpper(text[at : at+64]), text[at+64:]}, nil)
}

func before(t *testing.T, text []byte, mark string) string {
	t.Helper()
	head, _, found := strings.Cut(string(text), mark)
	if !found {
		t.Fatalf("%s has no %s", text, mark)
	}
	return head
}

func TestOpeningsThatCannotBeAreNotWritten(t *testing.T) {
	late := ledger.Open(entry(7))
	late.Entry.Recorded = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	fine := ledger.Open(entry(7))
	fine.Entry.Recorded = fine.Entry.Recorded.Add(1)
	both := ledger.Open(entry(7)).Redact()
	both.Entry.Body = []byte("{}")
	neither := ledger.Opening{Entry: entry(7)}
	neither.Entry.Body = nil
	for about, o := range map[string]ledger.Opening{"the year 10000": late, "nanoseconds": fine, "content and digests": both, "neither": neither, "nothing": {}} {
		if _, err := o.Leaf(); err == nil {
			t.Errorf("%s: it has a leaf", about)
		}
		if text, err := json.Marshal(o); err == nil {
			t.Errorf("%s: written as %s", about, text)
		}
	}
}

func FuzzParseOpening(f *testing.F) {
	for _, seq := range []int64{0, 7} {
		for _, o := range []ledger.Opening{ledger.Open(entry(seq)), ledger.Open(entry(seq)).Redact()} {
			text, err := json.Marshal(o)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ledger.ParseOpening(text)
		if err != nil {
			return
		}
		leaf, err := o.Leaf()
		if err != nil {
			t.Fatalf("it was read, and has no leaf: %v", err)
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("it was read, and cannot be written: %v", err)
		}
		read, err := ledger.ParseOpening(again)
		if err != nil || !reflect.DeepEqual(read, o) {
			t.Fatalf("read again: %+v, %v; want %+v", read, err, o)
		}
		if second, err := read.Leaf(); err != nil || second != leaf {
			t.Errorf("read again, the leaf is %v, %v; want %v", second, err, leaf)
		}
	})
}
