package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// part is where a part of the transaction began. Most parts only let entries wait, and are taken back in memory: that asks the server
// nothing. One that writes gets a savepoint before it does.
type part struct {
	waiting, size, fresh int // that waited before it
	saved                bool

	head          store.Head
	tip           []byte
	tree          *ledger.Tree
	first, lastID int64
	salt          []byte
}

// Part runs fn and takes back what it did when it fails.
func (a *appender) Part(fn func() error) error {
	if err := a.live(); err != nil {
		return err
	}
	g := a.growth
	p := &part{
		waiting: len(a.waiting), size: a.size, fresh: len(g.fresh),
		head: g.head, tip: g.tip, tree: g.tree.Clone(), first: g.first, lastID: g.lastID, salt: a.lock.salt,
	}
	a.part = p
	err := fn()
	a.part = nil
	if err == nil {
		err = a.over
	}
	switch {
	case err != nil:
		a.takeBack(p)
		return err
	case p.saved:
		return a.fail(a.tx.exec("RELEASE SAVEPOINT part"))
	}
	return nil
}

// protect sets the savepoint of the part under way, if it has none yet. What waited before the part is written first; what the part
// lets wait goes on waiting.
func (a *appender) protect() error {
	p := a.part
	if p == nil || p.saved {
		return nil
	}
	g := a.growth
	rows, entries, hashes, size := slices.Clone(a.waiting[p.waiting:]), slices.Clone(a.entries[p.waiting:]), slices.Clone(g.fresh[p.fresh:]), a.size-p.size
	a.waiting, a.entries, g.fresh = a.waiting[:p.waiting], a.entries[:p.waiting], g.fresh[:p.fresh]
	if err := a.send(&pgx.Batch{}); err != nil {
		return err
	}
	if err := a.tx.exec("SAVEPOINT part"); err != nil {
		return err
	}
	p.saved, p.waiting, p.size, p.fresh, p.first = true, 0, 0, 0, g.first
	a.putBack(rows, entries, hashes, size)
	return nil
}

// putBack lets wait what waited since the part began.
func (a *appender) putBack(rows []entryRow, entries []ledger.Entry, hashes []tlog.Hash, size int) {
	g := a.growth
	a.waiting, a.entries, g.fresh, a.size = append(a.waiting, rows...), append(a.entries, entries...), append(g.fresh, hashes...), size
	if a.recent.askedKeys != nil {
		return // then it has forgotten nothing
	}
	for i, e := range entries {
		a.recent.add(e, rows[i].key())
	}
}

// takeBack undoes a part. Where the server has to and cannot, the transaction is over, and so it is when a statement failed
// before there was a savepoint.
func (a *appender) takeBack(p *part) {
	switch {
	case p.saved:
		if err := a.tx.exec("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part"); err != nil {
			_ = a.fail(err) // the first failure is the one that is told
			return
		}
		a.over, a.recent = nil, recent{}
	case a.over != nil:
		return
	default:
		a.recent.forget(a.waiting[p.waiting:])
	}
	clear(a.waiting[p.waiting:])
	clear(a.entries[p.waiting:])
	a.waiting, a.entries, a.size = a.waiting[:p.waiting], a.entries[:p.waiting], p.size
	a.lock.salt = p.salt
	g := a.growth
	if g.lastID != p.lastID {
		clear(g.contexts) // those that the part kept are gone
	}
	g.head, g.tip, g.tree, g.first, g.fresh, g.lastID = p.head, p.tip, p.tree, p.first, g.fresh[:p.fresh], p.lastID
}

// forget takes back what was appended last.
func (r *recent) forget(rows []entryRow) {
	r.absent = nil
	for i := range rows {
		delete(r.keys, rows[i].key())
		name := string(rows[i].name)
		if list := r.names[name]; len(list) > 0 {
			r.names[name] = list[:len(list)-1]
		}
	}
}

// key puts together what is kept in two columns.
func (r *entryRow) key() (key store.Key) {
	binary.BigEndian.PutUint64(key[:8], uint64(r.keyHead))
	copy(key[8:], r.keyTail)
	return key
}
