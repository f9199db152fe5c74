package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/registry"
)

// A duplicate is the same content from the same speaker: without record time, whatever the spelling, and whatever the order of
// members; with the error declaration.
func TestDuplicates(t *testing.T) {
	event := shipped("A", maker, operator, idOne)
	for name, c := range map[string]struct {
		again      string
		accepted   int64
		duplicates int64
	}{
		"the same":               {event, 0, 1},
		"recorded at another":    {shipped("A", maker, operator, idOne, recorded("2026-03-12T08:00:00Z")), 0, 1},
		"another spelling":       {strings.Replace(event, "https://id.gs1.org/01/09521234000013/21/A", "urn:epc:id:sgtin:9521234.000001.A", 1), 0, 1},
		"the order of members":   {"{" + idOne + "," + strings.Replace(event[1:], ","+idOne, "", 1), 0, 1},
		"another time zone":      {strings.Replace(event, "2026-03-11T08:00:00Z", "2026-03-11T09:00:00+01:00", 1), 0, 1},
		"declared erroneous":     {shipped("A", maker, operator, idOne, erroneous), 1, 0},
		"an id of its own":       {shipped("A", maker, operator, strings.Replace(idOne, "001\"", "002\"", 1)), 1, 0},
		"no id":                  {shipped("A", maker, operator), 1, 0},
		"something of one's own": {shipped("A", maker, operator, strings.Replace(idOne, "001\"", "003\"", 1), `"tw:note":"x"`), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			n.take(document(event), registry.Options{})
			for _, want := range [][2]int64{{c.accepted, c.duplicates}, {0, 1}} { // and told again it is a duplicate for certain
				if accepted, duplicates := n.take(document(c.again), registry.Options{}); accepted != want[0] || duplicates != want[1] {
					t.Errorf("%d accepted, %d duplicates, want %v", accepted, duplicates, want)
				}
			}
		})
	}
}

