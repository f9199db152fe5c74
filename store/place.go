package store

import (
	"bytes"
	"context"
	"errors"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// place is the Appender of one who shares a transaction. It ends with the member's function, and with the context of its caller.
type place struct {
	s    *sharing
	m    *member
	tx   Appender
	over bool
}

var errOver = errors.New("the transaction is over: an Appender ends with the function that it was given to")

// live says whether the member's part goes on.
func (p *place) live() error {
	switch {
	case p.over:
		return errOver
	case p.m.ctx.Err() != nil:
		return context.Cause(p.m.ctx)
	}
	return nil
}

func (p *place) Head() Head { return p.tx.Head() }

func (p *place) Seen(key Key) (int64, bool, error) {
	if err := p.live(); err != nil {
		return 0, false, err
	}
	return p.tx.Seen(key)
}

func (p *place) Named(name string) ([]int64, error) {
	if err := p.live(); err != nil {
		return nil, err
	}
	return p.tx.Named(name)
}

func (p *place) Entry(seq int64) (ledger.Entry, error) {
	if err := p.live(); err != nil {
		return ledger.Entry{}, err
	}
	return p.tx.Entry(seq)
}

func (p *place) Append(e ledger.Entry, key Key) (int64, error) {
	if err := p.live(); err != nil {
		return 0, err
	}
	seq, err := p.tx.Append(e, key)
	if err == nil {
		p.s.entries, p.s.bytes = p.s.entries+1, p.s.bytes+len(e.Body)
	}
	return seq, err
}

func (p *place) Erase(seq, by int64) error {
	if err := p.live(); err != nil {
		return err
	}
	return p.tx.Erase(seq, by)
}

// Meta asks the store once in a transaction: all who capture ask for the same values.
func (p *place) Meta(name string) ([]byte, error) {
	if err := p.live(); err != nil {
		return nil, err
	}
	value, ok := p.s.meta[name]
	if !ok {
		var err error
		if value, err = p.tx.Meta(name); err != nil {
			return nil, err
		}
		p.s.meta[name] = value
	}
	return bytes.Clone(value), nil
}

func (p *place) SetMeta(name string, value []byte) error {
	if err := p.live(); err != nil {
		return err
	}
	delete(p.s.meta, name)
	return p.tx.SetMeta(name, value)
}

// Foresee hands on what the member's function is going to ask.
func (p *place) Foresee(keys []Key, names []string) error {
	if err := p.live(); err != nil {
		return err
	}
	return Foresee(p.tx, keys, names)
}
