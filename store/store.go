// Package store says what is kept and what may be relied on: the ledger's role and the views' role, each a few methods.
// The implementations are store/sqlite and, for tests, store/memory; store/storetest is the suite that each of them passes.
// A store knows entries and rows; it knows no EPCIS, no custody and no findings.
package store

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Errors that every store returns (wrapped).
var (
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else moved the cursor first; read it again and go on from there.
	ErrConflict = errors.New("the view has moved on")
	// ErrTime: an entry's recorded time lies before that of the entry before it.
	ErrTime = errors.New("recorded time would run backwards")
)

// Store is everything that one deployment keeps.
type Store interface {
	Ledger
	Views
	Close() error
}

// Head is where the ledger ends.
type Head struct {
	Size     int64 // number of entries; the next entry's Seq
	Recorded int64 // recorded time of the last entry, microseconds since 1970; 0 when empty
}

// Key identifies content for the recognition of duplicates: speaker and content, hashed by the registry.
type Key [32]byte

// Ledger keeps the entries and the Merkle tree over them (RFC 6962). Safe for concurrent use; one writer at a time.
type Ledger interface {
	// Append runs fn in one write transaction: all that fn appends is kept, durably, when Append returns nil; else none of it.
	Append(ctx context.Context, fn func(Appender) error) error
	Head(ctx context.Context) (Head, error)
	// Entries calls fn for each entry with from <= Seq < to, in order.
	Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error
	// Entry returns one entry, or ErrNotFound.
	Entry(ctx context.Context, seq int64) (ledger.Entry, error)
	// Named returns the Seqs of the entries with this Name, in order.
	Named(ctx context.Context, name string) ([]int64, error)
	// HashReader reads the tree's stored hashes (tlog.StoredHashIndex).
	HashReader(ctx context.Context) tlog.HashReader
	// Meta returns a value set with Appender.SetMeta (the log's origin, the last checkpoint, …); nil when there is none.
	Meta(ctx context.Context, name string) ([]byte, error)
	SetMeta(ctx context.Context, name string, value []byte) error
}

// Appender is the ledger inside one write transaction. It sees what it has appended itself.
type Appender interface {
	Head() Head
	// Seen returns the Seq of the entry that was appended with this key.
	Seen(key Key) (seq int64, ok bool, err error)
	Named(name string) ([]int64, error)
	Entry(seq int64) (ledger.Entry, error)
	// Append assigns Seq and Salt (when zero), and keeps entry, key, name and leaf together. ErrTime when e.Recorded runs backwards.
	Append(e ledger.Entry, key Key) (seq int64, err error)
	Meta(name string) ([]byte, error)
	SetMeta(name string, value []byte) error
}

// Views keep rows, ordered by key, in named views. A view is a function of the ledger: it can be dropped and made again.
type Views interface {
	// Cursor is the number of entries that the view has taken in.
	Cursor(ctx context.Context, view string) (int64, error)
	Rows(ctx context.Context, view string) Rows
	// Commit writes changes (a nil value deletes) and moves the cursor from one place to the next, in one transaction.
	// ErrConflict when the cursor is not at from.
	Commit(ctx context.Context, view string, from, to int64, changes map[string][]byte) error
	// Drop forgets the view's rows and sets its cursor to 0.
	Drop(ctx context.Context, view string) error
}

// Rows reads one view.
type Rows interface {
	// Get returns the row, or nil when there is none.
	Get(key string) ([]byte, error)
	// Scan calls fn for each row whose key starts with prefix, ordered by the key's bytes.
	Scan(prefix string, fn func(key string, value []byte) error) error
}
