package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

const bad = `{"type":"ObjectEvent","action":"LOOK",` + idOne + `,"eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00"}`

// A document is kept as a whole or not at all. All that is wrong is named, each with its place.
func TestWholeOrNothing(t *testing.T) {
	n := newNode(t)
	doc := withMaster(document(seen("A", hall), bad, seen("B", hall), `{"type":"ObjectEvent"}`), `{"name":"no id"}`)
	r, err := n.capture(doc, registry.Options{Name: "some.json"})
	var fault *registry.DocumentError
	if !errors.Is(err, registry.ErrRejected) || !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), "some.json: 3 of 5 not valid: nothing of the document was kept") {
		t.Errorf("error: %v", err)
	}
	if diff := cmp.Diff(registry.Result{Rejected: 3}, r); diff != "" {
		t.Error(diff)
	}
	if len(n.entries()) != 0 {
		t.Errorf("kept: %v", n.entries())
	}
	var got []string
	for _, x := range n.rejects {
		got = append(got, fmt.Sprintf("%s %d %d %s %s", x.Document, x.Kind, x.Index, x.EventID, x.Pointer))
	}
	want := []string{
		fmt.Sprintf("some.json %d 0  /epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0/name", epcis.ItemMasterData),
		fmt.Sprintf("some.json %d 1 urn:uuid:00000000-0000-4000-8000-000000000001 /epcisBody/eventList/1/action", epcis.ItemEvent),
		fmt.Sprintf("some.json %d 3  /epcisBody/eventList/3/eventTime", epcis.ItemEvent),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// With Proceed what is good of it is kept, in the document's order, master data first.
func TestProceed(t *testing.T) {
	n := newNode(t)
	doc := withMaster(document(seen("A", hall), bad, seen("B", hall)), `{"name":"no id"}`, place(hall, "Hall", operator))
	r, err := n.capture(doc, registry.Options{Proceed: true})
	if err != nil || r.Accepted != 3 || r.Rejected != 2 || r.Events != 2 || *r.FirstSeq != 0 || *r.LastSeq != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if e := n.entries(); e[0].Name != hall || !strings.Contains(string(e[1].Body), "/21/A") || !strings.Contains(string(e[2].Body), "/21/B") {
		t.Errorf("%v", e)
	}
}

// What is at fault in a document is told apart from what is at fault in the store: after the first the next document may come.
func TestWhoseFaultItIs(t *testing.T) {
	for name, doc := range map[string]string{
		"no JSON":                       "Dear reader,",
		"no EPCIS":                      `{"dear":"reader"}`,
		"cut off":                       document(seen("A", hall))[:300],
		"a context that is none":        strings.Replace(document(seen("A", hall)), atContext, `"@context":[7]`, 1),
		"a context that is none, alone": `{"type":"ObjectEvent","@context":[[]]}`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			_, err := n.capture(doc, registry.Options{Proceed: true})
			var fault *registry.DocumentError
			if !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), "test.json: ") || len(n.entries()) != 0 {
				t.Errorf("%v; kept: %v", err, n.entries())
			}
		})
	}
	for _, op := range []string{memory.OpAppend, memory.OpKeep} {
		for _, proceed := range []bool{false, true} {
			n := newNode(t)
			n.failing(op, store.ErrFull)
			r, err := n.capture(document(seen("A", hall)), registry.Options{Proceed: proceed})
			var fault *registry.DocumentError
			if !errors.Is(err, store.ErrFull) || errors.As(err, &fault) || r != (registry.Result{}) || len(n.entries()) != 0 {
				t.Errorf("%s: %+v, %v, %v", op, r, err, n.entries())
			}
		}
	}
}

// A source that breaks off is reported with what it said, and nothing of it is kept.
func TestSourceThatFails(t *testing.T) {
	n := newNode(t)
	reg := registry.Registry{Store: n.store, Now: func() time.Time { return n.now }}
	src := &broken{text: document(seen("A", hall), seen("B", hall))[:500]}
	_, err := reg.Capture(t.Context(), src, registry.Options{Name: "some.json", SpoolDir: t.TempDir()})
	if !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), "some.json: ") || len(n.entries()) != 0 {
		t.Errorf("%v; kept: %v", err, n.entries())
	}
}

type broken struct{ text string }

func (b *broken) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, errDisk
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

