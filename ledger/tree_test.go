package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
)

func leafOf(seq int64) tlog.Hash { return tlog.RecordHash(fmt.Appendf(nil, "leaf %d", seq)) }

// TestTreeStoresWhatSumdbStores: a store may grow its tree with Tree and read it with everything that sumdb offers.
func TestTreeStoresWhatSumdbStores(t *testing.T) {
	var kept stored
	tree := new(ledger.Tree)
	for seq := range int64(600) {
		want, err := tlog.StoredHashesForRecordHash(seq, leafOf(seq), kept)
		if err != nil {
			t.Fatal(err)
		}
		if count := tlog.StoredHashCount(seq); count != int64(len(kept)) {
			t.Fatalf("size %d has %d stored hashes, want %d", seq, len(kept), count)
		}
		got := tree.Append(nil, leafOf(seq))
		if !slices.Equal(got, want) {
			t.Fatalf("with leaf %d are stored\n%v\nwant\n%v", seq, got, want)
		}
		kept = append(kept, got...)
		root, err := tlog.TreeHash(seq+1, kept)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root() != root || tree.Size() != seq+1 {
			t.Fatalf("size %d root %v, want size %d root %v", tree.Size(), tree.Root(), seq+1, root)
		}
	}
}

// mth is the definition of the Merkle tree hash in RFC 6962 section 2.1, word for word.
func mth(leaves []tlog.Hash) tlog.Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		left, right := mth(leaves[:k]), mth(leaves[k:])
		return tlog.Hash(nodeByHand(left[:], right[:]))
	}
}

func TestRootIsThatOfTheDefinition(t *testing.T) {
	tree := new(ledger.Tree)
	var leaves []tlog.Hash
	for seq := range int64(130) {
		if got, want := tree.Root(), mth(leaves); got != want {
			t.Fatalf("root of size %d is %v, want %v", seq, got, want)
		}
		leaves = append(leaves, leafOf(seq))
		tree.Append(nil, leafOf(seq))
	}
}

// TestLoadedTreeGrowsAlike: a tree that was read again goes on as the one that never stopped.
func TestLoadedTreeGrowsAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 600).Draw(t, "size")
		more := rapid.Int64Range(1, 70).Draw(t, "more")
		whole := new(ledger.Tree)
		var kept stored
		for seq := range size {
			kept = whole.Append(kept, leafOf(seq))
		}
		loaded, err := ledger.LoadTree(size, kept)
		if err != nil {
			t.Fatal(err)
		}
		for seq := size; seq < size+more; seq++ {
			if loaded.Root() != whole.Root() || loaded.Size() != whole.Size() {
				t.Fatalf("at size %d the loaded tree has size %d and root %v, want %v", seq, loaded.Size(), loaded.Root(), whole.Root())
			}
			if got, want := loaded.Append(nil, leafOf(seq)), whole.Append(nil, leafOf(seq)); !slices.Equal(got, want) {
				t.Fatalf("with leaf %d the loaded tree stores %v, want %v", seq, got, want)
			}
		}
	})
}

// TestLoadedTreeLeavesTheReaderAlone: a reader may hand out what it keeps.
func TestLoadedTreeLeavesTheReaderAlone(t *testing.T) {
	frontier := []tlog.Hash{leafOf(0), leafOf(1)}
	tree, err := ledger.LoadTree(3, tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return frontier, nil }))
	if err != nil {
		t.Fatal(err)
	}
	tree.Append(nil, leafOf(2))
	if frontier[0] != leafOf(0) || frontier[1] != leafOf(1) {
		t.Error("growing the tree changed the hashes that its reader keeps")
	}
}

func TestLoadTreeSaysWhatIsWrong(t *testing.T) {
	_, err := ledger.LoadTree(-1, stored{})
	wantError(t, err, "size -1")
	_, err = ledger.LoadTree(3, stored{})
	wantError(t, err, "size 3", "stored hash")
	_, err = ledger.LoadTree(3, tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil }))
	wantError(t, err, "size 3", "given 0")
}
