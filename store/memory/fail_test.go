package memory_test

import (
	"errors"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// Each operation can be made to fail. Those that fail beforehand leave everything as it was; those that fail afterwards have
// done their work, as when the connection breaks between a commit and its answer.
func TestFail(t *testing.T) {
	full := errors.New("full")
	appendOne := func(t *testing.T, s *memory.Store) error {
		return s.Append(t.Context(), func(tx store.Appender) error {
			e, key := storetest.Entry(9)
			_, err := tx.Append(e, key)
			return err
		})
	}
	commit := func(t *testing.T, s *memory.Store) error {
		return s.Commit(t.Context(), "v", 1, 2, map[string][]byte{"k": []byte("new")})
	}
	for _, c := range []struct {
		op   string
		do   func(t *testing.T, s *memory.Store) error
		kept bool
	}{
		{memory.OpAppend, appendOne, false},
		{memory.OpKeep, appendOne, false},
		{memory.OpKept, appendOne, true},
		{memory.OpCommit, commit, false},
		{memory.OpCommitted, commit, true},
		{memory.OpDrop, func(t *testing.T, s *memory.Store) error { return s.Drop(t.Context(), "v") }, false},
		{memory.OpSetMeta, func(t *testing.T, s *memory.Store) error { return s.SetMeta(t.Context(), "m", nil) }, false},
		{memory.OpRead, func(t *testing.T, s *memory.Store) error { _, err := s.Head(t.Context()); return err }, false},
		{memory.OpRead, func(t *testing.T, s *memory.Store) error { return s.Rows(t.Context(), "v").Scan("", nil) }, false},
	} {
		t.Run(c.op, func(t *testing.T) {
			s := memory.New()
			before := storetest.Before(t, s)
			s.Fail = func(op string) error {
				if op == c.op {
					return full
				}
				return nil
			}
			if err := c.do(t, s); !errors.Is(err, full) {
				t.Fatalf("got %v", err)
			}
			s.Fail = nil
			if !c.kept {
				before.Unchanged(t, s)
				return
			}
			head, e1 := s.Head(t.Context())
			at, e2 := s.Cursor(t.Context(), "v")
			if err := errors.Join(e1, e2); err != nil || head.Size == 3 && at == 1 {
				t.Errorf("nothing was kept: %+v, cursor %d, %v", head, at, err)
			}
		})
	}
}
