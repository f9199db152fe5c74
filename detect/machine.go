package detect

import (
	"fmt"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Detector looks at the memory at a ledger time and says what it finds: everything that holds now, anew each time.
type Detector interface {
	Kind() string
	Find(m *Memory, now Micros) []Finding
}

// Detectors are all there are, in the order of the scheme that they see.
func Detectors() []Detector {
	return []Detector{Acquirer{}, Darkness{}, Unproven{}, Teardown{}, Dispersal{}, Barred{}, Overdue{}, Elsewhere{}, TwoPlaces{}}
}

// Machine drives memory and detectors behind the custody view.
type Machine struct {
	Memory    *Memory
	Detectors []Detector
	findings  *store.Table[Finding]
	live      map[string]*Finding
	OnSweep   func(now Micros) error // asked after each sweep: cases are assembled above
}

// New reads the machine's rows.
func New(rows store.Rows, view *custody.View) (*Machine, error) {
	mem, err := NewMemory(rows, view)
	if err != nil {
		return nil, err
	}
	m := &Machine{Memory: mem, Detectors: Detectors(), findings: store.NewTable[Finding](rows, "finding/"), live: map[string]*Finding{}}
	err = m.findings.All(func(id string, f *Finding) error { m.live[id] = f; return nil })
	return m, err
}

// Apply takes in an entry that custody has taken in. Boundaries of ledger time that the entry crosses come first: what was due
// before it is found before it.
func (m *Machine) Apply(e ledger.Entry, t *custody.Telling) error {
	if err := m.sweepUntil(custody.At(e.Recorded)); err != nil {
		return err
	}
	m.Memory.observe(e, t)
	return m.Memory.err
}

// Boundary says whether an entry crosses a boundary of ledger time, so that sweeps come before custody takes it in.
func (m *Machine) Boundary(e ledger.Entry) error { return m.sweepUntil(custody.At(e.Recorded)) }

// maxSweeps bounds the boundaries looked at after a long silence; those in between would all find the same.
const maxSweeps = 400

func (m *Machine) sweepUntil(now Micros) error {
	c := m.Memory.Clock
	day := now - mod(now, Day)
	if c.Swept == 0 || c.Now == 0 {
		c.Swept = day
		return nil
	}
	if days := (day - c.Swept) / Day; days > maxSweeps {
		c.Swept = day - maxSweeps*Day
	}
	for c.Swept < day {
		c.Swept += Day
		if err := m.Sweep(c.Swept); err != nil {
			return err
		}
	}
	return nil
}

func mod(a, b Micros) Micros { return (a%b + b) % b }

// Sweep asks the detectors, and reconciles what they find with what was found before.
func (m *Machine) Sweep(now Micros) error {
	found := map[string]bool{}
	for _, d := range m.Detectors {
		for _, f := range d.Find(m.Memory, now) {
			f.tidy()
			found[f.ID] = true
			m.raise(f, now)
		}
	}
	if m.Memory.err != nil {
		return fmt.Errorf("sweep: %w", m.Memory.err)
	}
	for _, id := range sortedIDs(m.live) {
		if f := m.live[id]; !found[id] && f.WithdrawnAt == 0 {
			gone := *f
			gone.WithdrawnAt = now
			m.put(&gone)
		}
	}
	if m.OnSweep != nil {
		return m.OnSweep(now)
	}
	return nil
}

func (m *Machine) raise(f Finding, now Micros) {
	old := m.live[f.ID]
	f.RaisedAt = now
	if old != nil && old.WithdrawnAt == 0 {
		f.RaisedAt = old.RaisedAt
	}
	if old == nil || !same(old, &f) {
		m.put(&f)
	}
}

func (m *Machine) put(f *Finding) {
	m.live[f.ID] = f
	m.findings.Put(f.ID, f)
}

func same(a, b *Finding) bool {
	return a.MilliNats == b.MilliNats && a.WithdrawnAt == b.WithdrawnAt && a.Explanation == b.Explanation &&
		a.Estimated == b.Estimated && a.Announced == b.Announced && a.Inspected == b.Inspected && a.From == b.From && a.To == b.To &&
		slices.Equal(a.Units, b.Units) && slices.Equal(a.Parties, b.Parties) && slices.Equal(a.Sites, b.Sites) &&
		slices.Equal(a.Consignments, b.Consignments) && slices.Equal(a.Evidence, b.Evidence) && slices.Equal(a.Against, b.Against)
}

// Findings lists all findings, withdrawn ones included, strongest first.
func (m *Machine) Findings() []*Finding {
	out := make([]*Finding, 0, len(m.live))
	for _, id := range sortedIDs(m.live) {
		out = append(out, m.live[id])
	}
	slices.SortStableFunc(out, func(a, b *Finding) int { return b.MilliNats - a.MilliNats })
	return out
}

// Live lists the findings that hold, by id.
func (m *Machine) Live() []*Finding {
	var out []*Finding
	for _, id := range sortedIDs(m.live) {
		if f := m.live[id]; f.WithdrawnAt == 0 {
			out = append(out, f)
		}
	}
	return out
}

func sortedIDs(m map[string]*Finding) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Dirty is about how many rows wait to be flushed.
func (m *Machine) Dirty() int { return m.Memory.dirty() }

// Flush adds the changed rows to changes.
func (m *Machine) Flush(changes map[string][]byte) error {
	if err := m.Memory.flush(changes); err != nil {
		return err
	}
	return m.findings.Flush(changes)
}

// Trim gives memory back after a commit.
func (m *Machine) Trim() { m.Memory.trim() }
