package ledger

import (
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the frontier of a Merkle tree: the roots of its complete subtrees, at most 63 hashes, which is all that growing it
// needs. The zero value is the empty tree.
type Tree struct {
	size     int64
	frontier []tlog.Hash // largest subtree first; one for each bit that is set in size
}

// LoadTree reads the frontier of a tree of this size.
func LoadTree(size int64, r tlog.HashReader) (*Tree, error) {
	if size < 0 || size > maxSize {
		return nil, fmt.Errorf("a tree of size %d cannot be: sizes go from 0 to 2^60", size)
	}
	t := &Tree{size: size}
	var at []int64
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 1 {
			at = append(at, tlog.StoredHashIndex(level, size>>level-1))
		}
	}
	if len(at) == 0 {
		return t, nil
	}
	frontier, err := r.ReadHashes(at)
	if err != nil {
		return nil, fmt.Errorf("the tree of size %d: %w", size, err)
	}
	if len(frontier) != len(at) {
		return nil, fmt.Errorf("the tree of size %d: asked for %d hashes, given %d", size, len(at), len(frontier))
	}
	t.frontier = slices.Clone(frontier) // Append writes into it, and the reader may hold it still
	return t, nil
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds a leaf, and appends to dst the hashes to be stored, which are numbered (tlog.StoredHashIndex) without a gap
// from tlog.StoredHashCount of the size before.
func (t *Tree) Append(dst []tlog.Hash, leaf tlog.Hash) []tlog.Hash {
	h := leaf
	dst = append(dst, h)
	for range bits.TrailingZeros64(^uint64(t.size)) {
		last := len(t.frontier) - 1
		h = tlog.NodeHash(t.frontier[last], h)
		t.frontier = t.frontier[:last]
		dst = append(dst, h)
	}
	t.frontier = append(t.frontier, h)
	t.size++
	return dst
}

// Root is the tree's hash.
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		h, _ := tlog.TreeHash(0, nil) // cannot fail: it reads nothing
		return h
	}
	last := len(t.frontier) - 1
	h := t.frontier[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.frontier[i], h)
	}
	return h
}

// Clone is a tree of its own that goes on from here.
func (t *Tree) Clone() *Tree { return &Tree{size: t.size, frontier: slices.Clone(t.frontier)} }
