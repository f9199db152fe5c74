package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// RunGroup runs the suite for callers who share transactions (store.Group): what holds for one who appends alone, and what happens
// among them. It runs a second time all that has to do with Append.
func RunGroup(t *testing.T, open Opener) {
	t.Run("Shared", func(t *testing.T) { runRows(t, open, sharedRows) })
	crowded := func(t *testing.T) store.Store { return Crowd(open(t)) }
	t.Run("Crowd", func(t *testing.T) { crowdShares(t, crowded(t)) })
	t.Run("Ledger", func(t *testing.T) { RunLedger(t, crowded) })
	t.Run("Erase", func(t *testing.T) { RunErase(t, crowded) })
	t.Run("Failures", func(t *testing.T) { RunFailures(t, crowded) })
	t.Run("Model", func(t *testing.T) { RunModel(t, crowded) })
}

var sharedRows = []row{
	{"they share one transaction, in their order", shareOne},
	{"one that fails is taken back alone", failAlone},
	{"one that panics is taken back alone", panicAlone},
	{"one that ends its goroutine", exitAlone},
	{"one whose caller is gone before its turn", goneBefore},
	{"all of whose callers are gone", goneAll},
	{"one whose caller goes while it runs", goneInside},
	{"no transaction takes more than enough", enough},
	{"who is long shares with nobody", longAlone},
	{"many callers, some of whom fail", manyCallers},
}

// crowdShares makes sure that a crowd is one: transactions that are shared have no parts.
func crowdShares(t *testing.T, s store.Store) {
	const n = 50
	shared := 0
	for range n {
		must(t, s.Append(t.Context(), func(tx store.Appender) error {
			if _, alone := tx.(store.Parts); !alone {
				shared++
			}
			return appendSome(tx, 1)
		}))
	}
	if t.Logf("%d of %d transactions were shared", shared, n); shared == 0 {
		t.Error("nobody shared")
	}
	must(t, s.Close())
}

// counted is a ledger that counts its transactions.
type counted struct {
	store.Ledger
	n atomic.Int64
}

func (c *counted) Append(ctx context.Context, fn func(store.Appender) error) error {
	c.n.Add(1)
	return c.Ledger.Append(ctx, fn)
}

// queue is a group whose right to write is held, so that those who come form a queue in a known order.
type queue struct {
	t       *testing.T
	store   store.Store
	counted counted
	group   *store.Group
	release chan struct{}
	ended   sync.WaitGroup
	errs    []*error
}

