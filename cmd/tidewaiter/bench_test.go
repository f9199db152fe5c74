package main

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/sim"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// The world that is measured: seed 1 with 2,000 accelerators, about 12,000 events of half a kilobyte.
func benchDocuments(b *testing.B) (documents [][]byte, bodies [][]byte) {
	b.Helper()
	world, err := sim.Generate(sim.DefaultConfig(1, 2000))
	if err != nil {
		b.Fatal(err)
	}
	err = world.Documents(func(_ string, document []byte) error {
		documents = append(documents, bytes.Clone(document))
		dec := epcis.NewDecoder(bytes.NewReader(document), epcis.Options{})
		for {
			it, err := dec.Next()
			if err != nil {
				return nil //nolint:nilerr // the end of the document
			}
			bodies = append(bodies, it.Raw)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return documents, bodies
}

// rawRate inserts the same bodies into a bare table with one index, a document's worth a transaction, with the durability that the
// ledger has: what the database can do if nothing else is done.
func rawRate(b *testing.B, bodies [][]byte) float64 {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-262144)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, key BLOB, body BLOB); CREATE INDEX k ON t (key)"); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for len(bodies) > 0 {
		n := min(len(bodies), 700)
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		stmt, err := tx.Prepare("INSERT INTO t (key, body) VALUES (?, ?)") //nolint:sqlclosecheck // it ends with its transaction
		if err != nil {
			b.Fatal(err)
		}
		for _, body := range bodies[:n] {
			key := ledger.Commitment(ledger.Entry{Body: body})
			if _, err := stmt.Exec(key[:], body); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		bodies = bodies[n:]
	}
	return 1 / time.Since(start).Seconds()
}

// BenchmarkCapture measures the way in end to end with SQLite: decode, validate, name, digest, speaker, entry, key, leaf, commit.
// ratio is to bare inserts of the same bytes in the same run; views is the rate at which custody, findings and cases follow,
// document by document, and rebuild that at which they are made anew.
func BenchmarkCapture(b *testing.B) {
	documents, bodies := benchDocuments(b)
	for b.Loop() {
		raw := rawRate(b, bodies) * float64(len(bodies))
		st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchCapture(b, st, documents, raw)
		st.Close()
	}
}

// benchCapture captures documents into an empty store, and lets the views follow.
func benchCapture(b *testing.B, st store.Store, documents [][]byte, raw float64) {
	b.Helper()
	ctx := context.Background()
	views := &registry.Follower[*casework.View]{Store: st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return st.Entry(ctx, seq) })
	}}
	var in, follow time.Duration
	var events int64
	for _, document := range documents {
		t := time.Now()
		v, err := views.CatchUp(ctx)
		if err != nil {
			b.Fatal(err)
		}
		follow += time.Since(t)
		t = time.Now()
		reg := registry.Registry{Store: st, Directory: v.Custody, Now: time.Now}
		r, err := reg.Capture(ctx, bytes.NewReader(document), registry.Options{TrustRecordTime: true, SpoolDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		in += time.Since(t)
		events += r.Accepted
	}
	t := time.Now()
	if _, err := views.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	follow += time.Since(t)
	t = time.Now()
	if _, err := views.Rebuild(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(events)/time.Since(t).Seconds(), "rebuild/s")
	rate := float64(events) / in.Seconds()
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(rate/raw, "ratio")
	b.ReportMetric(float64(events)/follow.Seconds(), "views/s")
	b.ReportMetric(float64(events)/(in+follow).Seconds(), "both/s")
}

// BenchmarkWhere measures one answer from views that are caught up and open.
func BenchmarkWhere(b *testing.B) {
	world, err := sim.Generate(sim.DefaultConfig(1, 2000))
	if err != nil {
		b.Fatal(err)
	}
	v := watch(b, world.Documents)
	var units []string
	if err := v.Custody.Units(func(unit string, s *custody.State) error { units = append(units, unit); return nil }); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		if _, err := v.Custody.Where(units[i%len(units)], custody.Asked{}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
