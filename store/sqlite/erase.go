package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

func (a *appender) Erase(seq, by int64) error {
	if err := a.live(); err != nil {
		return err
	}
	var row entryRow
	var context int64
	e, err := readEntry(&row, seq, a.w.entry.QueryRowContext(a.ctx, seq), func(id int64) ([]byte, error) {
		context = id
		return readContext(a.w.contextByID.QueryRowContext(a.ctx, id))
	})
	switch {
	case err != nil:
		return fmt.Errorf("entry %d: %w", seq, err)
	case e.Erased != nil:
		return fmt.Errorf("entry %d: %w, as entry %d says", seq, store.ErrErased, e.Erased.By)
	}
	row.erase(ledger.Commitment(e), by)
	return a.fail(a.w.erase(a.ctx, &row, e.Context != nil, context))
}

// erase writes the row without its content, and drops what else has some of it.
func (w *writer) erase(ctx context.Context, row *entryRow, hadContext bool, id int64) error {
	if _, err := w.eraseEntry.ExecContext(ctx, row.salt, row.sum, row.erased, row.seq); err != nil {
		return err
	}
	if hadContext {
		if err := w.dropContext(ctx, id); err != nil {
			return err
		}
	}
	return w.dropViews(ctx, row.seq)
}

// dropContext empties a context that no entry has any more.
func (w *writer) dropContext(ctx context.Context, id int64) error {
	var one int
	err := w.contextUsed.QueryRowContext(ctx, id).Scan(&one)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	clear(w.growth.contexts)
	_, err = w.eraseContext.ExecContext(ctx, shellHash(id), id)
	return err
}

// dropViews forgets the views that have taken in an entry.
func (w *writer) dropViews(ctx context.Context, seq int64) error {
	if _, err := w.conn.ExecContext(ctx, "DELETE FROM rows WHERE view IN (SELECT id FROM views WHERE cursor > ?)", seq); err != nil {
		return err
	}
	_, err := w.conn.ExecContext(ctx, "DELETE FROM views WHERE cursor > ?", seq)
	return err
}

// Scrub writes the file anew. What was deleted from a page may stand in it still, and earlier states of pages in the write-ahead
// log: afterwards the file has nothing but what is kept, and the log is empty. It needs as much room as the file takes, in the
// folder for temporary files and again in the write-ahead log.
func (s *Store) Scrub(ctx context.Context) error {
	select {
	case <-s.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { s.writing <- struct{}{} }()
	if s.closed.Load() {
		return errClosed
	}
	s.reads.forget()
	// The copy that VACUUM makes may be larger than memory.
	for _, step := range []string{"PRAGMA temp_store = FILE", "VACUUM", "PRAGMA temp_store = MEMORY"} {
		if _, err := s.w.conn.ExecContext(ctx, step); err != nil {
			return s.failed(ctx, "writing the file anew", err)
		}
	}
	return s.failed(ctx, "emptying the write-ahead log", s.w.emptyLog(ctx))
}

// emptyLog writes the write-ahead log back and cuts it to nothing. Who reads an older state holds it up; that does not take long,
// for nobody reads longer than a page.
func (w *writer) emptyLog(ctx context.Context) error {
	for end := time.Now().Add(time.Minute); ; {
		var busy, inLog, done int
		if err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &done); err != nil && !isBusy(err) {
			return err
		} else if err == nil && busy == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: somebody goes on reading an older state of the file; end what reads it, then run `tidewaiter entries scrub`", store.ErrBusy)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// forget gives up the contexts that are held in memory.
func (r *reads) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contexts, r.held = nil, 0
}
