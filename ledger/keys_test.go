package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// newPair makes an Ed25519 and an ML-DSA-44 key of one log.
func newPair(t testing.TB, origin string, seed byte) *ledger.Signer {
	t.Helper()
	one, _, err := ledger.GenerateKey(origin, strings.NewReader(strings.Repeat(string(rune(seed)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	two, vkey, err := ledger.GeneratePostQuantumKey(origin, strings.NewReader(strings.Repeat(string(rune(seed)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ledger.LoadSigner(one + "\n" + two + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if keys := s.VerifierKeys(); len(keys) != 2 || keys[0] != s.VerifierKey() || keys[1] != vkey {
		t.Fatalf("verifier keys %q", keys)
	}
	return s
}

func loadKeys(t testing.TB, lines ...string) *ledger.Keys {
	t.Helper()
	var all []ledger.Key
	for _, line := range lines {
		k, err := ledger.ParseKey(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	keys, err := ledger.NewKeys(all...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Either signature is enough for whoever holds either key; each is refused once the checkpoint or the signature was changed.
func TestTwoSignatures(t *testing.T) {
	w, s := newWorld(t, 9), newPair(t, origin, 1)
	text, err := ledger.Sign(s, 9, w.roots[9])
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ledger.Sign(s, 9, w.roots[9]); err != nil || !bytes.Equal(again, text) {
		t.Errorf("signed again, it is another text: %v", err)
	}
	for i, vkey := range s.VerifierKeys() {
		v, err := ledger.LoadVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ledger.ParseCheckpoint(text, v); err != nil || c.Size != 9 || c.Root != w.roots[9] {
			t.Errorf("key %d: %+v, %v", i, c, err)
		}
		if _, err := ledger.ParseCheckpoint(bytes.Replace(text, []byte("\n9\n"), []byte("\n8\n"), 1), v); !errors.Is(err, ledger.ErrNotProven) {
			t.Errorf("key %d, another size: %v", i, err)
		}
		other, err := ledger.LoadVerifier(newPair(t, origin, 2).VerifierKeys()[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.ParseCheckpoint(text, other); !errors.Is(err, ledger.ErrNotProven) {
			t.Errorf("another key %d: %v", i, err)
		}
	}
}

// What an old key signed stays valid; what it signs after it was retired is worth nothing, whatever it says.
func TestRetiredKey(t *testing.T) {
	w := newWorld(t, 9)
	first, _ := newKey(t, origin, 1)
	second := newPair(t, origin, 2)
	keys := loadKeys(t, append(second.VerifierKeys(), ledger.KeyText(first.VerifierKey(), 6))...)
	sign := func(s *ledger.Signer, size int64) []byte {
		text, err := ledger.Sign(s, size, w.roots[size])
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, text := range [][]byte{sign(first, 1), sign(first, 6), sign(second, 7), sign(second.With(first), 6), sign(second.With(first), 9)} {
		if _, err := ledger.ParseCheckpoint(text, keys); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	_, err := ledger.ParseCheckpoint(sign(first, 7), keys)
	wantError(t, err, "over 7 entries", "was retired at 6")
	if !errors.Is(err, ledger.ErrNotProven) {
		t.Errorf("%v is no answer", err)
	}
	stranger, _ := newKey(t, origin, 3)
	if _, err := ledger.ParseCheckpoint(sign(stranger, 3), keys); !errors.Is(err, ledger.ErrNotProven) {
		t.Errorf("a stranger's: %v", err)
	}
}

// A proof under an old key's checkpoint is verified with all keys, and the verdict names the one that signed.
func TestProofUnderARetiredKey(t *testing.T) {
	w := newWorld(t, 9)
	second, _ := newKey(t, origin, 2)
	keys := loadKeys(t, second.VerifierKey(), ledger.KeyText(w.signer.VerifierKey(), 6))
	receipt, err := ledger.Issue(w.hashes, w.entries[3], w.checkpoint(t, 6), keys)
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := ledger.VerifyReceipt(receipt, keys)
	if err != nil || !strings.Contains(verdict.Checked[0], strings.Split(w.signer.VerifierKey(), "+")[1]) {
		t.Errorf("%v, %v", verdict.Checked, err)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	s, other := newPair(t, origin, 1), newPair(t, "tidewaiter.example/other", 1)
	vkey := s.VerifierKeys()[1]
	skey, _, err := ledger.GeneratePostQuantumKey(origin, strings.NewReader(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	secret := skey[strings.LastIndexByte(skey, '+')+1:]
	ed, _, err := ledger.GenerateKey(origin, strings.NewReader(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ml-dsa alone": skey, "two ml-dsa": skey + "\n" + skey, "three": ed + "\n" + skey + "\n" + skey, "cut": ed + "\n" + skey[:len(skey)-4],
		"another key id": ed + "\n" + strings.Replace(skey, "+KEY+"+origin+"+", "+KEY+"+origin+"+0", 1), "two logs": ed + "\n" + strings.Replace(skey, origin, "x.example", 1),
	} {
		if _, err := ledger.LoadSigner(text); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{vkey[:len(vkey)-4], "x" + vkey, vkey + " until=0", vkey + " until=-1", vkey + " since=4", vkey + " until=4 5"} {
		if k, err := ledger.ParseKey(text); err == nil {
			t.Errorf("%.40q… was read as %+v", text, k)
		}
	}
	a, errA := ledger.ParseKey(s.VerifierKey())
	b, errB := ledger.ParseKey(other.VerifierKey())
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for _, keys := range [][]ledger.Key{nil, {a, b}, {a, a}} {
		if _, err := ledger.NewKeys(keys...); err == nil {
			t.Errorf("%v make a log's keys", keys)
		}
	}
}
