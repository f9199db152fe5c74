// Package storetest says as tests what the contract of a store says as comments. Every store passes the same suite, the
// in-memory fake included: what a test of the rooms above saw with the fake is what they get from the store that keeps.
// It may know the contract and the ledger's arithmetic, and nothing of how any store does it.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Opener opens an empty store and sees to it that it is closed when the test ends.
type Opener func(t *testing.T) store.Store

// Run runs the whole suite, each row on a store of its own.
func Run(t *testing.T, open Opener) {
	t.Run("Ledger", func(t *testing.T) { RunLedger(t, open) })
	t.Run("Erase", func(t *testing.T) { RunErase(t, open) })
	t.Run("Views", func(t *testing.T) { RunViews(t, open) })
	t.Run("Leases", func(t *testing.T) { RunLeases(t, open) })
	t.Run("Failures", func(t *testing.T) { RunFailures(t, open) })
	t.Run("Parts", func(t *testing.T) { RunParts(t, open) })
	t.Run("Model", func(t *testing.T) { RunModel(t, open) })
}

// row is one line of the suite.
type row struct {
	name string
	test func(t *testing.T, s store.Store)
}

func runRows(t *testing.T, open Opener, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) { r.test(t, open(t)) })
	}
}

// noon is when the tests' entries begin to be recorded.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Entry makes an entry and its key; n tells one from another.
func Entry(n int) (ledger.Entry, store.Key) {
	e := ledger.Entry{
		Kind:     ledger.KindEvent,
		Recorded: noon.Add(time.Duration(n) * time.Microsecond),
		Speaker:  "https://id.gs1.org/417/9521321000014",
		Name:     fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n),
		Context:  []byte(`["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"]`),
		Body:     fmt.Appendf(nil, `{"type":"ObjectEvent","n":%d}`, n),
	}
	return e, KeyOf(e)
}

// KeyOf is a key for an entry, as the registry would make one: of speaker and content.
func KeyOf(e ledger.Entry) store.Key {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s", e.Kind, e.Speaker, e.Name, e.Body))
}

// add appends entries in one transaction and gives them back as they should be read.
func add(t *testing.T, s store.Ledger, entries ...ledger.Entry) []ledger.Entry {
	t.Helper()
	entries = slices.Clone(entries)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		for i, e := range entries {
			seq, err := tx.Append(e, KeyOf(e))
			if err != nil {
				return err
			}
			if entries[i], err = tx.Entry(seq); err != nil {
				return err
			}
		}
		return nil
	}))
	return entries
}

// numbered makes entries from first on.
func numbered(first, n int) []ledger.Entry {
	all := make([]ledger.Entry, n)
	for i := range all {
		all[i], _ = Entry(first + i)
	}
	return all
}

func all(t *testing.T, s store.Ledger) (entries []ledger.Entry) {
	t.Helper()
	must(t, s.Entries(t.Context(), 0, 1<<62, func(e ledger.Entry) error {
		entries = append(entries, e)
		return nil
	}))
	return entries
}

// same says how two entries differ; their bytes count, and whether there is a context.
func same(a, b ledger.Entry) error {
	switch {
	case a.Seq != b.Seq, a.Kind != b.Kind, a.Trusted != b.Trusted, a.Speaker != b.Speaker, a.Name != b.Name, a.Salt != b.Salt:
		return fmt.Errorf("entry %d %s %t %q %q is read as %d %s %t %q %q", a.Seq, a.Kind, a.Trusted, a.Speaker, a.Name, b.Seq, b.Kind, b.Trusted, b.Speaker, b.Name)
	case a.Recorded != b.Recorded:
		return fmt.Errorf("entry %d: recorded %v is read as %v", a.Seq, a.Recorded, b.Recorded)
	case (a.Erased == nil) != (b.Erased == nil), a.Erased != nil && *a.Erased != *b.Erased:
		return fmt.Errorf("entry %d, erased as %+v, is read as %+v", a.Seq, a.Erased, b.Erased)
	case !bytes.Equal(a.Body, b.Body):
		return fmt.Errorf("entry %d: a body of %d bytes is read as %d other bytes", a.Seq, len(a.Body), len(b.Body))
	case !bytes.Equal(a.Context, b.Context), (a.Context == nil) != (b.Context == nil):
		return fmt.Errorf("entry %d: context %#v is read as %#v", a.Seq, a.Context, b.Context)
	}
	return nil
}

func sameAll(t *testing.T, want, got []ledger.Entry) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range want {
		must(t, same(want[i], got[i]))
	}
}

// Whole runs the shipped check over the ledger (ledger.Fsck computes the tree again from the entries) and gives the number of
// entries. The head must agree, and nothing lie beyond it.
func Whole(ctx context.Context, s store.Ledger) (int64, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	entries := func(from, to int64, fn func(ledger.Entry) error) error { return s.Entries(ctx, from, to, fn) }
	report, err := ledger.Fsck(ctx, entries, s.HashReader(ctx), head.Size, nil)
	if err != nil {
		return 0, err
	}
	for _, damage := range report.Damage {
		err = errors.Join(err, errors.New(damage.String()))
	}
	if err != nil {
		return 0, err
	}
	return head.Size, atEnd(ctx, s, head)
}

// atEnd compares the head with the last entry, and looks for something beyond.
func atEnd(ctx context.Context, s store.Ledger, head store.Head) error {
	last := store.Head{}
	err := s.Entries(ctx, head.Size-1, 1<<62, func(e ledger.Entry) error {
		last = store.Head{Size: e.Seq + 1, Recorded: e.Recorded.UnixMicro()}
		return nil
	})
	if err != nil {
		return err
	}
	if last != head {
		return fmt.Errorf("the head says %+v, the last entry %+v", head, last)
	}
	if _, err := s.HashReader(ctx).ReadHashes([]int64{tlog.StoredHashCount(head.Size)}); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("a hash beyond the tree: %w, want ErrNotFound", err)
	}
	return nil
}

// whole is Whole, and what a store that can check itself finds.
func whole(t *testing.T, s store.Store) int64 {
	t.Helper()
	n, err := Whole(t.Context(), s)
	must(t, err)
	if c, ok := s.(store.Checker); ok {
		must(t, c.Check(t.Context(), func(problem string) error {
			t.Errorf("the store's own check: %s", problem)
			return nil
		}))
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want an error that is: %v", err, want)
	}
}
