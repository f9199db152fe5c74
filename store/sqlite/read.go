package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

const (
	selectLast    = "SELECT e.seq, e.recorded, h.chunk, length(h.h) FROM (SELECT seq, recorded FROM entries ORDER BY seq DESC LIMIT 1) e FULL JOIN (SELECT chunk, h FROM hashes ORDER BY chunk DESC LIMIT 1) h"
	selectEntry   = "SELECT " + entryColumns + " FROM entries WHERE seq = ?"
	selectEntries = "SELECT " + entryColumns + " FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
	selectNamed   = "SELECT seq, name FROM entries WHERE name_hash = ? ORDER BY seq"
	selectContext = "SELECT hash, body FROM contexts WHERE id = ?"
	selectMeta    = "SELECT value, sum FROM meta WHERE name = ?"
)

// reads are the statements that only read, on as many connections as there are readers.
type reads struct {
	last, entry, entries, named, context, chunk, meta, view, get, getMany *sql.Stmt

	mu       sync.Mutex
	contexts map[int64][]byte // what is committed is never changed
	held     int              // bytes in contexts
}

// contextBytesHeld limits the memory that contexts take.
const contextBytesHeld = 16 << 20

func (r *reads) prepare(ctx context.Context, db *sql.DB) (err error) {
	for query, to := range map[string]**sql.Stmt{
		selectLast: &r.last, selectEntry: &r.entry, selectEntries: &r.entries, selectNamed: &r.named, selectContext: &r.context,
		selectChunk: &r.chunk, selectMeta: &r.meta, selectView: &r.view, selectRow: &r.get, selectMany: &r.getMany,
	} {
		if *to, err = db.PrepareContext(ctx, query); err != nil { //nolint:sqlclosecheck // kept for as long as the store is open
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return nil
}

// one asks for one row. That is done so soon that to watch ctx meanwhile, as database/sql and the driver do with a goroutine
// each, takes longer than the answer; so ctx is asked once, before.
func one(ctx context.Context, stmt *sql.Stmt, args ...any) *sql.Row {
	if ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	return stmt.QueryRowContext(ctx, args...)
}

// failed says what failed, in words.
func (s *Store) failed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	switch {
	case s.closed.Load():
		err = errClosed
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%s: %s: %w", s.path, what, explain(err))
}

// Head says where the ledger ends.
func (s *Store) Head(ctx context.Context) (store.Head, error) {
	head, err := readHead(one(ctx, s.reads.last))
	return head, s.failed(ctx, "head", err)
}

// readHead asks the last entry and the last hash, which must agree: what was cut off, or pretends to be far away, is not the end.
func readHead(row *sql.Row) (store.Head, error) {
	var seq, recorded, chunk, bytes sql.NullInt64
	err := row.Scan(&seq, &recorded, &chunk, &bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Head{}, nil
	} else if err != nil {
		return store.Head{}, err
	}
	head := store.Head{Recorded: recorded.Int64}
	if seq.Valid {
		head.Size = seq.Int64 + 1
	}
	if hashes := chunk.Int64*chunkHashes + bytes.Int64/tlog.HashSize; head.Size < 0 || hashes != tlog.StoredHashCount(head.Size) {
		return store.Head{}, fmt.Errorf("%w: by the last entry the ledger has %d entries, and the tree has %d hashes, where %d belong; run `tidewaiter log fsck`, then restore from a backup",
			store.ErrDamaged, head.Size, hashes, tlog.StoredHashCount(max(head.Size, 0)))
	}
	return head, nil
}

// Entry returns one entry.
func (s *Store) Entry(ctx context.Context, seq int64) (ledger.Entry, error) {
	var row entryRow
	e, err := readEntry(&row, seq, one(ctx, s.reads.entry, seq), s.contextOf(ctx))
	return e, s.failed(ctx, fmt.Sprintf("entry %d", seq), err)
}

// readEntry reads one row, and its context by way of context.
func readEntry(r *entryRow, seq int64, from scanner, context func(id int64) ([]byte, error)) (ledger.Entry, error) {
	err := r.scan(from)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Entry{}, store.ErrNotFound
	}
	if err != nil {
		return ledger.Entry{}, damaged(seq, err)
	}
	e, err := r.entry()
	if err != nil {
		return e, damaged(seq, err)
	}
	if r.context != noContext {
		if e.Context, err = context(r.context); err != nil {
			return e, damaged(seq, err)
		}
	}
	return e, nil
}

// damaged says that an entry cannot be read, unless it was reading that was given up or the disk that failed.
func damaged(seq int64, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || isElsewhere(err) {
		return err
	}
	return &ledger.DamagedError{Seq: seq, Err: err}
}

// contextOf reads contexts, each of them once.
func (s *Store) contextOf(ctx context.Context) func(id int64) ([]byte, error) {
	r := &s.reads
	return func(id int64) ([]byte, error) {
		r.mu.Lock()
		body, ok := r.contexts[id]
		r.mu.Unlock()
		if ok {
			return body, nil
		}
		body, err := readContext(one(ctx, r.context, id))
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.contexts == nil || r.held+len(body) > contextBytesHeld {
			r.contexts, r.held = map[int64][]byte{}, 0
		}
		if _, ok := r.contexts[id]; !ok {
			r.contexts[id], r.held = body, r.held+len(body)
		}
		return body, nil
	}
}

func readContext(row *sql.Row) ([]byte, error) {
	var hash, body []byte
	err := row.Scan(&hash, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errors.New("its context is missing")
	} else if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); string(sum[:]) != string(hash) {
		return nil, errors.New("its context is not what the context's hash says")
	}
	return notNil(body), nil
}

