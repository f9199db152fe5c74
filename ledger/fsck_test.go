package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// shelf is a store with faults: rows that cannot be read, and rows that are not there.
type shelf struct {
	*world
	unreadable map[int64]bool // entries
	missing    map[int64]bool
	lost       map[int64]bool // stored hashes that cannot be read
	ahead      int64          // how far it looks for damage before it hands anything out
}

func newShelf(t testing.TB, size int) *shelf {
	return &shelf{world: newWorld(t, size), unreadable: map[int64]bool{}, missing: map[int64]bool{}, lost: map[int64]bool{}}
}

func (s *shelf) stream(from, to int64, fn func(ledger.Entry) error) error {
	for seq := from; seq < to; seq++ {
		for look := seq; look <= min(seq+s.ahead, to-1); look++ {
			if s.unreadable[look] {
				return fmt.Errorf("entries: %w", &ledger.DamagedError{Seq: look, Err: errors.New("a byte has gone")})
			}
		}
		if s.missing[seq] {
			continue
		}
		if err := fn(s.entries[seq]); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	for _, i := range indexes {
		if s.lost[i] {
			return nil, fmt.Errorf("hash %d is lost", i)
		}
	}
	return s.hashes.ReadHashes(indexes)
}

func (s *shelf) at(size int) *ledger.Checkpoint {
	return &ledger.Checkpoint{Origin: origin, Size: int64(size), Root: s.roots[size]}
}

func (s *shelf) fsck(t testing.TB, last *ledger.Checkpoint) ledger.Report {
	t.Helper()
	r, err := ledger.Fsck(t.Context(), s.stream, s, int64(len(s.entries)), last)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func places(r ledger.Report) (at []string) {
	for _, d := range r.Damage {
		at = append(at, fmt.Sprintf("%d/%d", d.Seq, d.Hash))
	}
	return at
}

func TestFsckOfAWholeLedger(t *testing.T) {
	for _, size := range []int{0, 1, 2, 3, 64, 1023, 1024, 1025, 2500} {
		s := newShelf(t, size)
		for _, signed := range []int{0, size / 2, size} {
			r := s.fsck(t, s.at(signed))
			if !r.OK() || !r.EntriesAsSigned || !r.HashesAsSigned {
				t.Errorf("size %d, signed at %d: %+v", size, signed, r)
			}
			if r.Size != int64(size) || r.Entries != int64(size) || r.Hashes != int64(len(s.hashes)) || r.Root != s.roots[size] {
				t.Errorf("size %d: %+v", size, r)
			}
		}
		if r := s.fsck(t, nil); !r.OK() || r.EntriesAsSigned || r.HashesAsSigned {
			t.Errorf("size %d without a checkpoint: %+v", size, r)
		}
	}
}

// TestFsckFindsEachFaultOnceWhereItIs damages one thing after the other, in ledgers of many sizes.
func TestFsckFindsEachFaultOnceWhereItIs(t *testing.T) {
	for _, size := range []int{1, 2, 5, 8, 13, 64, 100} {
		s := newShelf(t, size)
		want := func(about, place string, entriesAsSigned bool) {
			t.Helper()
			r := s.fsck(t, s.at(size))
			if got := places(r); !slices.Equal(got, []string{place}) || r.Total != 1 {
				t.Errorf("size %d, %s: found at %v, want %s: %v", size, about, got, place, r.Damage)
			}
			if r.EntriesAsSigned != entriesAsSigned {
				t.Errorf("size %d, %s: entries as signed: %v", size, about, r.EntriesAsSigned)
			}
		}
		for i := range s.hashes {
			seq := 0
			for tlog.StoredHashCount(int64(seq)+1) <= int64(i) {
				seq++
			}
			s.hashes[i][i%32] ^= 0x10
			want("a stored hash changed", fmt.Sprintf("%d/%d", seq, i), true)
			s.hashes[i][i%32] ^= 0x10
			s.lost[int64(i)] = true
			want("a stored hash lost", fmt.Sprintf("%d/%d", seq, i), true)
			delete(s.lost, int64(i))
		}
		for seq := range s.entries {
			leaf := fmt.Sprintf("%d/%d", seq, tlog.StoredHashIndex(0, int64(seq)))
			kept := s.entries[seq]
			for field, change := range map[string]func(e *ledger.Entry){
				"kind":    func(e *ledger.Entry) { e.Kind = "ewent" },
				"trusted": func(e *ledger.Entry) { e.Trusted = !e.Trusted },
				"speaker": func(e *ledger.Entry) { e.Speaker += "0" },
				"name":    func(e *ledger.Entry) { e.Name = "urn:Example" },
				"context": func(e *ledger.Entry) { e.Context = []byte("{}") },
				"body":    func(e *ledger.Entry) { e.Body = nil },
				"salt":    func(e *ledger.Entry) { e.Salt[0] ^= 1 },
			} {
				change(&s.entries[seq])
				want(field+" changed", leaf, false)
				s.entries[seq] = kept
			}
			s.unreadable[int64(seq)] = true
			want("an entry unreadable", fmt.Sprintf("%d/-1", seq), false)
			delete(s.unreadable, int64(seq))
			s.missing[int64(seq)] = true
			want("an entry missing", fmt.Sprintf("%d/-1", seq), false)
			delete(s.missing, int64(seq))
		}
	}
}

// TestFsckFindsEveryFault: whatever is damaged together, each damaged entry and each damaged leaf is named, and so is every
// other hash unless what is below it was lost.
func TestFsckFindsEveryFault(t *testing.T) {
	whole := newWorld(t, 2100)
	rapid.Check(t, func(rt *rapid.T) {
		s := &shelf{world: &world{}, unreadable: map[int64]bool{}, missing: map[int64]bool{}, lost: map[int64]bool{}}
		s.entries, s.hashes, s.roots = slices.Clone(whole.entries), slices.Clone(whole.hashes), whole.roots
		s.ahead = rapid.Int64Range(0, 3).Draw(rt, "ahead")
		someEntry, someHash := rapid.Int64Range(0, 2099), rapid.Int64Range(0, int64(len(s.hashes)-1))
		changed := rapid.SliceOfNDistinct(someEntry, 0, 5, rapid.ID[int64]).Draw(rt, "changed")
		for _, seq := range changed {
			s.entries[seq].Body = []byte("changed")
		}
		for _, seq := range rapid.SliceOfN(someEntry, 0, 5).Draw(rt, "unreadable") {
			s.unreadable[seq] = true
		}
		for _, seq := range rapid.SliceOfN(someEntry, 0, 5).Draw(rt, "missing") {
			s.missing[seq] = true
		}
		for _, i := range rapid.SliceOfN(someHash, 0, 5).Draw(rt, "lost") {
			s.lost[i] = true
		}
		flipped := rapid.SliceOfNDistinct(someHash, 0, 5, rapid.ID[int64]).Draw(rt, "flipped")
		for _, i := range flipped {
			s.hashes[i][7] ^= 1
		}
		r := s.fsck(t, s.at(1700))
		found := places(r)
		if len(found) != int(r.Total) {
			rt.Fatalf("%d listed of %d", len(found), r.Total)
		}
		must := func(seq, hash int64) {
			if place := fmt.Sprintf("%d/%d", seq, hash); !slices.Contains(found, place) {
				rt.Errorf("nothing is said of %s; found %v", place, r.Damage)
			}
		}
		for seq := range s.unreadable {
			must(seq, -1)
		}
		for seq := range s.missing {
			must(seq, -1)
		}
		for i := range s.lost {
			level, n := tlog.SplitStoredHashIndex(i)
			must((n+1)<<level-1, i)
		}
		for _, seq := range changed {
			if i := tlog.StoredHashIndex(0, seq); !s.unreadable[seq] && !s.missing[seq] && !s.lost[i] {
				must(seq, i)
			}
		}
		if anything := len(found) > 0; anything != (len(changed)+len(s.unreadable)+len(s.missing)+len(s.lost)+len(flipped) > 0) {
			rt.Errorf("found %v", r.Damage)
		}
		if !slices.IsSorted(seqs(r)) {
			rt.Errorf("damage is not in the order of the entries: %v", r.Damage)
		}
	})
}

func seqs(r ledger.Report) (all []int64) {
	for _, d := range r.Damage {
		if d.Seq >= 0 {
			all = append(all, d.Seq)
		}
	}
	return all
}

// TestFsckTellsFaultsThatMeet: what cannot be read hides nothing beside it and makes nothing beside it look damaged.
func TestFsckTellsFaultsThatMeet(t *testing.T) {
	for _, c := range []struct {
		about  string
		size   int
		damage func(s *shelf)
		want   []string
	}{
		{"an entry and its leaf", 50, func(s *shelf) { s.unreadable[8] = true; s.lost[15] = true }, []string{"8/-1", "8/15"}},
		{"the last entry and its leaf", 9, func(s *shelf) { s.unreadable[8] = true; s.lost[15] = true }, []string{"8/-1", "8/15"}},
		{"a lost leaf under a changed node", 50, func(s *shelf) { s.lost[3] = true; s.hashes[5][0] ^= 1 }, []string{"2/3", "3/5"}},
		{"a lost node under a changed node", 50, func(s *shelf) { s.lost[5] = true; s.hashes[6][0] ^= 1 }, []string{"3/5", "3/6"}},
		{"a changed entry under a lost node", 50, func(s *shelf) { s.entries[2].Body = nil; s.lost[5] = true }, []string{"2/3", "3/5"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			s := newShelf(t, c.size)
			c.damage(s)
			if r := s.fsck(t, s.at(c.size)); !slices.Equal(places(r), c.want) {
				t.Errorf("found %v, want %v", r.Damage, c.want)
			}
		})
	}
}

// TestFsckBelievesAStoreThatComplains: rows that came are checked, and what the store said of them is not forgotten.
func TestFsckBelievesAStoreThatComplains(t *testing.T) {
	s := newShelf(t, 4)
	complaint := &ledger.DamagedError{Seq: 1, Err: errors.New("its checksum differs")}
	for _, c := range []struct {
		about  string
		stream func(from, to int64, fn func(ledger.Entry) error) error
		want   []string
	}{
		{"after all rows", func(from, to int64, fn func(ledger.Entry) error) error {
			return errors.Join(s.stream(from, to, fn), complaint)
		}, []string{"1/-1"}},
		{"after each row", func(from, to int64, fn func(ledger.Entry) error) error {
			return errors.Join(s.stream(from, from+1, fn), complaint)
		}, []string{"1/-1", "1/-1"}},
		{"of a row that comes when it is asked for alone", func(from, to int64, fn func(ledger.Entry) error) error {
			if to-from > 1 {
				return complaint
			}
			return s.stream(from, to, fn)
		}, nil},
	} {
		r, err := ledger.Fsck(t.Context(), c.stream, s, 4, s.at(4))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(places(r), c.want) || r.Entries != 4 || !r.EntriesAsSigned {
			t.Errorf("%s: %+v, want %v", c.about, r, c.want)
		}
	}
}

// TestFsckFindsAHistoryWrittenAnew: somebody who can write everything but has no key changes an entry and makes every hash
// fit. Only the signature tells.
func TestFsckFindsAHistoryWrittenAnew(t *testing.T) {
	s := newShelf(t, 100)
	signed := s.at(60)
	s.entries[30].Body = []byte("{}")
	tree, hashes := new(ledger.Tree), stored(nil)
	for _, e := range s.entries {
		hashes = tree.Append(hashes, ledger.LeafHash(e))
	}
	s.hashes = hashes
	if r := s.fsck(t, nil); !r.OK() {
		t.Fatalf("it fits together, yet: %v", r.Damage)
	}
	r := s.fsck(t, signed)
	if r.OK() || r.EntriesAsSigned || r.HashesAsSigned || !strings.Contains(r.Damage[0].String(), "ledger: the first 60 entries have the root") {
		t.Errorf("%+v", r)
	}
}

func TestFsckSaysWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		about  string
		damage func(s *shelf)
		last   int
		want   string
	}{
		{"entries cut off", func(s *shelf) { s.entries, s.hashes = s.entries[:30], s.hashes[:tlog.StoredHashCount(30)] }, 50,
			"entry 30: entries are missing from here on: the signed checkpoint speaks of 50, and the ledger has 30"},
		{"time running backwards", func(s *shelf) {
			for i := 20; i < 50; i++ {
				s.entries[i].Recorded = s.entries[i].Recorded.Add(-time.Hour)
			}
		}, 0, "entry 20: it was recorded at 2026-03-01T08:00:00.015000Z, 3599998500 µs before the entry before it"},
		{"an entry that none may append", func(s *shelf) { s.entries[9].Kind = "" }, 0, "entry 9: an entry needs a kind"},
		{"an entry under another number", func(s *shelf) { s.entries[9].Seq = 8 }, 0, "entry 8: the store gave it where entry 9 belongs"},
		{"an entry from elsewhere", func(s *shelf) { s.entries[9].Seq = 4000 }, 0, "entry 4000: the store gave it where entry 9 belongs"},
		{"an unreadable row", func(s *shelf) { s.unreadable[9] = true }, 0, "entry 9: it cannot be read: a byte has gone"},
		{"a changed body", func(s *shelf) { s.entries[9].Body = nil }, 0, "entry 9, stored hash 16: the tree holds the leaf hash"},
		{"a changed node", func(s *shelf) { s.hashes[14][0] ^= 1 }, 0, "entry 7, stored hash 14: it is "},
		{"a lost node", func(s *shelf) { s.lost[14] = true }, 0, "entry 7, stored hash 14: it cannot be read: stored hash 14: hash 14 is lost"},
	} {
		t.Run(c.about, func(t *testing.T) {
			s := newShelf(t, 50)
			last := s.at(c.last)
			c.damage(s)
			var said []string
			for _, d := range s.fsck(t, last).Damage {
				said = append(said, d.String())
			}
			if !slices.ContainsFunc(said, func(d string) bool { return strings.HasPrefix(d, c.want) }) {
				t.Errorf("it says\n%s\nwant\n%s", strings.Join(said, "\n"), c.want)
			}
		})
	}
}

