package registry_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

func newSigner(t *testing.T) *ledger.Signer {
	t.Helper()
	key, _, err := ledger.GenerateKey("tidewaiter.org/log/test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.LoadSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (n *node) checkpoint(signer *ledger.Signer) (*ledger.Checkpoint, []byte) {
	n.t.Helper()
	text, err := registry.Checkpoint(n.t.Context(), n.store, signer)
	if err != nil {
		n.t.Fatal(err)
	}
	last, kept, err := registry.LastCheckpoint(n.t.Context(), n.store, signer.VerifierKey())
	if err != nil || last == nil || !bytes.Equal(text, kept) {
		n.t.Fatalf("kept %q, signed %q: %v", kept, text, err)
	}
	return last, text
}

// A checkpoint is over all that is there, and stays the same until there is more.
func TestCheckpointGrows(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	if last, _, err := registry.LastCheckpoint(t.Context(), n.store, signer.VerifierKey()); last != nil || err != nil {
		t.Errorf("before the first: %v, %v", last, err)
	}
	empty, _ := n.checkpoint(signer)
	n.take(document(seen("A", hall), seen("B", hall)), registry.Options{})
	two, text := n.checkpoint(signer)
	_, again := n.checkpoint(signer)
	n.take(document(seen("C", hall)), registry.Options{})
	three, _ := n.checkpoint(signer)
	if empty.Size != 0 || two.Size != 2 || three.Size != 3 || two.Root == three.Root || !bytes.Equal(text, again) {
		t.Errorf("%+v, %+v, %+v", empty, two, three)
	}
}

// A ledger that is shorter than what was signed was restored from an older backup: nothing more is signed over it.
func TestCheckpointNeverGoesBack(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall), seen("B", hall)), registry.Options{})
	_, text := n.checkpoint(signer)
	restored := newNode(t)
	restored.take(document(seen("A", hall)), registry.Options{})
	if err := restored.store.SetMeta(t.Context(), "checkpoint", text); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Checkpoint(t.Context(), restored.store, signer); err == nil || !strings.Contains(err.Error(), "over 2 entries, and the ledger holds 1") {
		t.Errorf("%v", err)
	}
}

// The key that signed is the only one that may go on, and a checkpoint that was changed is no checkpoint.
func TestCheckpointOfAnotherKey(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	_, text := n.checkpoint(signer)
	if _, err := registry.Checkpoint(t.Context(), n.store, newSigner(t)); err == nil || !strings.Contains(err.Error(), "cannot be read with this log's key") {
		t.Errorf("another key: %v", err)
	}
	if err := n.store.SetMeta(t.Context(), "checkpoint", bytes.Replace(text, []byte("\n1\n"), []byte("\n9\n"), 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Checkpoint(t.Context(), n.store, signer); err == nil {
		t.Error("it went on from a checkpoint that was changed")
	}
}

// When another process signs in between, what it kept stands; when the store fails, nothing is kept and nothing was signed.
func TestCheckpointWhileOthersSign(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	n.store.Fail = func(op string) error {
		if op == memory.OpAppend { // ours comes to its transaction; meanwhile another captures and signs
			n.store.Fail = nil
			n.take(document(seen("B", hall)), registry.Options{})
			n.checkpoint(signer)
		}
		return nil
	}
	if _, err := registry.Checkpoint(t.Context(), n.store, signer); err != nil {
		t.Fatal(err)
	}
	if last, _, err := registry.LastCheckpoint(t.Context(), n.store, signer.VerifierKey()); err != nil || last.Size != 2 {
		t.Errorf("kept is %+v, %v; want that over 2", last, err)
	}
	n.take(document(seen("C", hall)), registry.Options{})
	n.failing(memory.OpKeep, store.ErrFull)
	if _, err := registry.Checkpoint(t.Context(), n.store, signer); !errors.Is(err, store.ErrFull) {
		t.Errorf("a full store: %v", err)
	}
	if last, _, err := registry.LastCheckpoint(t.Context(), n.store, signer.VerifierKey()); err != nil || last.Size != 2 {
		t.Errorf("kept is %+v, %v; want that over 2", last, err)
	}
}
