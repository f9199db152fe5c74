package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/sim"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// More worlds than the default run has time for:
//
//	go test ./cmd/tidewaiter -run Worlds -seeds 2001-2010 -units 5000 -v
var (
	worldSeeds = flag.String("seeds", "2001-2003", "seeds of the worlds to look at: A-B or A,B,C")
	worldUnits = flag.Int("units", 1500, "accelerators in each world")
)

func seedsOf(t testing.TB, s string) (out []uint64) {
	t.Helper()
	for _, part := range strings.Split(s, ",") {
		a, b, ok := strings.Cut(part, "-")
		if !ok {
			b = a
		}
		from, err1 := strconv.ParseUint(a, 10, 64)
		to, err2 := strconv.ParseUint(b, 10, 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("-seeds %s: not A-B or A,B,C", s)
		}
		for ; from <= to; from++ {
			out = append(out, from)
		}
	}
	return out
}

// watch captures a world's documents through the front door and returns the views at the end.
func watch(t testing.TB, documents func(func(string, []byte) error) error) *casework.View {
	t.Helper()
	st := memory.New()
	ctx := context.Background()
	views := &registry.Follower[*casework.View]{Store: st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return st.Entry(ctx, seq) })
	}}
	err := documents(func(name string, document []byte) error {
		v, err := views.CatchUp(ctx)
		if err != nil {
			return err
		}
		reg := registry.Registry{Store: st, Directory: v.Custody, Now: time.Now}
		r, err := reg.Capture(ctx, bytes.NewReader(document), registry.Options{Name: name, TrustRecordTime: true, SpoolDir: t.TempDir(),
			Reject: func(r registry.Reject) { t.Errorf("%s %s %s", r.Document, r.Pointer, r.Reason) }})
		if err == nil && r.Rejected > 0 {
			err = fmt.Errorf("%s: %d rejected", name, r.Rejected)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := views.CatchUp(ctx)
	if err == nil {
		err = v.Settle()
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func openCases(v *casework.View) (open []*casework.Case) {
	for _, c := range v.Cases() {
		if c.Status == casework.StatusOpen {
			open = append(open, c)
		}
	}
	return open
}

func TestWorlds(t *testing.T) {
	var planted, found, falseCases, diverted, inCases, accused, hit1 int
	for _, seed := range seedsOf(t, *worldSeeds) {
		world, err := sim.Generate(sim.DefaultConfig(seed, *worldUnits))
		if err != nil {
			t.Fatal(err)
		}
		v := watch(t, world.Documents)
		open := openCases(v)
		r := sim.Score(world.Truth(), scored(v, open))
		planted, found, falseCases = planted+r.Planted, found+r.Found, falseCases+r.FalseCases
		diverted, inCases, accused, hit1 = diverted+r.Diverted, inCases+r.InCases, accused+r.Accused, hit1+r.BridgeHit1
		t.Logf("seed %d: %s", seed, r)
		for _, c := range open {
			t.Logf("   %.3f %s %v %s", float64(c.Score)/1000, v.Summary(c), c.Drivers, resembles(world.Truth(), c))
		}
	}
	t.Logf("TOTAL planted %d found %d false %d; units diverted %d found %d accused %d; bridge first %d", planted, found, falseCases, diverted, inCases, accused, hit1)
}

// resembles says how many of a case's units are diverted, and which honest work the others did.
func resembles(truth sim.Truth, c *casework.Case) string {
	in := map[string]bool{}
	for _, m := range c.Units {
		in[m.Unit] = true
	}
	n := 0
	for _, p := range truth.Cases {
		for _, u := range p.Units {
			if in[u] {
				n++
			}
		}
	}
	out := fmt.Sprintf("diverted %d of %d", n, len(in))
	for _, l := range truth.Honest.Lookalikes {
		k := 0
		for _, u := range l.Units {
			if in[u] {
				k++
			}
		}
		if k > 0 {
			out += fmt.Sprintf("; %s %d (site %s party %s)", l.Kind, k, l.Site, l.Party)
		}
	}
	return out
}
