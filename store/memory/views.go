package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/store"
)

// view is one view's rows, with their keys in order.
type view struct {
	cursor int64
	rows   map[string][]byte
	keys   []string // sorted, unless stale
	stale  bool
}

// sorted puts the keys in order again. Go compares strings by their bytes, which is the order that the contract wants.
func (v *view) sorted() []string {
	if v.stale {
		v.keys = v.keys[:0:0] // a Scan may still be reading the old ones
		for key := range v.rows {
			v.keys = append(v.keys, key)
		}
		slices.Sort(v.keys)
		v.stale = false
	}
	return v.keys
}

// Cursor is the number of entries that the view has taken in.
func (s *Store) Cursor(ctx context.Context, name string) (int64, error) {
	if err := s.ask(ctx, OpRead); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if v := s.views[name]; v != nil {
		return v.cursor, nil
	}
	return 0, nil
}

// Commit writes changes and moves the cursor.
func (s *Store) Commit(ctx context.Context, name string, from, to int64, changes map[string][]byte) error {
	return s.write(ctx, OpCommit, func() error {
		if err := s.commit(name, from, to, changes); err != nil {
			return fmt.Errorf("view %s: %w", name, err)
		}
		if s.Fail != nil {
			return s.Fail(OpCommitted)
		}
		return nil
	})
}

func (s *Store) commit(name string, from, to int64, changes map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[name]
	if v == nil {
		v = &view{rows: map[string][]byte{}}
	}
	switch {
	case from < 0 || to < from:
		return fmt.Errorf("a cursor cannot move from %d to %d", from, to)
	case v.cursor != from:
		return fmt.Errorf("its cursor is at %d, not %d: %w", v.cursor, from, store.ErrConflict)
	}
	for key, value := range changes {
		_, old := v.rows[key]
		if value == nil {
			delete(v.rows, key)
		} else {
			v.rows[key] = clone(value)
		}
		v.stale = v.stale || old != (value != nil)
	}
	v.cursor = to
	s.views[name] = v
	return nil
}

// Drop forgets the view.
func (s *Store) Drop(ctx context.Context, name string) error {
	return s.write(ctx, OpDrop, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.views, name)
		return nil
	})
}

// Rows reads one view.
func (s *Store) Rows(ctx context.Context, name string) store.Rows { return rows{s, ctx, name} }

type rows struct {
	s    *Store
	ctx  context.Context
	view string
}

func (r rows) Get(key string) ([]byte, error) {
	if err := r.s.ask(r.ctx, OpRead); err != nil {
		return nil, err
	}
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if v := r.s.views[r.view]; v != nil {
		return clone(v.rows[key]), nil
	}
	return nil, nil
}

func (r rows) GetMany(keys []string) (map[string][]byte, error) {
	if err := r.s.ask(r.ctx, OpRead); err != nil {
		return nil, err
	}
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	found := map[string][]byte{}
	v := r.s.views[r.view]
	for _, key := range keys {
		if v == nil {
			break
		}
		if value, ok := v.rows[key]; ok {
			found[key] = clone(value)
		}
	}
	return found, nil
}

type row struct {
	key   string
	value []byte
}

func (r rows) Scan(prefix string, fn func(key string, value []byte) error) error {
	if err := r.s.ask(r.ctx, OpRead); err != nil {
		return err
	}
	for _, found := range r.under(prefix) {
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		if err := fn(found.key, clone(found.value)); err != nil {
			return err
		}
	}
	return nil
}

// under is every row whose key starts with prefix, at this moment. Values are never changed in place.
func (r rows) under(prefix string) (found []row) {
	r.s.mu.Lock() // sorted writes
	defer r.s.mu.Unlock()
	v := r.s.views[r.view]
	if v == nil {
		return nil
	}
	keys := v.sorted()
	first, _ := slices.BinarySearch(keys, prefix)
	for _, key := range keys[first:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		found = append(found, row{key, v.rows[key]})
	}
	return found
}
