// Package postgres keeps everything in one PostgreSQL database (13 or newer), which several processes on several machines may
// share. It knows the store's contract, SQL, and how PostgreSQL behaves when connections break, servers restart and disks fill;
// it knows nothing of what entries and rows mean.
//
// # Writers
//
// The row of the table head says where the ledger ends, and whoever holds its lock is the one writer of the ledger; a view's row
// in the table views is the lock of that view. Nothing else is locked, so that followers and writers do not wait for each other.
// Both rows carry a token, drawn anew by each transaction: when a connection breaks while COMMIT is on its way, the token that is
// found afterwards says what became of it.
//
// # Sharding
//
// Tables that grow have a column by which a sharding PostgreSQL can spread them, and every statement on the hot path either
// names it or only reads; docs/scale.md has the layout. Names and keys are bytea, which is compared byte by byte whatever the
// database's collation and encoding, and holds NUL bytes; times are microseconds in a bigint.
//
// # Trust
//
// As in store/sqlite, every value is bound to something that Check can compute again: checksums (CRC-32C) against accidents, the
// Merkle tree and signed checkpoints against intent.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tidewaiter/tidewaiter/store"
)

// Options tune a store. The zero value is right for production.
type Options struct {
	// Wait is how long a writer waits for another one before it gives up with store.ErrBusy. 0: one minute.
	Wait time.Duration
	// Existing asks for a database that holds a ledger already: where there is none, Open makes none, and the error is a
	// store.ErrNotFound.
	Existing bool
}

const (
	// connections limits the pool, unless the URL does (pool_max_conns). No caller's code runs while one is held, but for that
	// of one Append.
	connections = 16
	// patience is how long one statement inside a transaction may take, and how long a transaction's outcome is asked for.
	patience = 2 * time.Minute
)

// Store is one database. Safe for concurrent use.
type Store struct {
	name    string // for messages: without a password
	opts    Options
	pool    *pgxpool.Pool
	writing chan struct{} // holds a token while no Append of this process runs
	growth  *growth       // what the holder of the token remembers of the ledger's end
	closed  atomic.Bool
	viewIDs sync.Map // view names to their ids, which never change
	held    contextCache
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Checker = (*Store)(nil)
)

// IsURL says whether a name is one that Open understands.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// Open opens the database at a URL (postgres://user:password@host:port/database) and makes the tables where there are none.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	cfg, err := config(url, &opts)
	if err != nil {
		return nil, err
	}
	s := &Store{name: shown(cfg.ConnConfig), opts: opts, writing: make(chan struct{}, 1)}
	s.writing <- struct{}{}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("opening %s: %w", s.name, explain(err))
	}
	if err := s.prepare(ctx); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("opening %s: %w", s.name, explain(err))
	}
	return s, nil
}

func config(url string, opts *Options) (*pgxpool.Config, error) {
	if !IsURL(url) {
		return nil, errors.New("a PostgreSQL database is named by a URL that looks like postgres://user@host:5432/database") // the name is not repeated: it may hold a password
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database's URL cannot be read; it looks like postgres://user@host:5432/database: %w", withoutCause(err))
	}
	if opts.Wait <= 0 {
		opts.Wait = time.Minute
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = connections
	}
	if cfg.ConnConfig.ConnectTimeout == 0 || cfg.ConnConfig.ConnectTimeout > opts.Wait {
		cfg.ConnConfig.ConnectTimeout = min(10*time.Second, opts.Wait)
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "tidewaiter"
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return settings(ctx, conn, *opts) }
	return cfg, nil
}

// settings makes a session what the contract needs it to be, whatever the server's configuration says: commits wait for the
// disk, waiting for a lock ends, and a writer whose process hangs or whose machine is gone does not hold up all others for long.
func settings(ctx context.Context, conn *pgx.Conn, opts Options) error {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	var ignored []string
	const query = `SELECT ARRAY[
	set_config('lock_timeout', $1, false),
	set_config('statement_timeout', '0', false),
	set_config('idle_in_transaction_session_timeout', $2, false),
	set_config('tcp_keepalives_idle', '10', false),
	set_config('tcp_keepalives_interval', '5', false),
	set_config('tcp_keepalives_count', '3', false),
	set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)]`
	return conn.QueryRow(ctx, query, ms(opts.Wait), ms(patience)).Scan(&ignored)
}

// shown names a database for messages.
func shown(cfg *pgx.ConnConfig) string {
	host := cfg.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(cfg.Port)))
	}
	return fmt.Sprintf("database %s at %s", cfg.Database, host)
}

// Close ends the store, after the transactions that are being written.
func (s *Store) Close() error {
	<-s.writing
	defer func() { s.writing <- struct{}{} }()
	if !s.closed.Swap(true) {
		s.pool.Close()
	}
	return nil
}

var errClosed = errors.New("the store is closed")

// failed says what failed, in words.
func (s *Store) failed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	switch {
	case s.closed.Load():
		err = errClosed
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%s: %s: %w", s.name, what, explain(err))
}

// read runs fn, which only reads, on a connection. Where the connection turns out to be broken (the server was started again,
// somebody ended the session) fn runs once more on a new one; what it read the first time it must forget.
func (s *Store) read(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	err := s.onConnection(ctx, fn)
	if isLost(err) && ctx.Err() == nil && !s.closed.Load() {
		err = s.onConnection(ctx, fn)
	}
	return err
}

func (s *Store) onConnection(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return fn(conn.Conn())
}
