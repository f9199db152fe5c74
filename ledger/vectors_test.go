package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// The files in testdata/vectors were written by another implementation (make.py); see its README.

func readJSON[T any](t testing.TB, name string) (v T) {
	t.Helper()
	if err := json.Unmarshal(vector(t, name), &v, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func TestCommitmentVectors(t *testing.T) {
	type commitment struct {
		About    string         `json:"about"`
		Opening  jsontext.Value `json:"opening"`
		Redacted jsontext.Value `json:"redacted"`
		Hash     string         `json:"hash"`
		Leaf     string         `json:"leaf"`
	}
	all := readJSON[[]commitment](t, "commitments.json")
	if len(all) < 13 {
		t.Fatalf("only %d vectors", len(all))
	}
	for _, want := range all {
		t.Run(want.About, func(t *testing.T) {
			o, err := ledger.ParseOpening(want.Opening)
			if err != nil {
				t.Fatal(err)
			}
			if c := ledger.Commitment(o.Entry); hex.EncodeToString(c[:]) != want.Hash {
				t.Errorf("commitment %x, want %s", c, want.Hash)
			}
			if h := ledger.LeafHash(o.Entry); hex.EncodeToString(h[:]) != want.Leaf {
				t.Errorf("leaf %x, want %s", h[:], want.Leaf)
			}
			checkOpeningVector(t, want.Opening, want.Leaf)
			checkOpeningVector(t, want.Redacted, want.Leaf)
			again, err := json.Marshal(ledger.Open(o.Entry).Redact())
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, again, want.Redacted)
		})
	}
}

func checkOpeningVector(t *testing.T, text jsontext.Value, leaf string) {
	t.Helper()
	o, err := ledger.ParseOpening(text)
	if err != nil {
		t.Fatal(err)
	}
	h, err := o.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(h[:]) != leaf {
		t.Errorf("the opening gives leaf %x, want %s", h[:], leaf)
	}
	again, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, again, text)
}

