package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/store"
)

// Check reads all of one snapshot of the file and calls fn with each problem. Others may go on writing. That the tree's hashes
// are those of the entries is for ledger.Fsck to say, and not asked again here.
func (s *Store) Check(ctx context.Context, fn func(problem string) error) error {
	conn, err := s.readDB.Conn(ctx)
	if err != nil {
		return s.failed(ctx, "check", err)
	}
	defer conn.Close()
	c := &check{ctx: ctx, conn: conn, tell: fn}
	err = c.run()
	if c.told != nil {
		return c.told
	}
	return s.failed(ctx, "check", err)
}

// check is one run of Check.
type check struct {
	ctx  context.Context
	conn *sql.Conn
	tell func(problem string) error
	told error // what tell returned, which ends the run

	size     int64 // of the ledger
	contexts map[int64]bool
	used     map[int64]bool
	views    map[int64]string
}

func (c *check) run() error {
	if _, err := c.conn.ExecContext(c.ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = c.conn.ExecContext(context.WithoutCancel(c.ctx), "ROLLBACK") }() // of a transaction that only read
	for _, step := range []func() error{
		c.file, c.schema, c.readContexts, c.entries, c.hashes, c.unusedContexts, c.keys, c.meta, c.readViews, c.rows, c.leases,
	} {
		// What cannot be read for damage is a problem like others, and the next step may still find something.
		if err := step(); errors.Is(err, errScan) || isDamage(err) {
			c.problem("%v", err)
		} else if err != nil {
			return err
		}
		if c.told != nil {
			return c.told
		}
	}
	return nil
}

func (c *check) problem(format string, args ...any) {
	if c.told == nil {
		c.told = c.tell(fmt.Sprintf(format, args...))
	}
}

// each calls fn for each row of a query, until fn or tell has had enough.
func (c *check) each(query string, fn func(rows *sql.Rows) error) error {
	rows, err := c.conn.QueryContext(c.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for c.told == nil && rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// errScan: a value has a type that its column cannot have.
var errScan = errors.New("a value cannot be read")

func scanned(what string, err error) error {
	if err != nil && code(err) == 0 {
		return fmt.Errorf("%w: %s: %w", errScan, what, err)
	}
	return err
}

// file lets SQLite look at its pages, at the types of values, and at whether each index has exactly its table's rows.
func (c *check) file() error {
	return c.each("PRAGMA integrity_check(1000)", func(rows *sql.Rows) error {
		var line string
		if err := rows.Scan(&line); err != nil {
			return scanned("integrity_check", err)
		}
		if line != "ok" {
			c.problem("SQLite: %s", line)
		}
		return nil
	})
}

const selectSchema = "SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY name"

// schema compares the schema with one made afresh: an index that is gone or a trigger that came is a problem.
func (c *check) schema() error {
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1)
	if err := prepareFile(c.ctx, fresh); err != nil {
		return err
	}
	want, err := texts(c.ctx, fresh, selectSchema)
	if err != nil {
		return err
	}
	have, err := texts(c.ctx, c.conn, selectSchema)
	if err != nil {
		return err
	}
	for text := range have {
		if !want[text] {
			c.problem("the schema has what it should not have: %q", text)
		}
	}
	for text := range want {
		if !have[text] {
			c.problem("the schema lacks: %q", text)
		}
	}
	return nil
}

// querier is a database, or one connection to it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func texts(ctx context.Context, db querier, query string) (map[string]bool, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, scanned(query, err)
		}
		found[text] = true
	}
	return found, rows.Err()
}

func (c *check) readContexts() error {
	c.contexts, c.used = map[int64]bool{}, map[int64]bool{}
	return c.each("SELECT id, hash, body FROM contexts", func(rows *sql.Rows) error {
		var id int64
		var hash, body sql.RawBytes
		if err := rows.Scan(&id, &hash, &body); err != nil {
			return scanned("a context", err)
		}
		sum := sha256.Sum256(body)
		if len(body) == 0 && string(shellHash(id)) == string(hash) {
			return nil // it was erased
		}
		if string(sum[:]) != string(hash) {
			c.problem("context %d is not what its hash says", id)
		}
		c.contexts[id] = true
		return nil
	})
}

func (c *check) unusedContexts() error {
	for id := range c.contexts {
		if !c.used[id] {
			c.problem("context %d belongs to no entry", id)
		}
	}
	return nil
}

// entries checks each row by itself: its checksum, and what is found by way of the indexes.
func (c *check) entries() error {
	return c.each("SELECT "+entryColumns+" FROM entries ORDER BY seq", func(rows *sql.Rows) error {
		var r entryRow
		if err := r.scan(rows); err != nil {
			c.problem("entry %d cannot be read: %v", c.size, err)
			c.size++
			return nil
		}
		if r.seq != c.size {
			c.problem("entries %d to %d are missing", c.size, r.seq-1)
		}
		c.size = r.seq + 1
		c.entry(&r)
		return nil
	})
}

