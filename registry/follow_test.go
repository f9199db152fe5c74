package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// tally is a view for tests: the numbers of the entries that each name has, and how often Apply was called.
type tally struct {
	rows    store.Rows
	changed map[string]string
	dirty   int // what it says of itself, for each name changed
	applied *int
}

func (v *tally) Apply(e ledger.Entry) error {
	*v.applied++
	if e.Name == "poison" {
		return errors.New("it cannot be understood")
	}
	was, ok := v.changed[e.Name]
	if !ok {
		kept, err := v.rows.Get(e.Name)
		if err != nil {
			return err
		}
		was = string(kept)
	}
	v.changed[e.Name] = fmt.Sprintf("%s %d", was, e.Seq)
	return nil
}

func (v *tally) Dirty() int { return len(v.changed) * v.dirty }

func (v *tally) Flush(changes map[string][]byte) error {
	for name, text := range v.changed {
		changes[name] = []byte(text)
	}
	return nil
}

func (v *tally) Trim() { clear(v.changed) }

type follower = registry.Follower[*tally]

func follow(st store.Store, batch, dirty int) (*follower, *int) {
	applied := new(int)
	return &follower{Store: st, Name: "tally", Batch: batch, New: func(rows store.Rows) (*tally, error) {
		return &tally{rows: rows, changed: map[string]string{}, dirty: dirty, applied: applied}, nil
	}}, applied
}

