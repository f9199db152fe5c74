package ledger_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// erasedLedger is a ledger of three entries of which the second is erased, as the third says, and its tree from before.
func erasedLedger(t *testing.T) ([]ledger.Entry, tlog.HashReader) {
	t.Helper()
	var entries []ledger.Entry
	for i, body := range []string{"one", "two"} {
		entries = append(entries, ledger.Entry{Seq: int64(i), Kind: ledger.KindEvent, Recorded: time.Unix(1, 0).UTC(), Name: body, Body: []byte(body), Salt: [32]byte{byte(i + 1)}})
	}
	record := ledger.NewErasing([32]byte{7})
	record.Add(entries[1], []string{"urn:unit"})
	body, err := record.JSON()
	if err != nil {
		t.Fatal(err)
	}
	entries = append(entries, ledger.Entry{Seq: 2, Kind: ledger.KindErasure, Recorded: time.Unix(1, 0).UTC(), Body: body, Salt: [32]byte{9}})
	var tree ledger.Tree
	var hashes []tlog.Hash
	for _, e := range entries {
		hashes = tree.Append(hashes, ledger.LeafHash(e))
	}
	c := ledger.Commitment(entries[1])
	entries[1].Body, entries[1].Salt, entries[1].Erased = []byte{}, [32]byte{}, &ledger.Erased{Commitment: c, By: 2}
	return entries, tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, hashes[i])
		}
		return out, nil
	})
}

func check(t *testing.T, entries []ledger.Entry, hashes tlog.HashReader) string {
	t.Helper()
	report, err := ledger.Fsck(context.Background(), func(from, to int64, fn func(ledger.Entry) error) error {
		for _, e := range entries[from:min(to, int64(len(entries)))] {
			if err := fn(e); err != nil {
				return err
			}
		}
		return nil
	}, hashes, int64(len(entries)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range report.Damage {
		all = append(all, d.String())
	}
	return strings.Join(all, "\n")
}

func TestFsckHoldsErasuresAgainstWhatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(entries []ledger.Entry)
		want   string
	}{
		"as it should be":    {func([]ledger.Entry) {}, ""},
		"said by another":    {func(e []ledger.Entry) { e[1].Erased.By = 0 }, "its content was destroyed, and entry 0, which should say by whom and why, does not"},
		"another commitment": {func(e []ledger.Entry) { e[1].Erased.Commitment[0]++ }, "is not the one that its erasure, entry 2, names"},
		"not said":           {func(e []ledger.Entry) { e[0].Erased = &ledger.Erased{Commitment: ledger.Commitment(e[0]), By: 2} }, "entry 0: its content was destroyed, and entry 2"},
		"not gone":           {func(e []ledger.Entry) { e[1].Erased = nil }, "entry 2 says that its content was destroyed, and it is still there"},
	} {
		entries, hashes := erasedLedger(t)
		c.change(entries)
		if got := check(t, entries, hashes); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The record of an erasure finds what named a unit for who knows the unit, and has no word of it.
func TestErasingNamesNothing(t *testing.T) {
	entries, _ := erasedLedger(t)
	if strings.Contains(string(entries[2].Body), "urn:unit") || strings.Contains(string(entries[2].Body), "two") {
		t.Errorf("%s", entries[2].Body)
	}
	r, err := ledger.ParseErasing(entries[2])
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Named("urn:unit"); len(got) != 1 || got[0] != 1 {
		t.Errorf("the unit's entries: %v", got)
	}
	if got := r.Named("urn:other"); got != nil {
		t.Errorf("another unit's: %v", got)
	}
	if _, err := ledger.Open(entries[1]).Leaf(); err == nil || !strings.Contains(err.Error(), "was erased, as entry 2 says") {
		t.Errorf("opening what was erased: %v", err)
	}
}
