//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// How speed and size change as a ledger grows:
//
//	go test ./cmd/tidewaiter -run '^$' -bench Growth -benchtime 1x -timeout 0 -events 100000,1000000 -growth growth.csv
var (
	growthEvents = flag.String("events", "20000", "sizes at which growth is measured, in events: N,N")
	growthAll    = flag.Bool("growth-rebuild", true, "also make the views anew, custody alone and all of them")
	growthFile   = flag.String("growth", "", "file to which each figure is added as a line: benchmark,store,events,figure,value")
)

// growthDocument is how many events one document has.
const growthDocument = 2000

func growthSizes(t testing.TB) (sizes []int) {
	t.Helper()
	for _, s := range strings.Split(*growthEvents, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("-events %s: not N,N", *growthEvents)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// figures reports what was measured at one size, and adds it to the file.
type figures struct {
	b      *testing.B
	store  string
	events int
}

func (f figures) report(value float64, name string) {
	f.b.Helper()
	f.b.ReportMetric(value, name)
	if *growthFile == "" {
		return
	}
	out, err := os.OpenFile(*growthFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		f.b.Fatal(err)
	}
	defer out.Close()
	bench, _, _ := strings.Cut(strings.TrimPrefix(f.b.Name(), "Benchmark"), "/")
	if _, err := fmt.Fprintf(out, "%s,%s,%d,%s,%.4g\n", bench, f.store, f.events, name, value); err != nil {
		f.b.Fatal(err)
	}
}

// stopwatch sums up how long something took, by the clock and by the processors.
type stopwatch struct {
	wall, cpu time.Duration
	began     time.Time
	used      time.Duration
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func (s *stopwatch) start() { s.began, s.used = time.Now(), cpuTime() }

func (s *stopwatch) stop() { s.wall, s.cpu = s.wall+time.Since(s.began), s.cpu+cpuTime()-s.used }

// rate is events a second by the clock, cost the microseconds of processor time that one takes.
func (s *stopwatch) rate(events int) float64 { return float64(events) / s.wall.Seconds() }

func (s *stopwatch) cost(events int) float64 { return float64(s.cpu.Microseconds()) / float64(events) }

// custodyOnly is custody as a view of its own: the unit index and the units' states, and no detector.
type custodyOnly struct{ *custody.View }

func (v custodyOnly) Apply(e ledger.Entry) error {
	_, err := v.View.Apply(e)
	return err
}

func (v custodyOnly) Decode(e ledger.Entry) any { return (*casework.View)(nil).Decode(e) }

func (v custodyOnly) Foresee(decoded []any) error {
	told := make([]*custody.Telling, 0, len(decoded))
	for _, d := range decoded {
		if t, ok := d.(*custody.Telling); ok {
			told = append(told, t)
		}
	}
	return v.View.Foresee(told)
}

func custodyFollower(st store.Store) *registry.Follower[custodyOnly] {
	return &registry.Follower[custodyOnly]{Store: st, Name: "custody", New: func(rows store.Rows) (custodyOnly, error) {
		return custodyOnly{custody.NewView(rows, entriesOf(st))}, nil
	}}
}

func mainFollower(st store.Store) *registry.Follower[*casework.View] {
	return &registry.Follower[*casework.View]{Store: st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, entriesOf(st))
	}}
}

func entriesOf(st store.Store) custody.Entries {
	return func(seq int64) (ledger.Entry, error) { return st.Entry(context.Background(), seq) }
}

// rawEvent is what of an event the raw limit writes: the ledger's row, and one in an index of units for each unit.
type rawEvent struct {
	key, name, body []byte
	units           []string
}

func rawEvents(b *testing.B, document []byte) (out []rawEvent) {
	b.Helper()
	dec := epcis.NewDecoder(bytes.NewReader(document), epcis.Options{})
	for {
		it, err := dec.Next()
		if err != nil {
			return out
		}
		if it.Kind != epcis.ItemEvent {
			continue
		}
		ctx, err := epcis.ParseContext(dec.Context())
		if err != nil {
			b.Fatal(err)
		}
		ev, err := epcis.ParseEvent(it.Raw, ctx)
		if err != nil {
			b.Fatal(err)
		}
		key := ledger.Commitment(ledger.Entry{Body: it.Raw})
		r := rawEvent{key: key[:], name: []byte(ev.ID), body: it.Raw}
		for _, u := range (&custody.Telling{Event: ev}).Units() {
			r.units = append(r.units, u.Unit)
		}
		out = append(out, r)
	}
}

// rawGrowth writes the rows that must be written whoever does it, to the same engine with the same durability: body, key and name of
// each event with an index over each, and a row of an index for each unit that it names.
func rawGrowth(b *testing.B, events int) (w stopwatch) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(16384)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const schema = `CREATE TABLE t (id INTEGER PRIMARY KEY, key BLOB, name BLOB, body BLOB); CREATE INDEX k ON t (key); CREATE INDEX n ON t (name);
CREATE TABLE u (unit TEXT, id INTEGER, PRIMARY KEY (unit, id)) WITHOUT ROWID`
	if _, err := db.Exec(schema); err != nil {
		b.Fatal(err)
	}
	traffic, id := newTraffic(events), 0
	for done := 0; done < events; done += growthDocument {
		list := rawEvents(b, traffic.document(min(growthDocument, events-done)))
		w.start()
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		entry, err1 := tx.Prepare("INSERT INTO t (id, key, name, body) VALUES (?, ?, ?, ?)") //nolint:sqlclosecheck // they end with their transaction
		unit, err2 := tx.Prepare("INSERT INTO u (unit, id) VALUES (?, ?)")                   //nolint:sqlclosecheck // as above
		if err1 != nil || err2 != nil {
			b.Fatal(err1, err2)
		}
		for _, r := range list {
			id++
			if _, err := entry.Exec(id, r.key, r.name, r.body); err != nil {
				b.Fatal(err)
			}
			for _, u := range r.units {
				if _, err := unit.Exec(u, id); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		w.stop()
	}
	return w
}

// BenchmarkGrowth measures the whole way with SQLite: capture (decode, validate, hash, ledger), with the unit index and custody caught
// up after each document. ratio is to the raw limit of the same run; rebuild is custody made anew; all is custody and the detectors
// made anew; µs are of processor time for an event.
func BenchmarkGrowth(b *testing.B) {
	for _, events := range growthSizes(b) {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			for b.Loop() {
				raw := rawGrowth(b, events)
				st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
				if err != nil {
					b.Fatal(err)
				}
				growth(b, figures{b, "sqlite", events}, st, raw)
				st.Close()
			}
		})
	}
}

