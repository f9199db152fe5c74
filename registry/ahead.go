package registry

import (
	"context"
	"iter"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Foresighted is a View that makes use of knowing what comes. It is led faster: entries are read and decoded while those before them
// are applied, and a batch is committed while the next is applied. What it makes of the ledger must not depend on that.
type Foresighted interface {
	// Decode prepares an entry, by the entry alone: it is called on another goroutine than the other methods. What it gives for an
	// entry that cannot be decoded is up to it; Apply says what is wrong.
	Decode(e ledger.Entry) any
	// Foresee is told what Decode made of the entries that are about to be applied, in order, so that it can ask the store for all that
	// they are about together.
	Foresee(decoded []any) error
}

// A piece is what is read, and foreseen, together.
const (
	pieceEntries = 512
	pieceBytes   = 4 << 20
	piecesAhead  = 3
)

// piece is a few entries, and what was decoded of them.
type piece struct {
	entries []ledger.Entry
	decoded []any
	bytes   int
}

// pieces reads the ledger from where the view is.
func (f *Follower[V]) pieces(ctx context.Context, from, to int64) iter.Seq2[piece, error] {
	view, foresighted := any(f.view).(Foresighted)
	return func(yield func(piece, error) bool) {
		for from < to {
			p, err := f.piece(ctx, from, to)
			if err == nil && foresighted {
				for _, e := range p.entries {
					p.decoded = append(p.decoded, view.Decode(e))
				}
			}
			if !yield(p, err) || err != nil || len(p.entries) == 0 {
				return
			}
			from += int64(len(p.entries))
		}
	}
}

// piece reads one piece; it is empty where the ledger ends.
func (f *Follower[V]) piece(ctx context.Context, from, to int64) (p piece, err error) {
	err = f.Store.Entries(ctx, from, min(to, from+pieceEntries), func(e ledger.Entry) error {
		p.entries = append(p.entries, e)
		if p.bytes += len(e.Body); p.bytes >= pieceBytes {
			return errFull
		}
		return nil
	})
	if err == errFull { //nolint:errorlint // it is handed through as it is
		err = nil
	}
	return p, err
}

// ahead runs seq on a goroutine of its own, a few steps ahead, and ends it before it returns.
func ahead(seq iter.Seq2[piece, error]) iter.Seq2[piece, error] {
	type step struct {
		p   piece
		err error
	}
	return func(yield func(piece, error) bool) {
		steps, stop := make(chan step, piecesAhead), make(chan struct{})
		go func() {
			defer close(steps)
			for p, err := range seq {
				select {
				case steps <- step{p, err}:
				case <-stop:
					return
				}
			}
		}()
		defer func() {
			close(stop)
			for range steps { // until the goroutine has ended: the store may be closed next
			}
		}()
		for s := range steps {
			if !yield(s.p, s.err) {
				return
			}
		}
	}
}
