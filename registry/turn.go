package registry

import (
	"context"
	"errors"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// Turn lets one of several processes at a time do something that goes on and on, as to follow the ledger for a view. When the one
// that has the turn dies, another takes over within For. It saves work and is no lock: see store.Leases.
type Turn struct {
	Leases store.Leases
	Name   string        // of the lease
	Holder string        // who we are, among all who share the store
	For    time.Duration // how long a turn lasts that is not renewed; it is renewed three times as often
	Failed func(error)   // told what went wrong; it is tried again
}

// Run calls fn each time we have the turn, with a context that ends when we lose it, until ctx ends.
func (t Turn) Run(ctx context.Context, fn func(ctx context.Context) error) {
	for ctx.Err() == nil {
		switch err := t.Leases.Acquire(ctx, t.Name, t.Holder, t.For); {
		case err == nil:
			t.serve(ctx, fn)
		case errors.Is(err, store.ErrHeld):
		default:
			t.say(ctx, err)
		}
		pause(ctx, t.For/3)
	}
}

// serve does the work for as long as the lease can be renewed.
func (t Turn) serve(ctx context.Context, fn func(ctx context.Context) error) {
	mine, lose := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.say(ctx, fn(mine))
		lose()
	}()
	t.renew(mine)
	lose()
	<-done
	// Whatever the reason: nobody should have to wait for the lease to run out.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.For)
	defer cancel()
	t.say(ctx, t.Leases.Release(last, t.Name, t.Holder))
}

// renew renews the lease until ctx ends or somebody else has it, or it must have run out because the store does not answer.
func (t Turn) renew(ctx context.Context) {
	last := time.Now()
	for pause(ctx, t.For/3); ctx.Err() == nil; pause(ctx, t.For/3) {
		asked := time.Now()
		err := t.Leases.Acquire(ctx, t.Name, t.Holder, t.For)
		switch {
		case err == nil:
			last = asked
		case errors.Is(err, store.ErrHeld):
			return
		case time.Since(last) > t.For:
			t.say(ctx, err)
			return
		}
	}
}

func (t Turn) say(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && t.Failed != nil {
		t.Failed(err)
	}
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
