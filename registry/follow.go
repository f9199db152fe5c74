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
	// Trim may give memory back; everything flushed can be read again.
	Trim()
}

// Follower leads one view after the ledger: state and cursor move in one transaction, and the result does not depend on how
// many entries a batch has.
type Follower[V View] struct {
	Store    store.Store
	Name     string
	New      func(rows store.Rows) (V, error)
	Batch    int                     // entries in one commit at most; 0: 16384
	Progress func(done, total int64) // entries taken in, of the head that was seen

	view V
	rows *behind
	at   int64  // what is committed
	mark []byte // the last erasure before the view was opened
	open bool
}

// dirtyLimit commits early when single entries touch very many rows.
const dirtyLimit = 80000

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
		f.rows = &behind{Rows: f.Store.Rows(ctx, f.Name)}
		if f.view, err = f.New(f.rows); err != nil {
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
	return f.follow(ctx, head.Size)
}

// errFull ends a piece early.
var errFull = errors.New("full")

// follow takes in what is between the view and the head.
func (f *Follower[V]) follow(ctx context.Context, head int64) (err error) {
	defer func() { err = f.end(ctx, err, head) }()
	view, foresighted := any(f.view).(Foresighted)
	pieces := f.pieces(ctx, f.at, head)
	if foresighted {
		pieces = ahead(pieces)
	}
	b := stretch{from: f.at, next: f.at}
	for p, err := range pieces {
		if err != nil {
			return err
		}
		if foresighted {
			if err := view.Foresee(p.decoded); err != nil {
				return fmt.Errorf("view %s: %w", f.Name, err)
			}
		}
		if err := f.take(ctx, p, &b, head); err != nil {
			return err
		}
	}
	if b.next < head {
		return fmt.Errorf("view %s: entry %d is missing from the ledger; run `tidewaiter log fsck`", f.Name, b.next)
	}
	return f.hand(ctx, &b, head)
}

// stretch is what will be committed together.
type stretch struct{ from, next int64 }

// take applies a piece, and hands over each batch that becomes full.
func (f *Follower[V]) take(ctx context.Context, p piece, b *stretch, head int64) error {
	limit := int64(f.Batch)
	if limit <= 0 {
		limit = 16384
	}
	for _, e := range p.entries {
		if err := f.view.Apply(e); err != nil {
			return fmt.Errorf("view %s: %w", f.Name, err)
		}
		b.next = e.Seq + 1
		if b.next-b.from >= limit || f.view.Dirty() >= dirtyLimit {
			if err := f.hand(ctx, b, head); err != nil {
				return err
			}
		}
	}
	return nil
}

// hand flushes a batch and commits it: meanwhile the next is applied, if the view is foresighted.
func (f *Follower[V]) hand(ctx context.Context, b *stretch, head int64) error {
	if b.next == b.from {
		return nil
	}
	changes := map[string][]byte{}
	if err := f.view.Flush(changes); err != nil {
		return err
	}
	if err := f.committed(ctx, head); err != nil {
		return err
	}
	from, to := b.from, b.next
	b.from = to
	f.rows.commit(to, changes, func() error { return f.Store.Commit(ctx, f.Name, from, to, changes) })
	f.view.Trim()
	if _, ok := any(f.view).(Foresighted); !ok {
		return f.committed(ctx, head)
	}
	return nil
}

// committed waits for the batch that is under way.
func (f *Follower[V]) committed(ctx context.Context, head int64) error {
	to, err := f.rows.wait()
	if err != nil || to == 0 {
		return err
	}
	if gone, err := f.erasedSince(ctx); gone || err != nil {
		return errors.Join(err, f.forget(ctx))
	}
	f.at = to
	if f.Progress != nil {
		f.Progress(f.at, head)
	}
	return nil
}

// end waits for what is under way. That somebody else went on comes before whatever else went wrong: it may be the reason.
func (f *Follower[V]) end(ctx context.Context, err error, head int64) error {
	if last := f.committed(ctx, head); err == nil || errors.Is(last, store.ErrConflict) {
		return last
	}
	return err
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

// Rebuild forgets the view and makes it again from the ledger.
func (f *Follower[V]) Rebuild(ctx context.Context) (V, error) {
	if err := f.Store.Drop(ctx, f.Name); err != nil {
		var none V
		return none, err
	}
	f.open = false
	return f.CatchUp(ctx)
}
