package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// RunLedger is the suite for the ledger's role.
func RunLedger(t *testing.T, open Opener) {
	runRows(t, open, []row{
		{"an empty ledger", emptyLedger},
		{"what was appended is read again", readAgain},
		{"ranges", ranges},
		{"values that stores like to change", oddValues},
		{"recorded times", recordedTimes},
		{"recorded time never runs backwards", timeBackwards},
		{"large bodies", largeBodies},
		{"many entries in one transaction", manyEntries},
		{"names", names},
		{"keys", keys},
		{"asked in advance", foresee},
		{"a transaction sees itself", seesItself},
		{"salts", salts},
		{"bytes are the caller's again", callersBytes},
		{"entries that are not valid", notValid},
		{"the tree's proofs", proofs},
		{"meta", meta},
		{"several writers", severalWriters},
		{"reading while reading and while writing", readInside},
		{"an appender ends with its transaction", appenderEnds},
		{"a closed store", closedStore},
	})
}

func emptyLedger(t *testing.T, s store.Store) {
	head, err := s.Head(t.Context())
	must(t, err)
	if head != (store.Head{}) {
		t.Errorf("head %+v", head)
	}
	if got := all(t, s); len(got) != 0 {
		t.Errorf("entries: %v", got)
	}
	_, err = s.Entry(t.Context(), 0)
	wantErr(t, err, store.ErrNotFound)
	seqs, err := s.Named(t.Context(), "")
	must(t, err)
	if len(seqs) != 0 {
		t.Errorf("named: %v", seqs)
	}
	_, err = s.HashReader(t.Context()).ReadHashes([]int64{0})
	wantErr(t, err, store.ErrNotFound)
	must(t, s.Append(t.Context(), func(store.Appender) error { return nil }))
	whole(t, s)
}

func readAgain(t *testing.T, s store.Store) {
	want := add(t, s, numbered(0, 3)...)
	want = append(want, add(t, s, numbered(3, 1)...)...)
	sameAll(t, want, all(t, s))
	for i, e := range want {
		got, err := s.Entry(t.Context(), int64(i))
		must(t, err)
		must(t, same(e, got))
		if e.Seq != int64(i) {
			t.Errorf("entry %d has Seq %d", i, e.Seq)
		}
	}
	head, err := s.Head(t.Context())
	must(t, err)
	if want := (store.Head{Size: 4, Recorded: noon.UnixMicro() + 3}); head != want {
		t.Errorf("head %+v, want %+v", head, want)
	}
	_, err = s.Entry(t.Context(), 4)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Entry(t.Context(), -1)
	wantErr(t, err, store.ErrNotFound)
	whole(t, s)
}

func ranges(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 10)...)
	for _, c := range []struct{ from, to, first, n int64 }{
		{0, 10, 0, 10}, {3, 7, 3, 4}, {9, 10, 9, 1}, {10, 20, 0, 0}, {5, 5, 0, 0}, {7, 3, 0, 0}, {-5, 2, 0, 2}, {8, 1 << 62, 8, 2},
	} {
		var got []int64
		must(t, s.Entries(t.Context(), c.from, c.to, func(e ledger.Entry) error {
			got = append(got, e.Seq)
			return nil
		}))
		var want []int64
		for i := range c.n {
			want = append(want, c.first+i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %d to %d: %v, want %v", c.from, c.to, got, want)
		}
	}
	stop := errors.New("stop")
	n := 0
	err := s.Entries(t.Context(), 0, 10, func(ledger.Entry) error {
		if n++; n == 4 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 4 {
		t.Errorf("stopping at 4: %v after %d", err, n)
	}
}

func manyEntries(t *testing.T, s store.Store) {
	const n = 5000
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		for i := range n {
			e, key := Entry(i)
			e.Name = fmt.Sprint("n", i%7)
			e.Context = fmt.Append(nil, "context ", i%3)
			seq, err := tx.Append(e, key)
			if err != nil {
				return err
			}
			if seq != int64(i) || tx.Head().Size != seq+1 || tx.Head().Recorded != e.Recorded.UnixMicro() {
				return fmt.Errorf("entry %d: Seq %d, head %+v", i, seq, tx.Head())
			}
			if got, ok, err := tx.Seen(key); err != nil || !ok || got != seq {
				return fmt.Errorf("the key of entry %d, just appended: %d, %t, %w", i, got, ok, err)
			}
		}
		for _, i := range []int{0, 1, n / 2, n - 1} {
			e, key := Entry(i)
			if seq, ok, err := tx.Seen(key); err != nil || !ok || seq != int64(i) {
				return fmt.Errorf("key of %d: %d, %t, %w", i, seq, ok, err)
			}
			got, err := tx.Entry(int64(i))
			if err != nil {
				return err
			}
			if !bytes.Equal(got.Body, e.Body) || string(got.Context) != fmt.Sprint("context ", i%3) {
				return fmt.Errorf("entry %d is read as %q with %q", i, got.Body, got.Context)
			}
		}
		seqs, err := tx.Named("n3")
		if len(seqs) != (n+3)/7 || !slices.IsSorted(seqs) {
			return fmt.Errorf("%d of name n3: %w", len(seqs), err)
		}
		return err
	}))
	if got := whole(t, s); got != n {
		t.Errorf("%d entries, want %d", got, n)
	}
}