func held(t *testing.T, s store.Store) *queue {
	q := &queue{t: t, store: s, release: make(chan struct{})}
	q.counted.Ledger = s
	q.group = store.NewGroup(&q.counted)
	begun := make(chan struct{})
	q.ended.Go(func() {
		if err := q.group.Append(t.Context(), func(store.Appender) error {
			close(begun)
			<-q.release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	return q
}

// add puts one at the end of the queue.
func (q *queue) add(ctx context.Context, a store.Ahead, fn func(store.Appender) error) {
	q.t.Helper()
	err, before := new(error), q.group.Waiting()
	q.errs = append(q.errs, err)
	q.ended.Go(func() {
		*err = errors.New("its goroutine ended")
		defer func() {
			if p := recover(); p != nil {
				*err = fmt.Errorf("it panicked: %v", p)
			}
		}()
		*err = q.group.AppendAhead(ctx, a, fn)
	})
	for end := time.Now().Add(10 * time.Second); q.group.Waiting() == before; time.Sleep(20 * time.Microsecond) {
		if time.Now().After(end) {
			q.t.Fatal("nobody came")
		}
	}
}

// append adds one that appends n entries and returns err.
func (q *queue) append(n int, err error) {
	q.t.Helper()
	q.add(q.t.Context(), store.Ahead{}, func(tx store.Appender) error { return errors.Join(appendSome(tx, n), err) })
}

// run lets the queue go, and gives the number of transactions that it took.
func (q *queue) run() (transactions int64) {
	close(q.release)
	q.ended.Wait()
	return q.counted.n.Load() - 1
}

// kept fails unless the ledger holds n entries and these were told that theirs are kept.
func (q *queue) kept(n int64, acknowledged ...int) {
	q.t.Helper()
	for i, err := range q.errs {
		if (*err == nil) != slices.Contains(acknowledged, i) {
			q.t.Errorf("caller %d: %v", i, *err)
		}
	}
	if got := whole(q.t, q.store); got != n {
		q.t.Errorf("%d entries, want %d", got, n)
	}
}

func shareOne(t *testing.T, s store.Store) {
	q := held(t, s)
	for i := range 10 {
		e, key := Entry(i)
		q.add(t.Context(), store.Ahead{Keys: []store.Key{key}, Names: []string{e.Name}}, func(tx store.Appender) error {
			if _, dup, err := tx.Seen(key); dup || err != nil {
				return fmt.Errorf("seen: %t, %w", dup, err)
			}
			if m, err := tx.Meta("last"); err != nil || i > 0 && string(m) != fmt.Sprint(i-1) {
				return fmt.Errorf("the one before left %q, %w", m, err)
			}
			seq, err := tx.Append(e, key)
			if err != nil || seq != int64(i) {
				return fmt.Errorf("entry %d, %w", seq, err)
			}
			return tx.SetMeta("last", fmt.Append(nil, i))
		})
	}
	if n := q.run(); n != 1 {
		t.Errorf("%d transactions", n)
	}
	q.kept(10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
}

func failAlone(t *testing.T, s store.Store) {
	must(t, s.SetMeta(t.Context(), "m", []byte("old")))
	q := held(t, s)
	q.append(3, errFailed)
	q.add(t.Context(), store.Ahead{}, func(tx store.Appender) error {
		if m, err := tx.Meta("m"); string(m) != "old" || err != nil {
			t.Errorf("meta after one failed: %q, %v", m, err)
		}
		return appendSome(tx, 2)
	})
	q.append(0, errFailed)
	q.append(1500, errFailed)
	q.append(4, nil)
	if n := q.run(); n > 2 {
		t.Errorf("%d transactions", n)
	}
	q.kept(6, 1, 4)
	wantErr(t, *q.errs[0], errFailed)
}

func panicAlone(t *testing.T, s store.Store) {
	q := held(t, s)
	q.append(2, nil)
	q.add(t.Context(), store.Ahead{}, func(tx store.Appender) error { panic(errors.Join(appendSome(tx, 2), errFailed)) })
	q.append(2, nil)
	if n := q.run(); n != 1 {
		t.Errorf("%d transactions", n)
	}
	q.kept(4, 0, 2)
	if got := (*q.errs[1]).Error(); got != "it panicked: "+errFailed.Error() {
		t.Error(got)
	}
}

func exitAlone(t *testing.T, s store.Store) {
	q := held(t, s)
	q.append(2, nil)
	q.add(t.Context(), store.Ahead{}, func(tx store.Appender) error {
		defer runtime.Goexit()
		return appendSome(tx, 2)
	})
	q.append(2, nil)
	q.run()
	q.kept(0) // nobody can go on with the goroutine
	must(t, q.group.Append(t.Context(), func(tx store.Appender) error { return appendSome(tx, 1) }))
}

func goneBefore(t *testing.T, s store.Store) {
	q := held(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	q.append(1, nil)
	q.add(ctx, store.Ahead{}, func(store.Appender) error {
		t.Error("the function of somebody who is gone was run")
		return nil
	})
	q.append(1, nil)
	cancel(errFailed)
	for q.group.Waiting() > 2 {
		time.Sleep(20 * time.Microsecond)
	}
	q.run()
	q.kept(2, 0, 2)
	wantErr(t, *q.errs[1], errFailed)
}

// goneAll: they leave when they have been called already, while the transaction cannot begin.
func goneAll(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancelCause(t.Context())
	q := held(t, s)
	for range 3 {
		q.add(ctx, store.Ahead{}, func(tx store.Appender) error { return appendSome(tx, 1) })
	}
	begun, end := make(chan struct{}), make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() { // waits for the transaction that holds the queue, and then holds up the next
		if err := s.Append(t.Context(), func(store.Appender) error {
			close(begun)
			<-end
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	close(q.release)
	<-begun
	cancel(errFailed)
	if q.group.Waiting() == 0 {
		q.ended.Wait() // nobody waits for who holds it up, unless they came first
	}
	close(end)
	other.Wait()
	q.ended.Wait()
	for i, err := range q.errs {
		if *err != nil && !errors.Is(*err, errFailed) {
			t.Errorf("caller %d: %v", i, *err)
		}
	}
	must(t, q.group.Append(t.Context(), func(tx store.Appender) error { return appendSome(tx, 1) }))
	whole(t, s)
}

func goneInside(t *testing.T, s store.Store) {
	q := held(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	q.append(1, nil)
	q.add(ctx, store.Ahead{}, func(tx store.Appender) error {
		err := appendSome(tx, 2)
		cancel(errFailed)
		return err
	})
	q.append(1, nil)
	if n := q.run(); n != 1 {
		t.Errorf("%d transactions", n)
	}
	q.kept(2, 0, 2)
	wantErr(t, *q.errs[1], errFailed)
}

func enough(t *testing.T, s store.Store) {
	q := held(t, s)
	for range 5 {
		q.append(600, nil)
	}
	if n := q.run(); n != 3 {
		t.Errorf("5 callers with 600 entries each in %d transactions", n)
	}
	q.kept(3000, 0, 1, 2, 3, 4)
}

func longAlone(t *testing.T, s store.Store) {
	q := held(t, s)
	for i := range 7 {
		a := store.Ahead{Long: i == 2 || i == 5}
		q.add(t.Context(), a, func(tx store.Appender) error { return appendSome(tx, 1) })
	}
	if n := q.run(); n != 5 { // 0+1, 2, 3+4, 5, 6
		t.Errorf("%d transactions", n)
	}
	q.kept(7, 0, 1, 2, 3, 4, 5, 6)
}

// manyCallers: exactly what was acknowledged is kept, once, in one tree.
func manyCallers(t *testing.T, s store.Store) {
	const callers, each = 24, 15
	count := &counted{Ledger: s}
	g := store.NewGroup(count)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wg sync.WaitGroup
	for who := range callers {
		wg.Go(func() {
			for i := range each {
				names := tryToAppend(t, g, fmt.Sprintf("%d/%d", who, i))
				mu.Lock()
				for _, name := range names {
					acknowledged[name] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	kept := map[string]bool{}
	for _, e := range all(t, s) {
		if kept[e.Name] {
			t.Errorf("%s is kept twice", e.Name)
		}
		kept[e.Name] = true
	}
	if !maps.Equal(kept, acknowledged) {
		t.Errorf("%d entries are kept, %d were acknowledged", len(kept), len(acknowledged))
	}
	whole(t, s)
	t.Logf("%d of %d entries kept, in %d transactions of %d callers", len(kept), 2*callers*each, count.n.Load(), callers*each)
}

// tryToAppend appends a few entries, or fails in one of many ways, and returns the names of what it was told is kept.
func tryToAppend(t *testing.T, g *store.Group, who string) (names []string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fate := rand.IntN(8)
	defer func() {
		if p := recover(); p != nil {
			names = nil
		}
	}()
	if fate == 7 {
		time.AfterFunc(time.Duration(rand.IntN(2000))*time.Microsecond, cancel)
	}
	err := g.Append(ctx, func(tx store.Appender) error {
		for k := range 1 + rand.IntN(3) {
			e := numbered(int(tx.Head().Size), 1)[0]
			e.Name = fmt.Sprintf("%s/%d", who, k)
			if _, err := tx.Append(e, KeyOf(e)); err != nil {
				return err
			}
			names = append(names, e.Name)
		}
		switch fate {
		case 0:
			return errors.Join(tx.SetMeta("m", []byte(who)), errFailed)
		case 1:
			panic(errFailed)
		case 2:
			cancel()
		}
		return nil
	})
	if err != nil {
		if fate < 7 && fate > 2 || !errors.Is(err, errFailed) && !errors.Is(err, context.Canceled) {
			t.Errorf("fate %d: %v", fate, err)
		}
		return nil
	}
	return names
}
