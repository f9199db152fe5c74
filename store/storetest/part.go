package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// RunParts is the suite for transactions of which a part is taken back (store.Parts).
func RunParts(t *testing.T, open Opener) {
	runRows(t, open, []row{
		{"a part is kept or taken back", partKept},
		{"after entries, meta and an erasure", partOfAll},
		{"parts of many entries", partsLarge},
		{"what was asked in advance", partForeseen},
		{"a part that panics", partPanics},
		{"a part of a transaction that fails", partInFailure},
	})
	t.Run("Model", func(t *testing.T) { runPartModel(t, open) })
}

// part runs fn as a part of the transaction.
func part(tx store.Appender, fn func() error) error {
	p, ok := tx.(store.Parts)
	if !ok {
		return errors.New("this store's transactions have no parts")
	}
	return p.Part(fn)
}

// takenBack runs a part that appends n entries and more, and fails.
func takenBack(t *testing.T, tx store.Appender, n int) {
	t.Helper()
	before := tx.Head()
	wantErr(t, part(tx, func() error { return errors.Join(appendSome(tx, n), errFailed) }), errFailed)
	if tx.Head() != before {
		t.Errorf("the head is %+v after a part was taken back, and was %+v", tx.Head(), before)
	}
}

func partKept(t *testing.T, s store.Store) {
	before := Before(t, s)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		takenBack(t, tx, 1)
		takenBack(t, tx, 0)
		return nil
	}))
	before.Unchanged(t, s) // and appends 3 entries
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		for n := range 40 {
			takenBack(t, tx, n%5)
			e, key := Entry(int(tx.Head().Size))
			if _, dup, err := tx.Seen(key); dup || err != nil {
				return fmt.Errorf("a key that was taken back is seen: %t, %w", dup, err)
			}
			if seqs, err := tx.Named(e.Name); len(seqs) != 0 || err != nil {
				return fmt.Errorf("a name that was taken back: %v, %w", seqs, err)
			}
			if err := part(tx, func() error { return appendSome(tx, 1+n%3) }); err != nil {
				return err
			}
		}
		return nil
	}))
	if n := whole(t, s); n != 6+79 {
		t.Errorf("%d entries", n)
	}
}

func partOfAll(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 4)...)
	must(t, s.SetMeta(t.Context(), "m", []byte("old")))
	commit(t, s, "v", 0, 3, map[string][]byte{"k": []byte("row")})
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		first, key := Entry(4)
		if _, err := tx.Append(first, key); err != nil {
			return err
		}
		wantErr(t, part(tx, func() error { return errors.Join(appendSome(tx, 2), Erasing(tx, 1, 4), errFailed) }), errFailed)
		if m, err := tx.Meta("m"); string(m) != "old" || err != nil {
			t.Errorf("meta after a part was taken back: %q, %v", m, err)
		}
		if e, err := tx.Entry(1); err != nil || e.Erased != nil {
			t.Errorf("entry 1: %+v, %v", e, err)
		}
		if e, err := tx.Entry(4); err != nil || e.Erased != nil || !bytes.Equal(e.Body, first.Body) {
			t.Errorf("entry 4: %+v, %v", e, err)
		}
		_, err := tx.Entry(5)
		wantErr(t, err, store.ErrNotFound)
		return part(tx, func() error { return appendSome(tx, 1) })
	}))
	if v, at := get(t, s, "v", "k"), cursor(t, s, "v"); string(v) != "row" || at != 3 {
		t.Errorf("row %q, cursor %d", v, at)
	}
	if m, err := s.Meta(t.Context(), "m"); string(m) != "new" || err != nil {
		t.Errorf("meta %q, %v", m, err)
	}
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		return part(tx, func() error { return Erasing(tx, 1) })
	}))
	if e, err := s.Entry(t.Context(), 1); err != nil || e.Erased == nil || cursor(t, s, "v") != 0 {
		t.Errorf("entry 1: %+v, %v, cursor %d", e, err, cursor(t, s, "v"))
	}
	if n := whole(t, s); n != 7 {
		t.Errorf("%d entries", n)
	}
}

// partsLarge: so many entries that a store writes some of them before the part ends.
func partsLarge(t *testing.T, s store.Store) {
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		for round := range 3 {
			if err := part(tx, func() error { return appendSome(tx, 700+round) }); err != nil {
				return err
			}
			takenBack(t, tx, 2500)
			takenBack(t, tx, 10)
		}
		last := tx.Head().Size - 1
		want, key := Entry(int(last))
		if e, err := tx.Entry(last); err != nil || !bytes.Equal(e.Body, want.Body) {
			return fmt.Errorf("entry %d: %+v, %w", last, e, err)
		}
		if seq, ok, err := tx.Seen(key); !ok || seq != last || err != nil {
			return fmt.Errorf("its key: %d, %t, %w", seq, ok, err)
		}
		return nil
	}))
	if n := whole(t, s); n != 2103 {
		t.Errorf("%d entries", n)
	}
}

