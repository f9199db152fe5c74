package store

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Table reads and changes the rows of a view that share a key prefix as values of one type, kept as JSON. It holds what it
// has read until Trim, and what was changed until Flush: a row that many entries of a batch touch is written once.
//
// It belongs to one follower and is not safe for concurrent use.
type Table[T any] struct {
	prefix string
	rows   Rows
	held   map[string]*T // nil: there is no such row
	before map[string]*T // held before the last Trim, and not asked for since
	dirty  map[string]bool
}

// NewTable reads the rows of a view whose keys start with prefix.
func NewTable[T any](rows Rows, prefix string) *Table[T] {
	return &Table[T]{prefix: prefix, rows: rows, held: map[string]*T{}, dirty: map[string]bool{}}
}

// Get returns the value under key, or nil. The caller may change it, and then says so with Put.
func (t *Table[T]) Get(key string) (*T, error) {
	if v, ok := t.have(key); ok {
		return v, nil
	}
	b, err := t.rows.Get(t.prefix + key)
	if err != nil {
		return nil, fmt.Errorf("row %s%s: %w", t.prefix, key, err)
	}
	return t.hold(key, b)
}

// have looks among what is held.
func (t *Table[T]) have(key string) (*T, bool) {
	v, ok := t.held[key]
	if !ok && len(t.before) > 0 {
		if v, ok = t.before[key]; ok {
			t.held[key] = v
			delete(t.before, key)
		}
	}
	return v, ok
}

// hold keeps what a row says; nil: there is none.
func (t *Table[T]) hold(key string, row []byte) (*T, error) {
	if row == nil {
		t.held[key] = nil
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(row, v); err != nil {
		return nil, fmt.Errorf("row %s%s: %w", t.prefix, key, err)
	}
	t.held[key] = v
	return v, nil
}

// Foresee reads the rows under keys together, those that are not held yet, so that Get need not ask for each of them.
func (t *Table[T]) Foresee(keys []string) error {
	var asked []string
	for _, key := range keys {
		if _, ok := t.have(key); !ok {
			asked = append(asked, t.prefix+key)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	found, err := t.rows.GetMany(asked)
	if err != nil {
		return fmt.Errorf("rows under %s: %w", t.prefix, err)
	}
	for _, key := range asked {
		if _, err := t.hold(key[len(t.prefix):], found[key]); err != nil {
			return err
		}
	}
	return nil
}

// Put sets the value under key; nil deletes it.
func (t *Table[T]) Put(key string, v *T) {
	t.held[key] = v
	t.dirty[key] = true
}

// All calls fn for every value, kept and changed alike, in the order of their keys' bytes only as far as they are kept:
// callers that need an order sort.
func (t *Table[T]) All(fn func(key string, v *T) error) error {
	seen := make(map[string]bool, len(t.dirty))
	for key := range t.dirty {
		seen[key] = true
	}
	err := t.rows.Scan(t.prefix, func(key string, value []byte) error {
		key = key[len(t.prefix):]
		if seen[key] {
			return nil
		}
		v, ok := t.have(key)
		if !ok {
			v = new(T)
			if err := json.Unmarshal(value, v); err != nil {
				return fmt.Errorf("row %s%s: %w", t.prefix, key, err)
			}
		}
		return fn(key, v)
	})
	if err != nil {
		return err
	}
	for key := range seen {
		if v := t.held[key]; v != nil {
			if err := fn(key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush adds what was changed to changes.
func (t *Table[T]) Flush(changes map[string][]byte) error {
	for key := range t.dirty {
		v := t.held[key]
		if v == nil {
			changes[t.prefix+key] = nil
			continue
		}
		b, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("row %s%s: %w", t.prefix, key, err)
		}
		changes[t.prefix+key] = b
	}
	clear(t.dirty)
	return nil
}

// Trim forgets what was not asked for lately when limit values are held, or almost. Call it when what Flush gave can be read again.
func (t *Table[T]) Trim(limit int) {
	if len(t.held) > limit/2 && len(t.dirty) == 0 {
		t.before, t.held = t.held, map[string]*T{}
	}
}

// Dirty is how many values wait to be flushed.
func (t *Table[T]) Dirty() int { return len(t.dirty) }
