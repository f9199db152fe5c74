package ledger

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Verifier takes a ledger's entries in, one after the other, and gives the tree that they make. Whoever keeps entries can be
// checked with it: stream them in order, and compare the hashes with those that were stored. The zero value has taken in
// nothing.
type Verifier struct {
	tree     Tree
	recorded int64 // microseconds, of the last entry
	dated    bool  // recorded is known
}

// NewVerifier begins with an empty ledger.
func NewVerifier() *Verifier { return new(Verifier) }

// Size is the number of entries taken in.
func (v *Verifier) Size() int64 { return v.tree.Size() }

// Root is the root of the tree over them.
func (v *Verifier) Root() tlog.Hash { return v.tree.Root() }

// Entry takes in the next entry and returns the hashes that must be stored with it (as Tree.Append numbers them). The error
// says what is wrong with the entry itself: it could not have been appended, or its time runs backwards. The hashes are
// there all the same, unless it is not the next entry: then they are nil, and nothing was taken in.
func (v *Verifier) Entry(e Entry) ([]tlog.Hash, error) {
	if e.Seq != v.Size() {
		return nil, fmt.Errorf("entry %d stands where entry %d belongs", e.Seq, v.Size())
	}
	err, at := e.Validate(), e.Recorded.UnixMicro()
	if err == nil && v.dated && at < v.recorded {
		err = fmt.Errorf("it was recorded at %s, %d µs before the entry before it", e.Recorded.UTC().Format(recordedLayout), v.recorded-at)
	}
	v.recorded, v.dated = at, true
	return v.tree.Append(nil, LeafHash(e)), err
}

// Leaf takes in the next entry by its leaf hash alone, for an entry that cannot be read.
func (v *Verifier) Leaf(leaf tlog.Hash) []tlog.Hash { return v.tree.Append(nil, leaf) }

// Damage is one thing that is not as it was written.
type Damage struct {
	Seq  int64  // the entry, or the entry with which the hash was stored; -1 for the ledger as a whole
	Hash int64  // the stored hash (tlog.StoredHashIndex), or -1
	What string // what differs
}

func (d Damage) String() string {
	switch {
	case d.Seq < 0:
		return "ledger: " + d.What
	case d.Hash < 0:
		return fmt.Sprintf("entry %d: %s", d.Seq, d.What)
	}
	return fmt.Sprintf("entry %d, stored hash %d: %s", d.Seq, d.Hash, d.What)
}

// maxDamage is how much damage a report lists; all of it is counted. Who sees a hundred restores a backup.
const maxDamage = 100

// Report is what Fsck found.
type Report struct {
	Size    int64     // entries that there should be
	Entries int64     // entries read
	Hashes  int64     // stored hashes read
	Root    tlog.Hash // of the tree over the entries read, with the stored leaf for each one that could not be
	Damage  []Damage  // the first hundred, in the order in which they were met: that of the entries
	Total   int64     // how much damage there is, listed or not

	// EntriesAsSigned says that the entries give the root that the checkpoint signed. Then what is damaged before the
	// checkpoint is stored hashes only, and those can be computed again.
	EntriesAsSigned bool
	// HashesAsSigned says that the stored hashes lead to the root that the checkpoint signed. When the entries do not give
	// it, it is entries that were changed, and a backup must have them.
	HashesAsSigned bool
}

// OK says that nothing is damaged.
func (r Report) OK() bool { return r.Total == 0 }

func (r *Report) add(seq, hash int64, format string, args ...any) {
	r.Total++
	if len(r.Damage) < maxDamage {
		r.Damage = append(r.Damage, Damage{Seq: seq, Hash: hash, What: fmt.Sprintf(format, args...)})
	}
}

// Fsck reads a whole ledger and says everything about it that is not as it was written. entries streams those with
// from <= Seq < to, in order, and gives a *DamagedError for one that cannot be read; size is the number of entries; last is a
// checkpoint whose signature was checked, of any size, or nil.
//
// Each entry's leaf is computed again, and from the leaves every stored hash. A fault is listed where it is: hashes above it
// that merely follow from it are not listed. Nothing listed means that every entry and every stored hash is as the
// checkpoint signed it, as far as the checkpoint reaches.
//
// The error says that the check itself could not go on: the context ended, or the store failed otherwise than by damage.
// The report then holds what was found so far.
func Fsck(ctx context.Context, entries func(from, to int64, fn func(Entry) error) error, hashes tlog.HashReader, size int64, last *Checkpoint) (Report, error) {
	f := &fsck{ctx: ctx, entries: entries, hashes: hashes, last: last, report: Report{Size: size}, erased: map[int64]Erased{}, said: map[int64]Erased{}, lost: map[int64]bool{}}
	err := f.run(size)
	f.report.Root = f.content.Root()
	if err != nil {
		return f.report, fmt.Errorf("fsck, at entry %d: %w", f.content.Size(), err)
	}
	return f.report, nil
}
