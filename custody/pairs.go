package custody

import (
	"fmt"
	"strings"

	"github.com/tidewaiter/tidewaiter/store"
)

// pairs is a set of pairs of names, each kept as a row without a value, so that one name may belong to very many others. It
// only grows: what is found there is a candidate, and the state decides.
type pairs struct {
	prefix string
	rows   store.Rows
	held   map[string]bool     // whether a pair is there, as far as was asked
	before map[string]bool     // held before the last Trim
	fresh  map[string][]string // pairs that wait to be flushed, by their first name
	dirty  int
}

func newPairs(rows store.Rows, prefix string) *pairs {
	return &pairs{prefix: prefix, rows: rows, held: map[string]bool{}, fresh: map[string][]string{}}
}

func pairKey(a, b string) string { return a + "\x00" + b }

func (p *pairs) has(a, b string) (bool, error) {
	key := pairKey(a, b)
	if is, ok := p.known(key); ok {
		return is, nil
	}
	v, err := p.rows.Get(p.prefix + key)
	if err != nil {
		return false, fmt.Errorf("row %s%s: %w", p.prefix, key, err)
	}
	p.held[key] = v != nil
	return v != nil, nil
}

// known is what was asked before.
func (p *pairs) known(key string) (is, ok bool) {
	if is, ok = p.held[key]; !ok {
		if is, ok = p.before[key]; ok {
			p.held[key] = is
		}
	}
	return is, ok
}

// foresee asks for many pairs together.
func (p *pairs) foresee(keys []string) error {
	var asked []string
	for _, key := range keys {
		if _, ok := p.known(key); !ok {
			asked = append(asked, p.prefix+key)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	found, err := p.rows.GetMany(asked)
	if err != nil {
		return fmt.Errorf("rows under %s: %w", p.prefix, err)
	}
	for _, key := range asked {
		p.held[key[len(p.prefix):]] = found[key] != nil
	}
	return nil
}

func (p *pairs) add(a, b string) error {
	if is, err := p.has(a, b); err != nil || is {
		return err
	}
	p.held[pairKey(a, b)] = true
	p.fresh[a] = append(p.fresh[a], b)
	p.dirty++
	return nil
}

// of lists the second names that go with a first, in no particular order.
func (p *pairs) of(a string) ([]string, error) {
	list := append([]string(nil), p.fresh[a]...)
	prefix := p.prefix + pairKey(a, "")
	err := p.rows.Scan(prefix, func(key string, _ []byte) error {
		list = append(list, strings.TrimPrefix(key, prefix))
		return nil
	})
	return list, err
}

// Flush adds the new pairs to changes.
func (p *pairs) Flush(changes map[string][]byte) error {
	for a, list := range p.fresh {
		for _, b := range list {
			changes[p.prefix+pairKey(a, b)] = []byte{}
		}
	}
	clear(p.fresh)
	p.dirty = 0
	return nil
}

// Trim forgets what was not asked lately when limit pairs are held, or almost.
func (p *pairs) Trim(limit int) {
	if len(p.held) > limit/2 && p.dirty == 0 {
		p.before, p.held = p.held, map[string]bool{}
	}
}
