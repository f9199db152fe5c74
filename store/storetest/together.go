package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// RunTogether opens one store several times, as several processes would. place gives a new one's opener, which can be called again
// and again; it sees to closing. For stores that outlive a process.
func RunTogether(t *testing.T, place func(t *testing.T) Opener) {
	for _, r := range []struct {
		name string
		test func(t *testing.T, stores []store.Store)
	}{
		{"writers take turns", turns},
		{"writers at the same time", together},
		{"followers of one view", followersApart},
		{"what one writes the other reads", readsOther},
		{"a lease is taken over", takeOver},
	} {
		t.Run(r.name, func(t *testing.T) {
			open := place(t)
			r.test(t, []store.Store{open(t), open(t), open(t)})
		})
	}
}

// turns: each must notice that another appended, and none may go on from what it remembers.
func turns(t *testing.T, stores []store.Store) {
	const n = 100
	for i := range n {
		must(t, appendNext(t.Context(), stores[i*i%3]))
	}
	for _, s := range stores {
		if got := whole(t, s); got != n {
			t.Errorf("%d entries, want %d", got, n)
		}
	}
}

func together(t *testing.T, stores []store.Store) {
	const each = 40
	var wg sync.WaitGroup
	for i := range 2 * len(stores) {
		s := stores[i%len(stores)]
		wg.Go(func() {
			for range each {
				if err := appendNext(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if got := whole(t, s); got != int64(2*each*len(stores)) {
			t.Errorf("%d entries, want %d", got, 2*each*len(stores))
		}
	}
}

// followersApart: each step of a view is taken once, whoever takes it.
func followersApart(t *testing.T, stores []store.Store) {
	const steps = 30
	add(t, stores[0], numbered(0, steps)...)
	var wg sync.WaitGroup
	for who, s := range stores {
		wg.Go(func() {
			for at := int64(0); at < steps; {
				err := s.Commit(t.Context(), "v", at, at+1, map[string][]byte{fmt.Sprint("unit/", at): fmt.Append(nil, who)})
				if err != nil && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
					return
				}
				var failed error
				if at, failed = s.Cursor(t.Context(), "v"); failed != nil {
					t.Error(failed)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if rows := scan(t, s, "v", "unit/"); len(rows) != steps || cursor(t, s, "v") != steps {
			t.Errorf("%d rows, cursor %d, want %d", len(rows), cursor(t, s, "v"), steps)
		}
	}
	whole(t, stores[1])
}

func readsOther(t *testing.T, stores []store.Store) {
	a, b := stores[0], stores[1]
	rows := b.Rows(t.Context(), "v") // made before there is a view
	if v, err := rows.Get("k"); v != nil || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	want := add(t, a, numbered(0, 3)...)
	commit(t, a, "v", 0, 3, map[string][]byte{"k": []byte("1")})
	must(t, a.SetMeta(t.Context(), "m", []byte("1")))
	sameAll(t, want, all(t, b))
	if v, err := rows.Get("k"); string(v) != "1" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	must(t, a.Drop(t.Context(), "v"))
	if v, err := rows.Get("k"); v != nil || err != nil || cursor(t, b, "v") != 0 {
		t.Errorf("of a view that was dropped: %q, %v", v, err)
	}
	must(t, b.Append(t.Context(), func(tx store.Appender) error {
		if m, err := tx.Meta("m"); string(m) != "1" || err != nil {
			t.Errorf("meta: %q, %v", m, err)
		}
		_, key := Entry(2)
		if seq, ok, err := tx.Seen(key); !ok || seq != 2 || err != nil {
			t.Errorf("seen: %d, %t, %v", seq, ok, err)
		}
		e, key := Entry(3) // with a context that the other has kept
		_, err := tx.Append(e, key)
		return err
	}))
	if err := a.Entries(t.Context(), 3, 4, func(e ledger.Entry) error { return nil }); err != nil {
		t.Error(err)
	}
	whole(t, a)
}

// takeOver: a holder that dies is followed within the time of its lease, and does no harm when it was only asleep.
func takeOver(t *testing.T, stores []store.Store) {
	a, b := stores[0], stores[1]
	add(t, a, numbered(0, 4)...)
	acquire(t, a, "v", "a", 300*time.Millisecond)
	refused(t, b, "v", "b")
	commit(t, a, "v", 0, 2, map[string][]byte{"k": []byte("a")})
	begun := time.Now() // and a sleeps
	for b.Acquire(t.Context(), "v", "b", time.Hour) != nil {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("not taken over")
		}
		time.Sleep(10 * time.Millisecond)
	}
	commit(t, b, "v", 2, 4, map[string][]byte{"k": []byte("b")})
	wantErr(t, a.Commit(t.Context(), "v", 2, 3, map[string][]byte{"k": []byte("a")}), store.ErrConflict)
	refused(t, a, "v", "a")
	if v := get(t, a, "v", "k"); string(v) != "b" {
		t.Errorf("the row is %q", v)
	}
}
