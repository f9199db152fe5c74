package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// stored keeps a tree's hashes in memory, as a store does.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, 0, len(indexes))
	for _, i := range indexes {
		if i < 0 || i >= int64(len(s)) {
			return nil, fmt.Errorf("stored hash %d is not among the %d kept", i, len(s))
		}
		out = append(out, s[i])
	}
	return out, nil
}

// world is a small ledger with a key.
type world struct {
	entries  []ledger.Entry
	hashes   stored
	roots    []tlog.Hash // by size
	signer   *ledger.Signer
	verifier note.Verifier
}

const origin = "tests.tidewaiter.example/log"

func newWorld(t testing.TB, size int) *world {
	t.Helper()
	w := &world{}
	w.signer, w.verifier = newKey(t, origin, 1)
	tree := new(ledger.Tree)
	w.roots = append(w.roots, tree.Root())
	for seq := range size {
		e := entry(int64(seq))
		w.entries = append(w.entries, e)
		w.hashes = tree.Append(w.hashes, ledger.LeafHash(e))
		w.roots = append(w.roots, tree.Root())
	}
	return w
}

// entry makes an entry that differs from its neighbours in every field; two in a row share their recorded time.
func entry(seq int64) ledger.Entry {
	e := ledger.Entry{
		Seq:      seq,
		Kind:     ledger.KindEvent,
		Recorded: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(seq/2) * 1500 * time.Microsecond),
		Trusted:  seq%3 == 0,
		Speaker:  fmt.Sprintf("https://id.gs1.org/417/%d", seq%5),
		Name:     fmt.Sprintf("urn:example:%d", seq),
		Body:     fmt.Appendf(nil, `{"n": %d}`, seq),
		Salt:     sha256.Sum256(fmt.Append(nil, "salt", seq)),
	}
	if seq%2 == 1 {
		e.Context = []byte(`"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"`)
	}
	return e
}

// newKey makes a key from a seed, so that tests are the same at each run.
func newKey(t testing.TB, origin string, seed byte) (*ledger.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(origin, strings.NewReader(strings.Repeat(string(rune(seed)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.LoadSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.LoadVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func (w *world) checkpoint(t testing.TB, size int) []byte {
	t.Helper()
	text, err := ledger.Sign(w.signer, int64(size), w.roots[size])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func vector(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wantError fails unless err says each of the words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; it should say %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error is %q; it should say %q", err, word)
		}
	}
}
