package casework_test

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/cases"
	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// desk is a ledger with the view over it.
type desk struct {
	st    *memory.Store
	views *registry.Follower[*casework.View]
}

func newDesk(t *testing.T) *desk {
	d := &desk{st: memory.New()}
	d.views = d.follower(t)
	return d
}

func (d *desk) follower(t *testing.T) *registry.Follower[*casework.View] {
	return &registry.Follower[*casework.View]{Store: d.st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return d.st.Entry(t.Context(), seq) })
	}}
}

func (d *desk) capture(t *testing.T, name string, document []byte) *casework.View {
	t.Helper()
	v := catchUp(t, d.views)
	reg := registry.Registry{Store: d.st, Directory: v.Custody, Now: time.Now}
	r, err := reg.Capture(t.Context(), bytes.NewReader(document), registry.Options{Name: name, TrustRecordTime: true})
	if err != nil || r.Rejected > 0 {
		t.Fatalf("%s: %d rejected, %v", name, r.Rejected, err)
	}
	return catchUp(t, d.views)
}

func catchUp(t *testing.T, f *registry.Follower[*casework.View]) *casework.View {
	t.Helper()
	v, err := f.CatchUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever comes in, document by document: a case keeps its number and the time of each member, its score is the sum of its drivers,
// it names only findings that there are, and who asks again gets the same from the rows.
func TestCasesHoldTogetherWhileTheyGrow(t *testing.T) {
	for _, letter := range []string{"a", "b"} {
		t.Run(letter, func(t *testing.T) {
			t.Parallel()
			d, docs := newDesk(t), documents(t, letter)
			before := map[int]casework.Case{}
			opened := false
			for _, doc := range docs {
				v := d.capture(t, doc.name, doc.body)
				for _, c := range v.Cases() {
					checkCase(t, v, c)
					opened = opened || c.Status == casework.StatusOpen
					if old, ok := before[c.Number]; ok {
						checkStep(t, &old, c)
					}
					before[c.Number] = *c
				}
				for n := range before {
					if v.Case(number(n)) == nil {
						t.Fatalf("%s: case %d is gone; a case that was explained is still to be read", doc.name, n)
					}
				}
				again := catchUp(t, d.follower(t))
				if diff := cmp.Diff(v.Cases(), again.Cases()); diff != "" {
					t.Fatalf("%s: read again from the rows, the cases differ:\n%s", doc.name, diff)
				}
			}
			if !opened {
				t.Error("no case was ever open, so that nothing was tried")
			}
		})
	}
}

func number(n int) string { return (&casework.Case{Number: n}).ID() }

func checkCase(t *testing.T, v *casework.View, c *casework.Case) {
	t.Helper()
	if (c.Status == casework.StatusOpen) != (c.Score >= 500) {
		t.Errorf("case %d is %s with %d per mille", c.Number, c.Status, c.Score)
	}
	if c.Status == casework.StatusClosed {
		return
	}
	if got := v.Findings(c); len(got) != len(c.Findings) {
		t.Errorf("case %d names %d findings, of which there are %d", c.Number, len(c.Findings), len(got))
	}
	for _, f := range v.Findings(c) {
		if len(f.Innocent) == 0 || f.Explanation == "" {
			t.Errorf("case %d: %s says not what it saw, or not what else would explain it", c.Number, f.ID)
		}
	}
	sum := 0
	for _, dr := range c.Drivers {
		sum += dr.MilliNats
		if !slices.Contains(c.Findings, dr.Finding) {
			t.Errorf("case %d is driven by %s, which it does not list", c.Number, dr.Finding)
		}
	}
	if prior := c.Logit - sum; prior != -6000 {
		t.Errorf("case %d: its drivers do not add up to its score: %d milli-nats are left for the prior", c.Number, prior)
	}
	share := 0
	for i, b := range c.Bridge {
		share += b.Score
		if b.Units > len(c.Units) || b.Units > b.Of || i > 0 && b.Score > c.Bridge[i-1].Score {
			t.Errorf("case %d: bridge %+v", c.Number, b)
		}
	}
	if share > 1000 {
		t.Errorf("case %d: its bridges share %d per mille", c.Number, share)
	}
	if !strings.HasSuffix(v.Summary(c), ".") || strings.Contains(v.Summary(c), "1 accelerators") {
		t.Errorf("case %d: %s", c.Number, v.Summary(c))
	}
}

// checkStep compares a case with what it was before.
func checkStep(t *testing.T, old, c *casework.Case) {
	t.Helper()
	if c.Opened != old.Opened || c.Changed < old.Changed {
		t.Errorf("case %d was opened %v and changed %v, then %v and %v", c.Number, old.Opened.Time(), old.Changed.Time(), c.Opened.Time(), c.Changed.Time())
	}
	added := map[string]custody.Micros{}
	for _, m := range old.Units {
		added[m.Unit] = m.Added
	}
	for _, m := range c.Units {
		if at, ok := added[m.Unit]; ok && at != m.Added {
			t.Errorf("case %d: %s was added %v, then %v", c.Number, m.Unit, at.Time(), m.Added.Time())
		}
	}
}

// A unit is said to be in a case exactly as long as an open case lists it.
func TestHoldingNamesTheOpenCasesOfAUnit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var v *casework.View
	for _, doc := range documents(t, "b") {
		v = d.capture(t, doc.name, doc.body)
	}
	c := v.Cases()[0]
	if got := v.Holding(c.Units[0].Unit); len(got) != 1 || got[0].Number != c.Number {
		t.Errorf("%s is in %v, and case %d lists it", c.Units[0].Unit, got, c.Number)
	}
	if got := v.Holding("https://id.gs1.org/01/09520000000000/21/0"); len(got) != 0 {
		t.Errorf("a unit that nobody ever named is in %d cases", len(got))
	}
}

type document struct {
	name string
	body []byte
}

// documents are those of a case from the public record, in their order.
func documents(t *testing.T, letter string) (out []document) {
	t.Helper()
	c, err := cases.Open(letter)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(c.Documents, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("case %s has %d documents, %v", letter, len(names), err)
	}
	for _, name := range names {
		body, err := fs.ReadFile(c.Documents, name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, document{name, body})
	}
	return out
}
