package registry_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

func signerOf(t *testing.T, origin string) *ledger.Signer {
	t.Helper()
	skey, _, err := ledger.GenerateKey(origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ledger.LoadSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// After a key was replaced, the new one signs, the old one does not, and everything that either signed can be checked.
func TestRotate(t *testing.T) {
	n, first, second, third := newNode(t), newSigner(t), newSigner(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	_, one := n.checkpoint(first)
	handover, err := n.log(first).Rotate(t.Context(), second, n.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.log(first).Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "was retired") {
		t.Errorf("the old key: %v", err)
	}
	if _, err := n.log(first).Rotate(t.Context(), third, n.now); err == nil {
		t.Error("the old key was replaced again")
	}
	n.take(document(seen("B", hall)), registry.Options{})
	_, three := n.checkpoint(second)
	if _, err := n.log(second).Rotate(t.Context(), third, n.now); err != nil {
		t.Fatal(err)
	}
	list, err := n.log(third).ListKeys(t.Context())
	want := []registry.KeyInfo{{third.VerifierKey(), 4, 0}, {second.VerifierKey(), 2, 4}, {first.VerifierKey(), 0, 2}}
	if err != nil || len(list) != 3 || list[0] != want[0] || list[1] != want[1] || list[2] != want[2] {
		t.Errorf("%+v, %v; want %+v", list, err, want)
	}
	keys, err := n.log(third).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{one, handover, three} {
		if _, err := ledger.ParseCheckpoint(text, keys); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*ledger.Signer{first, second} { // whoever knows one of the two can check the checkpoint that hands over
		v, err := ledger.LoadVerifier(s.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ledger.ParseCheckpoint(handover, v); err != nil || c.Size != 2 {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if _, err := n.log(third).Rotate(t.Context(), signerOf(t, "tidewaiter.org/log/other"), n.now); err == nil {
		t.Error("another log's key")
	}
}

// In a ledger begun for history, time is not moved by what the log says of itself.
func TestRotateInHistory(t *testing.T) {
	n, first, second := newNode(t), newSigner(t), newSigner(t)
	n.take(document(seen("A", hall, recorded("2024-01-01T00:00:00Z"))), registry.Options{TrustRecordTime: true})
	if _, err := n.log(first).Rotate(t.Context(), second, n.now); err != nil {
		t.Fatal(err)
	}
	all := n.entries()
	if e := all[1]; e.Kind != ledger.KindKey || !e.Recorded.Equal(all[0].Recorded) || !e.Trusted {
		t.Errorf("%+v", e)
	}
	n.take(document(seen("B", hall, recorded("2024-01-02T00:00:00Z"))), registry.Options{TrustRecordTime: true})
	n.checkpoint(second)
}

// A log that may not sign is succeeded by another, in the same ledger, whose first entry of its own names the old one's end.
func TestSucceed(t *testing.T) {
	n, old := newNode(t), newSigner(t)
	n.take(document(seen("A", hall)), registry.Options{})
	n.checkpoint(old)
	n.take(document(seen("B", hall)), registry.Options{})
	last, _ := n.checkpoint(old)
	for name, lose := range map[string]func(*node){"a backup": func(*node) {}, "no record": func(n *node) { n.record = "" }} {
		t.Run(name, func(t *testing.T) {
			r := n.restore(1)
			text, err := n.store.Meta(t.Context(), "checkpoint")
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string][]byte{"checkpoint": text, "recorded": []byte("1")} {
				if err := r.store.SetMeta(t.Context(), name, value); err != nil {
					t.Fatal(err)
				}
			}
			lose(r)
			wantFork(t, r, old)
			p, err := r.log(old).Predecessor(t.Context())
			if err != nil || p.Origin != old.Origin() || p.Size != 2 || p.Root != last.Root.String() || p.Checkpoint != string(text) {
				t.Fatalf("%+v, %v", p, err)
			}
			if err := r.log(old).Succeed(t.Context(), p, newSigner(t), n.now); err == nil {
				t.Error("a second log of the same name")
			}
			next := signerOf(t, "tidewaiter.org/log/next")
			if err := r.log(old).Succeed(t.Context(), p, next, n.now); err != nil {
				t.Fatal(err)
			}
			if c, _ := r.checkpoint(next); c.Size != 2 || c.Origin != next.Origin() {
				t.Errorf("the new log's first checkpoint is %+v", c)
			}
			var s registry.Succession
			if err := json.Unmarshal(r.entries()[1].Body, &s); err != nil || s.Predecessor.Root != p.Root || s.Predecessor.Kept != 1 || s.Origin != next.Origin() {
				t.Errorf("%+v, %v", s, err)
			}
			r.take(document(seen("B", hall)), registry.Options{})
			r.checkpoint(next)
			if _, err := r.log(old).Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "has ended, and tidewaiter.org/log/next goes on") {
				t.Errorf("the old key goes on: %v", err)
			}
		})
	}
}
