package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// TestEveryProofHoldsForItsOwnLeafOnly: for any entry under any checkpoint there is a proof, which sumdb and the algorithm of
// RFC 9162 accept as well, and which proves nothing else.
func TestEveryProofHoldsForItsOwnLeafOnly(t *testing.T) {
	w := newWorld(t, 300)
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 300).Draw(rt, "size")
		seq := rapid.IntRange(0, size-1).Draw(rt, "seq")
		other := rapid.IntRange(0, 299).Draw(rt, "other")
		p, err := ledger.Prove(w.hashes, int64(seq), w.checkpoint(t, size), w.verifier)
		if err != nil {
			rt.Fatal(err)
		}
		read, err := ledger.ParseProof(p.Text())
		if err != nil {
			rt.Fatal(err)
		}
		leaf := ledger.LeafHash(w.entries[seq])
		if err := read.Verify(leaf, w.verifier); err != nil {
			rt.Fatal(err)
		}
		if err := tlog.CheckRecord(read.Hashes, int64(size), w.roots[size], int64(seq), leaf); err != nil {
			rt.Fatal(err)
		}
		var path [][]byte
		for _, h := range read.Hashes {
			path = append(path, h[:])
		}
		if root := rootByHand(uint64(seq), uint64(size), leaf[:], path); !bytes.Equal(root, w.roots[size][:]) {
			rt.Fatalf("by hand the proof leads to %x, want %v", root, w.roots[size])
		}
		if err := read.Verify(ledger.LeafHash(w.entries[other]), w.verifier); other != seq && !errors.Is(err, ledger.ErrNotProven) {
			rt.Fatalf("the proof of entry %d proves entry %d: %v", seq, other, err)
		}
		read.Index = int64(other)
		if err := read.Verify(leaf, w.verifier); other != seq && !errors.Is(err, ledger.ErrNotProven) {
			rt.Fatalf("the proof at index %d holds at index %d: %v", seq, other, err)
		}
	})
}

// TestAnyChangedByteIsNoticed flips each bit of a proof. Nothing may pass but what means the same.
func TestAnyChangedByteIsNoticed(t *testing.T) {
	w := newWorld(t, 13)
	p, err := ledger.Prove(w.hashes, 5, w.checkpoint(t, 13), w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	text := p.Text()
	for i := range text {
		for bit := range 8 {
			text[i] ^= 1 << bit
			read, err := ledger.ParseProof(text)
			if err == nil {
				err = read.Verify(ledger.LeafHash(w.entries[5]), w.verifier)
			}
			if err == nil {
				t.Errorf("bit %d of byte %d was flipped, and the proof holds:\n%s", bit, i, text)
			}
			text[i] ^= 1 << bit
		}
	}
}

func TestProofWithExtraData(t *testing.T) {
	w := newWorld(t, 3)
	p, err := ledger.Prove(w.hashes, 1, w.checkpoint(t, 3), w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(p.Text(), []byte("extra")) {
		t.Error("a proof without extra data has the line")
	}
	p.Extra = []byte("from elsewhere")
	text := p.Text()
	if !strings.HasPrefix(string(text), "c2sp.org/tlog-proof@v1\nextra ZnJvbSBlbHNld2hlcmU=\nindex 1\n") {
		t.Errorf("written as\n%s", text)
	}
	read, err := ledger.ParseProof(text)
	if err != nil {
		t.Fatal(err)
	}
	if string(read.Extra) != "from elsewhere" {
		t.Errorf("extra data %q", read.Extra)
	}
	if err := read.Verify(ledger.LeafHash(w.entries[1]), w.verifier); err != nil {
		t.Error(err)
	}
}

func TestParseProofSaysWhatIsWrong(t *testing.T) {
	h := leafOf(0).String() + "\n"
	for _, c := range []struct{ about, text, want string }{
		{"nothing", "", "should begin"},
		{"a checkpoint", "x.example\n5\n" + h, "should begin"},
		{"another version", "c2sp.org/tlog-proof@v2\nindex 0\n\nx\n", "should begin"},
		{"carriage returns", "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nx\r\n", "should begin"},
		{"header alone", "c2sp.org/tlog-proof@v1", "no checkpoint follows"},
		{"no checkpoint", "c2sp.org/tlog-proof@v1\nindex 0\n" + h, "no checkpoint follows"},
		{"nothing after the empty line", "c2sp.org/tlog-proof@v1\nindex 0\n" + h + "\n", "no checkpoint follows"},
		{"no index", "c2sp.org/tlog-proof@v1\n" + h + "\nx\n", "index N"},
		{"no lines", "c2sp.org/tlog-proof@v1\n\nx\n", "index N"},
		{"leading zero", "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n", "leading zeroes"},
		{"negative", "c2sp.org/tlog-proof@v1\nindex -1\n\nx\n", "without sign"},
		{"no number", "c2sp.org/tlog-proof@v1\nindex \n\nx\n", "decimal"},
		{"empty extra", "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx\n", "left out"},
		{"extra twice", "c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\nx\n", "index N"},
		{"extra late", "c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\nx\n", "hash 1"},
		{"broken extra", "c2sp.org/tlog-proof@v1\nextra A\nindex 0\n\nx\n", "not base64"},
		{"stray bits", "c2sp.org/tlog-proof@v1\nextra AB==\nindex 0\n\nx\n", "not base64"},
		{"carriage return in base64", "c2sp.org/tlog-proof@v1\nextra AA\r==\nindex 0\n\nx\n", "something in between"},
		{"short hash", "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx\n", "3 bytes"},
		{"two hashes on a line", "c2sp.org/tlog-proof@v1\nindex 0\n" + leafOf(0).String() + " " + h + "\nx\n", "not base64"},
		{"a path too long", "c2sp.org/tlog-proof@v1\nindex 0\n" + strings.Repeat(h, 64) + "\nx\n", "64 hashes"},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := ledger.ParseProof([]byte(c.text))
			wantError(t, err, c.want)
		})
	}
}

func TestProveSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, 13)
	checkpoint := w.checkpoint(t, 8)
	for _, seq := range []int64{-1, 8, 12} {
		_, err := ledger.Prove(w.hashes, seq, checkpoint, w.verifier)
		wantError(t, err, "the first 8 entries only")
	}
	_, err := ledger.Prove(w.hashes[:4], 7, checkpoint, w.verifier)
	wantError(t, err, "prove entry 7", "stored hash")
	_, otherKey := newKey(t, origin, 2)
	_, err = ledger.Prove(w.hashes, 0, checkpoint, otherKey)
	wantError(t, err, "not signed by")

	// A proof that would not hold is not handed out.
	for index := range int64(len(w.hashes)) {
		w.hashes[index][0] ^= 1
		for seq := range int64(8) {
			if p, err := ledger.Prove(w.hashes, seq, checkpoint, w.verifier); err == nil && p.Verify(ledger.LeafHash(w.entries[seq]), w.verifier) != nil {
				t.Errorf("stored hash %d is damaged, and entry %d was given a proof that does not hold", index, seq)
			}
		}
		w.hashes[index][0] ^= 1
	}
	w.hashes[0][0] ^= 1
	_, err = ledger.Prove(w.hashes, 0, checkpoint, w.verifier)
	wantError(t, err, "damaged", "log fsck")
}

func TestConsistency(t *testing.T) {
	w := newWorld(t, 200)
	at := func(size int) ledger.Checkpoint {
		return ledger.Checkpoint{Origin: origin, Size: int64(size), Root: w.roots[size]}
	}
	rapid.Check(t, func(t *rapid.T) {
		newer := rapid.IntRange(0, 200).Draw(t, "newer")
		older := rapid.IntRange(0, newer).Draw(t, "older")
		p, err := ledger.ProveConsistency(w.hashes, int64(older), int64(newer))
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(p, at(older), at(newer)); err != nil {
			t.Fatal(err)
		}
		forked := at(newer)
		forked.Root[31] ^= 1
		if err := ledger.CheckConsistency(p, at(older), forked); older > 0 && !errors.Is(err, ledger.ErrNotProven) {
			t.Fatalf("size %d extends size %d with another root: %v", newer, older, err)
		}
		forked = at(older)
		forked.Root[0] ^= 1
		if err := ledger.CheckConsistency(p, forked, at(newer)); !errors.Is(err, ledger.ErrNotProven) {
			t.Fatalf("size %d with another root is extended by size %d: %v", older, newer, err)
		}
		if err := ledger.CheckConsistency(append(slices.Clone(p), leafOf(0)), at(older), at(newer)); !errors.Is(err, ledger.ErrNotProven) {
			t.Fatalf("a proof with a hash too many: %v", err)
		}
	})
}

func TestConsistencySaysWhatIsWrong(t *testing.T) {
	w := newWorld(t, 5)
	_, err := ledger.ProveConsistency(w.hashes, 5, 4)
	wantError(t, err, "never shrinks")
	_, err = ledger.ProveConsistency(w.hashes, -1, 4)
	wantError(t, err, "0 to 2^60")
	_, err = ledger.ProveConsistency(w.hashes, 3, 1<<62)
	wantError(t, err, "0 to 2^60")
	_, err = ledger.ProveConsistency(w.hashes, 3, 9)
	wantError(t, err, "size 9 extends", "stored hash")

	four := ledger.Checkpoint{Origin: origin, Size: 4, Root: w.roots[4]}
	five := ledger.Checkpoint{Origin: origin, Size: 5, Root: w.roots[5]}
	wantError(t, ledger.CheckConsistency(nil, five, four), "does not extend")
	four.Origin = "x.example"
	wantError(t, ledger.CheckConsistency(nil, four, five), "two logs")
	five.Size = 1 << 62
	four.Origin = origin
	wantError(t, ledger.CheckConsistency(nil, four, five), "2^60")
}

func FuzzParseProof(f *testing.F) {
	for _, name := range []string{"entry-0.tlog-proof", "entry-5.tlog-proof", "entry-12.tlog-proof"} {
		f.Add(vector(f, name))
	}
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nx\n"))
	w := vectorLog(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ParseProof(text)
		if err != nil {
			return
		}
		if again := p.Text(); !bytes.Equal(again, text) {
			t.Errorf("read from %q, but written as %q", text, again)
		}
		if err := p.Verify(leafOf(0), w.verifier); err == nil {
			t.Error("a leaf that is not in the log was proven")
		}
	})
}
