package custody_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// The promise under test: the state of custody is a function of the set of events, not of the order in which they arrive.
const histories = 200

// telling is an event, or an element of master data, as somebody tells it.
type telling struct {
	as      string
	event   event
	element event
}

func (x telling) String() string {
	what := x.event
	if what == nil {
		what = x.element
	}
	b, _ := json.Marshal(what, json.Deterministic(true))
	return fmt.Sprintf("as %q: %s", x.as, b)
}

// history is a small supply chain: its units, what was told of them, and the times at which to ask.
type history struct {
	units    []string
	aliases  []string
	tellings []telling
	asked    []custody.Asked
	late     bool // master data arrives among the events
}

func (h history) String() string {
	var b strings.Builder
	for i, x := range h.tellings {
		fmt.Fprintf(&b, "%3d %s\n", i, x)
	}
	return b.String()
}

// captured tells a history in an order, and takes it into a view in batches of the given sizes, over and over.
func captured(t testing.TB, h history, order []int, batches []int) *door {
	d := openDoor(t)
	if !h.late {
		d.describe()
	}
	next := 0
	for i, at := range order {
		x := h.tellings[at]
		if x.element != nil {
			d.captureOnly(x.as, document(t, []event{x.element}))
		} else {
			d.captureOnly(x.as, document(t, nil, x.event))
		}
		d.at = d.apply(d.view, d.at, 1<<62)
		if i == next {
			d.commitAll()
			next += batches[i%len(batches)]
		}
	}
	d.commitAll()
	return d
}

// answers is everything that can be asked about a history, with what depends on arrival left out: entries are named by what
// they say and who said it.
type answers struct {
	Where      map[string]*custody.Where
	Evidence   map[string][]string
	Exceptions [][]string
	Trace      map[string][]string
	Found      map[string][]string
	States     map[string]any
}

func answered(t testing.TB, d *door, h history) answers {
	t.Helper()
	a := answers{map[string]*custody.Where{}, map[string][]string{}, nil, map[string][]string{}, map[string][]string{}, map[string]any{}}
	names := d.entryNames()
	for _, unit := range h.units {
		for _, q := range h.asked {
			key := fmt.Sprint(unit, " at ", q.At)
			w, err := d.view.Where(unit, q)
			if err != nil {
				t.Fatal(err)
			}
			a.Where[key] = w
			if w == nil {
				continue
			}
			a.Evidence[key] = named(names, w.Evidence)
			w.Evidence = nil
			if w.Transit != nil {
				tr := *w.Transit
				a.Evidence[key] = append(a.Evidence[key], "transit: "+names[tr.Seq])
				tr.Seq, w.Transit = 0, &tr
			}
		}
		a.Trace[unit] = traced(t, d, unit)
		s, err := d.view.State(unit)
		if err != nil {
			t.Fatal(err)
		}
		a.States[unit] = withoutSeqs(t, names, s)
	}
	for _, word := range h.aliases {
		units, err := d.view.Find(word)
		if err != nil {
			t.Fatal(err)
		}
		a.Found[word] = units
	}
	for _, q := range h.asked {
		list, err := d.view.ExceptionsAt(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			line := append([]string{fmt.Sprint(q.At), x.Kind, fmt.Sprint(x.Units), x.Note, fmt.Sprint(x.Count), fmt.Sprint(x.First)}, named(names, x.Seqs)...)
			a.Exceptions = append(a.Exceptions, line)
		}
	}
	slices.SortFunc(a.Exceptions, slices.Compare) // those that are alike but for their entries are listed by entry
	return a
}

func traced(t testing.TB, d *door, unit string) (out []string) {
	list, err := d.view.Trace(unit, custody.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		out = append(out, fmt.Sprint(x.Telling.Name, x.Telling.Speaker, x.Telling.Claim, x.Withdrawn, x.Telling.Event.ErrorDeclaration != nil))
	}
	return out
}

// entryNames names every entry by what it is, whenever it came.
func (d *door) entryNames() map[int64]string {
	names := map[int64]string{}
	err := d.store.Entries(context.Background(), 0, 1<<62, func(e ledger.Entry) error {
		names[e.Seq] = fmt.Sprint(e.Name, " by ", e.Speaker, " declared ", strings.Contains(string(e.Body), "errorDeclaration"))
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return names
}

func named(names map[int64]string, seqs []int64) (out []string) {
	for _, s := range seqs {
		out = append(out, names[s])
	}
	slices.Sort(out)
	return out
}

// withoutSeqs is a state with its entries named.
func withoutSeqs(t testing.TB, names map[int64]string, s *custody.State) any {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return renamed(names, "", v)
}

func renamed(names map[int64]string, key string, v any) any {
	isSeq := key == "s" || key == "ts" || key == "early"
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = renamed(names, k, x)
		}
	case []any:
		for i, x := range v {
			v[i] = renamed(names, key, x)
		}
		if isSeq {
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	case float64:
		if isSeq {
			return names[int64(v)]
		}
	}
	return v
}

func inOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

// differs compares the answers of two orders; it returns how they differ, or "".
func differs(t testing.TB, h history, order, batches []int) string {
	want := answered(t, captured(t, h, inOrder(len(h.tellings)), []int{1 << 30}), h)
	got := answered(t, captured(t, h, order, batches), h)
	return cmp.Diff(want, got)
}

func TestArrivalOrderDoesNotMatter(t *testing.T) {
	n := histories
	if testing.Short() {
		n = 20
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		h := makeHistory(rng)
		want := answered(t, captured(t, h, inOrder(len(h.tellings)), []int{1 << 30}), h)
		for range 2 {
			order := rng.Perm(len(h.tellings))
			batches := []int{1 + rng.IntN(4), 1 + rng.IntN(12)}
			got := answered(t, captured(t, h, order, batches), h)
			if diff := cmp.Diff(want, got); diff != "" {
				h, order = shrink(t, h, order, batches)
				t.Fatalf("history %d: arrival order shows in the state (batches %v):\n%s\norder %v\n%s", seed, batches, differs(t, h, order, batches), order, h)
			}
		}
	}
}

// shrink leaves out tellings for as long as the order still shows.
func shrink(t testing.TB, h history, order, batches []int) (history, []int) {
	for again := true; again; {
		again = false
		for i := range h.tellings {
			less := h
			less.tellings = slices.Delete(slices.Clone(h.tellings), i, i+1)
			var shorter []int
			for _, at := range order {
				switch {
				case at < i:
					shorter = append(shorter, at)
				case at > i:
					shorter = append(shorter, at-1)
				}
			}
			if differs(t, less, shorter, batches) != "" {
				h, order, again = less, shorter, true
				break
			}
		}
	}
	return h, order
}