func growth(b *testing.B, f figures, st store.Store, raw stopwatch) {
	b.Helper()
	in, behind := captureTraffic(b, st, f.events)
	both := stopwatch{wall: in.wall + behind.wall, cpu: in.cpu + behind.cpu}
	f.report(raw.rate(f.events), "raw/s")
	f.report(in.rate(f.events), "capture/s")
	f.report(behind.rate(f.events), "custody/s")
	f.report(both.rate(f.events), "both/s")
	f.report(both.rate(f.events)/raw.rate(f.events), "ratio")
	f.report(raw.cost(f.events), "raw-µs")
	f.report(in.cost(f.events), "capture-µs")
	f.report(behind.cost(f.events), "custody-µs")
	if !*growthAll {
		return
	}
	var anew, all stopwatch
	anew.start()
	if _, err := custodyFollower(st).Rebuild(b.Context()); err != nil {
		b.Fatal(err)
	}
	anew.stop()
	f.report(anew.rate(f.events), "rebuild/s")
	f.report(anew.cost(f.events), "rebuild-µs")
	all.start()
	v, err := mainFollower(st).Rebuild(b.Context())
	all.stop()
	if err != nil {
		b.Fatal(err)
	}
	f.report(float64(len(v.Machine.Findings())), "findings")
	f.report(all.rate(f.events), "all/s")
	f.report(all.cost(f.events), "all-µs")
}

// captureTraffic captures so many events, custody following after each document.
func captureTraffic(b *testing.B, st store.Store, events int) (in, behind stopwatch) {
	b.Helper()
	traffic, views := newTraffic(events), custodyFollower(st)
	for done := 0; done < events; done += growthDocument {
		document := traffic.document(min(growthDocument, events-done))
		behind.start()
		v, err := views.CatchUp(b.Context())
		behind.stop()
		if err != nil {
			b.Fatal(err)
		}
		in.start()
		reg := registry.Registry{Store: st, Directory: v.View, Now: time.Now}
		r, err := reg.Capture(b.Context(), bytes.NewReader(document), registry.Options{TrustRecordTime: true, SpoolDir: b.TempDir()})
		in.stop()
		if err != nil || r.Events != int64(min(growthDocument, events-done)) {
			b.Fatal(r, err)
		}
	}
	behind.start()
	_, err := views.CatchUp(b.Context())
	behind.stop()
	if err != nil {
		b.Fatal(err)
	}
	return in, behind
}
