// Package memory is the store that forgets: the fake for tests. It passes the same suite as the store that keeps (store/storetest),
// and beyond that it fails on request, so that the rooms above can be tested with a store that is full, busy or damaged.
// It may know what the contract knows and nothing of files or SQL; what it holds ends with it.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// The operations that Store.Fail is asked about.
const (
	OpAppend    = "append"      // before the transaction's function runs
	OpKeep      = "append keep" // after it: an error means that nothing was kept
	OpKept      = "append kept" // after that: everything was kept, and nobody gets to know it
	OpCommit    = "commit"      // before a view's rows are written
	OpCommitted = "committed"   // after that: they were written, and nobody gets to know it
	OpDrop      = "drop"
	OpSetMeta   = "set meta"
	OpRead      = "read" // anything that only reads
)

// Store keeps everything in memory.
type Store struct {
	// Fail, when set, is asked before each operation; an error that it returns is the operation's. Set it before others
	// use the store; it is called by all of them.
	Fail func(op string) error

	writing chan struct{} // holds a token while nobody writes; unlike a mutex it can be waited for with a context

	mu     sync.RWMutex
	closed bool
	log    log
	views  map[string]*view
	leases map[string]lease
}

// log is the ledger's part. Hashes are never changed once they are there, and entries only by erase.
type log struct {
	entries []ledger.Entry
	hashes  []tlog.Hash
	tree    *ledger.Tree
	keys    map[store.Key]int64
	names   map[string][]int64
	meta    map[string][]byte
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{
		writing: make(chan struct{}, 1),
		log:     log{tree: &ledger.Tree{}, keys: map[store.Key]int64{}, names: map[string][]int64{}, meta: map[string][]byte{}},
		views:   map[string]*view{},
		leases:  map[string]lease{},
	}
	s.writing <- struct{}{}
	return s
}

var errClosed = errors.New("the store is closed")

// ask says why an operation cannot be begun.
func (s *Store) ask(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.Fail != nil {
		if err := s.Fail(op); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return nil
}

// write runs fn while nobody else writes.
func (s *Store) write(ctx context.Context, op string, fn func() error) error {
	if err := s.ask(ctx, op); err != nil {
		return err
	}
	select {
	case <-s.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { s.writing <- struct{}{} }()
	return fn()
}

// Close ends the store. What is asked of it afterwards fails.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Head says where the ledger ends.
func (s *Store) Head(ctx context.Context) (store.Head, error) {
	if err := s.ask(ctx, OpRead); err != nil {
		return store.Head{}, err
	}
	return s.head(), nil
}

func (s *Store) head() store.Head {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := len(s.log.entries)
	if n == 0 {
		return store.Head{}
	}
	return store.Head{Size: int64(n), Recorded: s.log.entries[n-1].Recorded.UnixMicro()}
}

// Entries calls fn for each entry with from <= Seq < to.
func (s *Store) Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error {
	if err := s.ask(ctx, OpRead); err != nil {
		return err
	}
	s.mu.RLock()
	all := s.log.entries
	s.mu.RUnlock()
	for seq := max(from, 0); seq < min(to, int64(len(all))); seq++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := fn(copied(all[seq])); err != nil {
			return err
		}
	}
	return nil
}

// Entry returns one entry.
func (s *Store) Entry(ctx context.Context, seq int64) (ledger.Entry, error) {
	if err := s.ask(ctx, OpRead); err != nil {
		return ledger.Entry{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seq < 0 || seq >= int64(len(s.log.entries)) {
		return ledger.Entry{}, fmt.Errorf("entry %d: %w", seq, store.ErrNotFound)
	}
	return copied(s.log.entries[seq]), nil
}

// Named returns the Seqs of the entries with this name.
func (s *Store) Named(ctx context.Context, name string) ([]int64, error) {
	if err := s.ask(ctx, OpRead); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]int64(nil), s.log.names[name]...), nil
}

// HashReader reads the tree's stored hashes.
func (s *Store) HashReader(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if err := s.ask(ctx, OpRead); err != nil {
			return nil, err
		}
		s.mu.RLock()
		defer s.mu.RUnlock()
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			if at < 0 || at >= int64(len(s.log.hashes)) {
				return nil, fmt.Errorf("tree hash %d: %w", at, store.ErrNotFound)
			}
			out[i] = s.log.hashes[at]
		}
		return out, nil
	})
}

// Meta returns a value, or nil.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	if err := s.ask(ctx, OpRead); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return clone(s.log.meta[name]), nil
}

// SetMeta sets a value; nil forgets it.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	return s.write(ctx, OpSetMeta, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		setMeta(s.log.meta, name, value)
		return nil
	})
}

func setMeta(meta map[string][]byte, name string, value []byte) {
	if value == nil {
		delete(meta, name)
		return
	}
	meta[name] = clone(value)
}

// clone copies b and keeps the difference between nothing and nil.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// copied is an entry whose bytes nobody else holds.
func copied(e ledger.Entry) ledger.Entry {
	e.Context, e.Body = clone(e.Context), clone(e.Body)
	if e.Erased != nil {
		as := *e.Erased
		e.Erased = &as
	}
	return e
}

// micros is a recorded time as every store keeps it.
func micros(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }
