package casework

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/detect"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Micros is a time of the ledger or of an event.
type Micros = custody.Micros

// View is the whole of what Tidewaiter knows: custody, findings and cases, advancing together behind the ledger.
type View struct {
	Custody *custody.View
	Machine *detect.Machine
	cases   *store.Table[Case]
	open    map[string]*Case
	next    int
}

// Name is the view's name in the store.
const Name = "main"

// Open reads the view's rows.
func Open(rows store.Rows, entries custody.Entries) (*View, error) {
	v := &View{Custody: custody.NewView(rows, entries), cases: store.NewTable[Case](rows, "case/"), open: map[string]*Case{}}
	m, err := detect.New(rows, v.Custody)
	if err != nil {
		return nil, err
	}
	v.Machine = m
	m.OnSweep = v.assemble
	err = v.cases.All(func(id string, c *Case) error {
		v.open[id] = c
		v.next = max(v.next, c.Number)
		return nil
	})
	return v, err
}

// Decode implements registry.Foresighted. What cannot be decoded is nil here, and Apply says why.
func (v *View) Decode(e ledger.Entry) any {
	if e.Kind != ledger.KindEvent {
		return nil
	}
	t, err := custody.Read(e)
	if err != nil {
		return nil
	}
	return t
}

// Foresee implements registry.Foresighted.
func (v *View) Foresee(decoded []any) error {
	told := make([]*custody.Telling, 0, len(decoded))
	for _, d := range decoded {
		if t, ok := d.(*custody.Telling); ok {
			told = append(told, t)
		}
	}
	if err := v.Custody.Foresee(told); err != nil {
		return err
	}
	return v.Machine.Foresee(told)
}

// Apply takes in the next entry: what was due before it is found before it.
func (v *View) Apply(e ledger.Entry) error {
	if err := v.Machine.Boundary(e); err != nil {
		return fmt.Errorf("before entry %d: %w", e.Seq, err)
	}
	t, err := v.Custody.Apply(e)
	if err != nil {
		return err
	}
	return v.Machine.Apply(e, t)
}

// Settle asks the detectors at the head of the ledger, between two boundaries. What it finds is for the answer at hand: it is
// not to be flushed, for it would depend on when somebody asked.
func (v *View) Settle() error { return v.Machine.Sweep(v.Machine.Memory.Clock.Now) }

// SettleAt is Settle at a ledger time at or after the last entry's: boundaries up to it are crossed first.
func (v *View) SettleAt(at Micros) error {
	if at <= v.Machine.Memory.Clock.Now {
		return v.Settle()
	}
	if err := v.Machine.Boundary(ledger.Entry{Recorded: at.Time()}); err != nil {
		return err
	}
	return v.Machine.Sweep(at)
}

// Dirty is about how many rows wait to be flushed.
func (v *View) Dirty() int { return v.Custody.Dirty() + v.Machine.Dirty() }

// Flush adds the changed rows to changes.
func (v *View) Flush(changes map[string][]byte) error {
	if err := v.Custody.Flush(changes); err != nil {
		return err
	}
	if err := v.Machine.Flush(changes); err != nil {
		return err
	}
	return v.cases.Flush(changes)
}

// Trim gives memory back after a commit.
func (v *View) Trim() {
	v.Custody.Trim()
	v.Machine.Trim()
}

// Cases lists the cases, the most probable first.
func (v *View) Cases() []*Case {
	out := make([]*Case, 0, len(v.open))
	for _, c := range v.open {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Case) int {
		if a.Score != b.Score {
			return b.Score - a.Score
		}
		return a.Number - b.Number
	})
	return out
}

// Case finds a case by its number.
func (v *View) Case(id string) *Case {
	id = strings.TrimPrefix(id, "case-")
	for _, c := range v.open {
		if fmt.Sprint(c.Number) == id {
			return c
		}
	}
	return nil
}

// Holding lists the open cases in which a unit is, the most probable first.
func (v *View) Holding(unit string) []*Case {
	return slices.DeleteFunc(v.Cases(), func(c *Case) bool {
		return c.Status != StatusOpen || !slices.ContainsFunc(c.Units, func(m Member) bool { return m.Unit == unit })
	})
}

// Findings returns the findings of a case.
func (v *View) Findings(c *Case) []*detect.Finding {
	var out []*detect.Finding
	for _, f := range v.Machine.Findings() {
		if slices.Contains(c.Findings, f.ID) {
			out = append(out, f)
		}
	}
	return out
}
