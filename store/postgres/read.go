package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Head says where the ledger ends.
func (s *Store) Head(ctx context.Context) (head store.Head, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		var row headRow
		err := orNoHead(conn.QueryRow(ctx, "SELECT "+headColumns+" FROM tidewaiter.head").Scan(row.dest()...))
		if err == nil {
			head, err = row.head()
		}
		return err
	})
	return head, s.failed(ctx, "head", err)
}

// contextReader reads a context by its id.
type contextReader func(ctx context.Context, conn *pgx.Conn, id int64) ([]byte, error)

// Entry returns one entry.
func (s *Store) Entry(ctx context.Context, seq int64) (e ledger.Entry, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		e, err = readEntry(ctx, conn, seq, s.held.read)
		return err
	})
	return e, s.failed(ctx, fmt.Sprintf("entry %d", seq), err)
}

func readEntry(ctx context.Context, conn *pgx.Conn, seq int64, contexts contextReader) (ledger.Entry, error) {
	var r entryRow
	return readRow(ctx, conn, seq, &r, contexts)
}

func withContext(ctx context.Context, conn *pgx.Conn, e ledger.Entry, id *int64, contexts contextReader) (ledger.Entry, error) {
	if id == nil {
		return e, nil
	}
	var err error
	if e.Context, err = contexts(ctx, conn, *id); err != nil {
		return e, damaged(e.Seq, err)
	}
	return e, nil
}

// damaged says that an entry cannot be read, unless it was reading that was given up or the connection that failed.
func damaged(seq int64, err error) error {
	if isElsewhere(err) {
		return err
	}
	return &ledger.DamagedError{Seq: seq, Err: err}
}

func readContext(ctx context.Context, conn *pgx.Conn, id int64) ([]byte, error) {
	var hash, body []byte
	err := conn.QueryRow(ctx, "SELECT hash, body FROM tidewaiter.contexts WHERE id = $1", id).Scan(&hash, &body)
	if isNone(err) {
		return nil, errors.New("its context is missing")
	} else if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); string(sum[:]) != string(hash) {
		return nil, errors.New("its context is not what the context's hash says")
	}
	return notNil(body), nil
}

// contextCache reads contexts, each of them once. What is committed is never changed.
type contextCache struct {
	mu   sync.Mutex
	held map[int64][]byte
	size int
}

// contextBytesHeld limits the memory that contexts take.
const contextBytesHeld = 16 << 20

func (c *contextCache) read(ctx context.Context, conn *pgx.Conn, id int64) ([]byte, error) {
	c.mu.Lock()
	body, ok := c.held[id]
	c.mu.Unlock()
	if ok {
		return body, nil
	}
	body, err := readContext(ctx, conn, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil || c.size+len(body) > contextBytesHeld {
		c.held, c.size = map[int64][]byte{}, 0
	}
	if _, ok := c.held[id]; !ok {
		c.held[id], c.size = body, c.size+len(body)
	}
	return body, nil
}

// A page of entries is read, and its connection given back, before the caller sees them: a caller that is slow, or reads on
// inside, then holds up nobody. Entries are never changed, unless their content is erased, so that pages fit together.
const (
	pageEntries = 512
	pageBytes   = 4 << 20
)

// selectPage gives entries until they have so many bytes, and at least one.
const selectPage = "SELECT " + entryColumns + " FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before" +
	" FROM (SELECT * FROM tidewaiter.entries WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3) e) e WHERE before < $4 ORDER BY seq"

// Entries calls fn for each entry with from <= Seq < to.
func (s *Store) Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error {
	for next := max(from, 0); next < to; {
		page, err := s.page(ctx, next, to)
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
func (s *Store) page(ctx context.Context, next, to int64) (page []ledger.Entry, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		page, err = s.pageOf(ctx, conn, next, to)
		return err
	})
	return page, err
}

func (s *Store) pageOf(ctx context.Context, conn *pgx.Conn, next, to int64) ([]ledger.Entry, error) {
	rows, err := conn.Query(ctx, selectPage, next, to, pageEntries, pageBytes)
	if err != nil {
		return nil, damaged(next, err)
	}
	var page []ledger.Entry
	var contexts []*int64
	var r entryRow
	_, err = pgx.ForEachRow(rows, r.dest(), func() error {
		at := next + int64(len(page))
		if r.seq != at {
			return damaged(at, errMissing)
		}
		e, err := r.entry()
		if err != nil {
			return damaged(at, err)
		}
		page, contexts = append(page, e), append(contexts, r.context)
		r = entryRow{} // its bytes are the entry's now
		return nil
	})
	var already *ledger.DamagedError
	if err != nil && !errors.As(err, &already) {
		err = damaged(next+int64(len(page)), err)
	}
	for i := range page { // on the same connection, once the rows are read
		var e error
		if page[i], e = withContext(ctx, conn, page[i], contexts[i], s.held.read); e != nil {
			return page[:i], e
		}
	}
	return page, err
}

// Named returns the Seqs of the entries with this name.
func (s *Store) Named(ctx context.Context, name string) (seqs []int64, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		seqs, err = readNamed(ctx, conn, name)
		return err
	})
	return seqs, s.failed(ctx, "entries named "+name, err)
}

func readNamed(ctx context.Context, conn *pgx.Conn, name string) (seqs []int64, err error) {
	rows, err := conn.Query(ctx, "SELECT seq, name FROM tidewaiter.entries WHERE name_hash = $1 ORDER BY seq", nameHash(name))
	if err != nil {
		return nil, err
	}
	err = eachName(rows, func(seq int64, found string) {
		if found == name {
			seqs = append(seqs, seq)
		}
	})
	return seqs, err
}

// HashReader reads the tree's stored hashes.
func (s *Store) HashReader(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		err = s.read(ctx, func(conn *pgx.Conn) error {
			hashes, err = hashReader(ctx, conn)(indexes)
			return err
		})
		return hashes, s.failed(ctx, "reading the tree", err)
	})
}

// Meta returns a value, or nil.
func (s *Store) Meta(ctx context.Context, name string) (value []byte, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		value, err = readMeta(ctx, conn, name)
		return err
	})
	return value, s.failed(ctx, "meta "+name, err)
}

func readMeta(ctx context.Context, conn *pgx.Conn, name string) ([]byte, error) {
	var value []byte
	var sum int32
	err := conn.QueryRow(ctx, "SELECT value, sum FROM tidewaiter.meta WHERE name = $1", []byte(name)).Scan(&value, &sum)
	switch {
	case isNone(err):
		return nil, nil
	case err != nil:
		return nil, err
	case metaSum(name, value) != sum:
		return nil, fmt.Errorf("%w: %s does not agree with its checksum; run `tidewaiter log fsck`", store.ErrDamaged, name)
	}
	return notNil(value), nil
}
