package custody_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/registry"
)

// tellAll captures a history in an order, and takes in nothing.
func tellAll(t testing.TB, h history, order []int) *door {
	d := openDoor(t)
	if !h.late {
		d.captureOnly("", document(t, masterData()))
	}
	for _, at := range order {
		x := h.tellings[at]
		d.at = d.apply(d.view, d.at, 1<<62) // who is implied depends on the master data so far
		if x.element != nil {
			d.captureOnly(x.as, document(t, []event{x.element}))
		} else {
			d.captureOnly(x.as, document(t, nil, x.event))
		}
	}
	d.at = d.apply(d.view, d.at, 1<<62)
	return d
}

// What was known at a time is what a view would say that had been told nothing since.
func TestKnownAtIsTheViewOfThatTime(t *testing.T) {
	for seed := range 60 {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		h := makeHistory(rng)
		d := tellAll(t, h, rng.Perm(len(h.tellings)))
		for range 3 {
			size := rng.Int64N(d.at + 1)
			then := d.freshView(fmt.Sprint("then", size))
			d.apply(then, 0, size)
			if size == 0 {
				continue
			}
			last, err := d.store.Entry(context.Background(), size-1)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range h.asked {
				compareKnown(t, fmt.Sprintf("history %d, known by entry %d, at %s", seed, size-1, q.At), d.view, then,
					custody.Asked{At: q.At, Known: last.Recorded}, q, h.units)
			}
			if t.Failed() {
				t.Fatal(h)
			}
		}
	}
}

func compareKnown(t *testing.T, what string, now, then *custody.View, asked, plain custody.Asked, units []string) {
	t.Helper()
	for _, unit := range units {
		got, err := now.Where(unit, asked)
		if err != nil {
			t.Fatal(err)
		}
		want, err := then.Where(unit, plain)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: where %s:\n%s", what, unit, diff)
		}
		was, err := now.Trace(unit, asked)
		if err != nil {
			t.Fatal(err)
		}
		is, err := then.Trace(unit, plain)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines(is), lines(was)); diff != "" {
			t.Errorf("%s: trace %s:\n%s", what, unit, diff)
		}
	}
	got, err := now.ExceptionsAt(asked)
	if err != nil {
		t.Fatal(err)
	}
	want, err := then.ExceptionsAt(plain)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exceptionLines(want), exceptionLines(got)); diff != "" {
		t.Errorf("%s: exceptions:\n%s", what, diff)
	}
}

func lines(list []custody.Trace) (out []string) {
	for _, x := range list {
		out = append(out, fmt.Sprint(x.Telling.Seq, x.Telling.Claim, x.Withdrawn))
	}
	return out
}

func exceptionLines(list []custody.Exception) (out []string) {
	for _, x := range list {
		out = append(out, fmt.Sprint(x.Kind, x.Units, x.Seqs, x.Note, x.Count, x.First))
	}
	return out
}

// digested follows a ledger with commits of a size, now and then asking about a unit, and sums up the rows.
func digested(t testing.TB, d *door, name string, units []string, batch int64, rng *rand.Rand) string {
	v := d.freshView(name)
	for from := int64(0); from < d.at; from += batch {
		to := min(from+batch, d.at)
		for at := from; at < to; at++ {
			d.apply(v, at, at+1)
			if rng.IntN(6) == 0 {
				if _, err := v.State(units[rng.IntN(len(units))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		d.commit(name, v, from, to)
		if rng.IntN(4) == 0 {
			v = d.freshView(name) // the process was started again
		}
	}
	_, digest, err := registry.Digest(d.store.Rows(context.Background(), name))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// A view that was made in one go has the rows of one that grew entry by entry.
func TestRowsDoNotDependOnBatches(t *testing.T) {
	for seed := range 40 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		h := makeHistory(rng)
		order := rng.Perm(len(h.tellings))
		if seed%10 == 0 {
			h = makeLong(rng, 300, seed%20 == 0)
			order = nearly(rng, len(h.tellings), 40)
		}
		d := tellAll(t, h, order)
		want := digested(t, d, "all", h.units, 1<<40, rng)
		for _, batch := range []int64{1, 4, 50} {
			if got := digested(t, d, fmt.Sprint("by", batch), h.units, batch, rng); got != want {
				t.Fatalf("history %d (%d tellings): the rows differ when %d entries are committed at a time", seed, len(h.tellings), batch)
			}
		}
	}
}

// makeLong makes up very many events of very few units, most of them in order. A calm one has hardly anything else: in a wild
// one units are folded anew so often that what was done in order is gone at the end.
func makeLong(rng *rand.Rand, n int, calm bool) history {
	c := chain{rng: rng}
	c.makeUnits()
	c.h.units = c.h.units[:min(len(c.h.units), 3)]
	c.gpus = c.gpus[:1]
	for i := range n {
		e := c.dress(c.event())
		when := float64(i) / 8
		switch odd := rng.IntN(40); {
		case odd == 0: // a wrong clock
			when += 4000
		case odd == 1 && !calm:
			when = c.when()
		}
		e["eventTime"] = base("", "", "", when)["eventTime"]
		c.add(telling{as: c.speaker(), event: e})
	}
	if !calm {
		c.disturb()
	}
	for range 3 {
		c.h.asked = append(c.h.asked, custody.Asked{At: day(rng.Float64() * float64(n) / 8)})
	}
	c.h.asked = append(c.h.asked, custody.Asked{})
	return c.h
}

// disturb repeats and declares events, not all at the end, where that would hide what came before.
func (c *chain) disturb() {
	first := c.h.tellings
	c.repeat()
	c.declare()
	later := c.h.tellings[len(first):]
	c.h.tellings = first
	for _, x := range later {
		c.h.tellings = slices.Insert(slices.Clone(c.h.tellings), c.rng.IntN(len(c.h.tellings)+1), x)
	}
}

// nearly is an order in which most arrives in turn: one in so many changes places with one soon after it.
func nearly(rng *rand.Rand, n, oneIn int) []int {
	order := inOrder(n)
	for range n / oneIn {
		i := rng.IntN(n)
		j := min(n-1, i+rng.IntN(15))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// The snapshots from which a long history is folded on do not show either.
func TestArrivalOrderDoesNotMatterInLongHistories(t *testing.T) {
	for seed := range 4 {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		h := makeLong(rng, 300, seed%2 == 0)
		want := answered(t, captured(t, h, inOrder(len(h.tellings)), []int{1 << 30}), h)
		for i, order := range [][]int{nearly(rng, len(h.tellings), 20), rng.Perm(len(h.tellings))} {
			got := answered(t, captured(t, h, order, []int{1 + rng.IntN(40)}), h)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("long history %d, order %d: arrival order shows in the state:\n%s", seed, i, diff)
			}
		}
	}
}
