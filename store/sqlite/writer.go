package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// writer is the one connection that writes, its statements, and what it remembers of the ledger's end.
type writer struct {
	conn   *sql.Conn
	growth *growth // nil: must be read from the file
	stmts  []*sql.Stmt

	insertEntry                              *sql.Stmt
	keySeqs, nameSeqs, entry, last           *sql.Stmt
	contextID, contextByID, insertContext    *sql.Stmt
	chunk, putChunk, getMeta, putMeta        *sql.Stmt
	dropMeta, viewByName, insertView         *sql.Stmt
	putCursor, putRow, dropRow, dropAllOf    *sql.Stmt
	eraseEntry, contextUsed, eraseContext    *sql.Stmt
	dataVersion, begin, commitTx, rollbackTx *sql.Stmt
	beginPart, keepPart, undoPart            *sql.Stmt
}

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn}
	for query, to := range map[string]**sql.Stmt{
		"BEGIN IMMEDIATE":     &w.begin,
		"COMMIT":              &w.commitTx,
		"ROLLBACK":            &w.rollbackTx,
		"SAVEPOINT part":      &w.beginPart,
		"RELEASE part":        &w.keepPart,
		"ROLLBACK TO part":    &w.undoPart,
		"PRAGMA data_version": &w.dataVersion,
		insertEntry:           &w.insertEntry,
		"SELECT seq, key_tail FROM entries WHERE key_head = ?": &w.keySeqs,
		selectNamed: &w.nameSeqs,
		selectEntry: &w.entry,
		selectLast:  &w.last,
		"SELECT id, body FROM contexts WHERE hash = ?": &w.contextID,
		selectContext: &w.contextByID,
		"INSERT INTO contexts (hash, body) VALUES (?, ?)": &w.insertContext,
		selectChunk: &w.chunk,
		"INSERT OR REPLACE INTO hashes (chunk, h) VALUES (?, ?)": &w.putChunk,
		selectMeta: &w.getMeta,
		"INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)": &w.putMeta,
		"DELETE FROM meta WHERE name = ?":                                 &w.dropMeta,
		selectView:                                                        &w.viewByName,
		"INSERT INTO views (name, cursor, sum) VALUES (?, 0, 0)":          &w.insertView,
		"UPDATE views SET cursor = ?, sum = ? WHERE id = ?":               &w.putCursor,
		"INSERT INTO rows (view, key, value, sum, packing) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum, packing = excluded.packing": &w.putRow,
		"DELETE FROM rows WHERE view = ? AND key = ?": &w.dropRow,
		"DELETE FROM rows WHERE view = ?":             &w.dropAllOf,
		"UPDATE entries SET salt = ?, body = x'', context = NULL, packing = NULL, sum = ?, erased = ? WHERE seq = ?": &w.eraseEntry,
		"SELECT 1 FROM entries WHERE context = ? LIMIT 1":                                                            &w.contextUsed,
		"UPDATE contexts SET hash = ?, body = x'' WHERE id = ?":                                                      &w.eraseContext,
	} {
		if *to, err = conn.PrepareContext(ctx, query); err != nil { //nolint:sqlclosecheck // kept for as long as the writer
			return nil, errors.Join(fmt.Errorf("%s: %w", query, err), w.close())
		}
		w.stmts = append(w.stmts, *to)
	}
	return w, nil
}

// close ends the statements and then the connection: with a statement left, SQLite would leave its write-ahead log too.
func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// write runs fn in one write transaction, when nobody else writes. Nothing of it is kept unless write returns nil.
//
// Only the waiting ends with ctx. What runs inside the transaction asks ctx itself, between statements: a statement that is
// interrupted half-way would cost the connection, and a COMMIT that is would leave it open what was kept.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, w *writer) error) error {
	select {
	case <-s.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { s.writing <- struct{}{} }()
	if s.closed.Load() {
		return errClosed
	}
	inside := context.WithoutCancel(ctx)
	if _, err := s.w.begin.ExecContext(ctx); err != nil {
		_, _ = s.w.rollbackTx.ExecContext(inside) // when ctx ended as it began, it may have begun
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return explain(err)
	}
	return explain(s.w.finish(inside, ctx, fn))
}

var errClosed = errors.New("the store is closed")

// finish runs fn and ends the transaction, also when fn panics.
func (w *writer) finish(inside, ctx context.Context, fn func(ctx context.Context, w *writer) error) (err error) {
	kept := false
	defer func() {
		if !kept {
			w.growth = nil
			_, _ = w.rollbackTx.ExecContext(inside) // it fails when SQLite has rolled back by itself
		}
	}()
	if err := fn(inside, w); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, err := w.commitTx.ExecContext(inside); err != nil {
		return err
	}
	kept = true
	return nil
}
