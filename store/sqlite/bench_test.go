package sqlite_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// perAppend is how many entries one transaction of the benchmarks has.
const perAppend = 1000

func benchStore(b *testing.B) *sqlite.Store {
	return open(b, filepath.Join(b.TempDir(), "bench.db"), sqlite.Options{})
}

// kilobyte makes an entry with a body of 1 KB that does not compress, and with a name and a key that are random to an index.
func kilobyte(n int) (ledger.Entry, store.Key) {
	e, _ := storetest.Entry(n)
	e.Body = make([]byte, 1024)
	rand.Read(e.Body)
	key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	e.Name = fmt.Sprintf("ni:///sha-256;%x?ver=CBV2.0", sha256.Sum256(key[:]))
	return e, key
}

// BenchmarkAppend appends 1000 entries a transaction, as capture does: it asks for the key and the name of each first.
func BenchmarkAppend(b *testing.B) {
	s := benchStore(b)
	n := 0
	for b.Loop() {
		err := s.Append(b.Context(), func(tx store.Appender) error {
			for range perAppend {
				e, key := kilobyte(n)
				n++
				if _, _, err := tx.Seen(key); err != nil {
					return err
				}
				if _, err := tx.Named(e.Name); err != nil {
					return err
				}
				if _, err := tx.Append(e, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkAppendOne appends one entry a transaction: what a single check-in costs.
func BenchmarkAppendOne(b *testing.B) {
	s := benchStore(b)
	n := 0
	for b.Loop() {
		err := s.Append(b.Context(), func(tx store.Appender) error {
			e, key := kilobyte(n)
			n++
			_, err := tx.Append(e, key)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkCommit commits what 1000 entries change in a view: five rows of 300 bytes each, half of them there already.
func BenchmarkCommit(b *testing.B) {
	const rowsPerEntry = 5
	s := benchStore(b)
	value := make([]byte, 300)
	var at, made int64
	for b.Loop() {
		changes := make(map[string][]byte, perAppend*rowsPerEntry)
		for i := range perAppend * rowsPerEntry {
			n := made
			if i%2 == 1 && made > 0 {
				n = int64(binary.BigEndian.Uint32(value[:4])) % made // some row from before
			} else {
				made++
			}
			rand.Read(value)
			h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
			changes[fmt.Sprintf("unit/https://id.gs1.org/01/09521321000013/21/%x", h[:6])] = append([]byte(nil), value...)
		}
		if err := s.Commit(b.Context(), "v", at, at+perAppend, changes); err != nil {
			b.Fatal(err)
		}
		at += perAppend
	}
	b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkEntries reads entries in order, as a follower does.
func BenchmarkEntries(b *testing.B) {
	s := benchStore(b)
	const n = 20000
	if err := s.Append(b.Context(), func(tx store.Appender) error {
		for i := range n {
			e, key := kilobyte(i)
			if _, err := tx.Append(e, key); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	read := 0
	for b.Loop() {
		if err := s.Entries(b.Context(), 0, n, func(ledger.Entry) error { read++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkGet reads one row of a hundred thousand, as a view does for each unit that it has not met before.
func BenchmarkGet(b *testing.B) {
	s := benchStore(b)
	const n = 100000
	key := func(i int) string { return fmt.Sprintf("unit/https://id.gs1.org/01/09521321000013/21/%x", i) }
	changes := make(map[string][]byte, n)
	for i := range n {
		changes[key(i)] = make([]byte, 300)
	}
	if err := s.Commit(b.Context(), "v", 0, 0, changes); err != nil {
		b.Fatal(err)
	}
	rows := s.Rows(b.Context(), "v")
	i := 0
	for b.Loop() {
		if v, err := rows.Get(key(i * 7919 % n)); v == nil || err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkHead asks where the ledger ends, as each read that catches up does.
func BenchmarkHead(b *testing.B) {
	s := benchStore(b)
	appendOne(b, s)
	for b.Loop() {
		if _, err := s.Head(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
