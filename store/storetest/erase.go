package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// RunErase is the suite for the destruction of content.
func RunErase(t *testing.T, open Opener) {
	runRows(t, open, []row{
		{"what is erased is gone, and its leaf stays", eraseOne},
		{"a context goes with the last entry that has it", eraseContext},
		{"what is erased may not be erased again, nor what is not there", eraseTwice},
		{"taken back with the transaction", eraseUndone},
		{"views that have it are dropped with it", eraseDropsViews},
	})
}

// Erasing erases entries, and appends the one that says so.
func Erasing(tx store.Appender, seqs ...int64) error {
	record := ledger.NewErasing([32]byte{1})
	for _, seq := range seqs {
		e, err := tx.Entry(seq)
		if err != nil {
			return err
		}
		record.Add(e, nil)
	}
	e, key := Entry(1000 + int(tx.Head().Size))
	e.Kind, e.Name, e.Context, e.Salt = ledger.KindErasure, "erasure", nil, [32]byte{1}
	e.Recorded = time.UnixMicro(tx.Head().Recorded).UTC()
	body, err := record.JSON()
	if err != nil {
		return err
	}
	e.Body = body
	by, err := tx.Append(e, key)
	for _, seq := range seqs {
		if err == nil {
			err = tx.Erase(seq, by)
		}
	}
	return err
}

func erase(t *testing.T, s store.Store, seqs ...int64) {
	t.Helper()
	must(t, s.Append(t.Context(), func(tx store.Appender) error { return Erasing(tx, seqs...) }))
}

func eraseOne(t *testing.T, s store.Store) {
	want := add(t, s, numbered(0, 5)...)
	before, err := s.HashReader(t.Context()).ReadHashes([]int64{tlog.StoredHashIndex(0, 2)})
	must(t, err)
	erase(t, s, 2)
	gone := want[2]
	gone.Erased = &ledger.Erased{Commitment: ledger.Commitment(want[2]), By: 5}
	gone.Context, gone.Body, gone.Salt = nil, []byte{}, [32]byte{}
	want[2] = gone
	sameAll(t, want, all(t, s)[:5])
	got, err := s.Entry(t.Context(), 2)
	must(t, err)
	must(t, same(gone, got))
	if leaf := ledger.LeafHash(got); leaf != before[0] {
		t.Errorf("its leaf is %v, and was %v", leaf, before[0])
	}
	seqs, err := s.Named(t.Context(), gone.Name)
	must(t, err)
	if len(seqs) != 1 || seqs[0] != 2 {
		t.Errorf("its name finds %v", seqs)
	}
	_, key := Entry(2)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if seq, ok, err := tx.Seen(key); err != nil || !ok || seq != 2 {
			t.Errorf("its key: %d, %t, %v", seq, ok, err)
		}
		e, err := tx.Entry(2)
		if err == nil {
			err = same(gone, e)
		}
		return err
	}))
	whole(t, s)
}

func eraseContext(t *testing.T, s store.Store) {
	entries := numbered(0, 4)
	for i, context := range []string{"shared", "shared", "alone", "other"} {
		entries[i].Context = []byte(context)
	}
	add(t, s, entries...)
	erase(t, s, 0, 2)
	more := numbered(10, 2) // which might get the ids of what is gone
	more[0].Context, more[1].Context = []byte("new"), []byte("alone")
	add(t, s, more...)
	for seq, want := range map[int64]string{1: "shared", 3: "other", 5: "new", 6: "alone"} {
		e, err := s.Entry(t.Context(), seq)
		must(t, err)
		if string(e.Context) != want {
			t.Errorf("entry %d has the context %q, want %q", seq, e.Context, want)
		}
	}
	erase(t, s, 1, 3, 5, 6)
	whole(t, s)
}

func eraseTwice(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 2)...)
	erase(t, s, 0)
	wantErr(t, s.Append(t.Context(), func(tx store.Appender) error { return tx.Erase(0, 2) }), store.ErrErased)
	for _, seq := range []int64{-1, 99} {
		wantErr(t, s.Append(t.Context(), func(tx store.Appender) error { return tx.Erase(seq, 2) }), store.ErrNotFound)
	}
	whole(t, s)
}

func eraseUndone(t *testing.T, s store.Store) {
	want := add(t, s, numbered(0, 3)...)
	stop := errors.New("stop")
	err := s.Append(t.Context(), func(tx store.Appender) error {
		if err := Erasing(tx, 1); err != nil {
			return err
		}
		if e, err := tx.Entry(1); err != nil || e.Erased == nil || len(e.Body) > 0 {
			t.Errorf("inside the transaction it is %+v, %v", e, err)
		}
		return stop
	})
	wantErr(t, err, stop)
	sameAll(t, want, all(t, s))
	whole(t, s)
}

func eraseDropsViews(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 5)...)
	for view, cursor := range map[string]int64{"behind": 2, "ahead": 5} {
		must(t, s.Commit(t.Context(), view, 0, cursor, map[string][]byte{"k": []byte("copied")}))
	}
	erase(t, s, 2)
	for view, want := range map[string]int64{"behind": 2, "ahead": 0} {
		at, err := s.Cursor(t.Context(), view)
		must(t, err)
		value, err := s.Rows(t.Context(), view).Get("k")
		must(t, err)
		if at != want || bytes.Equal(value, []byte("copied")) != (want > 0) {
			t.Errorf("the view %s is at %d, want %d, and has %q", view, at, want, value)
		}
	}
	must(t, s.Commit(t.Context(), "ahead", 0, 1, map[string][]byte{"k": {}}))
	wantErr(t, s.Commit(t.Context(), "ahead", 5, 6, nil), store.ErrConflict)
	whole(t, s)
}
