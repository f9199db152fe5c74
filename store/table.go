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
	held   map[string]*T
	dirty  map[string]bool
}

// NewTable reads the rows of a view whose keys start with prefix.
func NewTable[T any](rows Rows, prefix string) *Table[T] {
	return &Table[T]{prefix: prefix, rows: rows, held: map[string]*T{}, dirty: map[string]bool{}}
}

// Get returns the value under key, or nil. The caller may change it, and then says so with Put.
func (t *Table[T]) Get(key string) (*T, error) {
	if v, ok := t.held[key]; ok {
		return v, nil
	}
	b, err := t.rows.Get(t.prefix + key)
	if err != nil {
		return nil, fmt.Errorf("row %s%s: %w", t.prefix, key, err)
	}
	if b == nil {
		t.held[key] = nil
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("row %s%s: %w", t.prefix, key, err)
	}
	t.held[key] = v
	return v, nil
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
		v, ok := t.held[key]
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

// Trim forgets what was read when it is more than limit values. Call it after what Flush gave was committed.
func (t *Table[T]) Trim(limit int) {
	if len(t.held) > limit && len(t.dirty) == 0 {
		clear(t.held)
	}
}

// Dirty is how many values wait to be flushed.
func (t *Table[T]) Dirty() int { return len(t.dirty) }
