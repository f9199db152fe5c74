package registry

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/store"
)

// behind commits one batch while the next is applied. The view reads by way of it, and sees what was flushed as if it had been
// committed already; where that fails the view is given up.
type behind struct {
	store.Rows
	pending map[string][]byte // flushed, and perhaps not yet committed
	to      int64             // where the cursor is to go
	done    chan error        // nil while nothing is being committed
}

// commit hands over what was flushed. One batch may be under way at a time.
func (b *behind) commit(to int64, changes map[string][]byte, do func() error) {
	done := make(chan error, 1)
	b.pending, b.to, b.done = changes, to, done
	go func() { done <- do() }()
}

// wait says what became of the batch that is under way, and where the cursor is now; 0 when there was none.
func (b *behind) wait() (to int64, err error) {
	if b.done == nil {
		return 0, nil
	}
	err = <-b.done
	b.done = nil
	if err == nil {
		b.pending = nil
	}
	return b.to, err
}

func (b *behind) Get(key string) ([]byte, error) {
	if value, ok := b.pending[key]; ok {
		return bytes.Clone(value), nil
	}
	return b.Rows.Get(key)
}

func (b *behind) GetMany(keys []string) (map[string][]byte, error) {
	if len(b.pending) == 0 {
		return b.Rows.GetMany(keys)
	}
	rest := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, ok := b.pending[key]; return ok })
	found, err := b.Rows.GetMany(rest)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if value := b.pending[key]; value != nil {
			found[key] = bytes.Clone(value)
		}
	}
	return found, nil
}

// Scan merges what is pending into what is kept, whether or not that has it by now.
func (b *behind) Scan(prefix string, fn func(key string, value []byte) error) error {
	pending := b.pending
	var keys []string
	for key := range maps.Keys(pending) {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	upTo := func(end string, all bool) error {
		for len(keys) > 0 && (all || keys[0] < end) {
			key := keys[0]
			keys = keys[1:]
			if pending[key] == nil {
				continue
			}
			if err := fn(key, bytes.Clone(pending[key])); err != nil {
				return err
			}
		}
		return nil
	}
	err := b.Rows.Scan(prefix, func(key string, value []byte) error {
		if err := upTo(key, false); err != nil {
			return err
		}
		if _, ok := pending[key]; ok {
			return nil // it comes, or is gone
		}
		return fn(key, value)
	})
	if err != nil {
		return err
	}
	return upTo("", true)
}
