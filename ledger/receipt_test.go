package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/ledger"
)

func receipt(t testing.TB, w *world, seq, size int) ledger.Receipt {
	t.Helper()
	r, err := ledger.Issue(w.hashes, w.entries[seq], w.checkpoint(t, size), w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReceiptTellsAStrangerEverything(t *testing.T) {
	w := newWorld(t, 100)
	text, err := json.Marshal(receipt(t, w, 42, 77), jsontext.Multiline(true)) // handed over, and tidied up on its way
	if err != nil {
		t.Fatal(err)
	}
	read, err := ledger.ParseReceipt(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ledger.VerifyReceipt(read, w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(v.Entry, w.entries[42]) || v.Checkpoint.Size != 77 || v.Checkpoint.Root != w.roots[77] {
		t.Errorf("verified %+v under %+v", v.Entry, v.Checkpoint)
	}
	all := strings.Join(v.Checked, "\n")
	for _, words := range []string{"77 entries", "signed by " + origin, "entry, 42", "urn:example:42", "by the document's own account", "complete", "SHA-256"} {
		if !strings.Contains(all, words) {
			t.Errorf("what was checked does not say %q:\n%s", words, all)
		}
	}
	v, err = ledger.VerifyReceipt(read.Redact(), w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	if last := v.Checked[len(v.Checked)-1]; !strings.Contains(last, "withheld") || v.Entry.Body != nil {
		t.Errorf("of a redacted receipt it says: %s", last)
	}
}

func TestReceiptsThatDoNotHold(t *testing.T) {
	w := newWorld(t, 100)
	good := receipt(t, w, 42, 77)
	_, otherKey := newKey(t, origin, 2)

	for _, c := range []struct {
		about  string
		change func(r *ledger.Receipt)
		held   int
		want   string
	}{
		{"another body", func(r *ledger.Receipt) { r.Opening.Entry.Body = []byte("{}") }, 2, "does not lead to the root"},
		{"another time", func(r *ledger.Receipt) { r.Opening.Entry.Recorded = r.Opening.Entry.Recorded.Add(time.Hour) }, 2, "does not lead to the root"},
		{"another entry's proof", func(r *ledger.Receipt) { r.Proof = receipt(t, w, 43, 77).Proof }, 1, "the opening is of entry 42, and the proof is for entry 43"},
		{"the number of another", func(r *ledger.Receipt) { r.Opening.Entry.Seq = 43; r.Proof = receipt(t, w, 43, 77).Proof }, 2, "does not lead to the root"},
		{"a later checkpoint", func(r *ledger.Receipt) {
			head, _, _ := strings.Cut(r.Proof, "\n\n")
			r.Proof = head + "\n\n" + string(w.checkpoint(t, 100))
		}, 2, "does not lead to the root"},
		{"a checkpoint before it", func(r *ledger.Receipt) {
			head, _, _ := strings.Cut(r.Proof, "\n\n")
			r.Proof = head + "\n\n" + string(w.checkpoint(t, 42))
		}, 2, "speaks of 42 entries"},
	} {
		r := good
		c.change(&r)
		v, err := ledger.VerifyReceipt(r, w.verifier)
		wantError(t, err, c.want)
		if !errors.Is(err, ledger.ErrNotProven) {
			t.Errorf("%s: %v does not wrap ErrNotProven", c.about, err)
		}
		if len(v.Checked) != c.held || v.Entry.Kind != "" {
			t.Errorf("%s: entry %+v, held before it: %q; want %d", c.about, v.Entry, v.Checked, c.held)
		}
	}
	v, err := ledger.VerifyReceipt(good, otherKey)
	wantError(t, err, "not signed by")
	if len(v.Checked) != 0 {
		t.Errorf("nothing can hold under another key: %q", v.Checked)
	}
}

func TestIssueRefusesAnEntryThatWasChanged(t *testing.T) {
	w := newWorld(t, 10)
	w.entries[4].Body = []byte("{}")
	_, err := ledger.Issue(w.hashes, w.entries[4], w.checkpoint(t, 10), w.verifier)
	wantError(t, err, "entry 4 is not what was recorded", "log fsck")
	_, err = ledger.Issue(w.hashes, w.entries[9], w.checkpoint(t, 5), w.verifier)
	wantError(t, err, "sign a new one first")
}

func TestParseReceiptSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                        "proof",
		`{"proof":"x"}`:             "opening",
		`{"proof":"x","opening":1}`: "opening",
		`{"proof":"x","more":1}`:    "unknown",
		`{"proof":"","proof":""}`:   "duplicate",
	} {
		_, err := ledger.ParseReceipt([]byte(text))
		wantError(t, err, "receipt", want)
	}
}

// A stranger has two texts, the receipt and the log's verifier key, and needs nothing else.
func ExampleVerifyReceipt() {
	text, err := os.ReadFile("testdata/vectors/receipt-5.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	vkey := "vectors.tidewaiter.example/log+9215fe6a+AVx0k+2OgG/XpZN7USarB1Clcl0f41yeLrfP0yNPn5jV"

	verifier, err := ledger.LoadVerifier(vkey)
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := ledger.ParseReceipt(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := ledger.VerifyReceipt(receipt, verifier)
	for _, sentence := range verdict.Checked {
		fmt.Println(sentence)
	}
	fmt.Println("error:", err)
	// Output:
	// the checkpoint over 13 entries is signed by vectors.tidewaiter.example/log+9215fe6a, the key of the log vectors.tidewaiter.example/log
	// the opening and the proof are of the same entry, 5, whose leaf hash is yU/dfwelJP3MVHe/exXeoIbrBVhEYAuavWQ1IK1T/fo=
	// the leaf leads to the signed root aySPVzb9eSAfjI2aqd2sU+6cn1dML4ZnuFS/hycpiiM= by 4 hashes: the log holds the entry
	// the entry is of kind "event", named "urn:example:5", said by https://id.gs1.org/417/9520000000014, recorded at 2026-03-01T09:00:05.250005Z
	// its content is complete: a body of 7 bytes, SHA-256 11d0a8967009cbcdf468f09e5b09e73e7119b528c35a0e0b23f2ae052786b8fa
	// error: <nil>
}
