package postgres

import (
	"bytes"
	"strings"

	"github.com/jackc/pgx/v5"
)

// What a scan finds is read into memory before the caller sees it, so that no caller's code runs while a connection of the pool
// is held: many who scan, and read inside, would wait for each other's connections for ever. What is longer goes on with its
// connection, which then leaves the pool and makes room for another.
const (
	scanRows  = 1000
	scanBytes = 1 << 20
)

const (
	selectFrom  = "SELECT " + viewRowColumns + " FROM tidewaiter.rows WHERE view = $1 AND key >= $2 ORDER BY key"
	selectRange = "SELECT " + viewRowColumns + " FROM tidewaiter.rows WHERE view = $1 AND key >= $2 AND key < $3 ORDER BY key"
)

// scanning is one scan.
type scanning struct {
	rows   *rows
	prefix string
	fn     func(key string, value []byte) error
	view   int64
	run    []viewRow // rows whose indexed keys say no more about their order
	told   error     // what fn returned
}

// Scan calls fn for each row whose key starts with prefix, all from one snapshot: that of one statement.
func (r *rows) Scan(prefix string, fn func(key string, value []byte) error) error {
	s := &scanning{rows: r, prefix: prefix, fn: fn}
	first, rest, conn, err := s.begin()
	if conn != nil {
		defer conn.Close(r.ctx)
		defer rest.Close()
	}
	if err != nil {
		return r.failed(prefix, err)
	}
	for i := range first {
		if err := s.row(&first[i]); err != nil {
			return s.failed(err)
		}
	}
	if rest != nil {
		var row viewRow
		for rest.Next() {
			if err := rest.Scan(row.dest()...); err != nil {
				return s.failed(err)
			}
			if err := s.row(&row); err != nil {
				return s.failed(err)
			}
			row = viewRow{}
		}
		if err := rest.Err(); err != nil {
			return s.failed(err)
		}
	}
	return s.failed(s.flush())
}

func (s *scanning) failed(err error) error {
	if err == nil || s.told != nil {
		return s.told
	}
	return s.rows.failed(s.prefix, err)
}

// begin reads the first rows. When there are more, it gives them with their connection, which is the caller's now.
func (s *scanning) begin() (first []viewRow, rest pgx.Rows, conn *pgx.Conn, err error) {
	ctx, pool := s.rows.ctx, s.rows.s.pool
	for try := 0; ; try++ {
		held, err := pool.Acquire(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		first, rest, err = s.some(held.Conn())
		switch {
		case rest != nil:
			return first, rest, held.Hijack(), nil
		case err == nil:
			held.Release()
			return first, nil, nil, nil
		}
		held.Release()
		if try > 0 || !isLost(err) || ctx.Err() != nil {
			return nil, nil, nil, err
		}
	}
}

func (s *scanning) some(conn *pgx.Conn) (first []viewRow, rest pgx.Rows, err error) {
	if s.view, err = s.rows.viewID(conn); err != nil || s.view == 0 {
		return nil, nil, err
	}
	found, err := s.query(conn)
	if err != nil {
		return nil, nil, err
	}
	for size := 0; ; {
		if len(first) >= scanRows || size >= scanBytes {
			return first, found, nil
		}
		if !found.Next() {
			return first, nil, found.Err()
		}
		var row viewRow
		if err := found.Scan(row.dest()...); err != nil {
			found.Close()
			return nil, nil, err
		}
		first, size = append(first, row), size+len(row.key)+len(row.value)+len(row.long)
	}
}

func (s *scanning) query(conn *pgx.Conn) (pgx.Rows, error) {
	prefix := s.prefix[:min(len(s.prefix), keyBytes)]
	if end := after(prefix); end != "" {
		return conn.Query(s.rows.ctx, selectRange, s.view, []byte(prefix), []byte(end))
	}
	return conn.Query(s.rows.ctx, selectFrom, s.view, []byte(prefix))
}

// row takes in the next row in the order of indexed keys. Long keys that begin alike wait for each other.
func (s *scanning) row(r *viewRow) error {
	if err := r.check(s.view); err != nil {
		return err
	}
	if len(s.run) > 0 && !bytes.HasPrefix(r.key, s.run[0].key[:keyBytes]) {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if len(r.key) >= keyBytes {
		s.run = append(s.run, *r)
		return nil
	}
	return s.tell(r)
}

func (s *scanning) flush() error {
	sortLong(s.run)
	for i := range s.run {
		if err := s.tell(&s.run[i]); err != nil {
			return err
		}
	}
	s.run = s.run[:0]
	return nil
}

func (s *scanning) tell(r *viewRow) error {
	key := string(r.full())
	if strings.HasPrefix(key, s.prefix) {
		s.told = s.fn(key, notNil(r.value))
	}
	return s.told
}

// after is the least key that is greater than all that start with prefix; empty when there is none.
func after(prefix string) string {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] != 0xff {
			return prefix[:n-1] + string([]byte{prefix[n-1] + 1})
		}
	}
	return ""
}
