package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// fsckBatch is how many entries are asked for at once.
const fsckBatch = 1024

// fsck walks along two trees side by side: the content's, computed from the entries, and the stored one, as it was read.
type fsck struct {
	ctx     context.Context
	entries func(from, to int64, fn func(Entry) error) error
	hashes  tlog.HashReader
	last    *Checkpoint
	report  Report

	content Verifier
	unread  int64  // entries that could not be read
	stored  []node // the stored tree's frontier, largest subtree first
	batch   []node // the stored hashes of this batch
	first   int64  // the index of the first of them

	erased map[int64]Erased // entries without their content
	lost   map[int64]bool   // entries that could not be read
	said   map[int64]Erased // entries of which an erasure says that their content was destroyed
}

// node is a hash as it was stored; where that could not be read, as it should be; not ok when that is unknown too.
type node struct {
	hash tlog.Hash
	ok   bool
	err  error // why it could not be read
}

func (f *fsck) run(size int64) error {
	if size < 0 || size > maxSize {
		return fmt.Errorf("a ledger of %d entries cannot be: sizes go from 0 to 2^60", size)
	}
	f.compareRoot()
	for from := int64(0); from < size; from += fsckBatch {
		if err := f.readBatch(min(from+fsckBatch, size)); err != nil {
			return err
		}
	}
	f.compareErased(size)
	if f.last != nil && f.last.Size > size {
		f.report.add(size, -1, "entries are missing from here on: the signed checkpoint speaks of %d, and the ledger has %d", f.last.Size, size)
	}
	return nil
}

// readBatch takes in the entries up to to. At damage it reads one entry singly, then streams on.
func (f *fsck) readBatch(to int64) error {
	if err := f.readHashes(tlog.StoredHashCount(f.next()), tlog.StoredHashCount(to)); err != nil {
		return err
	}
	for f.next() < to {
		damaged, err := f.stream(to)
		switch {
		case err != nil:
			return err
		case damaged == nil:
			f.missing(to)
		case f.next() == to:
			f.doubtful(damaged)
		default:
			if err := f.single(); err != nil {
				return err
			}
		}
	}
	return nil
}

// single takes in the next entry alone: a store may find damage further on before it hands out what comes first.
func (f *fsck) single() error {
	seq := f.next()
	damaged, err := f.stream(seq + 1)
	switch {
	case err != nil:
		return err
	case damaged == nil:
		f.missing(seq + 1)
	case f.next() == seq:
		f.skip("it cannot be read: %v", damaged.Err)
	default:
		f.doubtful(damaged)
	}
	return nil
}

func (f *fsck) doubtful(d *DamagedError) {
	f.report.add(d.Seq, -1, "it was read, and then said to be damaged: %v", d.Err)
}

func (f *fsck) next() int64 { return f.content.Size() }

// stream takes in what the store gives of the entries up to to. Damage is not an error here.
func (f *fsck) stream(to int64) (*DamagedError, error) {
	err := f.entries(f.next(), to, func(e Entry) error {
		f.take(e, to)
		return f.ctx.Err()
	})
	if ended := f.ctx.Err(); ended != nil {
		return nil, ended
	}
	if damaged, ok := errors.AsType[*DamagedError](err); ok {
		return damaged, nil
	}
	return nil, err
}

// take takes in one entry, and those before it as missing that the store left out.
func (f *fsck) take(e Entry, to int64) {
	if e.Seq < f.next() || e.Seq >= to {
		f.report.add(e.Seq, -1, "the store gave it where entry %d belongs", f.next())
		return
	}
	f.missing(e.Seq)
	want, err := f.content.Entry(e)
	if err != nil {
		f.report.add(e.Seq, -1, "%v", err)
	}
	f.report.Entries++
	f.noteErased(e)
	f.compare(e.Seq, want, true)
}

// noteErased remembers what is to be compared once everything was read: erasures stand behind what they are about.
func (f *fsck) noteErased(e Entry) {
	if e.Erased != nil {
		f.erased[e.Seq] = *e.Erased
	}
	if e.Kind != KindErasure {
		return
	}
	record, err := ParseErasing(e)
	if err != nil {
		f.report.add(e.Seq, -1, "%v", err)
		return
	}
	for _, gone := range record.Entries {
		f.said[gone.Seq] = Erased{Commitment: gone.Commitment, By: e.Seq}
	}
}

