package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

var errFailed = errors.New("the test's own failure")

// failures are ways in which a transaction ends badly. Each is given a context that it may cancel.
var failures = []struct {
	name string
	want error // nil: any
	run  func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error
}{
	{"fn fails at once", errFailed, func(ctx context.Context, _ context.CancelCauseFunc, s store.Store) error {
		return s.Append(ctx, func(store.Appender) error { return errFailed })
	}},
	{"fn fails after entries", errFailed, func(ctx context.Context, _ context.CancelCauseFunc, s store.Store) error {
		return s.Append(ctx, func(tx store.Appender) error { return errors.Join(appendSome(tx, 100), errFailed) })
	}},
	{"fn fails after many entries", errFailed, func(ctx context.Context, _ context.CancelCauseFunc, s store.Store) error {
		return s.Append(ctx, func(tx store.Appender) error { return errors.Join(appendSome(tx, 3000), errFailed) })
	}},
	{"fn panics", errFailed, func(ctx context.Context, _ context.CancelCauseFunc, s store.Store) (err error) {
		defer func() { err, _ = recover().(error) }()
		return s.Append(ctx, func(tx store.Appender) error {
			if err := appendSome(tx, 3000); err != nil {
				return err
			}
			panic(errFailed)
		})
	}},
	{"cancelled before", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		cancel(errFailed)
		return s.Append(ctx, func(tx store.Appender) error { return appendSome(tx, 1) })
	}},
	{"cancelled inside", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		return s.Append(ctx, func(tx store.Appender) error {
			if err := appendSome(tx, 2000); err != nil {
				return err
			}
			cancel(errFailed)
			return nil
		})
	}},
	{"cancelled inside, seen inside", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		return s.Append(ctx, func(tx store.Appender) error {
			cancel(errFailed)
			return appendSome(tx, 2000)
		})
	}},
	{"cancelled while waiting", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		var err error
		outer := s.Append(context.WithoutCancel(ctx), func(store.Appender) error {
			done := make(chan error)
			go func() { done <- s.Append(ctx, func(tx store.Appender) error { return appendSome(tx, 1) }) }()
			cancel(errFailed)
			err = <-done
			return nil
		})
		return errors.Join(outer, err)
	}},
	{"a view's commit, cancelled before", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		cancel(errFailed)
		return s.Commit(ctx, "v", 1, 2, map[string][]byte{"k": []byte("new")})
	}},
	{"drop, cancelled before", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		cancel(errFailed)
		return s.Drop(ctx, "v")
	}},
	{"meta, cancelled before", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		cancel(errFailed)
		return s.SetMeta(ctx, "m", []byte("new"))
	}},
	{"reading, cancelled inside", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		return s.Entries(ctx, 0, 2, func(ledger.Entry) error {
			cancel(errFailed)
			return nil
		})
	}},
	{"scanning, cancelled before", errFailed, func(ctx context.Context, cancel context.CancelCauseFunc, s store.Store) error {
		cancel(errFailed)
		return s.Rows(ctx, "v").Scan("", func(string, []byte) error { return nil })
	}},
}

// appendSome appends n entries after the head, with a context and a meta value of its own.
func appendSome(tx store.Appender, n int) error {
	if err := tx.SetMeta("m", []byte("new")); err != nil {
		return err
	}
	for range n {
		e, key := Entry(int(tx.Head().Size))
		e.Context = []byte("a context that nobody had before")
		if _, err := tx.Append(e, key); err != nil {
			return err
		}
	}
	return nil
}

// RunFailures lets transactions end badly. Afterwards everything is as before, and the next one goes through.
func RunFailures(t *testing.T, open Opener) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			s := open(t)
			before := Before(t, s)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			err := f.run(ctx, cancel, s)
			wantErr(t, err, f.want)
			before.Unchanged(t, s)
		})
	}
}

// State is a store's content, to be compared with what it is after a failure.
type State struct{ entries []ledger.Entry }

// Before puts something into an empty store, so that a failure has something to spoil.
func Before(t *testing.T, s store.Store) State {
	t.Helper()
	must(t, s.SetMeta(t.Context(), "m", []byte("old")))
	entries := add(t, s, numbered(0, 3)...)
	commit(t, s, "v", 0, 1, map[string][]byte{"k": []byte("old")})
	return State{entries}
}

// Found is what Before gave some time ago, for a store that it was called on then, perhaps by an older version of the program.
func Found(t *testing.T, s store.Store) State {
	t.Helper()
	entries, want := all(t, s), numbered(0, 3)
	if len(entries) != len(want) {
		t.Fatalf("%d entries, want %d", len(entries), len(want))
	}
	for i := range want {
		want[i].Seq, want[i].Salt = int64(i), entries[i].Salt
		must(t, same(want[i], entries[i]))
	}
	return State{entries}
}

// Unchanged fails the test unless the store is as it was and goes on from there.
func (b State) Unchanged(t *testing.T, s store.Store) {
	t.Helper()
	sameAll(t, b.entries, all(t, s))
	whole(t, s)
	if m, err := s.Meta(t.Context(), "m"); string(m) != "old" || err != nil {
		t.Errorf("meta: %q, %v", m, err)
	}
	if v, at := get(t, s, "v", "k"), cursor(t, s, "v"); string(v) != "old" || at != 1 {
		t.Errorf("row %q, cursor %d", v, at)
	}
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if head := tx.Head(); head.Size != int64(len(b.entries)) {
			t.Errorf("the next transaction begins at %+v", head)
		}
		return appendSome(tx, 3)
	}))
	commit(t, s, "v", 1, 4, map[string][]byte{"k": []byte("new")})
	if n := whole(t, s); n != int64(len(b.entries))+3 {
		t.Errorf("%d entries after the next transaction", n)
	}
}

// Damaged fails the test unless a store whose entry, view, row and meta value were changed behind its back says so of each of them.
func Damaged(t *testing.T, s store.Store, seq int64, view, key, name string) {
	t.Helper()
	var damaged *ledger.DamagedError
	if _, err := s.Entry(t.Context(), seq); !errors.As(err, &damaged) || damaged.Seq != seq {
		t.Errorf("entry %d: %v", seq, err)
	}
	read := int64(0)
	err := s.Entries(t.Context(), 0, 1<<62, func(ledger.Entry) error { read++; return nil })
	if !errors.As(err, &damaged) || damaged.Seq != seq || read != seq {
		t.Errorf("entries: %d are read, then %v", read, err)
	}
	_, err = s.Cursor(t.Context(), view)
	wantErr(t, err, store.ErrDamaged)
	wantErr(t, s.Commit(t.Context(), view, 3, 4, nil), store.ErrDamaged)
	_, err = s.Rows(t.Context(), view).Get(key)
	wantErr(t, err, store.ErrDamaged)
	wantErr(t, s.Rows(t.Context(), view).Scan("", func(string, []byte) error { return nil }), store.ErrDamaged)
	_, err = s.Meta(t.Context(), name)
	wantErr(t, err, store.ErrDamaged)
}