func names(t *testing.T, s store.Store) {
	entries := numbered(0, 6)
	for i, name := range []string{"a", "b", "a", "A", "a ", "a"} {
		entries[i].Name = name
	}
	add(t, s, entries[:3]...)
	add(t, s, entries[3:]...)
	for name, want := range map[string][]int64{"a": {0, 2, 5}, "b": {1}, "A": {3}, "a ": {4}, "": nil, "c": nil} {
		got, err := s.Named(t.Context(), name)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("named %q: %v, want %v", name, got, want)
		}
	}
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		more, _ := Entry(6)
		more.Name = "a"
		if _, err := tx.Append(more, KeyOf(more)); err != nil {
			return err
		}
		got, err := tx.Named("a")
		if !slices.Equal(got, []int64{0, 2, 5, 6}) {
			t.Errorf("named inside the transaction: %v", got)
		}
		return err
	}))
}

func keys(t *testing.T, s store.Store) {
	entries := numbered(0, 3)
	k := store.Key(bytes.Repeat([]byte{0xff}, 32)) // as a number it is negative
	nextTo := k
	nextTo[31]--
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if _, ok, err := tx.Seen(k); ok || err != nil {
			t.Errorf("seen in an empty ledger: %t, %v", ok, err)
		}
		_, err := tx.Append(entries[0], k)
		if err != nil {
			return err
		}
		_, err = tx.Append(entries[1], k)
		wantErr(t, err, store.ErrDuplicate)
		if !strings.Contains(err.Error(), "entry 0") {
			t.Errorf("the message should name entry 0: %v", err)
		}
		return nil
	}))
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		if seq, ok, err := tx.Seen(k); !ok || seq != 0 || err != nil {
			t.Errorf("seen: %d, %t, %v", seq, ok, err)
		}
		if _, ok, err := tx.Seen(nextTo); ok || err != nil {
			t.Errorf("a key that differs in its last byte is seen: %t, %v", ok, err)
		}
		_, err := tx.Append(entries[1], k)
		wantErr(t, err, store.ErrDuplicate)
		_, err = tx.Append(entries[1], nextTo)
		return err
	}))
	if n := whole(t, s); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// foresee asks in advance about some keys and names, and then about these and others while it appends: the answers are the same as
