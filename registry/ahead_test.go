package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/sim"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// seer is a tally that is told what comes, and checks that it comes. It asks the store again after each batch.
type seer struct {
	*tally
	coming []string
}

func (v *seer) Decode(e ledger.Entry) any { return e.Name }

func (v *seer) Foresee(decoded []any) error {
	for _, d := range decoded {
		v.coming = append(v.coming, d.(string))
	}
	return nil
}

func (v *seer) Apply(e ledger.Entry) error {
	if len(v.coming) == 0 || v.coming[0] != e.Name {
		return fmt.Errorf("entry %d, %s, was not foreseen: %q", e.Seq, e.Name, v.coming)
	}
	v.coming = v.coming[1:]
	if e.Seq%50 == 0 { // all that was flushed can be read together too
		n := 0
		if err := v.rows.Scan("", func(string, []byte) error { n++; return nil }); err != nil {
			return err
		}
		found, err := v.rows.GetMany([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"})
		if err == nil && len(found) != n {
			err = fmt.Errorf("%d rows are scanned and %d found", n, len(found))
		}
		if err != nil {
			return err
		}
	}
	return v.tally.Apply(e)
}

func foresighted(st store.Store, batch int) *registry.Follower[*seer] {
	return &registry.Follower[*seer]{Store: st, Name: "tally", Batch: batch, New: func(rows store.Rows) (*seer, error) {
		return &seer{tally: &tally{rows: rows, changed: map[string]string{}, dirty: 1, applied: new(int)}}, nil
	}}
}

// Read ahead and committed behind, with a store that fails now and then before or after it has written, and with two of them: each
// entry counts once.
func TestForesightedFollowersAgree(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		calm, stormy := memory.New(), memory.New()
		ours, theirs := foresighted(stormy, 1+rng.IntN(60)), foresighted(stormy, 1+rng.IntN(60))
		for range 3 {
			var names []string
			for range rng.IntN(1500) {
				names = append(names, fmt.Sprint(rng.IntN(10)))
			}
			entriesNamed(t, calm, names...)
			entriesNamed(t, stormy, names...)
			stormy.Fail = failing(seed)
			for range 6 {
				f := []*registry.Follower[*seer]{ours, theirs}[rng.IntN(2)]
				if _, err := f.CatchUp(t.Context()); err != nil && !errors.Is(err, errDisk) {
					t.Fatal(err)
				}
			}
			stormy.Fail = nil
		}
		var both sync.WaitGroup
		for _, f := range []*registry.Follower[*seer]{ours, theirs} {
			both.Go(func() {
				if _, err := f.CatchUp(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		once, _ := follow(calm, 0, 1)
		if _, err := once.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if digest(t, calm) != digest(t, stormy) {
			t.Fatalf("seed %d: the rows differ", seed)
		}
	}
}

// failing fails now and then, whoever asks.
func failing(seed uint64) func(string) error {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 2))
	return func(op string) error {
		mu.Lock()
		defer mu.Unlock()
		if (op == memory.OpCommit || op == memory.OpCommitted || op == memory.OpRead) && rng.IntN(40) == 0 {
			return errDisk
		}
		return nil
	}
}

// A batch that cannot be committed while the next is applied is found out, and nothing is lost.
func TestCommitBehindFails(t *testing.T) {
	st := memory.New()
	f := foresighted(st, 2)
	entriesNamed(t, st, "a", "b", "a", "c", "a", "b", "a")
	commits := 0
	st.Fail = func(op string) error {
		if op == memory.OpCommit {
			if commits++; commits == 2 {
				return store.ErrFull
			}
		}
		return nil
	}
	if _, err := f.CatchUp(t.Context()); !errors.Is(err, store.ErrFull) {
		t.Errorf("%v", err)
	}
	if at, err := st.Cursor(t.Context(), "tally"); at != 2 || err != nil {
		t.Errorf("cursor %d, %v", at, err)
	}
	if _, err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if value, err := st.Rows(t.Context(), "tally").Get("a"); err != nil || string(value) != " 0 2 4 6" {
		t.Errorf("%q, %v", value, err)
	}
}

// plain is the whole view without its foresight.
type plain struct{ registry.View }

// The views say the same whether or not they are told what comes, in batches of any size.
func TestForesightChangesNothing(t *testing.T) {
	ctx := context.Background()
	n := newNode(t)
	world, err := sim.Generate(sim.DefaultConfig(3, 300))
	if err != nil {
		t.Fatal(err)
	}
	err = world.Documents(func(name string, doc []byte) error {
		v, err := n.views.CatchUp(ctx)
		if err != nil {
			return err
		}
		reg := registry.Registry{Store: n.store, Directory: v.Custody, Now: time.Now}
		_, err = reg.Capture(ctx, bytes.NewReader(doc), registry.Options{Name: name, TrustRecordTime: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	open := func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return n.store.Entry(ctx, seq) })
	}
	slow := registry.Follower[plain]{Store: n.store, Name: "plain", New: func(rows store.Rows) (plain, error) {
		v, err := open(rows)
		return plain{v}, err
	}}
	if _, err := slow.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	_, want, err := registry.Digest(n.store.Rows(ctx, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{0, 700, 90} {
		fast := registry.Follower[*casework.View]{Store: n.store, Name: "fast", Batch: batch, New: open}
		if _, err := fast.Rebuild(ctx); err != nil {
			t.Fatal(err)
		}
		rows, got, err := registry.Digest(n.store.Rows(ctx, "fast"))
		if err != nil || got != want || rows < 1000 {
			t.Errorf("in batches of %d: %d rows, digest %s, want %s, %v", batch, rows, got, want, err)
		}
	}
}
