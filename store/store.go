// Package store says what is kept and what may be relied on: the ledger's role, the views' and the leases', each a few methods.
// The implementations are store/sqlite, store/postgres and, for tests, store/memory; store/storetest is the suite that each of them
// passes.
// A store knows entries and rows; it knows no EPCIS, no custody and no findings.
package store

import (
	"context"
	"errors"
	"time"

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
	// ErrDuplicate: an entry with this key is there already; the message names it.
	ErrDuplicate = errors.New("this content is kept already")
	// ErrBusy: another process was writing for longer than we wait. Nothing was kept; try again.
	ErrBusy = errors.New("the store is busy")
	// ErrErased: the entry's content was destroyed before.
	ErrErased = errors.New("the entry is erased already")
	// ErrFull: there is no room left for what was to be written. Nothing was kept.
	ErrFull = errors.New("the store is full")
	// ErrReadOnly: the store may be read and not written. Nothing was kept.
	ErrReadOnly = errors.New("the store may only be read")
	// ErrUnreachable: the store is elsewhere, and cannot be reached just now. Nothing was kept; try again.
	ErrUnreachable = errors.New("the store cannot be reached")
	// ErrUnknown: the connection was lost while something was being kept, and whether it was could not be learnt. Keys tell when
	// it is done again.
	ErrUnknown = errors.New("it is not known whether this was kept")
	// ErrHeld: somebody else has the lease; the message names the holder.
	ErrHeld = errors.New("the lease is held")
	// ErrDamaged: what was written cannot be read back. Of an entry, ledger.DamagedError says so and which one it is.
	ErrDamaged = errors.New("the store is damaged")
)

// Store is everything that one deployment keeps.
type Store interface {
	Ledger
	Views
	Leases
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
	// Calls wait for each other, and for those of other processes. The Appender is fn's alone and ends with it. While fn runs,
	// the store's own methods answer as before the transaction, and those that write wait for its end: fn must not call them.
	Append(ctx context.Context, fn func(Appender) error) error
	Head(ctx context.Context) (Head, error)
	// Entries calls fn for each entry with from <= Seq < to, in order; it ends without error where the ledger ends. Where an
	// entry cannot be read back it stops with a *ledger.DamagedError. Entries of one document may share the bytes of Context:
	// they are for reading only. fn may call the store.
	Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error
	// Entry returns one entry, or ErrNotFound.
	Entry(ctx context.Context, seq int64) (ledger.Entry, error)
	// Named returns the Seqs of the entries with this Name, in order.
	Named(ctx context.Context, name string) ([]int64, error)
	// HashReader reads the tree's stored hashes (tlog.StoredHashIndex), or gives ErrNotFound for what lies beyond the tree.
	HashReader(ctx context.Context) tlog.HashReader
	// Meta returns a value set with Appender.SetMeta (the log's origin, the last checkpoint, …); nil when there is none.
	Meta(ctx context.Context, name string) ([]byte, error)
	// SetMeta sets a value; nil forgets it.
	SetMeta(ctx context.Context, name string, value []byte) error
}

// Appender is the ledger inside one write transaction. It sees what it has appended itself.
type Appender interface {
	Head() Head
	// Seen returns the Seq of the entry that was appended with this key.
	Seen(key Key) (seq int64, ok bool, err error)
	Named(name string) ([]int64, error)
	Entry(seq int64) (ledger.Entry, error)
	// Append assigns Seq, and Salt when it is zero, and keeps entry, key, name and leaf together. ErrTime when e.Recorded runs
	// backwards, ErrDuplicate when the key is there already, and what e.Validate says; after these fn may go on. Recorded is
	// kept in microseconds. The bytes of e are the caller's again when Append returns.
	Append(e ledger.Entry, key Key) (seq int64, err error)
	// Erase destroys the content of an entry: salt, body, and context unless another entry has it too. Kept are its commitment,
	// its key, kind, name, speaker and time, and by, the Seq of the entry that says so. Every view that has taken the entry in is
	// dropped with it. ErrNotFound when there is no such entry, ErrErased when that was done before.
	Erase(seq, by int64) error
	Meta(name string) ([]byte, error)
	SetMeta(name string, value []byte) error
}

