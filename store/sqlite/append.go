package sqlite

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Append runs fn in one write transaction. What fn returns is returned as it is.
func (s *Store) Append(ctx context.Context, fn func(store.Appender) error) error {
	var own error
	err := s.write(ctx, func(inside context.Context, w *writer) error {
		g, err := w.grow(inside)
		if err != nil {
			return err
		}
		tx := &appender{path: s.path, outer: ctx, ctx: inside, w: w, growth: g}
		defer func() { tx.over = errDone }()
		if own = fn(tx); own != nil {
			return own
		}
		if own = tx.over; own != nil {
			return own // fn went on after a failure of the store
		}
		return tx.growth.flush(inside, w) // not g: a part may have put another in its place
	})
	if own != nil || err == nil {
		return own
	}
	return fmt.Errorf("%s: appending: %w", s.path, err)
}

var errDone = errors.New("the transaction is over: an Appender ends with the function that it was given to")

// appender is one transaction.
type appender struct {
	path   string
	outer  context.Context // the caller's, which may end
	ctx    context.Context // the transaction's, which does not
	w      *writer
	growth *growth
	over   error      // why nothing more can be done
	absent *store.Key // the key that was last looked for and not found: who asks first appends next
	salts  []byte     // random bytes, read ahead
}

// live says whether the transaction goes on.
func (a *appender) live() error {
	if a.over != nil {
		return a.over
	}
	if a.outer.Err() != nil {
		return context.Cause(a.outer)
	}
	return nil
}

// fail ends the transaction: after a failure of the store nobody knows how much of the last statement was done.
func (a *appender) fail(err error) error {
	if err != nil && a.over == nil {
		a.over = fmt.Errorf("%s: appending: %w", a.path, explain(err))
		return a.over
	}
	return err
}

func (a *appender) Head() store.Head { return a.growth.head }

func (a *appender) Append(e ledger.Entry, key store.Key) (int64, error) {
	if err := a.live(); err != nil {
		return 0, err
	}
	g := a.growth
	if err := e.Validate(); err != nil {
		return 0, fmt.Errorf("entry %d: %w", g.head.Size, err)
	}
	e.Seq, e.Recorded = g.head.Size, time.UnixMicro(e.Recorded.UnixMicro()).UTC()
	if g.head.Size > 0 && e.Recorded.UnixMicro() < g.head.Recorded {
		return 0, fmt.Errorf("entry %d, recorded %s: %w", e.Seq, e.Recorded, store.ErrTime)
	}
	if seq, dup, err := a.Seen(key); err != nil {
		return 0, err
	} else if dup {
		return 0, fmt.Errorf("entry %d: %w, as entry %d", e.Seq, store.ErrDuplicate, seq)
	}
	if err := a.salt(&e); err != nil {
		return 0, err
	}
	return e.Seq, a.fail(a.keep(e, key))
}

// salt takes 32 random bytes from those that were read together.
func (a *appender) salt(e *ledger.Entry) error {
	if e.Salt != [32]byte{} {
		return nil
	}
	if len(a.salts) == 0 {
		a.salts = make([]byte, 64*len(e.Salt))
		if _, err := rand.Read(a.salts); err != nil {
			a.salts = nil
			return fmt.Errorf("a salt for entry %d: %w", e.Seq, err)
		}
	}
	a.salts = a.salts[copy(e.Salt[:], a.salts):]
	return nil
}

// keep writes one entry. Writing many with one statement was measured, and gained nothing.
func (a *appender) keep(e ledger.Entry, key store.Key) error {
	context, err := a.intern(e.Context)
	if err != nil {
		return err
	}
	if err := a.growth.add(a.ctx, a.w, ledger.LeafHash(e)); err != nil {
		return err
	}
	row := newEntryRow(e, key, context)
	if _, err := a.w.insertEntry.ExecContext(a.ctx, row.args()...); err != nil {
		return err
	}
	a.growth.head = store.Head{Size: e.Seq + 1, Recorded: e.Recorded.UnixMicro()}
	a.absent = nil
	return nil
}

// intern gives the id under which a context is kept.
func (a *appender) intern(body []byte) (int64, error) {
	if body == nil {
		return noContext, nil
	}
	held := a.growth.contexts
	hash := sha256.Sum256(body)
	if id, ok := held[hash]; ok {
		return id, nil
	}
	var id int64
	var old []byte
	err := a.w.contextID.QueryRowContext(a.ctx, hash[:]).Scan(&id, &old)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		done, err := a.w.insertContext.ExecContext(a.ctx, hash[:], body)
		if err != nil {
			return 0, err
		}
		if id, err = done.LastInsertId(); err != nil {
			return 0, err
		}
		a.growth.kept++
	case err != nil:
		return 0, err
	case !bytes.Equal(old, body):
		return 0, fmt.Errorf("%w: context %d is not what its hash says", store.ErrDamaged, id)
	}
	if len(held) >= contextsHeld {
		clear(held)
	}
	held[hash] = id
	return id, nil
}

func (a *appender) Seen(key store.Key) (int64, bool, error) {
	if err := a.live(); err != nil {
		return 0, false, err
	}
	if a.absent != nil && *a.absent == key {
		return 0, false, nil
	}
	seq, ok, err := a.seen(key)
	if err == nil && !ok {
		a.absent = &key
	}
	return seq, ok, a.fail(err)
}

// seen looks at the entries whose keys begin like this one: one at most, but for an accident of 2⁻⁶⁴.
func (a *appender) seen(key store.Key) (int64, bool, error) {
	rows, err := a.w.keySeqs.QueryContext(a.ctx, keyHead(key))
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var tail sql.RawBytes
		if err := rows.Scan(&seq, &tail); err != nil {
			return 0, false, err
		}
		if bytes.Equal(tail, key[8:]) {
			return seq, true, nil
		}
	}
	return 0, false, rows.Err()
}

func (a *appender) Named(name string) ([]int64, error) {
	if err := a.live(); err != nil {
		return nil, err
	}
	seqs, err := readNamed(a.ctx, a.w.nameSeqs, name)
	return seqs, a.fail(err)
}

func (a *appender) Entry(seq int64) (ledger.Entry, error) {
	if err := a.live(); err != nil {
		return ledger.Entry{}, err
	}
	var row entryRow
	return readEntry(&row, seq, a.w.entry.QueryRowContext(a.ctx, seq), func(id int64) ([]byte, error) {
		return readContext(a.w.contextByID.QueryRowContext(a.ctx, id))
	})
}

func (a *appender) Meta(name string) ([]byte, error) {
	if err := a.live(); err != nil {
		return nil, err
	}
	return readMeta(a.w.getMeta.QueryRowContext(a.ctx, []byte(name)), name)
}

func (a *appender) SetMeta(name string, value []byte) error {
	if err := a.live(); err != nil {
		return err
	}
	return a.fail(a.w.setMeta(a.ctx, name, value))
}

// SetMeta sets a value in a transaction of its own.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	err := s.write(ctx, func(inside context.Context, w *writer) error { return w.setMeta(inside, name, value) })
	if err != nil {
		return fmt.Errorf("%s: setting %s: %w", s.path, name, err)
	}
	return nil
}

func (w *writer) setMeta(ctx context.Context, name string, value []byte) error {
	if value == nil {
		_, err := w.dropMeta.ExecContext(ctx, []byte(name))
		return err
	}
	_, err := w.putMeta.ExecContext(ctx, []byte(name), value, metaSum(name, value))
	return err
}
