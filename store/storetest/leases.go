package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// RunLeases is the suite for the leases' role.
func RunLeases(t *testing.T, open Opener) {
	runRows(t, open, []row{
		{"one holder", oneHolder},
		{"a lease runs out", leaseEnds},
		{"a lease is given up", leaseGivenUp},
		{"leases are apart", leasesApart},
		{"many want one", leaseRace},
	})
}

func acquire(t *testing.T, s store.Leases, name, holder string, d time.Duration) {
	t.Helper()
	must(t, s.Acquire(t.Context(), name, holder, d))
}

func refused(t *testing.T, s store.Leases, name, holder string) {
	t.Helper()
	wantErr(t, s.Acquire(t.Context(), name, holder, time.Hour), store.ErrHeld)
}

func oneHolder(t *testing.T, s store.Store) {
	acquire(t, s, "v", "a", time.Hour)
	refused(t, s, "v", "b")
	acquire(t, s, "v", "a", time.Hour) // to take it again is to renew it
	refused(t, s, "v", "b")
	whole(t, s)
}

func leaseEnds(t *testing.T, s store.Store) {
	acquire(t, s, "v", "a", 50*time.Millisecond)
	refused(t, s, "v", "b")
	for begun := time.Now(); s.Acquire(t.Context(), "v", "b", time.Hour) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("a lease of 50 ms did not run out")
		}
	}
	refused(t, s, "v", "a")
	acquire(t, s, "v", "b", time.Nanosecond) // to renew it for no time is to let it go
	time.Sleep(time.Millisecond)
	acquire(t, s, "v", "a", time.Hour)
}

func leaseGivenUp(t *testing.T, s store.Store) {
	must(t, s.Release(t.Context(), "v", "a")) // there is none
	acquire(t, s, "v", "a", time.Hour)
	must(t, s.Release(t.Context(), "v", "b")) // not b's to give up
	refused(t, s, "v", "b")
	must(t, s.Release(t.Context(), "v", "a"))
	acquire(t, s, "v", "b", time.Hour)
}

func leasesApart(t *testing.T, s store.Store) {
	for i, name := range []string{"v", "V", "", "v\x00", "é", "\xff"} {
		acquire(t, s, name, fmt.Sprint(i, "\x00\xff"), time.Hour)
	}
	refused(t, s, "v\x00", fmt.Sprint(0, "\x00\xff"))
	must(t, s.Close())
	if err := s.Acquire(t.Context(), "v", "a", time.Hour); err == nil {
		t.Error("a lease of a closed store: no error")
	}
}

func leaseRace(t *testing.T, s store.Store) {
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for who := range 8 {
		wg.Go(func() {
			if err := s.Acquire(t.Context(), "v", fmt.Sprint(who), time.Hour); err == nil {
				mu.Lock()
				defer mu.Unlock()
				won++
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d have the lease", won)
	}
}
