package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// worker is a process that takes turns. While it is cut off it reaches no store.
type worker struct {
	store.Leases
	name string
	mu   sync.Mutex
	cut  bool
	busy bool
	told []error
	end  context.CancelFunc
}

func (w *worker) Acquire(ctx context.Context, name, holder string, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return store.ErrUnreachable
	}
	return w.Leases.Acquire(ctx, name, holder, d)
}

func (w *worker) Release(ctx context.Context, name, holder string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return store.ErrUnreachable
	}
	return w.Leases.Release(ctx, name, holder)
}

func (w *worker) set(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// work starts a worker that does nothing but be busy.
func work(st store.Leases, name string, all *sync.WaitGroup) *worker {
	ctx, end := context.WithCancel(context.Background())
	w := &worker{Leases: st, name: name, end: end}
	turn := registry.Turn{Leases: w, Name: "work", Holder: name, For: 3 * time.Second, Failed: func(err error) { w.set(func() { w.told = append(w.told, err) }) }}
	all.Go(func() {
		turn.Run(ctx, func(ctx context.Context) error {
			w.set(func() { w.busy = true })
			<-ctx.Done()
			w.set(func() { w.busy = false })
			return nil
		})
	})
	return w
}

func busyOnes(all ...*worker) (names []string) {
	for _, w := range all {
		w.set(func() {
			if w.busy {
				names = append(names, w.name)
			}
		})
	}
	return names
}

// One of three works. When it ends or is cut off, another takes over in seconds, and the one that was cut off has stopped by then.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		var group sync.WaitGroup
		all := []*worker{work(st, "a", &group), work(st, "b", &group), work(st, "c", &group)}
		time.Sleep(time.Minute)
		for range 3 {
			now := busyOnes(all...)
			if len(now) != 1 {
				t.Fatalf("%v are at work", now)
			}
			i := slices.IndexFunc(all, func(w *worker) bool { return w.name == now[0] })
			all[i].set(func() { all[i].cut = true })
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				if now := busyOnes(all...); len(now) > 1 {
					t.Logf("%v for a moment", now) // a lease is no lock
				}
			}
			if next := busyOnes(all...); len(next) != 1 || next[0] == now[0] {
				t.Fatalf("%v was cut off, and five seconds later %v are at work", now, next)
			}
			all[i].set(func() { all[i].cut = false })
		}
		now := busyOnes(all...)
		i := slices.IndexFunc(all, func(w *worker) bool { return w.name == now[0] })
		all[i].end()
		time.Sleep(2 * time.Second) // one that ends gives the lease back
		if next := busyOnes(all...); len(next) != 1 || next[0] == now[0] {
			t.Errorf("%v ended, and then %v are at work", now, next)
		}
		for _, w := range all {
			w.end()
		}
		group.Wait()
		if err := st.Acquire(t.Context(), "work", "somebody", time.Second); err != nil {
			t.Errorf("all have ended: %v", err)
		}
	})
}

// Work that fails is begun again, and the failure told.
func TestTurnFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		var told []error
		n := 0
		turn := registry.Turn{Leases: memory.New(), Name: "work", Holder: "a", For: 3 * time.Second, Failed: func(err error) { told = append(told, err) }}
		turn.Run(ctx, func(context.Context) error {
			if n++; n == 3 {
				end()
			}
			return fmt.Errorf("failure %d", n)
		})
		if n != 3 || len(told) != 2 {
			t.Errorf("%d tries; told %v", n, told)
		}
	})
}

func TestJobs(t *testing.T) {
	n := newNode(t)
	jobs := registry.Jobs{Store: n.store}
	var ids []string
	for i := range 5 {
		at := noon.Add(time.Duration(i) * 24 * time.Hour)
		j, err := registry.NewJob(maker, at)
		if err != nil {
			t.Fatal(err)
		}
		j.Finished = at
		for k := range 3000 {
			j.KeepReject(registry.Reject{Index: k, Reason: string(make([]byte, 5000)), Pointer: "/x"})
		}
		if len(j.Rejects) < 100 || len(j.Rejects) > 1000 {
			t.Errorf("%d rejects are kept", len(j.Rejects))
		}
		if err := jobs.Keep(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	if _, err := jobs.Get(t.Context(), operator, ids[0]); !errors.Is(err, registry.ErrNoJob) {
		t.Errorf("somebody else's job: %v", err)
	}
	if gone, err := jobs.Forget(t.Context(), noon.Add(36*time.Hour)); err != nil || gone != 2 {
		t.Errorf("%d forgotten, %v", gone, err)
	}
	// What happens to entries leaves jobs alone.
	if _, err := n.capture(document(seen("A", hall)), registry.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Erase(t.Context(), n.store, registry.Erasure{Entries: []int64{0}, Reason: "a test", By: "one", ConfirmedBy: "another"}, noon); err != nil {
		t.Fatal(err)
	}
	list, more, err := jobs.List(t.Context(), maker, "", 2)
	if err != nil || len(list) != 2 || !more || list[0].ID != ids[4] {
		t.Errorf("%d jobs, more %v, %v", len(list), more, err)
	}
	list, more, err = jobs.List(t.Context(), maker, list[1].ID, 2)
	if err != nil || len(list) != 1 || more || list[0].ID != ids[2] {
		t.Errorf("%d jobs, more %v, %v", len(list), more, err)
	}
}