func partForeseen(t *testing.T, s store.Store) {
	kept := add(t, s, numbered(0, 3)...)
	asked := numbered(0, 8)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		var keys []store.Key
		var names []string
		for _, e := range asked {
			keys, names = append(keys, KeyOf(e)), append(names, e.Name)
		}
		must(t, store.Foresee(tx, keys, names))
		for i := 3; i < 6; i++ {
			takenBack(t, tx, 2)
			if err := part(tx, func() error { return appendSome(tx, 1) }); err != nil {
				return err
			}
		}
		for i, e := range asked {
			_, ok, err := tx.Seen(KeyOf(e))
			seqs, failed := tx.Named(e.Name)
			if ok != (i < 6) || len(seqs) != min(1, max(0, 6-i)) || err != nil || failed != nil {
				return fmt.Errorf("entry %d: seen %t, named %v, %w, %w", i, ok, seqs, err, failed)
			}
		}
		return nil
	}))
	sameAll(t, kept, all(t, s)[:3])
	if n := whole(t, s); n != 6 {
		t.Errorf("%d entries", n)
	}
}

func partPanics(t *testing.T, s store.Store) {
	before := Before(t, s)
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, errFailed) {
				t.Errorf("recovered %v", err)
			}
		}()
		err := s.Append(t.Context(), func(tx store.Appender) error {
			must(t, part(tx, func() error { return appendSome(tx, 3) }))
			return part(tx, func() error { panic(errors.Join(appendSome(tx, 2), errFailed)) })
		})
		t.Errorf("Append returned %v", err)
	}()
	before.Unchanged(t, s)
}

func partInFailure(t *testing.T, s store.Store) {
	before := Before(t, s)
	wantErr(t, s.Append(t.Context(), func(tx store.Appender) error {
		must(t, part(tx, func() error { return appendSome(tx, 1200) }))
		takenBack(t, tx, 2)
		return errFailed
	}), errFailed)
	before.Unchanged(t, s)
}

// runPartModel appends parts at random, some of which fail: what is left is what those that did not fail appended, in their order.
func runPartModel(t *testing.T, open Opener) {
	s := open(t)
	var want []string
	meta := ""
	rapid.Check(t, func(r *rapid.T) {
		before := len(want)
		err := s.Append(t.Context(), func(tx store.Appender) error {
			for range rapid.IntRange(1, 6).Draw(r, "parts") {
				did, set, err := randomPart(r, tx)
				if err != nil && !errors.Is(err, errUndo) {
					return err
				}
				if err == nil {
					want, meta = append(want, did...), cmp.Or(set, meta)
				}
			}
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
		var got []string
		if err := s.Entries(t.Context(), int64(before), 1<<62, func(e ledger.Entry) error { got = append(got, string(e.Body)); return nil }); err != nil {
			r.Fatal(err)
		}
		m, err := s.Meta(t.Context(), "m")
		if !slices.Equal(got, want[before:]) || string(m) != meta || err != nil {
			r.Fatalf("entries %q, want %q; meta %q, want %q, %v", got, want[before:], m, meta, err)
		}
	})
	if n := whole(t, s); n != int64(len(want)) {
		t.Errorf("%d entries, want %d", n, len(want))
	}
}

// randomPart appends, sets and fails, or not, and tells the bodies that it appended and the value that it set.
func randomPart(r *rapid.T, tx store.Appender) (bodies []string, set string, err error) {
	err = part(tx, func() error {
		for range rapid.IntRange(0, 4).Draw(r, "steps") {
			if rapid.IntRange(0, 3).Draw(r, "set") == 0 {
				set = rapid.SampledFrom([]string{"x", "y"}).Draw(r, "value")
				if err := tx.SetMeta("m", []byte(set)); err != nil {
					return err
				}
			}
			e, key := Entry(int(tx.Head().Size))
			e.Body = []byte(rapid.StringN(1, 4, -1).Draw(r, "body"))
			e.Context = someValues.Draw(r, "context")
			if _, err := tx.Append(e, key); err != nil {
				return err
			}
			bodies = append(bodies, string(e.Body))
		}
		if rapid.Bool().Draw(r, "undo") {
			return errUndo
		}
		return nil
	})
	return bodies, set, err
}