// entriesNamed appends entries with these names.
func entriesNamed(t *testing.T, st store.Ledger, names ...string) {
	t.Helper()
	err := st.Append(t.Context(), func(tx store.Appender) error {
		for _, name := range names {
			e := ledger.Entry{Kind: ledger.KindEvent, Recorded: noon, Name: name, Body: []byte("{}")}
			key := store.Key{}
			copy(key[:], fmt.Sprint(tx.Head().Size))
			if _, err := tx.Append(e, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func digest(t *testing.T, st store.Store) string {
	t.Helper()
	_, d, err := registry.Digest(st.Rows(t.Context(), "tally"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Whatever the batch, however often the store fails before or after it has written, and however many followers there are: each
// entry counts once, and the rows are the same.
func TestFollowersAgree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		calm, stormy := memory.New(), memory.New()
		ours, _ := follow(stormy, rapid.IntRange(1, 9).Draw(r, "batch"), rapid.SampledFrom([]int{1, 15000}).Draw(r, "dirty"))
		theirs, _ := follow(stormy, rapid.IntRange(1, 9).Draw(r, "their batch"), 1)
		for range rapid.IntRange(1, 4).Draw(r, "rounds") {
			for range rapid.IntRange(1, 25).Draw(r, "entries") {
				name := fmt.Sprint(rapid.IntRange(0, 6).Draw(r, "name"))
				entriesNamed(t, calm, name)
				entriesNamed(t, stormy, name)
			}
			stormy.Fail = func(op string) error {
				if (op == memory.OpCommit || op == memory.OpCommitted || op == memory.OpRead) && rapid.IntRange(0, 9).Draw(r, "fails") == 0 {
					return errDisk
				}
				return nil
			}
			for range rapid.IntRange(1, 4).Draw(r, "turns") {
				f := rapid.SampledFrom([]*follower{ours, theirs}).Draw(r, "who")
				if _, err := f.CatchUp(t.Context()); err != nil && !errors.Is(err, errDisk) {
					r.Fatal(err)
				}
			}
			stormy.Fail = nil
		}
		if _, err := ours.CatchUp(t.Context()); err != nil {
			r.Fatal(err)
		}
		once, _ := follow(calm, 0, 1)
		if _, err := once.CatchUp(t.Context()); err != nil {
			r.Fatal(err)
		}
		if digest(t, calm) != digest(t, stormy) {
			r.Fatal("the rows differ")
		}
		if _, err := theirs.Rebuild(t.Context()); err != nil {
			r.Fatal(err)
		}
		if digest(t, calm) != digest(t, stormy) {
			r.Fatal("the rows differ after they were made again")
		}
	})
}

// A follower that finds that somebody else went on reads what they wrote, and goes on from there.
func TestConflict(t *testing.T) {
	st := memory.New()
	ours, applied := follow(st, 2, 1)
	theirs, _ := follow(st, 3, 1)
	entriesNamed(t, st, "a", "b", "a", "c", "a")
	st.Fail = func(op string) error {
		if op == memory.OpCommit { // ours is about to commit its first batch
			st.Fail = nil
			if _, err := theirs.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	if _, err := ours.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if value, err := st.Rows(t.Context(), "tally").Get("a"); err != nil || string(value) != " 0 2 4" {
		t.Errorf("%q, %v", value, err)
	}
	if *applied != 2 {
		t.Errorf("%d entries were taken in by the one that came too late, want 2", *applied)
	}
}

// What was committed is not taken in again, and what failed is.
func TestFollowerGoesOn(t *testing.T) {
	st := memory.New()
	f, applied := follow(st, 2, 1)
	entriesNamed(t, st, "a", "b", "c", "d", "e")
	commits := 0
	st.Fail = func(op string) error {
		if op == memory.OpCommit {
			if commits++; commits == 2 {
				return store.ErrFull
			}
		}
		return nil
	}
	var seen []int64
	f.Progress = func(done, total int64) { seen = append(seen, done, total) }
	if _, err := f.CatchUp(t.Context()); !errors.Is(err, store.ErrFull) || *applied != 4 {
		t.Errorf("%v after %d", err, *applied)
	}
	if _, err := f.CatchUp(t.Context()); err != nil || *applied != 7 {
		t.Errorf("%v after %d", err, *applied)
	}
	if _, err := f.CatchUp(t.Context()); err != nil || *applied != 7 {
		t.Errorf("%v after %d", err, *applied)
	}
	if got := fmt.Sprint(seen); got != "[2 5 4 5 5 5]" {
		t.Errorf("progress %s", got)
	}
}

// A view that says that it holds very much is committed early.
func TestFollowerCommitsEarly(t *testing.T) {
	st := memory.New()
	f, _ := follow(st, 100, 60000)
	entriesNamed(t, st, "a", "b", "c", "d", "e")
	commits := 0
	st.Fail = func(op string) error {
		if op == memory.OpCommit {
			commits++
		}
		return nil
	}
	if _, err := f.CatchUp(t.Context()); err != nil || commits != 3 {
		t.Errorf("%d commits, %v", commits, err)
	}
}

// What a view cannot take in ends it there, each time, with the view named; what was before it is kept.
func TestFollowerThatCannotGoOn(t *testing.T) {
	st := memory.New()
	f, _ := follow(st, 2, 1)
	entriesNamed(t, st, "a", "b", "c", "poison", "d")
	for range 2 {
		if _, err := f.CatchUp(t.Context()); err == nil || !strings.Contains(err.Error(), "view tally: it cannot be understood") {
			t.Errorf("%v", err)
		}
	}
	if at, err := st.Cursor(t.Context(), "tally"); at != 2 || err != nil {
		t.Errorf("cursor %d, %v", at, err)
	}
}

// A view of another ledger is refused, with what to do; made again it is this one's.
func TestViewOfAnotherLedger(t *testing.T) {
	st := memory.New()
	entriesNamed(t, st, "a")
	if err := st.Commit(t.Context(), "tally", 0, 7, map[string][]byte{"x": []byte("y")}); err != nil {
		t.Fatal(err)
	}
	f, _ := follow(st, 0, 1)
	if _, err := f.CatchUp(t.Context()); err == nil || !strings.Contains(err.Error(), "has taken in 7 entries, the ledger holds 1") || !strings.Contains(err.Error(), "tidewaiter views rebuild") {
		t.Errorf("%v", err)
	}
	if _, err := f.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if value, err := st.Rows(t.Context(), "tally").Get("x"); value != nil || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	st.Fail = func(op string) error {
		if op == memory.OpDrop {
			return errDisk
		}
		return nil
	}
	if _, err := f.Rebuild(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
}

// The digest is of keys and values, each with its length: no row can be taken for parts of two.
func TestDigest(t *testing.T) {
	digests := map[string]bool{}
	for _, rows := range []map[string][]byte{
		{}, {"a": {}}, {"": []byte("a")}, {"a": []byte("b")}, {"ab": {}}, {"a": {}, "b": {}}, {"a": []byte("bc")}, {"ab": []byte("c")},
	} {
		st := memory.New()
		if err := st.Commit(t.Context(), "tally", 0, 0, rows); err != nil {
			t.Fatal(err)
		}
		n, d, err := registry.Digest(st.Rows(t.Context(), "tally"))
		if err != nil || int(n) != len(rows) || digests[d] {
			t.Errorf("%v: %d rows, %s, %v", rows, n, d, err)
		}
		digests[d] = true
	}
}
