package postgres

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/store"
)

// viewLock is the right to write to a view. It knows what the writer saw.
type viewLock struct {
	name       string
	id, cursor int64
	token      []byte
	sum        int32
}

const selectView = "SELECT id, cursor, token, sum FROM tidewaiter.views WHERE name = $1"

// take locks the view's row, and makes one where there is none: an insert waits for another's insert of the same name.
func (l *viewLock) take(ctx context.Context, conn *pgx.Conn) error {
	err := beginWith(ctx, conn, l.dest(), selectView+" FOR UPDATE", []byte(l.name))
	if !isNone(err) {
		return err
	}
	if _, err := conn.Exec(ctx, "INSERT INTO tidewaiter.views (name, cursor, token, sum) VALUES ($1, 0, '', 0) ON CONFLICT DO NOTHING", []byte(l.name)); err != nil {
		return err
	}
	if err := l.find(ctx, conn, " FOR UPDATE"); err != nil {
		return err
	}
	if len(l.token) == 0 { // made just now
		l.sum = l.checksum()
	}
	return nil
}

func (l *viewLock) find(ctx context.Context, conn *pgx.Conn, lock string) error {
	return conn.QueryRow(ctx, selectView+lock, []byte(l.name)).Scan(l.dest()...)
}

func (l *viewLock) dest() []any { return []any{&l.id, &l.cursor, &l.token, &l.sum} }

func (l *viewLock) checksum() int32 { return viewSum(l.id, l.name, l.cursor, l.token) }

func (l *viewLock) check() error {
	if l.checksum() != l.sum {
		return fmt.Errorf("%w: the view's cursor does not agree with its checksum; run `tidewaiter views rebuild`", store.ErrDamaged)
	}
	return nil
}

// settle goes by the token. Where others have written since, the view has moved on, whatever became of ours.
func (l *viewLock) settle(ctx context.Context, conn *pgx.Conn, token []byte) (bool, error) {
	now := viewLock{name: l.name}
	err := now.find(ctx, conn, " FOR UPDATE")
	switch {
	case isNone(err):
		return false, nil
	case err != nil:
		return false, err
	case bytes.Equal(now.token, token):
		return true, nil
	case bytes.Equal(now.token, l.token):
		return false, nil
	}
	return false, fmt.Errorf("others have written to it since the connection was lost: %w", store.ErrConflict)
}

// move sets the view's cursor.
func (tx *transaction) move(l *viewLock, to int64) error {
	return tx.exec("UPDATE tidewaiter.views SET cursor = $1, token = $2, sum = $3 WHERE id = $4", to, tx.token, viewSum(l.id, l.name, to, tx.token), l.id)
}

// Cursor is the number of entries that the view has taken in.
func (s *Store) Cursor(ctx context.Context, name string) (int64, error) {
	l := viewLock{name: name}
	err := s.read(ctx, func(conn *pgx.Conn) error {
		err := l.find(ctx, conn, "")
		if isNone(err) {
			return nil
		}
		if err == nil {
			err = l.check()
		}
		return err
	})
	return l.cursor, s.failed(ctx, "view "+name, err)
}

// Commit writes changes and moves the cursor.
func (s *Store) Commit(ctx context.Context, name string, from, to int64, changes map[string][]byte) error {
	l := &viewLock{name: name}
	err := s.write(ctx, l, func(tx *transaction) error {
		switch err := l.check(); {
		case err != nil:
			return err
		case from < 0 || to < from:
			return fmt.Errorf("a cursor cannot move from %d to %d", from, to)
		case l.cursor != from:
			return fmt.Errorf("its cursor is at %d, not %d: %w", l.cursor, from, store.ErrConflict)
		}
		if err := tx.move(l, to); err != nil {
			return err
		}
		return tx.change(l.id, changes)
	})
	return s.failed(ctx, "view "+name, err)
}

// Rows are written so many, or so many bytes, with one statement.
const (
	changeRows  = 2000
	changeBytes = 4 << 20
)

const (
	putRows = `INSERT INTO tidewaiter.rows (view, about, sum, key, value, long)
SELECT $1, * FROM unnest($2::integer[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[])
ON CONFLICT (view, key, about) DO UPDATE SET value = excluded.value, sum = excluded.sum`
	dropRows = "DELETE FROM tidewaiter.rows WHERE view = $1 AND key = ANY($2) AND about = ANY($3)"
)

// changed are rows that wait to be written.
type changed struct {
	about, sum        []int32
	key, value, long  [][]byte
	gone              [][]byte
	goneAbout         []int32
	bytes, everything int
}

// change writes rows in the order of their keys: two that write the same rows then never wait for each other crosswise.
func (tx *transaction) change(view int64, changes map[string][]byte) error {
	var c changed
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if c.everything >= changeRows || c.bytes >= changeBytes {
			if err := tx.put(view, &c); err != nil {
				return err
			}
			c = changed{}
		}
		c.add(view, key, changes[key])
	}
	return tx.put(view, &c)
}

