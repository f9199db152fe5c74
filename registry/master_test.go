package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

// Each element of master data is an entry. What is told again is a duplicate; what changes is news; and what was told before and
// is told again after a change is news too.
func TestVersionsOfMasterData(t *testing.T) {
	n := newNode(t)
	for i, c := range []struct {
		name     string
		accepted int64
	}{{"Hall", 1}, {"Hall", 0}, {"Hall 1", 1}, {"Hall 1", 0}, {"Hall", 1}, {"Hall 1", 1}, {"Hall 1", 0}} {
		accepted, duplicates := n.take(withMaster(document(), place(hall, c.name, operator)), registry.Options{})
		if accepted != c.accepted || duplicates != 1-c.accepted {
			t.Errorf("%d, %s: %d accepted, %d duplicates", i, c.name, accepted, duplicates)
		}
	}
	e := n.last()
	if e.Kind != ledger.KindMasterData || e.Name != hall || e.Speaker != "https://tidewaiter.org/party/registrar" ||
		!strings.HasPrefix(string(e.Body), `{"type":"urn:epcglobal:epcis:vtype:Location","element":{"id":`) {
		t.Errorf("%v %s", e, e.Body)
	}
	view, err := n.views.CatchUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if versions := len(view.Custody.Element(hall).Versions); versions != 4 {
		t.Errorf("%d versions, want 4", versions)
	}
	// Another speaker says it for itself.
	if accepted, _ := n.take(withMaster(document(), place(hall, "Hall 1", operator)), registry.Options{As: operator}); accepted != 1 || n.last().Speaker != operator {
		t.Errorf("%d accepted, the last by %s", accepted, n.last().Speaker)
	}
}

// Who speaks may be told by master data of the same document, in front of the events or behind them, or of an earlier document.
func TestSpeakerByMasterData(t *testing.T) {
	event := document(seen("A", hall))
	behind := withMaster(event, place(hall, "Hall", operator))
	cut := strings.Index(behind, `,"epcisHeader"`)
	front := "{" + behind[cut+1:len(behind)-1] + "," + behind[1:cut] + "}"
	for name, documents := range map[string][]string{
		"behind the events":      {behind},
		"in front of them":       {front},
		"in an earlier document": {withMaster(document(), place(hall, "Hall", operator)), event},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			for _, doc := range documents {
				n.take(doc, registry.Options{})
			}
			if e := n.last(); e.Kind != ledger.KindEvent || e.Speaker != operator {
				t.Errorf("%s speaks", e.Speaker)
			}
		})
	}
}

// Master data is valid from its time on: an event implies who operated the place when it happened.
func TestSpeakerAtTheTime(t *testing.T) {
	for at, want := range map[string]string{"2026-03-20T13:00:00Z": maker, "2026-03-21T13:00:00Z": operator} {
		n := newNode(t)
		n.take(withMaster(document(), place(hall, "Hall", maker)), registry.Options{})
		n.now = noon.Add(24 * time.Hour)
		n.take(withMaster(document(strings.Replace(seen("A", hall), "2026-03-11T08:00:00Z", at, 1)), place(hall, "Hall", operator)), registry.Options{})
		if got := n.last().Speaker; got != want {
			t.Errorf("%s: %s speaks, want %s", at, got, want)
		}
	}
}

// An event implies its speaker: the source when shipping, the destination when receiving, else whoever operates the place where
// it was, else the registrar. A part of a place is operated by who operates the place.
func TestImpliedSpeakers(t *testing.T) {
	receiving := func(unit string) string {
		return strings.Replace(shipped(unit, maker, operator), `"shipping"`, `"receiving"`, 1)
	}
	owner := strings.ReplaceAll(shipped("D", maker, operator), "possessing_party", "owning_party")
	n := newNode(t)
	n.take(withMaster(document(), place(hall, "Hall", stranger)), registry.Options{})
	for want, events := range map[string][]string{
		maker:                                    {shipped("A", maker, operator), owner},
		operator:                                 {receiving("B")},
		stranger:                                 {seen("C", hall), seen("E", hall+"/254/7"), strings.Replace(seen("F", hall), `"bizLocation"`, `"readPoint"`, 1)},
		"https://tidewaiter.org/party/registrar": {seen("G", factory)},
	} {
		for _, event := range events {
			n.take(document(event), registry.Options{})
			if got := n.last().Speaker; got != want {
				t.Errorf("%s speaks, want %s: %s", got, want, event)
			}
		}
	}
	n.take(document(shipped("H", maker, operator)), registry.Options{As: stranger})
	if got := n.last().Speaker; got != stranger {
		t.Errorf("%s speaks, and %s was named", got, stranger)
	}
}
