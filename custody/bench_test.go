package custody_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/sim"
)

// simulated captures a simulated world, as a ledger begun for history.
func simulated(t testing.TB, units int) (*door, []ledger.Entry) {
	world, err := sim.Generate(sim.DefaultConfig(1, units))
	if err != nil {
		t.Fatal(err)
	}
	d := openDoor(t)
	err = world.Documents(func(name string, doc []byte) error {
		d.at = d.apply(d.view, d.at, 1<<62)
		d.commitAll()
		reg := registry.Registry{Store: d.store, Directory: d.view, Now: func() time.Time { return day(5000) }}
		r, err := reg.Capture(context.Background(), bytes.NewReader(doc), registry.Options{Name: name, TrustRecordTime: true})
		if err == nil && r.Rejected > 0 {
			err = fmt.Errorf("%s: %d rejected", name, r.Rejected)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.at = d.apply(d.view, d.at, 1<<62)
	d.commitAll()
	var all []ledger.Entry
	err = d.store.Entries(context.Background(), 0, 1<<62, func(e ledger.Entry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, all
}

// A simulated world's stream, as it comes: late, doubled, corrected. The first takes in only; the second also writes the rows.
func BenchmarkApply(b *testing.B) {
	d, entries := simulated(b, 3000)
	for _, flush := range []bool{false, true} {
		b.Run(map[bool]string{false: "apply", true: "apply and flush"}[flush], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				applyAll(b, d, entries, flush)
			}
			b.ReportMetric(float64(len(entries)*b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

func applyAll(b *testing.B, d *door, entries []ledger.Entry, flush bool) {
	v := d.freshView("bench")
	for i, e := range entries {
		if _, err := v.Apply(e); err != nil {
			b.Fatal(err)
		}
		if flush && i%4096 == 4095 {
			if err := v.Flush(map[string][]byte{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := v.Flush(map[string][]byte{}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkExceptions(b *testing.B) {
	d, _ := simulated(b, 3000)
	for b.Loop() {
		if _, err := d.view.ExceptionsAt(custody.Asked{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWhere(b *testing.B) {
	d, _ := simulated(b, 3000)
	var units []string
	err := d.view.Units(func(unit string, s *custody.State) error {
		if s.Born != nil && s.Assoc != nil {
			units = append(units, unit)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		if _, err := d.view.Where(units[i%len(units)], custody.Asked{}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
