package registry_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

// Recorded is the clock's time, and never before that of the entry before: a clock that was put back stands still.
func TestRecordedNeverDecreases(t *testing.T) {
	n := newNode(t)
	for i, at := range []time.Duration{0, time.Hour, 30 * time.Minute, -24 * time.Hour, 2 * time.Hour} {
		n.now = noon.Add(at)
		n.take(document(seen(string(rune('A'+i)), hall, recorded("2026-01-01T00:00:00Z"))), registry.Options{})
	}
	want := []time.Duration{0, time.Hour, time.Hour, time.Hour, 2 * time.Hour}
	for i, e := range n.entries() {
		if !e.Recorded.Equal(noon.Add(want[i])) || e.Trusted {
			t.Errorf("entry %d recorded at %v, trusted %v; want %v", i, e.Recorded, e.Trusted, noon.Add(want[i]))
		}
	}
}

// In history, whatever the record times are and come in, recorded time never decreases, and is the document's where it can be.
func TestHistoryNeverDecreases(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newNode(t)
		minutes := rapid.SliceOfN(rapid.IntRange(0, 50), 1, 12).Draw(r, "minutes")
		latest := time.Time{}
		for i, m := range minutes {
			at := noon.Add(time.Duration(m-60) * time.Minute)
			n.take(document(seen("U"+string(rune('A'+i)), hall, recorded(at.Format(time.RFC3339)))), registry.Options{TrustRecordTime: true})
			if at.After(latest) {
				latest = at
			}
			if e := n.last(); !e.Recorded.Equal(latest) || !e.Trusted {
				r.Fatalf("recorded at %v, trusted %v; want %v", e.Recorded, e.Trusted, latest)
			}
		}
	})
}

// A ledger is for history or for live capture, from its first entry on.
func TestHistoryAndLiveDoNotMix(t *testing.T) {
	past := document(seen("A", hall, recorded("2026-03-01T08:00:00Z")))
	other := document(seen("B", hall, recorded("2026-03-02T08:00:00Z")))
	trust := registry.Options{TrustRecordTime: true}
	for _, proceed := range []bool{false, true} {
		n := newNode(t)
		trust.Proceed = proceed
		n.take(past, trust)
		if _, err := n.capture(other, registry.Options{Proceed: proceed}); err == nil || !strings.Contains(err.Error(), "begun for history") || len(n.entries()) != 1 {
			t.Errorf("live into history: %v", err)
		}
		if _, err := registry.Sweep(t.Context(), n.store, noon); err == nil || !strings.Contains(err.Error(), "begun for history") {
			t.Errorf("a sweep of history: %v", err)
		}
		n.take(other, trust)

		n = newNode(t)
		n.take(past, registry.Options{Proceed: proceed})
		if _, err := n.capture(other, trust); err == nil || !strings.Contains(err.Error(), "already holds live entries") || len(n.entries()) != 1 {
			t.Errorf("history into live: %v", err)
		}
		n.take(other, registry.Options{Proceed: proceed})
	}
	// What was refused as a whole did not begin anything.
	n := newNode(t)
	if _, err := n.capture(document(seen("A", hall)), registry.Options{TrustRecordTime: true}); err == nil {
		t.Error("history without a record time was kept")
	}
	n.take(document(seen("A", hall)), registry.Options{})
}

// History needs to be told when it was known, and nothing was known in the future. A day's grace is for clocks.
func TestHistoryNeedsRecordTimes(t *testing.T) {
	n := newNode(t)
	doc := document(seen("A", hall), seen("B", hall, recorded("2026-03-21T11:59:59Z")), seen("C", hall, recorded("2026-03-21T12:00:01Z")))
	r, err := n.capture(doc, registry.Options{TrustRecordTime: true, Proceed: true})
	if err != nil || r.Accepted != 1 || r.Rejected != 2 || len(n.rejects) != 2 {
		t.Fatalf("%+v, %v, %+v", r, err, n.rejects)
	}
	for i, reason := range []string{"is missing", "lies in the future"} {
		if x := n.rejects[i]; !strings.HasSuffix(x.Pointer, "/recordTime") || !strings.HasPrefix(x.Reason, reason) {
			t.Errorf("%+v", x)
		}
	}
}

// Master data has no record time of its own: in history it was known when the first event of its document was, or when the
// document was made.
func TestHistoryOfMasterData(t *testing.T) {
	n := newNode(t)
	trust := registry.Options{TrustRecordTime: true}
	n.take(withMaster(document(seen("A", hall, recorded("2026-03-05T08:00:00Z"))), place(hall, "Hall", operator)), trust)
	if e := n.entries()[0]; e.Kind != ledger.KindMasterData || !e.Trusted || e.Recorded.Format(time.RFC3339) != "2026-03-05T08:00:00Z" {
		t.Errorf("%v", e)
	}
	n.take(withMaster(document(), place(factory, "Factory", maker)), trust)
	if e := n.last(); e.Recorded.Format(time.RFC3339) != "2026-03-20T00:00:00Z" { // its creationDate
		t.Errorf("%v", e)
	}
}

// Sweeps are entries of their own, whatever the clock does.
func TestSweeps(t *testing.T) {
	n := newNode(t)
	n.take(document(seen("A", hall)), registry.Options{})
	for i, at := range []time.Duration{time.Hour, time.Hour, 0, 0} {
		seq, err := registry.Sweep(t.Context(), n.store, noon.Add(at))
		if err != nil || seq != int64(i+1) {
			t.Fatalf("%d, %v", seq, err)
		}
		if e := n.last(); e.Kind != ledger.KindSweep || !e.Recorded.Equal(noon.Add(time.Hour)) || e.Speaker != "https://tidewaiter.org/party/registrar" {
			t.Errorf("%v", e)
		}
	}
}
