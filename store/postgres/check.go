package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/store"
)

// Check reads all of one snapshot of the database and calls fn with each problem. Others may go on writing. That the tree's hashes
// are those of the entries is for ledger.Fsck to say, and not asked again here.
func (s *Store) Check(ctx context.Context, fn func(problem string) error) error {
	held, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.failed(ctx, "check", err)
	}
	conn := held.Hijack() // fn is the caller's code, which may call the store
	defer conn.Close(context.WithoutCancel(ctx))
	c := &check{ctx: ctx, conn: conn, tell: fn, contexts: map[int64]bool{}, views: map[int64]string{}}
	err = c.run()
	if c.told != nil {
		return c.told
	}
	return s.failed(ctx, "check", err)
}

// check is one run of Check.
type check struct {
	ctx  context.Context
	conn *pgx.Conn
	tell func(problem string) error
	told error // what tell returned, which ends the run

	size     int64 // of the ledger
	last     int64 // when its last entry was recorded
	contexts map[int64]bool
	views    map[int64]string
}

func (c *check) run() error {
	if _, err := c.conn.Exec(c.ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	if err := c.schema(); err != nil {
		return err
	}
	for _, step := range []func() error{c.readContexts, c.entries, c.hashes, c.head, c.indexes, c.keys, c.meta, c.readViews, c.rows, c.leases} {
		// What cannot be read for damage is a problem like others, and the next step may still find something.
		if _, err := c.conn.Exec(c.ctx, "SAVEPOINT step"); err != nil {
			return err
		}
		if err := step(); isDamage(err) {
			c.problem("%v", err)
			if _, err := c.conn.Exec(c.ctx, "ROLLBACK TO SAVEPOINT step"); err != nil {
				return err
			}
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

// each scans each row of a query and calls fn, until tell has had enough.
func (c *check) each(query string, dest []any, fn func()) error {
	rows, err := c.conn.Query(c.ctx, query)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, dest, func() error {
		fn()
		return c.told
	})
	return err
}

// expected are the indexes and constraints that the last migration leaves: without one of them rows could be there twice.
var expected = map[string]bool{
	"version_pkey": true, "entries_pkey": true, "entries_by_key": true, "entries_by_name": true, "contexts_pkey": true, "contexts_hash_key": true,
	"hashes_pkey": true, "head_pkey": true, "meta_pkey": true, "views_pkey": true, "views_name_key": true, "rows_pkey": true, "leases_pkey": true,
}

// schema looks for indexes that are gone or are not valid, and for triggers and rules that came.
func (c *check) schema() error {
	have := map[string]bool{}
	var name string
	var valid bool
	err := c.each("SELECT x.relname, i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace WHERE n.nspname = 'tidewaiter'",
		[]any{&name, &valid}, func() { have[name] = valid })
	if err != nil {
		return err
	}
	for want := range expected {
		if !have[want] {
			c.problem("the schema lacks the index %s, or it is not valid", want)
		}
	}
	return c.each("SELECT t.tgname FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = 'tidewaiter' AND NOT t.tgisinternal",
		[]any{&name}, func() { c.problem("the schema has a trigger that it should not have: %s", name) })
}

func (c *check) readContexts() error {
	var id int64
	var hash, body []byte
	return c.each("SELECT id, hash, body FROM tidewaiter.contexts ORDER BY id", []any{&id, &hash, &body}, func() {
		if len(body) == 0 && string(shellHash(id)) == string(hash) {
			return // it was erased
		}
		if sum := sha256.Sum256(body); string(sum[:]) != string(hash) {
			c.problem("context %d is not what its hash says", id)
		}
		c.contexts[id] = false
	})
}

// entries checks each row by itself: its checksum, and what it is found by.
func (c *check) entries() error {
	var r entryRow
	err := c.each("SELECT "+entryColumns+" FROM tidewaiter.entries ORDER BY seq", r.dest(), func() {
		if r.seq != c.size {
			c.problem("entries %d to %d are missing", c.size, r.seq-1)
		}
		c.size, c.last = r.seq+1, r.recorded
		c.entry(&r)
		r.context, r.erased = nil, nil // what points to them was given to nobody
	})
	for id, used := range c.contexts {
		if err == nil && !used {
			c.problem("context %d belongs to no entry", id)
		}
	}
	return err
}

func (c *check) entry(r *entryRow) {
	if _, err := r.entry(); err != nil {
		c.problem("entry %d is damaged: %v", r.seq, err)
	}
	if r.nameHash != nameHash(string(r.name)) {
		c.problem("entry %d cannot be found by its name: name_hash is wrong", r.seq)
	}
	if len(r.keyTail) != len(store.Key{})-8 {
		c.problem("entry %d: its key has %d bytes", r.seq, 8+len(r.keyTail))
	}
	if r.context == nil {
		return
	}
	if _, there := c.contexts[*r.context]; !there {
		c.problem("entry %d: its context, %d, is missing", r.seq, *r.context)
	}
	c.contexts[*r.context] = true
}

// hashes looks at whether the rows of the tree's hashes follow one another. What the hashes are, ledger.Fsck computes.
func (c *check) hashes() error {
	var next, block, first, n int64
	err := c.each("SELECT block, first, octet_length(h) FROM tidewaiter.hashes ORDER BY block, first", []any{&block, &first, &n}, func() {
		if first != next || block != first/blockHashes || n%tlog.HashSize != 0 || n == 0 {
			c.problem("a row of the tree's hashes stands at %d in block %d with %d bytes, where %d should stand", first, block, n, next)
		}
		next = first + n/tlog.HashSize
	})
	if want := tlog.StoredHashCount(c.size); err == nil && next != want {
		c.problem("there are %d of the tree's hashes; %d entries give it %d", next, c.size, want)
	}
	return err
}

func (c *check) head() error {
	var r headRow
	n := 0
	err := c.each("SELECT "+headColumns+" FROM tidewaiter.head", r.dest(), func() {
		n++
		if _, err := r.head(); err != nil {
			c.problem("%v", err)
		}
		if r.size != c.size || r.recorded != c.last {
			c.problem("the head says that there are %d entries, the last recorded at %d; there are %d, the last recorded at %d", r.size, r.recorded, c.size, c.last)
		}
	})
	if err == nil && n != 1 {
		c.problem("there are %d rows that say where the ledger ends, and there should be one", n)
	}
	return err
}

// indexes asks each index of the entries for all that the table has: what one of them lost could be appended twice.
func (c *check) indexes() error {
	for _, column := range []string{"key_head", "name_hash"} {
		var n int64
		if _, err := c.conn.Exec(c.ctx, "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"); err != nil {
			return err
		}
		query := "SELECT count(*) FROM (SELECT seq FROM tidewaiter.entries ORDER BY " + column + " OFFSET 0) e"
		if err := c.conn.QueryRow(c.ctx, query).Scan(&n); err != nil {
			return err
		}
		if n != c.size {
			c.problem("the index of the entries' %s holds %d of %d entries; run REINDEX TABLE tidewaiter.entries", column, n, c.size)
		}
	}
	_, err := c.conn.Exec(c.ctx, "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on")
	return err
}

// keys looks for two entries with one key.
func (c *check) keys() error {
	var a, b int64
	const twice = `SELECT min(seq), max(seq) FROM tidewaiter.entries GROUP BY key_head, key_tail HAVING count(*) > 1`
	return c.each(twice, []any{&a, &b}, func() {
		c.problem("entries %d and %d have the same key: one of them is a duplicate", a, b)
	})
}

func (c *check) meta() error {
	var name, value []byte
	var sum int32
	return c.each("SELECT name, value, sum FROM tidewaiter.meta", []any{&name, &value, &sum}, func() {
		if metaSum(string(name), value) != sum {
			c.problem("meta %q does not agree with its checksum", name)
		}
	})
}

func (c *check) readViews() error {
	var l viewLock
	var name []byte
	return c.each("SELECT id, name, cursor, token, sum FROM tidewaiter.views", []any{&l.id, &name, &l.cursor, &l.token, &l.sum}, func() {
		l.name = string(name)
		c.views[l.id] = l.name
		switch {
		case l.check() != nil:
			c.problem("view %q does not agree with its checksum: its cursor, %d, may be wrong; run `tidewaiter views rebuild`", name, l.cursor)
		case l.cursor < 0 || l.cursor > c.size:
			c.problem("view %q has taken in %d entries of %d; run `tidewaiter views rebuild`", name, l.cursor, c.size)
		}
	})
}

func (c *check) rows() error {
	var view int64
	var at int32
	var r viewRow
	return c.each("SELECT view, about, "+viewRowColumns+" FROM tidewaiter.rows", append([]any{&view, &at}, r.dest()...), func() {
		name, known := c.views[view]
		switch {
		case !known:
			c.problem("row %q, and perhaps more, belongs to view %d, which does not exist", r.full(), view)
			c.views[view] = "?" // said once
		case r.check(view) != nil || at != about(string(r.full())):
			c.problem("view %q: row %q does not agree with its checksum; run `tidewaiter views rebuild`", name, r.full())
		}
		r = viewRow{}
	})
}

func (c *check) leases() error {
	var name, holder []byte
	var until int64
	var sum int32
	return c.each("SELECT name, holder, until, sum FROM tidewaiter.leases", []any{&name, &holder, &until, &sum}, func() {
		if leaseSum(string(name), string(holder), until) != sum {
			c.problem("lease %q does not agree with its checksum; delete its row", name)
		}
	})
}
