//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// asks is how many random questions are asked.
const asks = 2000

// timed asks a question many times, and gives how long half of the answers, and 99 of 100, took at most.
func timed(b *testing.B, ask func() error) (p50, p99 time.Duration) {
	b.Helper()
	took := make([]time.Duration, asks)
	for i := range took {
		start := time.Now()
		if err := ask(); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[asks/2], took[asks*99/100]
}

// ask reports how long a question takes, in milliseconds.
func (f figures) ask(name string, ask func() error) {
	f.b.Helper()
	p50, p99 := timed(f.b, ask)
	f.report(float64(p50.Microseconds())/1000, name+"-p50-ms")
	f.report(float64(p99.Microseconds())/1000, name+"-p99-ms")
}

// BenchmarkGrowthAsk asks where random units are and what was told of them, of views opened afresh, beside the raw limit: reading one
// row under its key. Ten events name a unit: 2,000,000 events are a million units and ten million observations.
func BenchmarkGrowthAsk(b *testing.B) {
	for _, events := range growthSizes(b) {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			for b.Loop() {
				st := openGrowth(b, filepath.Join(b.TempDir(), "ledger.db"))
				captureTraffic(b, st, events)
				growthAsk(figures{b, "sqlite", events}, st)
				st.Close()
			}
		})
	}
}

func openGrowth(b *testing.B, path string) *sqlite.Store {
	b.Helper()
	st, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return st
}

func growthAsk(f figures, st store.Store) {
	f.b.Helper()
	v, err := custodyFollower(st).CatchUp(f.b.Context())
	if err != nil {
		f.b.Fatal(err)
	}
	lots := max(1, f.events/lotEvents*9/10) // the last ones may not have been begun
	unit := func() string { return lot{number: rand.IntN(lots)}.unit(rand.IntN(lotUnits)) }
	rows := st.Rows(f.b.Context(), "custody")
	f.ask("raw", func() error {
		_, err := rows.Get("unit/" + unit())
		return err
	})
	f.ask("where", func() error {
		u := unit()
		w, err := v.Where(u, custody.Asked{})
		if err == nil && w == nil {
			err = fmt.Errorf("%s is not known", u)
		}
		return err
	})
	f.ask("trace", func() error {
		list, err := v.Trace(unit(), custody.Asked{})
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("nothing was told")
		}
		return err
	})
}

// BenchmarkGrowthProof proves that random entries are in the tree, beside the raw limit: reading one row of the tree's hashes. -events
// are the leaves; their bodies are small.
func BenchmarkGrowthProof(b *testing.B) {
	for _, leaves := range growthSizes(b) {
		b.Run(fmt.Sprint(leaves), func(b *testing.B) {
			for b.Loop() {
				st := openGrowth(b, filepath.Join(b.TempDir(), "ledger.db"))
				growLeaves(b, st, leaves)
				f := figures{b, "sqlite", leaves}
				reader, size := st.HashReader(b.Context()), int64(leaves)
				f.ask("raw", func() error {
					_, err := reader.ReadHashes([]int64{rand.Int64N(tlog.StoredHashCount(size))})
					return err
				})
				f.ask("proof", func() error {
					_, err := tlog.ProveRecord(size, rand.Int64N(size), reader)
					return err
				})
				st.Close()
			}
		})
	}
}

// growLeaves appends entries that say next to nothing.
func growLeaves(b *testing.B, st store.Store, leaves int) {
	b.Helper()
	const together = 10000
	for n := 0; n < leaves; n += together {
		err := st.Append(b.Context(), func(tx store.Appender) error {
			for i := n; i < min(n+together, leaves); i++ {
				e := ledger.Entry{Kind: ledger.KindSweep, Recorded: time.UnixMicro(int64(i)), Speaker: partyLink(0), Name: fmt.Sprintf("urn:uuid:%d", i), Body: []byte("{}")}
				if _, err := tx.Append(e, store.Key(tlog.RecordHash([]byte(e.Name)))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGrowthDisk measures the bytes on disk for an event: of the whole file with custody and its unit index, of each table and
// index, and of each kind of row of the view.
func BenchmarkGrowthDisk(b *testing.B) {
	for _, events := range growthSizes(b) {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			for b.Loop() {
				path := filepath.Join(b.TempDir(), "ledger.db")
				st := openGrowth(b, path)
				captureTraffic(b, st, events)
				if err := st.Close(); err != nil {
					b.Fatal(err)
				}
				f := figures{b, "sqlite", events}
				info, err := os.Stat(path)
				if err != nil {
					b.Fatal(err)
				}
				f.report(float64(info.Size())/float64(events), "file-B")
				f.sizes(path, "SELECT name, sum(pgsize) FROM dbstat GROUP BY name HAVING sum(pgsize) > 100000")
				f.sizes(path, "SELECT 'row-' || CAST(substr(key, 1, instr(key, '/') - 1) AS TEXT) AS kind, sum(length(key) + length(value)) FROM rows GROUP BY kind")
				f.sizes(path, "SELECT 'bodies', sum(length(body)) FROM entries")
			}
		})
	}
}

// sizes reports bytes for an event, as a query has them by name.
func (f figures) sizes(path, query string) {
	f.b.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		f.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var size int64
		if err := rows.Scan(&name, &size); err != nil {
			f.b.Fatal(err)
		}
		f.report(float64(size)/float64(f.events), name+"-B")
	}
	if err := rows.Err(); err != nil {
		f.b.Fatal(err)
	}
}