func (c *changed) add(view int64, key string, value []byte) {
	indexed, long := split(key)
	c.everything++
	if value == nil {
		c.gone, c.goneAbout = append(c.gone, indexed), append(c.goneAbout, about(key))
		return
	}
	c.about, c.sum = append(c.about, about(key)), append(c.sum, rowSum(view, []byte(key), value))
	c.key, c.value, c.long = append(c.key, indexed), append(c.value, value), append(c.long, long)
	c.bytes += len(key) + len(value)
}

func (tx *transaction) put(view int64, c *changed) error {
	if err := tx.live(); err != nil {
		return err
	}
	if len(c.gone) > 0 {
		if err := tx.exec(dropRows, view, c.gone, c.goneAbout); err != nil {
			return err
		}
	}
	if len(c.key) == 0 {
		return nil
	}
	return tx.exec(putRows, view, c.about, c.sum, c.key, c.value, c.long)
}

// Drop forgets the view.
func (s *Store) Drop(ctx context.Context, name string) error {
	l := &viewLock{name: name}
	err := s.write(ctx, l, func(tx *transaction) error { // a damaged one can be dropped too
		if err := tx.exec("DELETE FROM tidewaiter.rows WHERE view = $1", l.id); err != nil {
			return err
		}
		return tx.move(l, 0)
	})
	return s.failed(ctx, "dropping view "+name, err)
}

// Rows reads one view.
func (s *Store) Rows(ctx context.Context, name string) store.Rows {
	return &rows{s: s, ctx: ctx, view: name}
}

type rows struct {
	s    *Store
	ctx  context.Context
	view string
}

// viewID finds the view's id, or gives 0 as long as nobody has committed to it.
func (r *rows) viewID(conn *pgx.Conn) (int64, error) {
	if id, ok := r.s.viewIDs.Load(r.view); ok {
		return id.(int64), nil
	}
	l := viewLock{name: r.view} // a wrong cursor does not keep rows from being read
	err := l.find(r.ctx, conn, "")
	if isNone(err) {
		return 0, nil
	}
	if err == nil {
		r.s.viewIDs.Store(r.view, l.id)
	}
	return l.id, err
}

var errRowSum = fmt.Errorf("%w: a row does not agree with its checksum; run `tidewaiter views rebuild`", store.ErrDamaged)

func (r *rows) failed(key string, err error) error {
	return r.s.failed(r.ctx, fmt.Sprintf("view %s, row %q", r.view, key), err)
}

// Get returns the row, or nil.
func (r *rows) Get(key string) (value []byte, err error) {
	err = r.s.read(r.ctx, func(conn *pgx.Conn) error {
		value = nil
		id, err := r.viewID(conn)
		if err != nil || id == 0 {
			return err
		}
		var row viewRow
		indexed, _ := split(key)
		err = conn.QueryRow(r.ctx, "SELECT "+viewRowColumns+" FROM tidewaiter.rows WHERE view = $1 AND key = $2 AND about = $3", id, indexed, about(key)).Scan(row.dest()...)
		if isNone(err) {
			return nil
		}
		if err == nil {
			err = row.check(id)
		}
		if err == nil {
			value = notNil(row.value)
		}
		return err
	})
	if err != nil {
		return nil, r.failed(key, err)
	}
	return value, nil
}

// manyKeys are asked for with one statement.
const manyKeys = 4096

// GetMany returns the rows of these keys.
func (r *rows) GetMany(keys []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(keys))
	for group := range slices.Chunk(keys, manyKeys) {
		err := r.s.read(r.ctx, func(conn *pgx.Conn) error {
			id, err := r.viewID(conn)
			if err != nil || id == 0 {
				return err
			}
			return r.getGroup(conn, id, group, found)
		})
		if err != nil {
			return nil, r.failed(group[0], err)
		}
	}
	return found, nil
}

// The OFFSET keeps the planner from reading the whole table instead, as it does for a thousand keys while it takes the table for small.
const selectMany = "SELECT " + viewRowColumns + ` FROM unnest($2::bytea[], $3::integer[]) AS asked (k, a)
CROSS JOIN LATERAL (SELECT ` + viewRowColumns + ` FROM tidewaiter.rows WHERE view = $1 AND key = asked.k AND about = asked.a OFFSET 0) AS found`

func (r *rows) getGroup(conn *pgx.Conn, id int64, keys []string, found map[string][]byte) error {
	indexed, abouts := make([][]byte, len(keys)), make([]int32, len(keys))
	for i, key := range keys {
		indexed[i], _ = split(key)
		abouts[i] = about(key)
	}
	list, err := conn.Query(r.ctx, selectMany, id, indexed, abouts)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		var row viewRow
		if err := list.Scan(row.dest()...); err != nil {
			return err
		}
		if err := row.check(id); err != nil {
			return err
		}
		found[string(row.full())] = notNil(row.value)
	}
	return list.Err()
}

// sortLong orders rows whose indexed keys differ only in the hashes at their ends.
func sortLong(run []viewRow) {
	sort.Slice(run, func(i, j int) bool { return bytes.Compare(run[i].full(), run[j].full()) < 0 })
}