// A capture that is given up keeps nothing, unless it may keep a part: then what it counted is there.
func TestGivenUp(t *testing.T) {
	for _, proceed := range []bool{false, true} {
		n := newNode(t)
		ctx, stop := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		events := make([]string, 3000)
		for i := range events {
			events[i] = seen(fmt.Sprintf("U%d", i), hall)
		}
		reg := registry.Registry{Store: n.store, Now: func() time.Time { return n.now }}
		r, err := reg.Capture(ctx, strings.NewReader(document(events...)), registry.Options{Name: "some.json", Proceed: proceed, SpoolDir: t.TempDir(),
			Progress: func(done, total int64) {
				if total != 3000 || done > total {
					t.Errorf("%d of %d", done, total)
				}
				if done > 2500 {
					stop(enough)
				}
			}})
		stop(nil)
		if !errors.Is(err, enough) || int64(len(n.entries())) != r.Accepted {
			t.Errorf("proceed %v: %+v, %v, and %d entries", proceed, r, err, len(n.entries()))
		}
		if want := map[bool]int64{false: 0, true: 2000}[proceed]; r.Accepted != want {
			t.Errorf("proceed %v: %d accepted, want %d", proceed, r.Accepted, want)
		}
	}
}

// With Proceed a failure in the middle leaves what was committed before it, and the result counts exactly that.
func TestFailureInTheMiddle(t *testing.T) {
	n := newNode(t)
	events := make([]string, 5000)
	for i := range events {
		events[i] = seen(fmt.Sprintf("U%d", i), hall)
	}
	transactions := 0
	n.store.Fail = func(op string) error {
		if op == memory.OpKeep {
			if transactions++; transactions == 3 {
				return store.ErrFull
			}
		}
		return nil
	}
	r, err := n.capture(document(events...), registry.Options{Proceed: true})
	if !errors.Is(err, store.ErrFull) || r.Accepted != 4000 || r.Events != 4000 || *r.FirstSeq != 0 || *r.LastSeq != 3999 || len(n.entries()) != 4000 {
		t.Errorf("%+v, %v, %d entries", r, err, len(n.entries()))
	}
	if accepted, duplicates := n.take(document(events...), registry.Options{}); accepted != 1000 || duplicates != 4000 {
		t.Errorf("and then %d accepted, %d duplicates", accepted, duplicates)
	}
}

// What broke between the commit and its answer was kept, and was not acknowledged. Sent again it is a duplicate.
func TestKeptAndNotAcknowledged(t *testing.T) {
	n := newNode(t)
	n.failing(memory.OpKept, errDisk)
	if r, err := n.capture(document(seen("A", hall)), registry.Options{}); !errors.Is(err, errDisk) || r != (registry.Result{}) {
		t.Errorf("%+v, %v", r, err)
	}
	if accepted, duplicates := n.take(document(seen("A", hall)), registry.Options{}); accepted != 0 || duplicates != 1 {
		t.Errorf("%d accepted, %d duplicates", accepted, duplicates)
	}
}

// An event that is larger than what may be held is a reject like any other.
func TestTooLarge(t *testing.T) {
	n := newNode(t)
	doc := document(seen("A", hall), seen("B", hall, `"tw:note":"`+strings.Repeat("x", 2000)+`"`), seen("C", hall))
	r, err := n.capture(doc, registry.Options{Proceed: true, MaxEventBytes: 1000})
	if err != nil || r.Accepted != 2 || r.Rejected != 1 || n.rejects[0].Pointer != "/epcisBody/eventList/1" || !strings.Contains(n.rejects[0].Reason, "larger than 1000 bytes") {
		t.Errorf("%+v, %v, %+v", r, err, n.rejects)
	}
}

// An entry holds the bytes of the event and of its document's context as they came, wherever the context stood.
func TestBytesAsTheyCame(t *testing.T) {
	n := newNode(t)
	event := `{ "type":"ObjectEvent","action" : "OBSERVE","eventTime":"2026-03-11T08:00:00.000Z", "eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:9521234.000001.A"],"tw:declaredValue":1.50}`
	doc := `{"type":"EPCISDocument","epcisBody":{"eventList":[` + event + `]},"schemaVersion":"2.0","creationDate":"2026-03-20T00:00:00Z", ` + atContext + `}`
	n.take(doc, registry.Options{})
	e := n.last()
	if string(e.Body) != event || string(e.Context) != strings.TrimPrefix(atContext, `"@context":`) {
		t.Errorf("%s\n%s", e.Body, e.Context)
	}
}