// Views keep rows, ordered by key, in named views. A view is a function of the ledger: it can be dropped and made again.
type Views interface {
	// Cursor is the number of entries that the view has taken in.
	Cursor(ctx context.Context, view string) (int64, error)
	Rows(ctx context.Context, view string) Rows
	// Commit writes changes (a nil value deletes, an empty one is a row) and moves the cursor from one place to the next, in
	// one transaction. ErrConflict when the cursor is not at from. Keys are any bytes, UTF-8 or not.
	Commit(ctx context.Context, view string, from, to int64, changes map[string][]byte) error
	// Drop forgets the view's rows and sets its cursor to 0.
	Drop(ctx context.Context, view string) error
}

// Rows reads one view.
type Rows interface {
	// Get returns the row, or nil when there is none.
	Get(key string) ([]byte, error)
	// GetMany returns the rows of these keys, those that there are: many questions asked together. A key may be asked for twice.
	GetMany(keys []string) (map[string][]byte, error)
	// Scan calls fn for each row whose key starts with prefix, ordered by the key's bytes, as they all were at one moment
	// after Scan was called. fn may call the store.
	Scan(prefix string, fn func(key string, value []byte) error) error
}

// Foresee tells an Appender what Seen and Named are going to be asked about, where it can make use of that: a store at the other
// end of a wire answers a thousand such questions together in the time that it needs for one.
func Foresee(tx Appender, keys []Key, names []string) error {
	f, ok := tx.(interface {
		Foresee(keys []Key, names []string) error
	})
	if !ok || len(keys)+len(names) == 0 {
		return nil
	}
	return f.Foresee(keys, names)
}

// Parts is an Appender that can take back a part of its transaction.
type Parts interface {
	// Part runs fn. When fn fails, what was appended, erased and set since it began is taken back, and the transaction goes on as if
	// fn had not run; Part returns what fn returned. Where it cannot be taken back the transaction is over, and keeps nothing. A part
	// has no parts, and nothing else is done with the Appender while fn runs. When fn panics the whole transaction is taken back.
	Part(fn func() error) error
}

// Leases say which of several processes does what only one of them should do at a time, as to follow the ledger for one view. They
// save work and are no lock: a holder that was stopped for a while may go on without knowing that another has taken over, and what
// it then does must be refused by other means, as Views.Commit does.
type Leases interface {
	// Acquire takes the lease of this name for so long from now, by the store's clock, or renews it. ErrHeld while somebody else
	// holds it.
	Acquire(ctx context.Context, name, holder string, d time.Duration) error
	// Release gives the lease up early, if the holder has it still.
	Release(ctx context.Context, name, holder string) error
}

// Lease is a lease as it stands.
type Lease struct {
	Name, Holder string
	Left         time.Duration // by the store's clock; negative when it has run out, and nobody has taken it since
}

// Lessor is a store that says which leases there are, for people who look after it.
type Lessor interface {
	LeasesNow(ctx context.Context) ([]Lease, error)
}

// Scrubber is a store that may hold bytes that nothing points to any more, as a file does. Scrub destroys them: after an erasure,
// until then, somebody with the right tools could read them.
type Scrubber interface {
	// Scrub writes what is kept anew, and nothing else. It may take long, and those that write meanwhile may get ErrBusy.
	Scrub(ctx context.Context) error
}

// Checker is a store that can look for damage in what the contract's other methods do not show. ledger.Fsck reads the entries
// and the tree by way of them and holds one against the other; with Check it sees every byte that is kept.
type Checker interface {
	// Check calls fn with each problem, in words. Its error says that it could not look on, or is fn's.
	Check(ctx context.Context, fn func(problem string) error) error
}
