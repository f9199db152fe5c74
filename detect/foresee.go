package detect

import "github.com/tidewaiter/tidewaiter/custody"

// Foresee is told what is about to be told, and reads together what is remembered of the units that it names, and of what those hold.
func (m *Machine) Foresee(told []*custody.Telling) error {
	mem := m.Memory
	var units, parcels, loads []string
	for _, t := range told {
		if custody.StepOf(t.Event.BizStep) != custody.StepSeen || t.Event.BizStep == "arriving" {
			loads = append(loads, loadID(t))
		}
		for _, n := range t.Units() {
			units = append(units, n.Unit)
			if isHandle(n.Unit) {
				parcels = append(parcels, n.Unit)
			}
		}
	}
	if err := mem.handles.Foresee(parcels); err != nil {
		return err
	}
	if err := mem.loads.Foresee(loads); err != nil {
		return err
	}
	seen := map[string]bool{}
	for range maxInside {
		units = deleteSeen(units, seen)
		if len(units) == 0 {
			break
		}
		if err := mem.units.Foresee(units); err != nil {
			return err
		}
		if err := mem.inside.Foresee(units); err != nil {
			return err
		}
		var next []string
		for _, unit := range units {
			if in := get(mem, mem.inside, unit); in != nil {
				next = append(next, in.Children...)
			}
		}
		units = next
	}
	return mem.err
}

// deleteSeen leaves of a list what is not in seen, once, and adds it there.
func deleteSeen(list []string, seen map[string]bool) []string {
	out := list[:0]
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
