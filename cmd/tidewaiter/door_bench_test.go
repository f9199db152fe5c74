package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
)

// callers is how many send at once, each one event at a time, waiting until it is durable.
const callers = 64

// BenchmarkDoor measures single events over HTTP: callers that each wait for the answer, which comes when the event is durable. ratio is to
// the same callers and events handed to the registry itself in this process. Clients and service share the machine.
func BenchmarkDoor(b *testing.B) {
	for b.Loop() {
		benchDoor(b, "")
	}
}

// BenchmarkDoorPostgres measures the same with PostgreSQL.
func BenchmarkDoorPostgres(b *testing.B) {
	for b.Loop() {
		benchDoor(b, pgtest.Database(b))
	}
}

func benchDoor(b *testing.B, database string) {
	b.Helper()
	now := func() time.Time { return time.Now() }
	e := &env{ctx: context.Background(), stdout: io.Discard, stderr: io.Discard, screen: io.Discard, now: now, cli: &cli{Data: filepath.Join(b.TempDir(), "data"), Database: database}}
	d, err := e.open()
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	token, _, err := d.credentials().Add(e.ctx, theMaker, []registry.Scope{registry.ScopeCapture}, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(d.routes(nil, &serveCmd{MaxDocumentBytes: 1 << 30, MaxEventBytes: 16 << 20, MaxCaptures: 2 * callers}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers, MaxConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	reg := registry.Registry{Store: d.ledger, Now: now}
	direct, _, _ := together(b, "direct", func(event string) error {
		_, err := reg.Capture(e.ctx, strings.NewReader(event), registry.Options{As: theMaker, OneEvent: true})
		return err
	})
	rate, median, late := together(b, "http", func(event string) error {
		req, err := http.NewRequestWithContext(e.ctx, http.MethodPost, server.URL+"/epcis/events", strings.NewReader(event))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusCreated {
			return fmt.Errorf("%d %s (%w)", resp.StatusCode, text, err)
		}
		return err
	})
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(rate/direct, "ratio")
	b.ReportMetric(float64(median.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(late.Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// together lets all callers send for some seconds, and says how many events a second were kept, and how long one took.
func together(b *testing.B, name string, send func(event string) error) (rate float64, median, late time.Duration) {
	b.Helper()
	const lasts = 4 * time.Second
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			var mine []time.Duration
			for time.Since(began) < lasts {
				start := time.Now()
				if err := send(loadEvent(fmt.Sprintf("%s:%d", name, next.Add(1)))); err != nil {
					b.Error(err)
					return
				}
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	all.Wait()
	rate = float64(len(took)) / time.Since(began).Seconds()
	slices.Sort(took)
	return rate, took[len(took)/2], took[len(took)*99/100]
}
