package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tidewaiter/tidewaiter/store"
)

const (
	selectView = "SELECT id, cursor, sum FROM views WHERE name = ?"
	selectRow  = "SELECT value, sum, packing FROM rows WHERE view = ? AND key = ?"
	scanRows   = "SELECT key, value, sum, packing FROM rows WHERE view = ? AND key >= ?"
)

// manyKeys are asked for together.
const manyKeys = 64

var selectMany = "SELECT key, value, sum, packing FROM rows WHERE view = ? AND key IN (?" + strings.Repeat(", ?", manyKeys-1) + ")"

// viewRow is a view as the table holds it.
type viewRow struct{ id, cursor int64 }

// readView gives a view, or nothing when there is none of this name.
func readView(row *sql.Row, name string) (v viewRow, found bool, err error) {
	var sum int64
	err = row.Scan(&v.id, &v.cursor, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, false, nil
	case err != nil:
		return v, false, err
	case viewSum(v.id, name, v.cursor) != sum:
		return v, false, fmt.Errorf("%w: the view's cursor does not agree with its checksum; run `tidewaiter views rebuild`", store.ErrDamaged)
	}
	return v, true, nil
}

// Cursor is the number of entries that the view has taken in.
func (s *Store) Cursor(ctx context.Context, name string) (int64, error) {
	v, _, err := readView(one(ctx, s.reads.view, []byte(name)), name)
	return v.cursor, s.failed(ctx, "view "+name, err)
}

// Commit writes changes and moves the cursor.
func (s *Store) Commit(ctx context.Context, name string, from, to int64, changes map[string][]byte) error {
	err := s.write(ctx, func(inside context.Context, w *writer) error {
		v, found, err := readView(w.viewByName.QueryRowContext(inside, []byte(name)), name)
		switch {
		case err != nil:
			return err
		case from < 0 || to < from:
			return fmt.Errorf("a cursor cannot move from %d to %d", from, to)
		case v.cursor != from:
			return fmt.Errorf("its cursor is at %d, not %d: %w", v.cursor, from, store.ErrConflict)
		}
		if !found {
			if v.id, err = w.addView(inside, name); err != nil {
				return err
			}
		}
		if _, err := w.putCursor.ExecContext(inside, to, viewSum(v.id, name, to), v.id); err != nil {
			return err
		}
		return w.change(inside, ctx, v.id, changes)
	})
	return s.failed(ctx, "view "+name, err)
}

func (w *writer) addView(ctx context.Context, name string) (int64, error) {
	done, err := w.insertView.ExecContext(ctx, []byte(name))
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// change writes rows in the order of their keys, so that a page is visited once.
func (w *writer) change(ctx, outer context.Context, view int64, changes map[string][]byte) error {
	for i, key := range slices.Sorted(maps.Keys(changes)) {
		if i%256 == 0 && outer.Err() != nil {
			return context.Cause(outer)
		}
		var err error
		k, value := []byte(key), changes[key]
		if value == nil {
			_, err = w.dropRow.ExecContext(ctx, view, k)
		} else {
			v := packRow(value)
			_, err = w.putRow.ExecContext(ctx, view, k, v.value, v.checksum(view, k), v.packing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Drop forgets the view.
func (s *Store) Drop(ctx context.Context, name string) error {
	err := s.write(ctx, func(inside context.Context, w *writer) error {
		var id, cursor, sum int64
		err := w.viewByName.QueryRowContext(inside, []byte(name)).Scan(&id, &cursor, &sum) // a damaged one can be dropped too
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := w.dropAllOf.ExecContext(inside, id); err != nil {
			return err
		}
		_, err = w.putCursor.ExecContext(inside, 0, viewSum(id, name, 0), id)
		return err
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
	id   atomic.Int64 // of the view, once it is known: Drop leaves a view its id
}

// viewID finds the view's id, or gives 0 as long as nobody has committed to it.
func (r *rows) viewID() (int64, error) {
	if id := r.id.Load(); id != 0 {
		return id, nil
	}
	var id, cursor, sum int64 // a wrong cursor does not keep rows from being read
	err := one(r.ctx, r.s.reads.view, []byte(r.view)).Scan(&id, &cursor, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	r.id.Store(id)
	return id, err
}

var errRowSum = fmt.Errorf("%w: a row does not agree with its checksum; run `tidewaiter views rebuild`", store.ErrDamaged)

// Get returns the row, or nil.
func (r *rows) Get(key string) ([]byte, error) {
	id, err := r.viewID()
	if err != nil || id == 0 {
		return nil, r.failed(key, err)
	}
	var v viewValue
	err = one(r.ctx, r.s.reads.get, id, []byte(key)).Scan(&v.value, &v.sum, &v.packing)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	var value []byte
	if err == nil {
		value, err = v.unpack(id, []byte(key))
	}
	return value, r.failed(key, err)
}

// GetMany returns the rows of these keys. Each question costs a walk through the driver that takes longer than the answer, so they
// are asked in groups of one size, for which there is a statement.
func (r *rows) GetMany(keys []string) (map[string][]byte, error) {
	id, err := r.viewID()
	if err != nil || id == 0 {
		return nil, r.failed("", err)
	}
	found := make(map[string][]byte, len(keys))
	for group := range slices.Chunk(keys, manyKeys) {
		args := make([]any, 1, 1+manyKeys)
		args[0] = id
		for i := range manyKeys {
			args = append(args, []byte(group[min(i, len(group)-1)]))
		}
		if err := r.getGroup(id, args, found); err != nil {
			return nil, r.failed(group[0], err)
		}
	}
	return found, nil
}

// getGroup asks for one group; a group that is too short asks for its last key again.
func (r *rows) getGroup(id int64, args []any, found map[string][]byte) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	list, err := r.s.reads.getMany.QueryContext(context.WithoutCancel(r.ctx), args...)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		var v viewValue
		var key []byte
		if err := list.Scan(&key, &v.value, &v.sum, &v.packing); err != nil {
			return err
		}
		if found[string(key)], err = v.unpack(id, key); err != nil {
			return err
		}
	}
	return list.Err()
}

func (r *rows) failed(key string, err error) error {
	return r.s.failed(r.ctx, fmt.Sprintf("view %s, row %q", r.view, key), err)
}

// Scan calls fn for each row whose key starts with prefix, all from one snapshot.
func (r *rows) Scan(prefix string, fn func(key string, value []byte) error) error {
	id, err := r.viewID()
	if err != nil || id == 0 {
		return r.failed(prefix, err)
	}
	query, args := scanRows, []any{id, []byte(prefix)}
	if end := after(prefix); end != "" {
		query, args = query+" AND key < ?", append(args, []byte(end))
	}
	found, err := r.s.readDB.QueryContext(r.ctx, query+" ORDER BY key", args...)
	if err != nil {
		return r.failed(prefix, err)
	}
	defer found.Close()
	for found.Next() {
		var v viewValue
		var key []byte
		if err := found.Scan(&key, &v.value, &v.sum, &v.packing); err != nil {
			return r.failed(prefix, err)
		}
		value, err := v.unpack(id, key)
		if err != nil {
			return r.failed(string(key), err)
		}
		if err := fn(string(key), value); err != nil {
			return err
		}
	}
	if err := found.Err(); err != nil {
		return r.failed(prefix, err)
	}
	return nil
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
