package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// View is a deterministic function of the ledger, taken in entry by entry.
type View interface {
	Apply(e ledger.Entry) error
	// Dirty is about how many rows wait to be flushed.
	Dirty() int
	// Flush hands over the rows that changed since the last Flush; nil deletes.
	Flush(changes map[string][]byte) error
	// Trim may give memory back; everything flushed is committed.
	Trim()
}

// Follower leads one view after the ledger: state and cursor move in one transaction, and the result does not depend on how
// many entries a batch has.
type Follower[V View] struct {
	Store    store.Store
	Name     string
	New      func(rows store.Rows) (V, error)
	Batch    int                     // entries in one commit at most; 0: 4096
	Progress func(done, total int64) // entries taken in, of the head that was seen

	view V
	at   int64
	mark []byte // the last erasure before the view was opened
	open bool
}

// dirtyLimit commits early when single entries touch very many rows.
const dirtyLimit = 40000

// CatchUp takes in everything up to the head that it sees first, and returns the view.
func (f *Follower[V]) CatchUp(ctx context.Context) (V, error) {
	for {
		err := f.catchUp(ctx)
		if errors.Is(err, store.ErrConflict) {
			f.open = false // somebody else went on; read what they wrote
			continue
		}
		if err != nil {
			f.open = false
		}
		return f.view, err
	}
}

func (f *Follower[V]) catchUp(ctx context.Context) error {
	mark, err := f.Store.Meta(ctx, erasedKey)
	if err != nil {
		return err
	}
	at, err := f.Store.Cursor(ctx, f.Name)
	if err != nil {
		return err
	}
	if !f.open || at != f.at || !bytes.Equal(mark, f.mark) {
		if f.view, err = f.New(f.Store.Rows(ctx, f.Name)); err != nil {
			return fmt.Errorf("view %s: %w", f.Name, err)
		}
		f.at, f.mark, f.open = at, mark, true
	}
	head, err := f.Store.Head(ctx)
	if err != nil {
		return err
	}
	if f.at > head.Size {
		return fmt.Errorf("view %s has taken in %d entries, the ledger holds %d: it is another ledger's; run `tidewaiter views rebuild`", f.Name, f.at, head.Size)
	}
	for f.at < head.Size {
		err := f.step(ctx, head.Size)
		if gone, e := f.erasedSince(ctx); gone || e != nil {
			return errors.Join(e, f.forget(ctx))
		}
		if err != nil {
			return err
		}
		if f.Progress != nil {
			f.Progress(f.at, head.Size)
		}
	}
	return nil
}

// erasedSince says whether something was erased since the view was opened. Then the view may hold some of it in memory, and may
// have written it.
func (f *Follower[V]) erasedSince(ctx context.Context) (bool, error) {
	mark, err := f.Store.Meta(ctx, erasedKey)
	return err == nil && !bytes.Equal(mark, f.mark), err
}

// forget drops the view, so that it is made anew from what is left.
func (f *Follower[V]) forget(ctx context.Context) error {
	if err := f.Store.Drop(ctx, f.Name); err != nil {
		return err
	}
	return fmt.Errorf("something was erased meanwhile: %w", store.ErrConflict)
}

// errFull ends a batch early.
var errFull = errors.New("batch full")

// step takes in one batch and commits it.
func (f *Follower[V]) step(ctx context.Context, to int64) error {
	batch := int64(f.Batch)
	if batch <= 0 {
		batch = 4096
	}
	next := f.at
	err := f.Store.Entries(ctx, f.at, min(to, f.at+batch), func(e ledger.Entry) error {
		if err := f.view.Apply(e); err != nil {
			return fmt.Errorf("view %s: %w", f.Name, err)
		}
		next = e.Seq + 1
		if f.view.Dirty() >= dirtyLimit {
			return errFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	if next == f.at {
		return fmt.Errorf("view %s: entry %d is missing from the ledger; run `tidewaiter log fsck`", f.Name, f.at)
	}
	changes := map[string][]byte{}
	if err := f.view.Flush(changes); err != nil {
		return err
	}
	if err := f.Store.Commit(ctx, f.Name, f.at, next, changes); err != nil {
		return err
	}
	f.at = next
	f.view.Trim()
	return nil
}

// Rebuild forgets the view and makes it again from the ledger.
func (f *Follower[V]) Rebuild(ctx context.Context) (V, error) {
	if err := f.Store.Drop(ctx, f.Name); err != nil {
		var none V
		return none, err
	}
	f.open = false
	return f.CatchUp(ctx)
}