// compareErased holds what is erased against what erasures say. Who destroys an entry's content without saying so is found out,
// although the tree has no more of it than before.
func (f *fsck) compareErased(size int64) {
	for _, seq := range slices.Sorted(maps.Keys(f.erased)) {
		e := f.erased[seq]
		switch said, ok := f.said[seq]; {
		case e.By >= size: // it came while we were reading
		case !ok || said.By != e.By:
			f.report.add(seq, -1, "its content was destroyed, and entry %d, which should say by whom and why, does not; restore it from a backup", e.By)
		case said.Commitment != e.Commitment:
			f.report.add(seq, -1, "the commitment that was kept of it is not the one that its erasure, entry %d, names", e.By)
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(f.said)) {
		if _, ok := f.erased[seq]; !ok && !f.lost[seq] {
			f.report.add(seq, -1, "entry %d says that its content was destroyed, and it is still there", f.said[seq].By)
		}
	}
}

func (f *fsck) missing(until int64) {
	for f.next() < until {
		f.skip("it is missing")
	}
}

// skip goes on without the next entry, with its leaf as stored in its place, so that those after it can be checked.
func (f *fsck) skip(format string, args ...any) {
	seq := f.next()
	f.report.add(seq, -1, format, args...)
	f.lost[seq] = true
	f.unread++
	f.compare(seq, f.content.Leaf(f.at(tlog.StoredHashCount(seq)).hash), false)
}

// readHashes reads the stored hashes of a batch, one by one when they cannot be read together.
func (f *fsck) readHashes(from, to int64) error {
	var indexes []int64
	for i := from; i < to; i++ {
		indexes = append(indexes, i)
	}
	f.first, f.batch = from, f.batch[:0]
	got, err := f.hashes.ReadHashes(indexes)
	if err == nil && len(got) == len(indexes) {
		for _, h := range got {
			f.batch = append(f.batch, node{hash: h, ok: true})
		}
		return f.ctx.Err()
	}
	for _, i := range indexes {
		h, err := readHash(f.hashes, i)
		if ended := f.ctx.Err(); ended != nil {
			return ended
		}
		f.batch = append(f.batch, node{hash: h, ok: err == nil, err: err})
	}
	return nil
}

func (f *fsck) at(index int64) node { return f.batch[index-f.first] }

// compare compares the hashes that were stored with an entry with those that should have been. known says that the first
// was computed from the entry.
func (f *fsck) compare(seq int64, want []tlog.Hash, known bool) {
	at := tlog.StoredHashCount(seq)
	n := f.compareHash(seq, at, want[0], node{hash: want[0], ok: known})
	for i, h := range want[1:] {
		last := len(f.stored) - 1
		left := f.stored[last]
		f.stored = f.stored[:last]
		below := node{hash: tlog.NodeHash(left.hash, n.hash), ok: left.ok && n.ok}
		n = f.compareHash(seq, at+1+int64(i), h, below)
	}
	f.stored = append(f.stored, n)
	f.compareRoot()
}

// compareHash compares one stored hash. It may differ from what the entries give, as long as it follows from what was stored
// below it: then the fault lies further down, and is listed there.
func (f *fsck) compareHash(seq, index int64, want tlog.Hash, below node) node {
	got := f.at(index)
	if got.err != nil {
		f.report.add(seq, index, "it cannot be read: %v", got.err)
		return below
	}
	f.report.Hashes++
	if got.hash == want || !below.ok || got.hash == below.hash {
		return got
	}
	if level, n := tlog.SplitStoredHashIndex(index); level > 0 {
		f.report.add(seq, index, "it is %v, and should be %v, which the two below it give; it stands over the entries %d to %d",
			got.hash, want, n<<level, (n+1)<<level-1)
	} else {
		f.report.add(seq, index, "the tree holds the leaf hash %v, and the entry gives %v: one of them was changed", got.hash, want)
	}
	return got
}

// compareRoot compares both trees with the signed checkpoint, at its size. That only one of them differs was listed before,
// where it does.
func (f *fsck) compareRoot() {
	if f.last == nil || f.last.Size != f.next() {
		return
	}
	content, stored := f.content.Root(), f.storedRoot()
	f.report.EntriesAsSigned = f.unread == 0 && content == f.last.Root
	f.report.HashesAsSigned = stored.ok && stored.hash == f.last.Root
	if content != f.last.Root && stored.ok && stored.hash != f.last.Root {
		f.report.add(-1, -1, "the first %d entries have the root %v, and the checkpoint signed %v: the ledger was written anew, or the checkpoint is of another",
			f.last.Size, content, f.last.Root)
	}
}

func (f *fsck) storedRoot() node {
	if len(f.stored) == 0 {
		return node{hash: f.content.Root(), ok: true}
	}
	last := len(f.stored) - 1
	n := f.stored[last]
	for i := last - 1; i >= 0; i-- {
		n = node{hash: tlog.NodeHash(f.stored[i].hash, n.hash), ok: f.stored[i].ok && n.ok}
	}
	return n
}