func TestFsckCountsWhatItDoesNotList(t *testing.T) {
	s := newShelf(t, 1500)
	for seq := range int64(700) {
		s.missing[2*seq] = true
	}
	r := s.fsck(t, s.at(1500))
	if len(r.Damage) != 100 || r.Total != 700 || r.Entries != 800 {
		t.Errorf("%d listed of %d, %d entries read", len(r.Damage), r.Total, r.Entries)
	}
	if !r.HashesAsSigned || r.EntriesAsSigned {
		t.Errorf("the hashes are as signed and the entries are not: %+v", r)
	}
}

func TestFsckStopsWhenItCannotGoOn(t *testing.T) {
	s := newShelf(t, 3000)
	_, err := ledger.Fsck(t.Context(), s.stream, s, -1, nil)
	wantError(t, err, "-1 entries")

	closed := errors.New("the store is closed")
	_, err = ledger.Fsck(t.Context(), func(from, to int64, fn func(ledger.Entry) error) error { return closed }, s, 3000, nil)
	wantError(t, err, "fsck, at entry 0", "closed")
	if !errors.Is(err, closed) {
		t.Errorf("%v does not wrap the store's error", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.missing[3] = true
	r, err := ledger.Fsck(ctx, func(from, to int64, fn func(ledger.Entry) error) error {
		return s.stream(from, to, func(e ledger.Entry) error {
			if e.Seq == 1500 {
				cancel()
			}
			return fn(e)
		})
	}, s, 3000, nil)
	if !errors.Is(err, context.Canceled) || r.Entries != 1500 || r.Total != 1 {
		t.Errorf("%v after %d entries with %d faults", err, r.Entries, r.Total)
	}
}

// TestVerifierGivesWhatIsToBeStored: whoever streams entries through it gets each stored hash, in order.
func TestVerifierGivesWhatIsToBeStored(t *testing.T) {
	w := newWorld(t, 200)
	v := ledger.NewVerifier()
	var all stored
	for _, e := range w.entries {
		if v.Root() != w.roots[v.Size()] {
			t.Fatalf("root of size %d is %v, want %v", v.Size(), v.Root(), w.roots[v.Size()])
		}
		hashes, err := v.Entry(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, hashes...)
	}
	if !slices.Equal(all, w.hashes) {
		t.Error("other hashes than were stored")
	}
	if hashes, err := v.Entry(w.entries[3]); hashes != nil || err == nil || v.Size() != 200 {
		t.Errorf("an entry out of order: %v, %v, size %d", hashes, err, v.Size())
	}
	late := entry(200)
	late.Recorded = late.Recorded.Add(-time.Hour)
	if hashes, err := v.Entry(late); hashes == nil || err == nil || v.Size() != 201 {
		t.Errorf("an entry from before: %v, %v, size %d", hashes, err, v.Size())
	}
}

func BenchmarkFsck(b *testing.B) {
	s := newShelf(b, 10000)
	last := s.at(10000)
	for b.Loop() {
		if r := s.fsck(b, last); !r.OK() {
			b.Fatal(r.Damage)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "entries/s")
}
