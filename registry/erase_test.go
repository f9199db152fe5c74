package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// hoarder is a view that holds all that it took in in memory, and writes it.
type hoarder struct{ held []string }

func (v *hoarder) Apply(e ledger.Entry) error {
	v.held = append(v.held, string(e.Body))
	return nil
}
func (v *hoarder) Dirty() int { return 1 }
func (v *hoarder) Flush(changes map[string][]byte) error {
	changes["all"] = []byte(strings.Join(v.held, ","))
	return nil
}
func (v *hoarder) Trim() {}

func hoard(st store.Store, batch int) *registry.Follower[*hoarder] {
	return &registry.Follower[*hoarder]{Store: st, Name: "hoard", Batch: batch, New: func(rows store.Rows) (*hoarder, error) {
		v := &hoarder{}
		kept, err := rows.Get("all")
		if kept != nil {
			v.held = strings.Split(string(kept), ",")
		}
		return v, err
	}}
}

// Another process has the erased content in memory, at the very place to which the view was made anew meanwhile.
func TestWhatIsErasedDoesNotComeBackByAnotherFollower(t *testing.T) {
	for _, batch := range []int{1, 2, 3, 0} {
		st := memory.New()
		for i := range 4 {
			event := fmt.Sprintf(`{"eventID":"urn:x:%d","type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-01T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:unit:%d"]}`, i, i)
			appendText(t, st, event)
		}
		slow := hoard(st, batch)
		if _, err := slow.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		done, err := registry.Erase(t.Context(), st, registry.Erasure{Entries: []int64{1}, Reason: "r", By: "a", ConfirmedBy: "b"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		quick, commits, killed := hoard(st, 4), 0, errors.New("killed")
		st.Fail = func(op string) error {
			if op == memory.OpCommit {
				if commits++; commits == 2 {
					return killed
				}
			}
			return nil
		}
		if _, err := quick.CatchUp(t.Context()); !errors.Is(err, killed) {
			t.Fatal(err)
		}
		st.Fail = nil
		if at, err := st.Cursor(t.Context(), "hoard"); err != nil || at != 4 {
			t.Fatal(at, err)
		}
		appendText(t, st, `{"eventID":"urn:x:9","type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-01T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:unit:9"]}`)
		v, err := slow.CatchUp(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept, err := st.Rows(t.Context(), "hoard").Get("all")
		if text := strings.Join(v.held, ",") + string(kept); err != nil || strings.Contains(text, "urn:x:1") || !strings.Contains(text, "urn:x:9") {
			t.Errorf("after entry %d, with batches of %d: %s, %v", done.Seq, batch, text, err)
		}
	}
}

// It is erased while the other one is in the middle of a batch.
func TestWhatIsErasedDuringABatchIsForgotten(t *testing.T) {
	st := memory.New()
	for i := range 4 {
		appendText(t, st, fmt.Sprintf(`{"eventID":"urn:x:%d","type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-01T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:unit:%d"]}`, i, i))
	}
	once := true
	st.Fail = func(op string) error {
		if op != memory.OpCommit || !once {
			return nil
		}
		once = false
		_, err := registry.Erase(t.Context(), st, registry.Erasure{Entries: []int64{1}, Reason: "r", By: "a", ConfirmedBy: "b"}, time.Now())
		return err
	}
	v, err := hoard(st, 0).CatchUp(t.Context())
	if err != nil || strings.Contains(strings.Join(v.held, ","), "urn:x:1") || len(v.held) != 5 {
		t.Errorf("%d entries, %v: %q", len(v.held), err, v.held)
	}
}

// A store that fails while it erases has erased nothing, and says so; done again it is done once.
func TestErasingIsWholeOrNotAtAll(t *testing.T) {
	st := memory.New()
	appendText(t, st, `{"eventID":"urn:x:0","type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-01T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:unit:0"]}`)
	full := errors.New("full")
	st.Fail = func(op string) error {
		if op == memory.OpKeep {
			return full
		}
		return nil
	}
	er := registry.Erasure{Entries: []int64{0, 0}, Reason: "r", By: "a", ConfirmedBy: "b"}
	if _, err := registry.Erase(t.Context(), st, er, time.Now()); !errors.Is(err, full) {
		t.Fatal(err)
	}
	st.Fail = nil
	if e, err := st.Entry(t.Context(), 0); err != nil || e.Erased != nil {
		t.Fatal(e, err)
	}
	if done, err := registry.Erase(t.Context(), st, er, time.Now()); err != nil || done.Seq != 1 {
		t.Fatal(done, err)
	}
	if _, err := registry.Erase(t.Context(), st, er, time.Now()); !errors.Is(err, registry.ErrRefused) {
		t.Fatal(err)
	}
}

func appendText(t *testing.T, st store.Store, body string) {
	t.Helper()
	err := st.Append(t.Context(), func(tx store.Appender) error {
		e := ledger.Entry{Kind: ledger.KindEvent, Recorded: time.UnixMicro(max(1<<40, tx.Head().Recorded)), Name: body[:30], Body: []byte(body)}
		_, err := tx.Append(e, store.Key{byte(tx.Head().Size), 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