func (c *check) entry(r *entryRow) {
	if _, err := r.entry(); err != nil {
		c.problem("entry %d is damaged: %v", r.seq, err)
	}
	if r.nameHash != nameHash(r.name) {
		c.problem("entry %d cannot be found by its name: name_hash is wrong", r.seq)
	}
	if len(r.keyTail) != len(store.Key{})-8 {
		c.problem("entry %d: its key has %d bytes", r.seq, 8+len(r.keyTail))
	}
	if r.context != noContext {
		c.used[r.context] = true
		if !c.contexts[r.context] {
			c.problem("entry %d: its context, %d, is missing", r.seq, r.context)
		}
	}
}

// hashes counts the tree's hashes. What they are, ledger.Fsck computes.
func (c *check) hashes() error {
	want, next := tlog.StoredHashCount(c.size)*tlog.HashSize, int64(0)
	err := c.each("SELECT chunk, length(h) FROM hashes ORDER BY chunk", func(rows *sql.Rows) error {
		var chunk, n int64
		if err := rows.Scan(&chunk, &n); err != nil {
			return scanned("a row of the tree's hashes", err)
		}
		if chunk != next {
			c.problem("row %d of the tree's hashes stands where row %d should", chunk, next)
		}
		next = chunk + 1
		if should := min(want-chunk*chunkBytes, chunkBytes); n != should {
			c.problem("row %d of the tree's hashes has %d bytes; %d entries give it %d", chunk, n, c.size, max(should, 0))
		}
		return nil
	})
	if rows := (want + chunkBytes - 1) / chunkBytes; err == nil && next < rows {
		c.problem("the tree's hashes have %d rows; %d entries give them %d", next, c.size, rows)
	}
	return err
}

// keys looks for two entries with one key. That the index has each entry's key, once, SQLite has looked at.
func (c *check) keys() error {
	const twice = `SELECT a.seq, b.seq FROM entries a JOIN entries b ON b.key_head = a.key_head AND b.seq > a.seq AND b.key_tail = a.key_tail
WHERE a.key_head IN (SELECT key_head FROM entries GROUP BY key_head HAVING count(*) > 1)`
	return c.each(twice, func(rows *sql.Rows) error {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return scanned("a key", err)
		}
		c.problem("entries %d and %d have the same key: one of them is a duplicate", a, b)
		return nil
	})
}

func (c *check) meta() error {
	return c.each("SELECT name, value, sum FROM meta", func(rows *sql.Rows) error {
		var name string
		var value []byte
		var sum int64
		if err := rows.Scan(&name, &value, &sum); err != nil {
			return scanned("meta", err)
		}
		if metaSum(name, value) != sum {
			c.problem("meta %q does not agree with its checksum", name)
		}
		return nil
	})
}

func (c *check) readViews() error {
	c.views = map[int64]string{}
	return c.each("SELECT id, name, cursor, sum FROM views", func(rows *sql.Rows) error {
		var id, cursor, sum int64
		var name string
		if err := rows.Scan(&id, &name, &cursor, &sum); err != nil {
			return scanned("a view's cursor", err)
		}
		c.views[id] = name
		switch {
		case viewSum(id, name, cursor) != sum:
			c.problem("view %q does not agree with its checksum: its cursor, %d, may be wrong; run `tidewaiter views rebuild`", name, cursor)
		case cursor < 0 || cursor > c.size:
			c.problem("view %q has taken in %d entries of %d; run `tidewaiter views rebuild`", name, cursor, c.size)
		}
		return nil
	})
}

func (c *check) rows() error {
	return c.each("SELECT view, key, value, sum, packing FROM rows ORDER BY view, key", func(rows *sql.Rows) error {
		var view int64
		var key []byte
		var v viewValue
		if err := rows.Scan(&view, &key, &v.value, &v.sum, &v.packing); err != nil {
			return scanned("a view's row", err)
		}
		name, known := c.views[view]
		switch {
		case !known:
			c.problem("row %q, and perhaps more, belongs to view %d, which does not exist", key, view)
			c.views[view] = "?" // said once
		case v.checksum(view, key) != v.sum:
			c.problem("view %q: row %q does not agree with its checksum; run `tidewaiter views rebuild`", name, key)
		}
		return nil
	})
}

func (c *check) leases() error {
	return c.each("SELECT name, holder, until, sum FROM leases", func(rows *sql.Rows) error {
		var name, holder string
		var until, sum int64
		if err := rows.Scan(&name, &holder, &until, &sum); err != nil {
			return scanned("a lease", err)
		}
		if leaseSum(name, holder, until) != sum {
			c.problem("lease %q does not agree with its checksum; delete its row", name)
		}
		return nil
	})
}
