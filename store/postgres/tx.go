package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tidewaiter/tidewaiter/store"
)

// transaction is one write transaction. Its own statements do not end with the caller's context: one that is interrupted half-way
// would cost the connection, and a COMMIT that is would leave it open what was kept. Between them the caller's context is asked.
type transaction struct {
	conn  *pgxpool.Conn
	ctx   context.Context // the transaction's
	outer context.Context // the caller's, which may end
	token []byte          // drawn anew; whoever finds it in the row that was locked knows that this was kept
}

// lock is the row whose lock a transaction holds from its beginning to its end.
type lock interface {
	// take begins a transaction and locks the row, with one round trip where it can.
	take(ctx context.Context, conn *pgx.Conn) error
	// settle locks the row again on another connection, which waits for the lost transaction's end, and says what became of it.
	settle(ctx context.Context, conn *pgx.Conn, token []byte) (kept bool, err error)
}

const beginTransaction = "BEGIN ISOLATION LEVEL READ COMMITTED"

// write runs fn in one write transaction that holds the lock. Nothing of it is kept unless write returns nil; store.ErrUnknown is
// the exception.
func (s *Store) write(ctx context.Context, l lock, fn func(tx *transaction) error) (err error) {
	if s.closed.Load() {
		return errClosed
	}
	tx := &transaction{outer: ctx, token: make([]byte, 16)}
	if _, err := rand.Read(tx.token); err != nil {
		return fmt.Errorf("a token for the transaction: %w", err)
	}
	if tx.conn, err = s.begin(ctx, l); err != nil {
		return err
	}
	var cancel context.CancelFunc
	tx.ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	return s.finish(tx, l, fn)
}

// begin begins a transaction and takes the lock. A connection that broke since it was last used is replaced: nothing was done yet.
func (s *Store) begin(ctx context.Context, l lock) (*pgxpool.Conn, error) {
	for try := 0; ; try++ {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return nil, causeOf(ctx, err)
		}
		if err = l.take(ctx, conn.Conn()); err == nil {
			return conn, nil
		}
		giveBack(conn)
		if try > 0 || !isLost(err) || ctx.Err() != nil {
			return nil, causeOf(ctx, err)
		}
	}
}

// causeOf is why ctx ended, when it did, and else err.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// giveBack ends what was begun on a connection; where that cannot be done the pool throws the connection away.
func giveBack(conn *pgxpool.Conn) {
	if !conn.Conn().IsClosed() && conn.Conn().PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
	conn.Release()
}

// finish runs fn and ends the transaction, also when fn panics.
func (s *Store) finish(tx *transaction, l lock, fn func(tx *transaction) error) error {
	defer giveBack(tx.conn)
	if err := fn(tx); err != nil {
		return err
	}
	if tx.outer.Err() != nil {
		return context.Cause(tx.outer)
	}
	ctx, cancel := tx.patient()
	defer cancel()
	done, err := tx.conn.Exec(ctx, "COMMIT")
	switch {
	case err == nil && done.String() == "ROLLBACK":
		return errors.New("the transaction had failed before; nothing of it was kept")
	case err == nil:
		return nil
	case !isLost(err) && ctx.Err() == nil:
		return err
	}
	return s.settle(tx, l, err)
}

// patient gives a statement of the transaction its time.
func (tx *transaction) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(tx.ctx, patience)
}

// exec runs one statement of the transaction.
func (tx *transaction) exec(query string, args ...any) error {
	ctx, cancel := tx.patient()
	defer cancel()
	_, err := tx.conn.Exec(ctx, query, args...)
	return err
}

// live says whether the caller still wants it.
func (tx *transaction) live() error {
	if tx.outer.Err() != nil {
		return context.Cause(tx.outer)
	}
	return nil
}

// settle finds out what became of a transaction whose COMMIT was not answered. The lost session holds the row's lock until it
// has ended one way or the other, so whoever gets the lock sees what it left. The server may have to be started again first.
// A caller that has gone away does not wait for it long.
func (s *Store) settle(tx *transaction, l lock, lost error) error {
	ctx, cancel := tx.patient()
	defer cancel()
	defer context.AfterFunc(tx.outer, func() { time.AfterFunc(5*time.Second, cancel) })()
	for {
		var kept bool
		err := s.onConnection(ctx, func(conn *pgx.Conn) (err error) {
			return pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
				kept, err = l.settle(ctx, conn, tx.token)
				return err
			})
		})
		switch {
		case err == nil && kept:
			return nil
		case err == nil:
			return lost
		case errors.Is(err, store.ErrUnknown), errors.Is(err, store.ErrConflict), ctx.Err() != nil, s.closed.Load():
			return unknown(err, lost)
		}
		select {
		case <-ctx.Done():
			return unknown(err, lost)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func unknown(err, lost error) error {
	if errors.Is(err, store.ErrConflict) {
		return err
	}
	return fmt.Errorf("%w: the connection was lost while it was being kept, and what became of it could not be learnt; look before doing it again (%v; %v)", store.ErrUnknown, lost, err) //nolint:errorlint // neither says what became of it
}

// headLock is the right to append. It knows what the writer saw, and what it appended.
type headLock struct {
	row  headRow // as it was when the lock was taken
	salt []byte  // of the first entry appended; nil when there was none
}

const lockHead = "SELECT " + headColumns + " FROM tidewaiter.head FOR UPDATE"

func (l *headLock) take(ctx context.Context, conn *pgx.Conn) error {
	return orNoHead(beginWith(ctx, conn, l.row.dest(), lockHead))
}

// beginWith begins a transaction with a question that has one row for an answer.
func beginWith(ctx context.Context, conn *pgx.Conn, dest []any, query string, args ...any) error {
	var batch pgx.Batch
	batch.Queue(beginTransaction)
	batch.Queue(query, args...).QueryRow(func(row pgx.Row) error { return row.Scan(dest...) })
	return conn.SendBatch(ctx, &batch).Close()
}

func (h *headRow) lock(ctx context.Context, conn *pgx.Conn) error {
	return orNoHead(conn.QueryRow(ctx, lockHead).Scan(h.dest()...))
}

func orNoHead(err error) error {
	if isNone(err) {
		return errNoHead
	}
	return err
}

var errNoHead = fmt.Errorf("%w: the row that says where the ledger ends is missing; run `tidewaiter log fsck`, then restore from a backup", store.ErrDamaged)

// settle goes by the token, and where others have written since, by the entry: its salt is random, so it is ours or it is not.
func (l *headLock) settle(ctx context.Context, conn *pgx.Conn, token []byte) (bool, error) {
	var now headRow
	if err := now.lock(ctx, conn); err != nil {
		return false, err
	}
	switch {
	case bytes.Equal(now.token, token):
		return true, nil
	case bytes.Equal(now.token, l.row.token):
		return false, nil
	case l.salt == nil:
		return false, store.ErrUnknown
	}
	var salt []byte
	err := conn.QueryRow(ctx, "SELECT salt FROM tidewaiter.entries WHERE seq = $1", l.row.size).Scan(&salt)
	if isNone(err) {
		return false, nil
	}
	return bytes.Equal(salt, l.salt), err
}