// without.
func foresee(t *testing.T, s store.Store) {
	kept := numbered(0, 5)
	kept[3].Name = "twice"
	add(t, s, kept...)
	var asked []store.Key
	for _, e := range numbered(0, 20) {
		asked = append(asked, KeyOf(e))
	}
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		must(t, store.Foresee(tx, nil, nil))
		for round := range 3 {
			must(t, store.Foresee(tx, asked[round:], []string{"twice", kept[1].Name, "nobody's"}))
			for n := range 1500 { // so many that some are written before the end
				e, key := Entry(100 + 1500*round + n)
				if n%500 == 7 {
					e.Name = "twice"
				}
				if n%500 == 8 {
					e.Name = "never asked about"
				}
				if _, ok, err := tx.Seen(key); ok || err != nil {
					return fmt.Errorf("the key of %d: %t, %w", n, ok, err)
				}
				seq, err := tx.Append(e, key)
				if err != nil {
					return err
				}
				if got, ok, err := tx.Seen(key); !ok || got != seq || err != nil {
					return fmt.Errorf("the key of %d, just appended: %d, %t, %w", n, got, ok, err)
				}
			}
			first, key := Entry(100)
			if got, ok, err := tx.Seen(key); !ok || got != 5 || err != nil {
				return fmt.Errorf("the key of the first: %d, %t, %w", got, ok, err)
			}
			if _, err := tx.Append(first, key); !errors.Is(err, store.ErrTime) && !errors.Is(err, store.ErrDuplicate) {
				return fmt.Errorf("the first again: %w", err)
			}
			for name, want := range map[string]int{"twice": 1 + 3*(round+1), "never asked about": 3 * (round + 1), kept[1].Name: 1, "nobody's": 0} {
				seqs, err := tx.Named(name)
				if len(seqs) != want || !slices.IsSorted(seqs) || err != nil {
					return fmt.Errorf("round %d, named %s: %v, want %d: %w", round, name, seqs, want, err)
				}
			}
		}
		for i, key := range asked {
			if seq, ok, err := tx.Seen(key); err != nil || ok != (i < 5 && i != 3) || ok && seq != int64(i) {
				return fmt.Errorf("the key of entry %d: %d, %t, %w", i, seq, ok, err)
			}
		}
		return nil
	}))
	if n := whole(t, s); n != 5+3*1500 {
		t.Errorf("%d entries", n)
	}
}

func seesItself(t *testing.T, s store.Store) {
	must(t, s.SetMeta(t.Context(), "m", []byte("before")))
	kept := add(t, s, numbered(0, 1)...)
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		e, key := Entry(1)
		seq, err := tx.Append(e, key)
		must(t, err)
		if seq != 1 || tx.Head() != (store.Head{Size: 2, Recorded: e.Recorded.UnixMicro()}) {
			t.Errorf("Seq %d, head %+v", seq, tx.Head())
		}
		if got, ok, err := tx.Seen(key); !ok || got != 1 || err != nil {
			t.Errorf("seen: %d, %t, %v", got, ok, err)
		}
		old, err := tx.Entry(0)
		must(t, err)
		must(t, same(kept[0], old))
		if got, err := tx.Entry(1); err != nil || got.Name != e.Name || !bytes.Equal(got.Context, e.Context) {
			t.Errorf("entry 1 inside: %+v, %v", got, err)
		}
		_, err = tx.Entry(2)
		wantErr(t, err, store.ErrNotFound)
		must(t, tx.SetMeta("m", []byte("inside")))
		if m, err := tx.Meta("m"); string(m) != "inside" || err != nil {
			t.Errorf("meta inside: %q, %v", m, err)
		}
		// Others still see what was there before.
		if head, err := s.Head(t.Context()); head.Size != 1 || err != nil {
			t.Errorf("head outside: %+v, %v", head, err)
		}
		if m, err := s.Meta(t.Context(), "m"); string(m) != "before" || err != nil {
			t.Errorf("meta outside: %q, %v", m, err)
		}
		return nil
	}))
}

func proofs(t *testing.T, s store.Store) {
	var roots []tlog.Hash
	for n := 1; n <= 70; n++ { // 139 stored hashes: beyond any round number that a store may pack them by
		add(t, s, numbered(n, 1)...)
		root, err := tlog.TreeHash(int64(n), s.HashReader(t.Context()))
		must(t, err)
		roots = append(roots, root)
	}
	r := s.HashReader(t.Context())
	for i, e := range all(t, s) {
		proof, err := tlog.ProveRecord(70, int64(i), r)
		must(t, err)
		must(t, tlog.CheckRecord(proof, 70, roots[69], int64(i), ledger.LeafHash(e)))
		older, err := tlog.ProveTree(70, int64(i)+1, r)
		must(t, err)
		must(t, tlog.CheckTree(older, 70, roots[69], int64(i)+1, roots[i]))
	}
	_, err := r.ReadHashes([]int64{-1})
	wantErr(t, err, store.ErrNotFound)
}

