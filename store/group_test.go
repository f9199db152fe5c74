package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// appendNext appends an entry that is made from the head.
func appendNext(tx store.Appender) error {
	e, key := storetest.Entry(int(tx.Head().Size))
	_, err := tx.Append(e, key)
	return err
}

// sharing lets functions share one transaction, and gives what each of their callers was told. broken is set when they have queued.
func sharing(t *testing.T, s store.Ledger, broken *atomic.Bool, fns ...func(store.Appender) error) []error {
	t.Helper()
	g := store.NewGroup(s)
	release, begun := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Append(t.Context(), func(store.Appender) error {
			close(begun)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
		broken.Store(true)
	})
	<-begun
	errs := make([]error, len(fns))
	for i, fn := range fns {
		wg.Go(func() { errs[i] = g.Append(t.Context(), fn) })
		for g.Waiting() <= i {
			time.Sleep(10 * time.Microsecond)
		}
	}
	close(release)
	wg.Wait()
	return errs
}

var errOwn = errors.New("its own")

// What becomes of a transaction becomes of all who shared it, and nobody is told that something is kept which may not be.
func TestGroupFailsTogether(t *testing.T) {
	for _, c := range []struct {
		op   string
		err  error
		kept int64
	}{
		{memory.OpKeep, store.ErrFull, 0},
		{memory.OpKeep, store.ErrUnreachable, 0},
		{memory.OpKept, store.ErrUnknown, 2},
		{memory.OpAppend, store.ErrReadOnly, 0},
	} {
		t.Run(c.op+" "+c.err.Error(), func(t *testing.T) {
			s := memory.New()
			var broken atomic.Bool
			s.Fail = func(op string) error {
				if op == c.op && broken.Load() {
					return c.err
				}
				return nil
			}
			g := &gate{Ledger: s, open: &broken} // so that the transaction before is over when things break
			for i, err := range sharing(t, g, &broken, appendNext, func(store.Appender) error { return errOwn }, appendNext) {
				if !errors.Is(err, c.err) {
					t.Errorf("caller %d was told %v", i, err)
				}
			}
			s.Fail = nil
			head, err := s.Head(t.Context())
			if err != nil || head.Size != c.kept {
				t.Errorf("%+v, %v", head, err)
			}
			if err := store.NewGroup(s).Append(t.Context(), appendNext); err != nil {
				t.Error(err)
			}
		})
	}
}

// gate lets the second transaction begin when open is set.
type gate struct {
	store.Ledger
	open *atomic.Bool
	n    atomic.Int64
}

func (g *gate) Append(ctx context.Context, fn func(store.Appender) error) error {
	for first := g.n.Add(1) == 1; !first && !g.open.Load(); {
		time.Sleep(10 * time.Microsecond)
	}
	return g.Ledger.Append(ctx, fn)
}

// whole is a ledger whose Appender has nothing but the contract's methods.
type whole struct{ store.Ledger }

func (w whole) Append(ctx context.Context, fn func(store.Appender) error) error {
	return w.Ledger.Append(ctx, func(tx store.Appender) error { return fn(struct{ store.Appender }{tx}) })
}

// A store that cannot take back a part says so to those who would share; who comes alone is served.
func TestGroupNeedsParts(t *testing.T) {
	s := memory.New()
	for i, err := range sharing(t, whole{s}, new(atomic.Bool), appendNext, appendNext) {
		if err == nil {
			t.Errorf("caller %d shared a transaction that has no parts", i)
		}
	}
	if err := store.NewGroup(whole{s}).Append(t.Context(), appendNext); err != nil {
		t.Error(err)
	}
}

// An Appender that was kept beyond its function changes nothing for those who come after it in the same transaction.
func TestGroupAppenderEnds(t *testing.T) {
	s := memory.New()
	var kept store.Appender
	for i, err := range sharing(t, s, new(atomic.Bool),
		func(tx store.Appender) error { kept = tx; return nil },
		func(store.Appender) error {
			if err := appendNext(kept); err == nil {
				t.Error("an appender was used after its function")
			}
			return nil
		}) {
		if err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	}
	if head, err := s.Head(t.Context()); head.Size != 0 || err != nil {
		t.Errorf("%+v, %v", head, err)
	}
}
