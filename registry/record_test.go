package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// Of many who swap what they saw, one does, each time.
func TestRecordSwapsOnce(t *testing.T) {
	r := registry.FileRecord(filepath.Join(t.TempDir(), "signed"))
	var was []byte
	for round := range 20 {
		var won []string
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				next := fmt.Sprintf("round %d, %d", round, i)
				switch err := r.Swap(t.Context(), was, []byte(next)); {
				case err == nil:
					mu.Lock()
					defer mu.Unlock()
					won = append(won, next)
				case !errors.Is(err, registry.ErrMoved):
					t.Error(err)
				}
			})
		}
		all.Wait()
		now, err := r.Load(t.Context())
		if err != nil || len(won) != 1 || string(now) != won[0] {
			t.Fatalf("round %d: %q won, %q is there, %v", round, won, now, err)
		}
		was = now
	}
}

// What cannot be read or written is no record that is not there.
func TestRecordThatCannotBeRead(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	n.record = t.TempDir() // a folder
	if _, err := n.log(signer).Checkpoint(t.Context()); err == nil {
		t.Error("it signed without a record")
	}
	n.record = filepath.Join(t.TempDir(), "nowhere", "signed")
	if _, err := n.log(signer).Checkpoint(t.Context()); err == nil {
		t.Error("it signed without a record")
	}
	n.record = filepath.Join(t.TempDir(), "signed")
	if err := os.WriteFile(n.record, []byte("half a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := n.log(signer).Checkpoint(t.Context()); err == nil {
		t.Error("it signed over a record that it could not read")
	}
	if kept, err := n.store.Meta(t.Context(), "checkpoint"); kept != nil || err != nil {
		t.Errorf("kept %q, %v", kept, err)
	}
}

// watched is a record that notes what was recorded, in order.
type watched struct {
	registry.Record
	mu     *sync.Mutex
	bodies *[]string
}

func (w watched) Swap(ctx context.Context, was, next []byte) error {
	w.mu.Lock() // so that they are noted in their order
	defer w.mu.Unlock()
	err := w.Record.Swap(ctx, was, next)
	if err == nil {
		*w.bodies = append(*w.bodies, string(next))
	}
	return err
}

// Many sign while many append: whatever is signed was recorded, and each record extends the one before it.
func TestManySign(t *testing.T) {
	n, signer := newNode(t), newSigner(t)
	var mu sync.Mutex
	var bodies []string
	var signed [][]byte
	l := n.log(signer)
	l.Record = watched{l.Record, &mu, &bodies}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				if err := n.add(fmt.Sprintf("%d-%d", i, j)); err != nil {
					t.Error(err)
				}
				text, err := l.Checkpoint(t.Context())
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				signed = append(signed, text)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	checkHistory(t, n.store, bodies)
	for _, text := range signed {
		body, _, _ := strings.Cut(string(text), "\n\n")
		if !slices.Contains(bodies, body+"\n") {
			t.Errorf("signed, and not recorded: %s", body)
		}
	}
	if last, _, err := l.Last(t.Context()); err != nil || last.Size != 160 {
		t.Errorf("the last is %+v, %v", last, err)
	}
}

// add appends one entry.
func (n *node) add(name string) error {
	return n.store.Append(context.Background(), func(tx store.Appender) error {
		_, err := tx.Append(entryNamed(name), store.Key([]byte(fmt.Sprintf("%032s", name))))
		return err
	})
}

// A store that fails at any step leaves nothing from which the log could not go on, and no second history.
func TestCheckpointFailsAtEachStep(t *testing.T) {
	for _, op := range []string{memory.OpAppend, memory.OpKeep, memory.OpKept, memory.OpRead} {
		for after := range 12 {
			n, signer := newNode(t), newSigner(t)
			var mu sync.Mutex
			var bodies []string
			l := n.log(signer)
			l.Record = watched{l.Record, &mu, &bodies}
			for round := range 3 {
				if err := n.add(fmt.Sprint(round)); err != nil {
					t.Fatal(err)
				}
				left := after
				n.store.Fail = func(at string) error {
					if at == op {
						if left--; left < 0 {
							return store.ErrFull
						}
					}
					return nil
				}
				_, err := l.Checkpoint(t.Context())
				n.store.Fail = nil
				if err != nil && !errors.Is(err, store.ErrFull) {
					t.Fatalf("%s, after %d: %v", op, after, err)
				}
			}
			if last, _ := n.checkpoint(signer); last.Size != 3 {
				t.Errorf("%s, after %d: signed %+v in the end", op, after, last)
			}
			checkHistory(t, n.store, bodies)
		}
	}
}
