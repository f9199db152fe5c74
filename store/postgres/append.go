package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Append runs fn in one write transaction. What fn returns is returned as it is.
func (s *Store) Append(ctx context.Context, fn func(store.Appender) error) error {
	var own error
	err := s.writeHead(ctx, func(a *appender) error {
		defer func() { a.over = errDone }()
		if own = fn(a); own != nil {
			return own
		}
		own = a.over // fn went on after a failure of the store
		return own
	})
	if own != nil || err == nil {
		return own
	}
	return s.failed(ctx, "appending", err)
}

// writeHead runs fn as the one writer of the ledger: in this process by way of the token in s.writing, among processes by way of
// the head's lock.
func (s *Store) writeHead(ctx context.Context, fn func(a *appender) error) error {
	select {
	case <-s.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { s.writing <- struct{}{} }()
	l, kept := &headLock{}, false
	defer func() {
		if !kept {
			s.growth = nil
		}
	}()
	err := s.write(ctx, l, func(tx *transaction) error {
		g, err := s.grow(tx, &l.row)
		if err != nil {
			return err
		}
		s.growth = g
		a := &appender{s: s, tx: tx, lock: l, growth: g}
		if err := fn(a); err != nil {
			return err
		}
		return a.end()
	})
	kept = err == nil
	return err
}

var errDone = errors.New("the transaction is over: an Appender ends with the function that it was given to")

// appender is one transaction. What is appended waits, and is written many at a time; until then it is answered from memory.
type appender struct {
	s       *Store
	tx      *transaction
	lock    *headLock
	growth  *growth
	over    error // why nothing more can be done
	waiting []entryRow
	size    int            // bytes waiting
	entries []ledger.Entry // those waiting
	recent  recent
	part    *part  // the part of the transaction that is under way
	salts   []byte // random bytes, read ahead
}

// Entries wait until there are so many of them, or so many bytes.
const (
	waitingEntries = 1000
	waitingBytes   = 4 << 20
)

// live says whether the transaction goes on.
func (a *appender) live() error {
	if a.over != nil {
		return a.over
	}
	return a.tx.live()
}

// fail ends the transaction: PostgreSQL does no more in one of which a statement has failed.
func (a *appender) fail(err error) error {
	if err != nil && a.over == nil {
		a.over = a.s.failed(a.tx.ctx, "appending", err)
		return a.over
	}
	return err
}

func (a *appender) Head() store.Head { return a.growth.head }

func (a *appender) Append(e ledger.Entry, key store.Key) (int64, error) {
	if err := a.live(); err != nil {
		return 0, err
	}
	g := a.growth
	if err := e.Validate(); err != nil {
		return 0, fmt.Errorf("entry %d: %w", g.head.Size, err)
	}
	e.Seq, e.Recorded = g.head.Size, time.UnixMicro(e.Recorded.UnixMicro()).UTC()
	if g.head.Size > 0 && e.Recorded.UnixMicro() < g.head.Recorded {
		return 0, fmt.Errorf("entry %d, recorded %s: %w", e.Seq, e.Recorded, store.ErrTime)
	}
	if seq, dup, err := a.Seen(key); err != nil {
		return 0, err
	} else if dup {
		return 0, fmt.Errorf("entry %d: %w, as entry %d", e.Seq, store.ErrDuplicate, seq)
	}
	if err := a.salt(&e); err != nil {
		return 0, err
	}
	return e.Seq, a.fail(a.keep(e, key))
}

// salt takes 32 random bytes from those that were read together.
func (a *appender) salt(e *ledger.Entry) error {
	if e.Salt != [32]byte{} {
		return nil
	}
	if len(a.salts) == 0 {
		a.salts = make([]byte, 64*len(e.Salt))
		if _, err := rand.Read(a.salts); err != nil {
			a.salts = nil
			return fmt.Errorf("a salt for entry %d: %w", e.Seq, err)
		}
	}
	a.salts = a.salts[copy(e.Salt[:], a.salts):]
	return nil
}

// keep lets one entry wait to be written, with its leaf.
func (a *appender) keep(e ledger.Entry, key store.Key) error {
	context, err := a.intern(e.Context)
	if err != nil {
		return err
	}
	e.Body, e.Context = bytes.Clone(notNil(e.Body)), bytes.Clone(e.Context) // the caller's bytes are the caller's again
	a.growth.add(ledger.LeafHash(e))
	a.waiting, a.entries = append(a.waiting, newEntryRow(e, key, context)), append(a.entries, e)
	a.size += len(e.Body)
	a.growth.head = store.Head{Size: e.Seq + 1, Recorded: e.Recorded.UnixMicro()}
	a.recent.add(e, key)
	if a.lock.salt == nil {
		a.lock.salt = bytes.Clone(e.Salt[:])
	}
	if len(a.waiting) < waitingEntries && a.size < waitingBytes {
		return nil
	}
	return a.flush()
}

// intern gives the id under which a context is kept.
func (a *appender) intern(body []byte) (*int64, error) {
	if body == nil {
		return nil, nil
	}
	held := a.growth.contexts
	hash := sha256.Sum256(body)
	if id, ok := held[hash]; ok {
		return &id, nil
	}
	var id int64
	var old []byte
	ctx, cancel := a.tx.patient()
	defer cancel()
	err := a.tx.conn.QueryRow(ctx, "SELECT id, body FROM tidewaiter.contexts WHERE hash = $1", hash[:]).Scan(&id, &old)
	switch {
	case isNone(err):
		a.growth.lastID++ // nobody else adds one: we hold the head
		id = a.growth.lastID
		err = a.exec("INSERT INTO tidewaiter.contexts (id, hash, body) VALUES ($1, $2, $3)", id, hash[:], body)
	case err == nil && !bytes.Equal(old, body):
		err = fmt.Errorf("%w: context %d is not what its hash says", store.ErrDamaged, id)
	}
	if err != nil {
		return nil, err
	}
	if len(held) >= contextsHeld {
		clear(held)
	}
	held[hash] = id
	return &id, nil
}

func (a *appender) Entry(seq int64) (ledger.Entry, error) {
	if err := a.live(); err != nil {
		return ledger.Entry{}, err
	}
	if first := a.growth.head.Size - int64(len(a.entries)); seq >= first && seq < a.growth.head.Size {
		e := a.entries[seq-first]
		e.Body, e.Context = bytes.Clone(e.Body), bytes.Clone(e.Context)
		return e, nil
	}
	ctx, cancel := a.tx.patient()
	defer cancel()
	e, err := readEntry(ctx, a.tx.conn.Conn(), seq, readContext)
	if isElsewhere(err) {
		err = a.fail(err)
	}
	return e, err
}

func (a *appender) Meta(name string) ([]byte, error) {
	if err := a.live(); err != nil {
		return nil, err
	}
	ctx, cancel := a.tx.patient()
	defer cancel()
	value, err := readMeta(ctx, a.tx.conn.Conn(), name)
	if isElsewhere(err) {
		err = a.fail(err)
	}
	return value, err
}

func (a *appender) SetMeta(name string, value []byte) error {
	if err := a.live(); err != nil {
		return err
	}
	if err := a.protect(); err != nil {
		return a.fail(err)
	}
	return a.fail(a.tx.setMeta(name, value))
}

// exec changes something at once.
func (a *appender) exec(query string, args ...any) error {
	if err := a.protect(); err != nil {
		return err
	}
	return a.tx.exec(query, args...)
}

// SetMeta sets a value in a transaction of its own.
func (s *Store) SetMeta(ctx context.Context, name string, value []byte) error {
	err := s.writeHead(ctx, func(a *appender) error { return a.tx.setMeta(name, value) })
	return s.failed(ctx, "setting "+name, err)
}

func (tx *transaction) setMeta(name string, value []byte) error {
	if value == nil {
		return tx.exec("DELETE FROM tidewaiter.meta WHERE name = $1", []byte(name))
	}
	return tx.exec("INSERT INTO tidewaiter.meta (name, value, sum) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET value = excluded.value, sum = excluded.sum",
		[]byte(name), value, metaSum(name, value))
}

// end writes what waits, and where the ledger now ends.
func (a *appender) end() error {
	g := a.growth
	h := headRow{size: g.head.Size, recorded: g.head.Recorded, tip: notNil(g.tip), token: a.tx.token}
	var batch pgx.Batch
	batch.Queue("UPDATE tidewaiter.head SET size = $1, recorded = $2, tip = $3, token = $4, sum = $5", h.size, h.recorded, h.tip, h.token, h.checksum())
	return a.send(&batch)
}

const (
	insertEntries = `INSERT INTO tidewaiter.entries (` + newColumns + `) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
	$6::integer[], $7::boolean[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[])`
	insertHashes = `INSERT INTO tidewaiter.hashes (block, first, h) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])`
)

// copyFrom is the number of entries from which they are written by COPY. Measured: with 8 a transaction there is no difference,
// with 24 COPY is faster by a fifth, with 1,000 by a third (24,300 entries a second against 17,800).
const copyFrom = 24

// flush writes what waits.
func (a *appender) flush() error {
	if err := a.protect(); err != nil {
		return err
	}
	return a.send(&pgx.Batch{})
}

// send writes what waits together with what is in the batch.
func (a *appender) send(batch *pgx.Batch) error {
	ctx, cancel := a.tx.patient()
	defer cancel()
	conn := a.tx.conn.Conn()
	if n := len(a.waiting); n >= copyFrom {
		if err := copyEntries(ctx, conn, a.waiting); err != nil {
			return err
		}
	} else if n > 0 {
		batch.Queue(insertEntries, columns(a.waiting)...)
	}
	if len(a.growth.fresh) > 0 {
		blocks, firsts, hashes := a.growth.hashRows()
		batch.Queue(insertHashes, blocks, firsts, hashes)
	}
	if batch.Len() > 0 {
		if err := conn.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
	}
	a.growth.written()
	clear(a.waiting)
	clear(a.entries)
	a.waiting, a.entries, a.size = a.waiting[:0], a.entries[:0], 0
	a.recent.written()
	return nil
}

// columns turns rows into the arrays of insertEntries.
func columns(rows []entryRow) []any {
	n := len(rows)
	numbers, contexts, sums, trusted := [4][]int64{}, make([]*int64, n), make([]int32, n), make([]bool, n)
	for i := range numbers {
		numbers[i] = make([]int64, n)
	}
	blobs := [6][][]byte{}
	for i := range blobs {
		blobs[i] = make([][]byte, n)
	}
	for i, r := range rows {
		numbers[0][i], numbers[1][i], numbers[2][i], numbers[3][i] = r.seq, r.recorded, r.nameHash, r.keyHead
		contexts[i], sums[i], trusted[i] = r.context, r.sum, r.trusted
		for j, b := range [...][]byte{r.kind, r.keyTail, r.salt, r.speaker, r.name, r.body} {
			blobs[j][i] = b
		}
	}
	return []any{numbers[0], numbers[1], numbers[2], numbers[3], contexts, sums, trusted, blobs[0], blobs[1], blobs[2], blobs[3], blobs[4], blobs[5]}
}