func meta(t *testing.T, s store.Store) {
	get := func(name string) []byte {
		t.Helper()
		value, err := s.Meta(t.Context(), name)
		must(t, err)
		return value
	}
	if get("a") != nil {
		t.Error("a value that nobody set")
	}
	must(t, s.SetMeta(t.Context(), "a", []byte("1")))
	must(t, s.SetMeta(t.Context(), "A", []byte{}))
	must(t, s.SetMeta(t.Context(), "", []byte("\x00\xff")))
	if v := get("A"); v == nil || len(v) != 0 {
		t.Errorf("an empty value is read as %#v", v)
	}
	if string(get("a")) != "1" || string(get("")) != "\x00\xff" {
		t.Errorf("a is %q, the empty name %q", get("a"), get(""))
	}
	must(t, s.SetMeta(t.Context(), "a", []byte("2")))
	must(t, s.SetMeta(t.Context(), "A", nil))
	if string(get("a")) != "2" || get("A") != nil {
		t.Errorf("a is %q, A %q", get("a"), get("A"))
	}
	undo := errors.New("undo")
	wantErr(t, s.Append(t.Context(), func(tx store.Appender) error {
		must(t, tx.SetMeta("a", nil))
		if v, err := tx.Meta("a"); v != nil || err != nil {
			t.Errorf("forgotten inside: %q, %v", v, err)
		}
		return undo
	}), undo)
	if string(get("a")) != "2" {
		t.Errorf("after a rollback a is %q", get("a"))
	}
	whole(t, s)
}

func severalWriters(t *testing.T, s store.Store) {
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range each {
				if err := appendNext(t.Context(), s); err != nil {
					t.Errorf("append %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	if n := whole(t, s); n != writers*each {
		t.Errorf("%d entries, want %d", n, writers*each)
	}
}

// appendNext appends an entry that is made from the head: it can only be kept if nobody came in between.
func appendNext(ctx context.Context, s store.Ledger) error {
	return s.Append(ctx, func(tx store.Appender) error {
		e, key := Entry(int(tx.Head().Size))
		_, err := tx.Append(e, key)
		return err
	})
}

func readInside(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 30)...)
	must(t, s.Commit(t.Context(), "v", 0, 1, map[string][]byte{"k": []byte("x")}))
	var wg sync.WaitGroup
	for range 20 { // more than any pool has connections
		wg.Go(func() {
			err := s.Entries(t.Context(), 0, 30, func(e ledger.Entry) error {
				if _, err := s.Entry(t.Context(), 29-e.Seq); err != nil {
					return err
				}
				return s.Rows(t.Context(), "v").Scan("", func(string, []byte) error {
					_, err := s.Rows(t.Context(), "v").Get("k")
					return err
				})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 5 {
		must(t, appendNext(t.Context(), s))
	}
	wg.Wait()
	err := s.Entries(t.Context(), 0, 1, func(ledger.Entry) error { return appendNext(t.Context(), s) })
	must(t, err)
	if n := whole(t, s); n != 36 {
		t.Errorf("%d entries, want 36", n)
	}
}

func appenderEnds(t *testing.T, s store.Store) {
	var kept store.Appender
	must(t, s.Append(t.Context(), func(tx store.Appender) error {
		kept = tx
		return nil
	}))
	e, key := Entry(0)
	if _, err := kept.Append(e, key); err == nil {
		t.Error("an appender was used after its transaction, without an error")
	}
	if n := whole(t, s); n != 0 {
		t.Errorf("%d entries", n)
	}
}

func closedStore(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 1)...)
	must(t, s.Close())
	if err := appendNext(t.Context(), s); err == nil {
		t.Error("append to a closed store: no error")
	}
	if _, err := s.Head(t.Context()); err == nil {
		t.Error("head of a closed store: no error")
	}
	var damaged *ledger.DamagedError
	err := s.Entries(t.Context(), 0, 1, func(ledger.Entry) error { return nil })
	if err == nil || errors.As(err, &damaged) {
		t.Errorf("entries of a closed store: %v", err)
	}
	must(t, s.Close()) // twice is once
}
