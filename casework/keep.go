package casework

import (
	"fmt"
	"slices"
	"strings"
)

func compare(a, b string) int { return strings.Compare(a, b) }

// match finds the case that a draft continues: the one with which it shares most units.
func (v *View) match(d *Case, touched map[string]bool) string {
	in := map[string]bool{}
	for _, m := range d.Units {
		in[m.Unit] = true
	}
	best, shared := "", 0
	for _, id := range sortedCases(v.open) {
		if touched[id] {
			continue
		}
		n := 0
		for _, m := range v.open[id].Units {
			if in[m.Unit] {
				n++
			}
		}
		if n > shared {
			best, shared = id, n
		}
	}
	return best
}

// keep writes a draft as a new case or as the next state of an old one: a member keeps the time at which it was added.
func (v *View) keep(id string, d *Case, now Micros, touched map[string]bool) {
	added := map[string]Micros{}
	if id == "" {
		v.next++
		id = fmt.Sprintf("%08d", v.next)
		d.Number, d.Opened = v.next, now
	} else {
		old := v.open[id]
		d.Number, d.Opened = old.Number, old.Opened
		for _, m := range old.Units {
			added[m.Unit] = m.Added
		}
		if d.Score < openAt {
			d.Status = StatusReview
		}
	}
	for i := range d.Units {
		if t, ok := added[d.Units[i].Unit]; ok {
			d.Units[i].Added = t
		} else {
			d.Units[i].Added = now
		}
	}
	touched[id] = true
	if old := v.open[id]; old != nil && sameCase(old, d) {
		return
	}
	d.Changed = now
	v.put(id, d)
}

func (v *View) put(id string, c *Case) {
	v.open[id] = c
	v.cases.Put(id, c)
}

func sameCase(a, b *Case) bool {
	return a.Score == b.Score && a.Status == b.Status && slices.Equal(a.Units, b.Units) && slices.Equal(a.Bridge, b.Bridge) &&
		slices.Equal(a.Findings, b.Findings) && slices.Equal(a.Drivers, b.Drivers) && slices.Equal(a.Against, b.Against) &&
		a.Parcels == b.Parcels && a.MayHold == b.MayHold && a.From == b.From && a.To == b.To && a.Seen == b.Seen
}

func sortedCases(m map[string]*Case) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
