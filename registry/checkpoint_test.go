package registry_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
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

// log is the node's log, with a record of its own in a file.
func (n *node) log(signer *ledger.Signer) *registry.Log {
	if n.record == "" {
		n.record = filepath.Join(n.t.TempDir(), "signed")
	}
	return &registry.Log{Store: n.store, Signer: signer, Record: registry.FileRecord(n.record)}
}

func (n *node) checkpoint(signer *ledger.Signer) (*ledger.Checkpoint, []byte) {
	n.t.Helper()
	l := n.log(signer)
	text, err := l.Checkpoint(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	last, kept, err := l.Last(n.t.Context())
	if err != nil || last == nil || !bytes.Equal(text, kept) {
		n.t.Fatalf("kept %q, signed %q: %v", kept, text, err)
	}
	if recorded, err := l.Record.Load(n.t.Context()); err != nil || string(recorded) != last.Body() {
		n.t.Fatalf("recorded %q, %v; signed %q", recorded, err, text)
	}
	return last, text
}

// A checkpoint is over all that is there, and stays the same until there is more.
func TestCheckpointGrows(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	if last, _, err := n.log(signer).Last(t.Context()); last != nil || err != nil {
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

// restore is a node whose store has the first entries only, as a backup that was made before the rest arrived.
func (n *node) restore(entries int64) *node {
	n.t.Helper()
	old := newNode(n.t)
	old.record = n.record
	err := old.store.Append(n.t.Context(), func(tx store.Appender) error {
		return n.store.Entries(n.t.Context(), 0, entries, func(e ledger.Entry) error {
			_, err := tx.Append(e, store.Key([]byte(fmt.Sprintf("%032d", e.Seq))))
			return err
		})
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return old
}

// A store that lost entries, or holds others in their place, signs nothing more.
func TestRestoredBackupSignsNothing(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall), seen("B", hall)), registry.Options{})
	before, _ := n.checkpoint(signer)
	n.take(document(seen("C", hall), seen("D", hall)), registry.Options{})
	last, _ := n.checkpoint(signer)

	same := n.restore(4)
	if again, _ := same.checkpoint(signer); *again != *last {
		t.Errorf("a backup with everything in it: %+v, want %+v", again, last)
	}
	short := n.restore(2)
	wantFork(t, short, signer, "is over 4 entries, root "+last.Root.String(), "the ledger holds 2, root "+before.Root.String(), "tidewaiter log succeed")
	short.take(document(seen("X", hall), seen("Y", hall), seen("Z", hall)), registry.Options{})
	wantFork(t, short, signer, "is over 4 entries, root "+last.Root.String(), "the first 4 entries of the 5 here", "tidewaiter log succeed")
	if kept, err := short.store.Meta(t.Context(), "checkpoint"); kept != nil || err != nil {
		t.Errorf("it signed %q, %v", kept, err)
	}
}

func wantFork(t *testing.T, n *node, signer *ledger.Signer, words ...string) {
	t.Helper()
	_, err := n.log(signer).Checkpoint(t.Context())
	if !errors.Is(err, registry.ErrFork) || !errors.Is(n.log(signer).Check(t.Context()), registry.ErrFork) {
		t.Fatalf("%v, want a refusal", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nshould say %q", err, w)
		}
	}
}

// Without its record a log cannot know what it signed. One that is older than records are goes on from what its store kept.
func TestRecordLost(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	_, text := n.checkpoint(signer)
	n.record = ""
	wantFork(t, n, signer, "is missing", "--checkpoint-record")

	for size, fork := range map[int64]bool{0: true, 1: false} {
		old := n.restore(size)
		if err := old.store.SetMeta(t.Context(), "checkpoint", text); err != nil {
			t.Fatal(err)
		}
		if fork {
			wantFork(t, old, signer, "is over 1 entries", "the ledger holds 0")
		} else if c, _ := old.checkpoint(signer); c.Size != 1 {
			t.Errorf("signed %+v", c)
		}
	}
}

// The record of another log is left alone.
func TestRecordOfAnotherLog(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.checkpoint(signer)
	other := newNode(t)
	other.record = n.record
	skey, _, err := ledger.GenerateKey("tidewaiter.org/log/other", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	otherSigner, err := ledger.LoadSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.log(otherSigner).Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "the record of another log's last checkpoint") {
		t.Errorf("%v", err)
	}
}

// The key that signed is the only one that may go on, and a checkpoint that was changed is no checkpoint.
func TestCheckpointOfAnotherKey(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	_, text := n.checkpoint(signer)
	if _, err := n.log(newSigner(t)).Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be read with this log's key") {
		t.Errorf("another key: %v", err)
	}
	if err := n.store.SetMeta(t.Context(), "checkpoint", bytes.Replace(text, []byte("\n1\n"), []byte("\n9\n"), 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := n.log(signer).Checkpoint(t.Context()); err == nil {
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
	if _, err := n.log(signer).Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last, _, err := n.log(signer).Last(t.Context()); err != nil || last.Size != 2 {
		t.Errorf("kept is %+v, %v; want that over 2", last, err)
	}
	n.take(document(seen("C", hall)), registry.Options{})
	n.failing(memory.OpKeep, store.ErrFull)
	if _, err := n.log(signer).Checkpoint(t.Context()); !errors.Is(err, store.ErrFull) {
		t.Errorf("a full store: %v", err)
	}
	if last, _, err := n.log(signer).Last(t.Context()); err != nil || last.Size != 2 {
		t.Errorf("kept is %+v, %v; want that over 2", last, err)
	}
}
