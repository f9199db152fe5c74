package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

const (
	singleCallers = 64   // who capture at the same time
	singleEvents  = 200  // that one caller captures, one after the other
	sharedEvents  = 6400 // that all callers capture together
)

// singleEvent is a document of one event of a kilobyte, with five units.
func singleEvent(n int) string {
	var units []string
	for i := range 5 {
		units = append(units, fmt.Sprintf("%q", fmt.Sprintf("https://id.gs1.org/01/09521234000013/21/%08d%d", n, i)))
	}
	return fmt.Sprintf(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}],"type":"ObjectEvent",`+
		`"eventID":"urn:uuid:00000000-0000-4000-8000-%012d","action":"OBSERVE","bizStep":"sensor_reporting","disposition":"active",`+
		`"eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":[%s],"readPoint":{"id":"geo:60.17,24.94;u=50"},`+
		`"bizLocation":{"id":"https://id.gs1.org/414/9521234500032"},"tw:tier":2,"tw:evidence":"sha256:%064x","tw:note":%q}`, n, strings.Join(units, ","), n, strings.Repeat("x", 120))
}

// singles are documents of one event each, from first on.
func singles(first, n int) (documents []string) {
	for i := range n {
		documents = append(documents, singleEvent(first+i))
	}
	return documents
}

// BenchmarkSingle measures single events, each durable when its caller is told so: the time that one caller waits, and what 64 callers
// get done together. In the same run it measures bare inserts of the same bytes into a table with one index, one a transaction,
// and 64 a transaction: what the database does if nothing else is done and the callers share perfectly.
func BenchmarkSingle(b *testing.B) {
	for b.Loop() {
		st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchSingle(b, st, rawSingle(b))
		st.Close()
	}
}

// BenchmarkSinglePostgres measures the same with PostgreSQL.
func BenchmarkSinglePostgres(b *testing.B) {
	for b.Loop() {
		url := pgtest.Database(b)
		st, err := postgres.Open(b.Context(), url, postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchSingle(b, st, rawSinglePostgres(b, url))
		st.Close()
	}
}

// benchSingle measures one caller and many, each between two measurements of the bare inserts.
func benchSingle(b *testing.B, st store.Store, raw func(documents []string, each int) []time.Duration) {
	b.Helper()
	group := store.NewGroup(st)
	before := raw(singles(0, singleEvents), 1)
	waits := captureEach(b, group, singles(0, singleEvents))
	bare := slices.Sorted(slices.Values(slices.Concat(before, raw(singles(singleEvents, singleEvents), 1))))
	slices.Sort(waits)
	b.ReportMetric(ms(waits, 50), "p50-ms")
	b.ReportMetric(ms(waits, 99), "p99-ms")
	b.ReportMetric(ms(bare, 50), "bare-p50-ms")

	shared := singles(singleEvents, sharedEvents)
	limit := sum(raw(singles(2*singleEvents, sharedEvents), singleCallers))
	start := time.Now()
	captureTogether(b, group, shared)
	took := time.Since(start)
	limit += sum(raw(singles(2*singleEvents+sharedEvents, sharedEvents), singleCallers))
	b.ReportMetric(sharedEvents/took.Seconds(), "events/s")
	b.ReportMetric(limit.Seconds()/2/took.Seconds(), "ratio")
	b.ReportMetric(sum(bare).Seconds()/float64(len(bare))*sharedEvents/took.Seconds(), "times-bare")
}

func captureEach(b *testing.B, l store.Ledger, documents []string) (waits []time.Duration) {
	b.Helper()
	for _, document := range documents {
		start := time.Now()
		if err := captureSingle(b.Context(), l, b.TempDir(), document); err != nil {
			b.Fatal(err)
		}
		waits = append(waits, time.Since(start))
	}
	return waits
}

// captureTogether lets the callers take one document after the other.
func captureTogether(b *testing.B, l store.Ledger, documents []string) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	dir := b.TempDir()
	for range singleCallers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(documents); i = int(next.Add(1)) - 1 {
				if err := captureSingle(b.Context(), l, dir, documents[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func captureSingle(ctx context.Context, l store.Ledger, dir, document string) error {
	reg := registry.Registry{Store: l, Now: time.Now}
	r, err := reg.Capture(ctx, strings.NewReader(document), registry.Options{Name: "event", As: "https://id.gs1.org/417/9521234500018", SpoolDir: dir})
	if err == nil && r.Accepted != 1 {
		err = fmt.Errorf("%+v", r)
	}
	return err
}

// rawSingle inserts documents, so many a transaction, and tells how long each transaction took.
func rawSingle(b *testing.B) func(documents []string, each int) []time.Duration {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY, key BLOB, body BLOB); CREATE INDEX k ON t (key)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(b.Context(), "INSERT INTO t (key, body) VALUES (?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { insert.Close() })
	return func(documents []string, each int) (waits []time.Duration) {
		for chunk := range slices.Chunk(documents, each) {
			start := time.Now()
			tx, err := db.BeginTx(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			if err := insertAll(b.Context(), tx.StmtContext(b.Context(), insert), chunk); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
			waits = append(waits, time.Since(start))
		}
		return waits
	}
}

// rawSinglePostgres does the same over one connection: a single insert as one statement, many by COPY.
func rawSinglePostgres(b *testing.B, url string) func(documents []string, each int) []time.Duration {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(context.Background()) })
	if _, err := conn.Exec(b.Context(), "CREATE TABLE t (id bigserial PRIMARY KEY, key bytea, body bytea); CREATE INDEX k ON t (key)"); err != nil {
		b.Fatal(err)
	}
	insert := func(bodies []string) error {
		if len(bodies) == 1 {
			key := ledger.Commitment(ledger.Entry{Body: []byte(bodies[0])})
			_, err := conn.Exec(b.Context(), "INSERT INTO t (key, body) VALUES ($1, $2)", key[:], []byte(bodies[0]))
			return err
		}
		_, err := conn.CopyFrom(b.Context(), pgx.Identifier{"t"}, []string{"key", "body"}, pgx.CopyFromSlice(len(bodies), func(i int) ([]any, error) {
			key := ledger.Commitment(ledger.Entry{Body: []byte(bodies[i])})
			return []any{key[:], []byte(bodies[i])}, nil
		}))
		return err
	}
	return func(documents []string, each int) (waits []time.Duration) {
		for chunk := range slices.Chunk(documents, each) {
			start := time.Now()
			if err := insert(chunk); err != nil {
				b.Fatal(err)
			}
			waits = append(waits, time.Since(start))
		}
		return waits
	}
}

// ms is a percentile, in milliseconds, of what is sorted.
func ms(sorted []time.Duration, percent int) float64 {
	return float64(sorted[len(sorted)*percent/100].Microseconds()) / 1000
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

func insertAll(ctx context.Context, into *sql.Stmt, bodies []string) error {
	defer into.Close()
	for _, body := range bodies {
		key := ledger.Commitment(ledger.Entry{Body: []byte(body)})
		if _, err := into.ExecContext(ctx, key[:], []byte(body)); err != nil {
			return err
		}
	}
	return nil
}
