package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Append runs fn on a draft and makes the draft the ledger when all went well.
func (s *Store) Append(ctx context.Context, fn func(store.Appender) error) error {
	return s.write(ctx, OpAppend, func() error {
		tx := &appender{s: s, ctx: ctx, head: s.head(), keys: map[store.Key]int64{}, names: map[string][]int64{}, meta: map[string][]byte{}, erased: map[int64]ledger.Erased{}}
		defer func() { tx.done = true }()
		if err := fn(tx); err != nil {
			return err
		}
		if err := s.ask(ctx, OpKeep); err != nil {
			return err
		}
		s.keep(tx)
		if s.Fail != nil {
			return s.Fail(OpKept)
		}
		return nil
	})
}

func (s *Store) keep(tx *appender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.log
	l.entries = append(l.entries, tx.entries...)
	for _, e := range tx.entries {
		l.hashes = l.tree.Append(l.hashes, ledger.LeafHash(e))
	}
	for key, seq := range tx.keys {
		l.keys[key] = seq
	}
	for name, seqs := range tx.names {
		l.names[name] = append(l.names[name], seqs...)
	}
	for name, value := range tx.meta {
		setMeta(l.meta, name, value)
	}
	s.erase(tx.erased)
}

// erase takes the content of entries away, in a copy: readers may hold the list. Views that have them go.
func (s *Store) erase(gone map[int64]ledger.Erased) {
	if len(gone) == 0 {
		return
	}
	s.log.entries = slices.Clone(s.log.entries)
	for seq, as := range gone {
		s.log.entries[seq] = erased(s.log.entries[seq], as)
		for name, v := range s.views {
			if v.cursor > seq {
				delete(s.views, name)
			}
		}
	}
}

func erased(e ledger.Entry, as ledger.Erased) ledger.Entry {
	e.Context, e.Body, e.Salt, e.Erased = nil, []byte{}, [32]byte{}, &as
	return e
}

// appender is the draft of one transaction.
type appender struct {
	s       *Store
	ctx     context.Context
	done    bool
	head    store.Head
	entries []ledger.Entry
	keys    map[store.Key]int64
	names   map[string][]int64
	meta    map[string][]byte
	erased  map[int64]ledger.Erased
}

var errDone = errors.New("the transaction is over: an Appender ends with the function that it was given to")

func (a *appender) live() error {
	switch {
	case a.done:
		return errDone
	case a.ctx.Err() != nil:
		return context.Cause(a.ctx)
	}
	return nil
}

func (a *appender) Head() store.Head { return a.head }

func (a *appender) Seen(key store.Key) (int64, bool, error) {
	if err := a.live(); err != nil {
		return 0, false, err
	}
	if seq, ok := a.keys[key]; ok {
		return seq, true, nil
	}
	a.s.mu.RLock()
	defer a.s.mu.RUnlock()
	seq, ok := a.s.log.keys[key]
	return seq, ok, nil
}

func (a *appender) Named(name string) ([]int64, error) {
	if err := a.live(); err != nil {
		return nil, err
	}
	a.s.mu.RLock()
	defer a.s.mu.RUnlock()
	return slices.Concat(a.s.log.names[name], a.names[name]), nil
}

func (a *appender) Entry(seq int64) (ledger.Entry, error) {
	if err := a.live(); err != nil {
		return ledger.Entry{}, err
	}
	e, err := a.entry(seq)
	if as, ok := a.erased[seq]; ok && err == nil {
		e = erased(e, as)
	}
	return e, err
}

func (a *appender) entry(seq int64) (ledger.Entry, error) {
	if first := a.head.Size - int64(len(a.entries)); seq >= first && seq < a.head.Size {
		return copied(a.entries[seq-first]), nil
	}
	return a.s.Entry(a.ctx, seq)
}

func (a *appender) Erase(seq, by int64) error {
	e, err := a.Entry(seq)
	if err != nil {
		return err
	}
	if e.Erased != nil {
		return fmt.Errorf("entry %d: %w, as entry %d says", seq, store.ErrErased, e.Erased.By)
	}
	a.erased[seq] = ledger.Erased{Commitment: ledger.Commitment(e), By: by}
	return nil
}

func (a *appender) Append(e ledger.Entry, key store.Key) (int64, error) {
	if err := a.live(); err != nil {
		return 0, err
	}
	if err := e.Validate(); err != nil {
		return 0, fmt.Errorf("entry %d: %w", a.head.Size, err)
	}
	e = copied(e)
	e.Seq, e.Recorded = a.head.Size, micros(e.Recorded)
	if a.head.Size > 0 && e.Recorded.UnixMicro() < a.head.Recorded {
		return 0, fmt.Errorf("entry %d, recorded %s: %w", e.Seq, e.Recorded, store.ErrTime)
	}
	if seq, dup, err := a.Seen(key); err != nil {
		return 0, err
	} else if dup {
		return 0, fmt.Errorf("entry %d: %w, as entry %d", e.Seq, store.ErrDuplicate, seq)
	}
	if e.Salt == [32]byte{} {
		if _, err := rand.Read(e.Salt[:]); err != nil {
			return 0, fmt.Errorf("a salt for entry %d: %w", e.Seq, err)
		}
	}
	a.entries = append(a.entries, e)
	a.keys[key] = e.Seq
	a.names[e.Name] = append(a.names[e.Name], e.Seq)
	a.head = store.Head{Size: e.Seq + 1, Recorded: e.Recorded.UnixMicro()}
	return e.Seq, nil
}

// Part runs fn on the draft, and puts the draft back when it fails.
func (a *appender) Part(fn func() error) error {
	if err := a.live(); err != nil {
		return err
	}
	before := *a
	before.keys, before.names, before.meta, before.erased = maps.Clone(a.keys), maps.Clone(a.names), maps.Clone(a.meta), maps.Clone(a.erased)
	err := fn()
	if err != nil {
		*a = before
	}
	return err
}

func (a *appender) Meta(name string) ([]byte, error) {
	if err := a.live(); err != nil {
		return nil, err
	}
	if value, ok := a.meta[name]; ok {
		return clone(value), nil
	}
	return a.s.Meta(a.ctx, name)
}

func (a *appender) SetMeta(name string, value []byte) error {
	if err := a.live(); err != nil {
		return err
	}
	a.meta[name] = clone(value)
	return nil
}