func sameJSON(t *testing.T, got, want jsontext.Value) {
	t.Helper()
	got, want = got.Clone(), want.Clone()
	for _, v := range []*jsontext.Value{&got, &want} {
		if err := v.Canonicalize(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, want) {
		t.Errorf("written again:\n%s\nwant\n%s", got, want)
	}
}

// vectorLog reads the log of the vectors as a store would hold it.
func vectorLog(t testing.TB) *world {
	t.Helper()
	type grown struct {
		Opening ledger.Opening `json:"opening"`
		Root    string         `json:"root"`
	}
	w := &world{}
	tree := new(ledger.Tree)
	w.roots = append(w.roots, tree.Root())
	for _, g := range readJSON[[]grown](t, "log.json") {
		w.entries = append(w.entries, g.Opening.Entry)
		w.hashes = tree.Append(w.hashes, ledger.LeafHash(g.Opening.Entry))
		root := tree.Root()
		w.roots = append(w.roots, root)
		if hex.EncodeToString(root[:]) != g.Root {
			t.Fatalf("root of size %d is %x, want %s", tree.Size(), root[:], g.Root)
		}
	}
	seed := sha256.Sum256([]byte("tidewaiter test vectors: this key is public, it signs nothing else"))
	skey, vkey, err := ledger.GenerateKey("vectors.tidewaiter.example/log", bytes.NewReader(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(vector(t, "vkey.txt"))); vkey != want {
		t.Fatalf("verifier key %s, want %s", vkey, want)
	}
	if w.signer, err = ledger.LoadSigner(skey + "\n"); err != nil {
		t.Fatal(err)
	}
	if w.signer.VerifierKey() != vkey {
		t.Fatalf("the signer says its verifier key is %s, want %s", w.signer.VerifierKey(), vkey)
	}
	if w.verifier, err = ledger.LoadVerifier(string(vector(t, "vkey.txt"))); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestCheckpointVectors(t *testing.T) {
	w := vectorLog(t)
	for _, size := range []int{0, 6, 13} {
		want := vector(t, map[int]string{0: "checkpoint-0.txt", 6: "checkpoint-6.txt", 13: "checkpoint-13.txt"}[size])
		if got := w.checkpoint(t, size); !bytes.Equal(got, want) {
			t.Errorf("signed at %d:\n%s\nwant\n%s", size, got, want)
		}
		c, err := ledger.ParseCheckpoint(want, w.verifier)
		if err != nil {
			t.Fatal(err)
		}
		if c != (ledger.Checkpoint{Origin: "vectors.tidewaiter.example/log", Size: int64(size), Root: w.roots[size]}) {
			t.Errorf("read at %d: %+v", size, c)
		}
	}
}

func TestProofVectors(t *testing.T) {
	w := vectorLog(t)
	for seq, name := range map[int64]string{0: "entry-0.tlog-proof", 5: "entry-5.tlog-proof", 12: "entry-12.tlog-proof"} {
		want := vector(t, name)
		p, err := ledger.Prove(w.hashes, seq, vector(t, "checkpoint-13.txt"), w.verifier)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Text(); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		read, err := ledger.ParseProof(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Verify(ledger.LeafHash(w.entries[seq]), w.verifier); err != nil {
			t.Error(err)
		}
	}
}

func TestConsistencyVector(t *testing.T) {
	w := vectorLog(t)
	var want tlog.TreeProof
	for _, line := range readJSON[[]string](t, "consistency-6-13.json") {
		h, err := tlog.ParseHash(line)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, h)
	}
	got, err := ledger.ProveConsistency(w.hashes, 6, 13)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d hashes, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("hash %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestReceiptVectors(t *testing.T) {
	w := vectorLog(t)
	issued, err := ledger.Issue(w.hashes, w.entries[5], vector(t, "checkpoint-13.txt"), w.verifier)
	if err != nil {
		t.Fatal(err)
	}
	for name, receipt := range map[string]ledger.Receipt{"receipt-5.json": issued, "receipt-5-redacted.json": issued.Redact()} {
		text, err := json.Marshal(receipt)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, text, vector(t, name))
		read, err := ledger.ParseReceipt(vector(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.VerifyReceipt(read, w.verifier); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProofByHand checks a proof as somebody would who has the standards and none of our code, nor sumdb's: text by text,
// hash by hash.
func TestProofByHand(t *testing.T) {
	leaf := ledger.LeafHash(vectorLog(t).entries[5])
	text := string(vector(t, "entry-5.tlog-proof"))

	head, checkpoint, _ := strings.Cut(text, "\n\n")
	body, signature, _ := strings.Cut(checkpoint, "\n\n")
	body += "\n"
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != "index 5" {
		t.Fatalf("the proof begins %q", lines[:2])
	}
	var path [][]byte
	for _, line := range lines[2:] {
		path = append(path, unbase64(t, line))
	}
	tree := strings.Split(body, "\n")
	if tree[1] != "13" {
		t.Fatalf("the checkpoint's size is %q", tree[1])
	}
	if got, want := rootByHand(5, 13, leaf[:], path), unbase64(t, tree[2]); !bytes.Equal(got, want) {
		t.Errorf("the proof leads to %x, and the checkpoint says %x", got, want)
	}

	// C2SP signed-note: an em dash, the key's name, and base64 of key id and signature.
	vkey := strings.SplitN(strings.TrimSpace(string(vector(t, "vkey.txt"))), "+", 3)
	key := unbase64(t, vkey[2])
	id := sha256.Sum256(append([]byte(vkey[0]+"\n"), key...))
	if got := hex.EncodeToString(id[:4]); got != vkey[1] {
		t.Errorf("key id %s, want %s", got, vkey[1])
	}
	fields := strings.Split(strings.TrimSuffix(signature, "\n"), " ")
	signed := unbase64(t, fields[2])
	if fields[0] != "—" || fields[1] != tree[0] || binary.BigEndian.Uint32(signed) != binary.BigEndian.Uint32(id[:]) {
		t.Errorf("the signature line is %q", signature)
	}
	if !ed25519.Verify(key[1:], []byte(body), signed[4:]) {
		t.Error("the signature does not verify")
	}
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rootByHand runs an audit path from the leaf up, as RFC 9162 section 2.1.3.2 has it: sumdb does it from the root down.
func rootByHand(index, size uint64, leaf []byte, path [][]byte) []byte {
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if fn&1 == 1 || fn == sn {
			r = nodeByHand(p, r)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = nodeByHand(r, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 {
		return nil // the path is too short
	}
	return r
}

func nodeByHand(left, right []byte) []byte {
	h := sha256.New()
	h.Write([]byte{1})
	h.Write(left)
	h.Write(right)
	return h.Sum(nil)
}