// A page of entries is read, and its connection given back, before the caller sees them: a caller that is slow, or reads
// on inside, then holds up neither the write-ahead log's return to its beginning nor itself. Entries are never changed,
// so that pages fit together.
const (
	pageEntries = 512
	pageBytes   = 4 << 20
)

// Entries calls fn for each entry with from <= Seq < to.
func (s *Store) Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error {
	var page []ledger.Entry
	for next := max(from, 0); next < to; {
		var err error
		page, err = s.page(ctx, next, to, page[:0])
		for _, e := range page {
			if err := fn(e); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if err != nil {
			return s.failed(ctx, "entries", err)
		}
		if len(page) == 0 {
			return nil
		}
		next += int64(len(page))
	}
	return nil
}

// page reads some entries from next on. Those before an error are good.
func (s *Store) page(ctx context.Context, next, to int64, page []ledger.Entry) ([]ledger.Entry, error) {
	rows, err := s.reads.entries.QueryContext(ctx, next, to, pageEntries)
	if err != nil {
		return page, damaged(next, err)
	}
	defer rows.Close()
	context := s.contextOf(ctx)
	for size := 0; size < pageBytes && rows.Next(); next++ {
		var row entryRow
		e, err := readEntry(&row, next, rows, context)
		if err != nil {
			return page, err
		}
		if e.Seq != next {
			return page, damaged(next, errMissing)
		}
		page = append(page, e)
		size += len(e.Body)
	}
	if err := rows.Err(); err != nil {
		return page, damaged(next, err)
	}
	return page, nil
}

// Named returns the Seqs of the entries with this name.
func (s *Store) Named(ctx context.Context, name string) ([]int64, error) {
	seqs, err := readNamed(ctx, s.reads.named, name)
	return seqs, s.failed(ctx, "entries named "+name, err)
}

func readNamed(ctx context.Context, stmt *sql.Stmt, name string) (seqs []int64, err error) {
	rows, err := stmt.QueryContext(ctx, nameHash(name))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var found sql.RawBytes
		if err := rows.Scan(&seq, &found); err != nil {
			return nil, err
		}
		if string(found) == name {
			seqs = append(seqs, seq)
		}
	}
	return seqs, rows.Err()
}

// HashReader reads the tree's stored hashes.
func (s *Store) HashReader(ctx context.Context) tlog.HashReader {
	read := chunkReader(func(n int64) ([]byte, error) { return readChunk(one(ctx, s.reads.chunk, n)) })
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := read.ReadHashes(indexes)
		return hashes, s.failed(ctx, "reading the tree", err)
	})
}

// Meta returns a value, or nil.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	value, err := readMeta(one(ctx, s.reads.meta, []byte(name)), name)
	return value, s.failed(ctx, "meta "+name, err)
}

func readMeta(row *sql.Row, name string) ([]byte, error) {
	var value []byte
	var sum int64
	err := row.Scan(&value, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case metaSum(name, value) != sum:
		return nil, fmt.Errorf("%w: %s does not agree with its checksum; run `tidewaiter log fsck`", store.ErrDamaged, name)
	}
	return notNil(value), nil
}
