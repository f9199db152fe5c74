package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Rows of the suite that are about what entries are made of: every value is read back as it was given.

func oddValues(t *testing.T, s store.Store) {
	base, _ := Entry(0)
	var entries []ledger.Entry
	for _, change := range []func(e *ledger.Entry){
		func(e *ledger.Entry) { e.Context = nil },
		func(e *ledger.Entry) { e.Context = []byte{} },
		func(e *ledger.Entry) { e.Body = nil },
		func(e *ledger.Entry) { e.Body = []byte{} },
		func(e *ledger.Entry) { e.Body = []byte{0} },
		func(e *ledger.Entry) { e.Body = []byte("\x00\xff\xfe not UTF-8 \xc3") },
		func(e *ledger.Entry) { e.Body = []byte("12345678901234567890") },
		func(e *ledger.Entry) { e.Body = []byte("1e3") },
		func(e *ledger.Entry) { e.Context = []byte("\x00") },
		func(e *ledger.Entry) { e.Speaker, e.Name = "", "" },
		func(e *ledger.Entry) { e.Name = "NULL" },
		func(e *ledger.Entry) { e.Name = "0042" },
		func(e *ledger.Entry) { e.Name = "42" },
		func(e *ledger.Entry) { e.Name = "42.0" },
		func(e *ledger.Entry) { e.Name = "a\x00b" },
		func(e *ledger.Entry) { e.Name = "a" },
		func(e *ledger.Entry) { e.Name = "\x00" },
		func(e *ledger.Entry) { e.Name = " trailing space " },
		func(e *ledger.Entry) { e.Name = "'; DROP TABLE entries; --" },
		func(e *ledger.Entry) { e.Name = "\u00e9" },
		func(e *ledger.Entry) { e.Name = "e\u0301" }, // the same to a reader, other bytes
		func(e *ledger.Entry) { e.Name = "\U0001F6A2\uFFFD\u2028" },
		func(e *ledger.Entry) { e.Speaker = strings.Repeat("long", 5000) },
		func(e *ledger.Entry) { e.Kind = "some other kind" },
		func(e *ledger.Entry) { e.Trusted = true },
		func(e *ledger.Entry) { e.Salt = [32]byte{31: 1} },
		func(e *ledger.Entry) { e.Salt = [32]byte(bytes.Repeat([]byte{0xff}, 32)) },
	} {
		e := base
		e.Speaker = fmt.Sprintf("https://example.org/%d", len(entries))
		change(&e)
		entries = append(entries, e)
	}
	want := add(t, s, entries...)
	for i := range entries {
		entries[i].Seq = int64(i)
		if entries[i].Salt == [32]byte{} {
			entries[i].Salt = want[i].Salt
		}
		must(t, same(entries[i], want[i]))
	}
	sameAll(t, want, all(t, s))
	for _, e := range want {
		seqs, err := s.Named(t.Context(), e.Name)
		must(t, err)
		if !slices.Contains(seqs, e.Seq) {
			t.Errorf("named %q: %v, without %d", e.Name, seqs, e.Seq)
		}
	}
	whole(t, s)
}

func recordedTimes(t *testing.T, s store.Store) {
	var entries []ledger.Entry
	for i, at := range []time.Time{
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1600, 2, 29, 1, 2, 3, 4000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(2026, 6, 30, 14, 0, 0, 123456000, time.FixedZone("", 2*3600)),
		time.Date(2026, 6, 30, 12, 0, 0, 123456789, time.UTC), // nanoseconds are cut off: the same instant as the one before
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		e, _ := Entry(i)
		e.Recorded = at
		entries = append(entries, e)
	}
	add(t, s, entries...)
	for i, e := range all(t, s) {
		want := time.UnixMicro(entries[i].Recorded.UnixMicro()).UTC()
		if e.Recorded != want {
			t.Errorf("entry %d: %v is read as %v", i, want, e.Recorded)
		}
	}
	whole(t, s)
}

func timeBackwards(t *testing.T, s store.Store) {
	entries := numbered(0, 3)
	add(t, s, entries[1])
	err := s.Append(t.Context(), func(tx store.Appender) error {
		_, err := tx.Append(entries[0], KeyOf(entries[0]))
		return err
	})
	wantErr(t, err, store.ErrTime)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if _, err := tx.Append(entries[2], KeyOf(entries[2])); err != nil {
			return err
		}
		// Within the transaction too; and a refusal does not end it.
		_, err := tx.Append(entries[0], KeyOf(entries[0]))
		if !errors.Is(err, store.ErrTime) {
			t.Errorf("backwards inside a transaction: %v", err)
		}
		return nil
	}))
	if n := whole(t, s); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	// Years before 1970 have negative microseconds; 1970 itself has none.
	epoch, _ := Entry(9)
	epoch.Recorded = time.Unix(0, 0)
	err = s.Append(t.Context(), func(tx store.Appender) error {
		_, err := tx.Append(epoch, KeyOf(epoch))
		return err
	})
	wantErr(t, err, store.ErrTime)
}

func largeBodies(t *testing.T, s store.Store) {
	entries := numbered(0, 4)
	entries[1].Body = bytes.Repeat([]byte("sixteen bytes ok"), 1<<20) // 16 MiB
	entries[2].Context = bytes.Repeat([]byte{0xab}, 3<<20)
	want := add(t, s, entries...)
	sameAll(t, want, all(t, s))
	whole(t, s)
}

func callersBytes(t *testing.T, s store.Store) {
	e, key := Entry(0)
	want := e
	want.Context, want.Body = bytes.Clone(e.Context), bytes.Clone(e.Body)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if _, err := tx.Append(e, key); err != nil {
			return err
		}
		clear(e.Body)
		clear(e.Context)
		got, err := tx.Entry(0)
		clear(got.Body)
		clear(got.Context)
		return err
	}))
	got, err := s.Entry(t.Context(), 0)
	must(t, err)
	want.Salt = got.Salt
	must(t, same(want, got))
	whole(t, s)
}

func notValid(t *testing.T, s store.Store) {
	for name, change := range map[string]func(e *ledger.Entry){
		"no kind":         func(e *ledger.Entry) { e.Kind = "" },
		"name not UTF-8":  func(e *ledger.Entry) { e.Name = "\xff" },
		"after year 9999": func(e *ledger.Entry) { e.Recorded = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		e, key := Entry(0)
		change(&e)
		err := s.Append(t.Context(), func(tx store.Appender) error {
			_, err := tx.Append(e, key)
			return err
		})
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if n := whole(t, s); n != 0 {
		t.Errorf("%d entries were kept", n)
	}
}

func salts(t *testing.T, s store.Store) {
	seen := map[[32]byte]bool{}
	for i := range 3 {
		for _, e := range add(t, s, numbered(100*i, 100)...) {
			if seen[e.Salt] || e.Salt == [32]byte{} {
				t.Fatalf("entry %d: salt %x is not new", e.Seq, e.Salt)
			}
			seen[e.Salt] = true
		}
	}
}
