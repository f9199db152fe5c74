package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
	"github.com/tidewaiter/tidewaiter/registry"
)

// servedLog is the log as the API needs it: with the key that is in place now, which another process may have replaced.
type servedLog struct {
	d         *deployment
	published *publish.Log

	signing  sync.Mutex
	checking sync.Mutex
	checked  time.Time
	verdict  error
}

// checkEvery is how often it is looked at whether the log may sign. Whatever was kept in between, nothing is signed that must not be.
const checkEvery = time.Second

// Check says why nothing may be captured, as of a moment ago.
func (l *servedLog) Check(ctx context.Context) error {
	l.checking.Lock()
	defer l.checking.Unlock()
	if now := l.d.env.now(); l.checked.IsZero() || now.Sub(l.checked) >= checkEvery || now.Before(l.checked) {
		err := l.d.maySign(ctx)
		if ctx.Err() != nil {
			return err // which says nothing about the log
		}
		l.checked, l.verdict = now, err
	}
	return l.verdict
}

// Over is a checkpoint with an entry in it: the published one if it reaches so far, else one that the log alone has signed. Those who
// ask together are given one together.
func (l *servedLog) Over(ctx context.Context, seq int64) ([]byte, error) {
	l.signing.Lock()
	defer l.signing.Unlock()
	keys, err := l.d.log.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, last := range []func(context.Context) ([]byte, error){l.published.Last, l.signed} {
		text, err := last(ctx)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		if c, err := ledger.ParseCheckpoint(text, keys); err == nil && seq < c.Size {
			return text, nil
		}
	}
	return l.d.sign(ctx)
}

func (l *servedLog) signed(ctx context.Context) ([]byte, error) {
	_, text, err := l.d.log.Last(ctx)
	return text, err
}

// Published is the checkpoint that everybody may see.
func (l *servedLog) Published(ctx context.Context) ([]byte, error) { return l.published.Last(ctx) }

// Keys are the log's keys.
func (l *servedLog) Keys(ctx context.Context) (*ledger.Keys, error) { return l.d.log.Keys(ctx) }

// Receipt makes a COSE Receipt with the key that is in place now.
func (l *servedLog) Receipt(ctx context.Context, p ledger.Proof, o *ledger.Opening) ([]byte, error) {
	log, err := l.d.current()
	if err != nil {
		return nil, err
	}
	keys, err := log.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if o != nil {
		return ledger.COSEReceiptOpened(log.Signer, p, keys, *o)
	}
	return ledger.COSEReceipt(log.Signer, p, keys)
}

// leaseTime is within what time another node takes over what a node did that died.
const leaseTime = 3 * time.Second

// followEvery is how often a node that has the turn looks for entries that are new to the views.
const followEvery = 200 * time.Millisecond

// background does what one node of several should do at a time: lead the views after the ledger, sign and publish checkpoints, and
// forget old capture jobs. It is done when ctx has ended and the group is empty.
func (d *deployment) background(ctx context.Context, w *publish.Witnesses, every time.Duration) *sync.WaitGroup {
	var all sync.WaitGroup
	node := nodeName()
	for name, work := range map[string]func(context.Context) error{
		"view " + casework.Name: d.follow,
		"checkpoint":            func(ctx context.Context) error { return d.keepSigning(ctx, w, every) },
		"old capture jobs":      d.forgetJobs,
	} {
		turn := registry.Turn{Leases: d.store, Name: name, Holder: node, For: leaseTime, Failed: func(err error) { d.env.say("%v", oneLine(err.Error())) }}
		all.Go(func() { turn.Run(ctx, work) })
	}
	return &all
}

// nodeName tells this process from all others that may share the store.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "somewhere"
	}
	return fmt.Sprintf("%s, process %d (%s)", host, os.Getpid(), rand.Text()[:8])
}

// each calls fn again and again until ctx ends or it fails.
func each(ctx context.Context, every time.Duration, fn func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := fn(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow leads the views after the ledger.
func (d *deployment) follow(ctx context.Context) error {
	// One of its own for each turn: what it reads with ends with the turn.
	views := &registry.Follower[*casework.View]{Store: d.views.Store, Name: d.views.Name, New: d.views.New}
	return each(ctx, followEvery, func() error {
		_, err := views.CatchUp(ctx)
		return err
	})
}

// keepSigning signs and publishes. A failure does not end it: what was published stays so.
func (d *deployment) keepSigning(ctx context.Context, w *publish.Witnesses, every time.Duration) error {
	return each(ctx, every, func() error {
		if err := d.advance(ctx, w); err != nil && ctx.Err() == nil {
			d.env.say("%v", err)
		}
		return nil
	})
}

func (d *deployment) forgetJobs(ctx context.Context) error {
	return each(ctx, time.Hour, func() error {
		_, err := registry.Jobs{Store: d.store}.Forget(ctx, d.env.now().Add(-registry.JobsKept))
		return err
	})
}
