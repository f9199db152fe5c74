package custody

import "slices"

// standings remembers where units stand now, each with the units on whose states that depends: it holds until one of them changes.
// Every accelerator in a rack asks for the rack.
type standings struct {
	ids     map[string]int32 // numbers for units
	changes []uint32         // how often the state of a unit changed, by number
	known   []*settled       // by number
}

// settled is a closure that was not cut anywhere.
type settled struct {
	st     *Standing
	steps  int // that it took
	height int // how far up it led
	on     []int32
	at     []uint32 // how often those had changed then
	weight int      // the directory's
}

// keepStandings is how many units are numbered before all is forgotten.
const keepStandings = 1 << 17

func (k *standings) number(unit string) int32 {
	if n, ok := k.ids[unit]; ok {
		return n
	}
	if k.ids == nil {
		k.ids = map[string]int32{}
	}
	n := int32(len(k.changes))
	k.ids[unit] = n
	k.changes, k.known = append(k.changes, 0), append(k.known, nil)
	return n
}

// changed says that the state of a unit is another now.
func (k *standings) changed(unit string) {
	if n, ok := k.ids[unit]; ok {
		k.changes[n]++
		k.known[n] = nil
	}
}

func (k *standings) get(n int32, weight int) *settled {
	s := k.known[n]
	if s == nil || s.weight != weight {
		return nil
	}
	for i, d := range s.on {
		if k.changes[d] != s.at[i] {
			k.known[n] = nil
			return nil
		}
	}
	return s
}

func (k *standings) put(n int32, s *settled) {
	s.at = make([]uint32, len(s.on))
	for i, d := range s.on {
		s.at[i] = k.changes[d]
	}
	k.known[n] = s
}

// lastly is the time as of which one asks where a unit stands now.
const lastly = Micros(1) << 62

// Standing resolves where a unit stands now, as Resolve does; nil when nothing is known. It is for reading only, and holds until the
// next entry.
func (v *View) Standing(unit string) (*Standing, error) {
	if v.now == nil {
		v.now = v.Own(Asked{})
	}
	if len(v.standings.ids) > keepStandings {
		v.standings = standings{}
	}
	w := walk{left: maxSteps, log: &asked{k: &v.standings, weight: v.weight}}
	w.own = func(unit string, at Micros) (*State, error) {
		w.log.units = append(w.log.units, w.log.k.number(unit))
		return v.now(unit, at)
	}
	if s := v.standings.get(v.standings.number(unit), v.weight); s != nil {
		return s.st, nil
	}
	st, err := w.resolve(unit, lastly)
	if err == nil && st != nil && (st.Cut || w.left < maxSteps/2) { // what it knows already may have been counted twice
		return Resolve(v.now, unit, lastly)
	}
	return st, err
}

// asked is what a walk notes of itself, so that what it finds can be remembered.
type asked struct {
	k       *standings
	weight  int
	units   []int32 // the units that were asked for their states, in order
	path    []int32 // the numbers of walk.path
	deepest int     // the longest path
}

// since is where a walk was when a unit began to be resolved.
type since struct{ asked, left, deepest int }

// begin notes that a unit is being resolved.
func (w *walk) begin(unit string) (p since) {
	if w.log == nil {
		return p
	}
	p = since{len(w.log.units), w.left, w.log.deepest}
	w.log.path = append(w.log.path, w.log.k.number(unit))
	w.log.deepest = len(w.path)
	return p
}

// finish remembers what was found of a unit, where nothing of it was cut off.
func (w *walk) finish(p since, at Micros, st *Standing) {
	if w.log == nil {
		return
	}
	l := w.log
	n := l.path[len(l.path)-1]
	l.path = l.path[:len(l.path)-1]
	if at == lastly && st != nil && !st.Cut {
		on := slices.Clone(l.units[p.asked:])
		slices.Sort(on)
		l.k.put(n, &settled{st: st, steps: p.left - w.left + 1, height: l.deepest - len(w.path), on: slices.Compact(on), weight: l.weight})
	}
	l.deepest = max(l.deepest, p.deepest)
}

// note adds to what was asked.
func (w *walk) note(units []int32) {
	if w.log != nil {
		w.log.units = append(w.log.units, units...)
	}
}

// noted is how much was asked up to now, and notedSince what was asked since.
func (w *walk) noted() int {
	if w.log == nil {
		return 0
	}
	return len(w.log.units)
}

func (w *walk) notedSince(n int) []int32 {
	if w.log == nil {
		return nil
	}
	return slices.Clone(w.log.units[n:])
}

// remembered is what is known of a parent, where it would be found in the same way from here: neither too deep nor in circles.
func (w *walk) remembered(unit string, at Micros) *Standing {
	if w.log == nil || at != lastly {
		return nil
	}
	l := w.log
	s := l.k.get(l.k.number(unit), l.weight)
	if s == nil || len(w.path)+s.height > maxDepth || slices.ContainsFunc(l.path, func(n int32) bool { return slices.Contains(s.on, n) }) {
		return nil
	}
	w.left -= s.steps
	w.note(s.on)
	l.deepest = max(l.deepest, len(w.path)+s.height)
	return s.st
}