// One event id with other content is refused, and both are named. What differs only in being declared erroneous is not other.
func TestOneIDTwoContents(t *testing.T) {
	n := newNode(t)
	n.take(document(shipped("A", maker, operator, idOne)), registry.Options{})
	for _, other := range []string{shipped("B", maker, operator, idOne), shipped("A", maker, stranger, idOne), shipped("A", maker, operator, idOne, `"tw:note":"x"`)} {
		r, err := n.capture(document(seen("X", hall), other), registry.Options{Proceed: true})
		if err != nil || r.Rejected != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		x := n.rejects[0]
		for _, word := range []string{"urn:uuid:00000000-0000-4000-8000-000000000001", "entry 0", "told by " + maker, "other content", "its own id", "erroneous"} {
			if !strings.Contains(x.Reason, word) {
				t.Errorf("it does not say %q: %s", word, x.Reason)
			}
		}
		if x.EventID != "urn:uuid:00000000-0000-4000-8000-000000000001" || x.Pointer != "/epcisBody/eventList/1/eventID" {
			t.Errorf("%+v", x)
		}
	}
	// Within one document, too: it does not matter that the first is not committed yet.
	m := newNode(t)
	if r, err := m.capture(document(shipped("A", maker, operator, idOne), shipped("B", maker, operator, idOne)), registry.Options{}); err == nil || r.Rejected != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Without an id, the CBV event hash is the name. It does not tell all events apart, so under one name there may be two.
func TestComputedNames(t *testing.T) {
	n := newNode(t)
	a := seen("A", hall, `"tw:declaredValue":10000000000000000`)
	b := seen("A", hall, `"tw:declaredValue":10000000000000001`) // the same as a double
	if accepted, duplicates := n.take(document(a, b, a, b), registry.Options{}); accepted != 2 || duplicates != 2 {
		t.Errorf("%d accepted, %d duplicates", accepted, duplicates)
	}
	if e := n.entries(); e[0].Name != e[1].Name || !strings.HasPrefix(e[0].Name, "ni:///sha-256;") {
		t.Errorf("%s, %s", e[0].Name, e[1].Name)
	}
}

// Another speaker is another voice: each is kept once, and none keeps another's out.
func TestVoices(t *testing.T) {
	event := shipped("A", maker, operator)
	implied, strange := registry.Options{}, registry.Options{As: stranger}
	for _, order := range [][]registry.Options{{implied, strange}, {strange, implied}} {
		n := newNode(t)
		for round := range 2 {
			for _, o := range order {
				accepted, duplicates := n.take(document(event), o)
				if want := [2]int64{int64(1 - round), int64(round)}; [2]int64{accepted, duplicates} != want {
					t.Errorf("as %q, time %d: %d accepted, %d duplicates", o.As, round+1, accepted, duplicates)
				}
			}
		}
		speakers := []string{n.entries()[0].Speaker, n.entries()[1].Speaker}
		if slices.Sort(speakers); !slices.Equal(speakers, []string{maker, stranger}) {
			t.Errorf("speakers %v", speakers)
		}
	}
	// Who is named and is the one that the event implies is the same voice.
	n := newNode(t)
	n.take(document(event), registry.Options{As: maker})
	if accepted, _ := n.take(document(event), implied); accepted != 0 {
		t.Error("the maker's own event was kept twice")
	}
}

// A declaration that an event is erroneous is kept from whoever makes it, once each; whether it counts, the custody view judges.
// A stranger who makes it first does not keep the speaker from making it.
func TestErrorDeclarations(t *testing.T) {
	n := newNode(t)
	n.take(document(shipped("A", maker, operator, idOne)), registry.Options{})
	declared := document(shipped("A", maker, operator, idOne, erroneous))
	for _, c := range []struct {
		as       string
		accepted int64
		speaker  string
	}{{stranger, 1, stranger}, {stranger, 0, stranger}, {"", 1, maker}, {"", 0, maker}, {maker, 0, maker}} {
		if accepted, _ := n.take(declared, registry.Options{As: c.as}); accepted != c.accepted || n.last().Speaker != c.speaker {
			t.Errorf("as %q: %d accepted, the last by %s", c.as, accepted, n.last().Speaker)
		}
	}
	// It may differ from the event that it takes back, and come before it.
	m := newNode(t)
	m.take(document(shipped("B", maker, operator, idOne, erroneous)), registry.Options{})
	if accepted, _ := m.take(document(shipped("A", maker, operator, idOne)), registry.Options{}); accepted != 1 {
		t.Error("an event that was declared erroneous before it came was not kept")
	}
}

// Master data that comes later changes who an event implies, and the same document sent again is a duplicate all the same.
func TestImpliedSpeakerThatChanges(t *testing.T) {
	n := newNode(t)
	event := document(seen("A", hall))
	n.take(event, registry.Options{})
	if n.last().Speaker != "https://tidewaiter.org/party/registrar" {
		t.Errorf("nobody operates the hall, and %s speaks", n.last().Speaker)
	}
	for _, who := range []string{operator, maker} {
		n.take(withMaster(document(), place(hall, "Hall", who)), registry.Options{})
		if accepted, duplicates := n.take(event, registry.Options{}); accepted != 0 || duplicates != 1 {
			t.Errorf("operated by %s: %d accepted, %d duplicates", who, accepted, duplicates)
		}
		n.take(document(seen("of"+who[len(who)-4:], hall)), registry.Options{})
		if accepted, _ := n.take(document(seen("of"+who[len(who)-4:], hall)), registry.Options{}); accepted != 0 {
			t.Error("kept twice")
		}
	}
}

// However documents are cut and whoever is interrupted, sent until it is acknowledged each event is kept once.
func TestEachEventOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newNode(t)
		events := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 60).Draw(r, "events")
		distinct := map[int]bool{}
		for len(events) > 0 {
			size := rapid.IntRange(1, len(events)).Draw(r, "size")
			var of []string
			for _, e := range events[:size] {
				distinct[e] = true
				of = append(of, seen(fmt.Sprintf("U%d", e), hall))
			}
			if op := rapid.SampledFrom([]string{"", "append", "append keep", "append kept"}).Draw(r, "failure"); op != "" {
				n.failing(op, errDisk)
			}
			o := registry.Options{Proceed: rapid.Bool().Draw(r, "proceed")}
			if _, err := n.capture(document(of...), o); err == nil {
				events = events[size:]
			}
		}
		if got := len(n.entries()); got != len(distinct) {
			r.Fatalf("%d entries of %d events", got, len(distinct))
		}
	})
}
