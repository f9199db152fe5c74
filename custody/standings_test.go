package custody_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

// What is remembered of where units stand is what would be found anew, whatever happened in between and whoever asked; and
// to have been told what comes changes nothing.
func TestStandingIsWhatIsFoundAnew(t *testing.T) {
	n := histories
	if testing.Short() {
		n = 20
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		h := makeHistory(rng)
		d := tellAll(t, h, rng.Perm(len(h.tellings)))
		v := d.freshView("foresighted")
		for at := int64(0); at < d.at; at++ {
			if rng.IntN(3) == 0 {
				foresee(t, d, v, at, at+rng.Int64N(5))
			}
			d.apply(v, at, at+1)
			if rng.IntN(4) == 0 {
				d.commit("foresighted", v, 0, 0)
				v.Trim()
			}
			if diff := standings(t, v, h, rng); diff != "" {
				t.Fatalf("history %d, after entry %d of %d:\n%s\n%s", seed, at, d.at, diff, h)
			}
		}
		d.commitAll()
		d.commit("foresighted", v, 0, 0)
		_, want, err := registry.Digest(d.store.Rows(context.Background(), viewName))
		if err != nil {
			t.Fatal(err)
		}
		if _, got, err := registry.Digest(d.store.Rows(context.Background(), "foresighted")); err != nil || got != want {
			t.Fatalf("history %d: the rows are others when it is known what comes: %v\n%s", seed, err, h)
		}
	}
}

// foresee tells a view what comes.
func foresee(t *testing.T, d *door, v *custody.View, from, to int64) {
	t.Helper()
	var told []*custody.Telling
	err := d.store.Entries(context.Background(), from, to, func(e ledger.Entry) error {
		if e.Kind != ledger.KindEvent {
			return nil
		}
		x, err := custody.Read(e)
		told = append(told, x)
		return err
	})
	if err == nil {
		err = v.Foresee(told)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// standings says how what is remembered of some units differs from what is found anew.
func standings(t *testing.T, v *custody.View, h history, rng *rand.Rand) string {
	t.Helper()
	for _, i := range rng.Perm(len(h.units))[:rng.IntN(len(h.units)+1)] {
		got, err := v.Standing(h.units[i])
		if err != nil {
			t.Fatal(err)
		}
		want, err := custody.Resolve(v.Own(custody.Asked{}), h.units[i], 1<<62)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return h.units[i] + "\n" + diff
		}
	}
	return ""
}

// Units in circles, and deeper than is looked, are cut off where they would be if nobody had been asked before.
func TestStandingInCirclesAndDeep(t *testing.T) {
	d := openDoor(t).describe()
	var units []string
	for i := range 14 {
		units = append(units, sgtin(2, string(rune('a'+i))))
	}
	for i := len(units) - 1; i > 0; i-- {
		d.tell(packed(float64(20-i), units[i], units[i-1]))
	}
	h := history{units: units}
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 40 {
		if round == 20 {
			d.tell(packed(30, units[4], units[9]))
		}
		if diff := standings(t, d.view, h, rng); diff != "" {
			t.Fatal(diff)
		}
	}
}
