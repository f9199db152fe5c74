package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

func (a *appender) Erase(seq, by int64) error {
	if err := a.live(); err != nil {
		return err
	}
	if err := a.flush(); err != nil { // so that every entry is in the table
		return a.fail(err)
	}
	ctx, cancel := a.tx.patient()
	defer cancel()
	var row entryRow
	e, err := readRow(ctx, a.tx.conn.Conn(), seq, &row, readContext)
	switch {
	case isElsewhere(err):
		return a.fail(err)
	case err != nil:
		return fmt.Errorf("entry %d: %w", seq, err)
	case e.Erased != nil:
		return fmt.Errorf("entry %d: %w, as entry %d says", seq, store.ErrErased, e.Erased.By)
	}
	had := row.context
	row.erase(ledger.Commitment(e), by)
	return a.fail(a.erase(&row, had))
}

// erase writes the row without its content, and drops what else has some of it.
func (a *appender) erase(row *entryRow, context *int64) error {
	err := a.tx.exec("UPDATE tidewaiter.entries SET salt = $1, body = '', context = NULL, sum = $2, erased = $3 WHERE seq = $4", row.salt, row.sum, row.erased, row.seq)
	if err == nil && context != nil {
		err = a.dropContext(*context)
	}
	if err != nil {
		return err
	}
	return a.tx.dropViews(row.seq)
}

// dropContext empties a context that no entry has any more.
func (a *appender) dropContext(id int64) error {
	clear(a.growth.contexts)
	a.s.held.forget()
	return a.tx.exec("UPDATE tidewaiter.contexts SET hash = $1, body = '' WHERE id = $2 AND NOT EXISTS (SELECT FROM tidewaiter.entries WHERE context = $2)", shellHash(id), id)
}

// dropViews forgets the views that have taken in an entry. Each is locked by its row, as those who write to it do.
func (tx *transaction) dropViews(seq int64) error {
	ctx, cancel := tx.patient()
	defer cancel()
	rows, err := tx.conn.Query(ctx, "SELECT id, name, cursor, token, sum FROM tidewaiter.views WHERE cursor > $1 ORDER BY id FOR UPDATE", seq)
	if err != nil {
		return err
	}
	var found []viewLock
	var l viewLock
	var name []byte
	if _, err := pgx.ForEachRow(rows, []any{&l.id, &name, &l.cursor, &l.token, &l.sum}, func() error {
		found = append(found, viewLock{id: l.id, name: string(name)})
		return nil
	}); err != nil {
		return err
	}
	for i := range found {
		if err := tx.exec("DELETE FROM tidewaiter.rows WHERE view = $1", found[i].id); err != nil {
			return err
		}
		if err := tx.move(&found[i], 0); err != nil {
			return err
		}
	}
	return nil
}

// forget gives up what is held in memory.
func (c *contextCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.size = nil, 0
}

// readRow is readEntry for somebody who wants the row too.
func readRow(ctx context.Context, conn *pgx.Conn, seq int64, r *entryRow, contexts contextReader) (ledger.Entry, error) {
	err := conn.QueryRow(ctx, "SELECT "+entryColumns+" FROM tidewaiter.entries WHERE seq = $1", seq).Scan(r.dest()...)
	if isNone(err) {
		return ledger.Entry{}, store.ErrNotFound
	}
	if err != nil {
		return ledger.Entry{}, damaged(seq, err)
	}
	e, err := r.entry()
	if err != nil {
		return e, damaged(seq, err)
	}
	return withContext(ctx, conn, e, r.context, contexts)
}
