package custody

// Foresee is told what is about to be told, so that the rows that it touches are read together: the units' own and those of what
// they are inside. What is overlooked here is read when it is needed.
func (v *View) Foresee(told []*Telling) error {
	units, words := v.subjects(told)
	for _, read := range []func() error{
		func() error { return v.states.Foresee(units) },
		func() error { return v.dir.Foresee(units) }, // what kind of thing a unit is, it may say itself
		func() error { return v.aliases.foresee(words) },
		func() error { return v.foreseeParents(units) },
		func() error { return v.foreseeIndex(told, units) },
	} {
		if err := read(); err != nil {
			return err
		}
	}
	for _, t := range told {
		v.ahead[t.Seq] = t
	}
	return nil
}

// subjects lists the units that are named, once each, and the pairs of a word and a unit that are to be bound.
func (v *View) subjects(told []*Telling) (units, words []string) {
	seen := map[string]bool{}
	for _, t := range told {
		list := t.Units()
		for _, n := range list {
			if !seen[n.Unit] {
				seen[n.Unit] = true
				units = append(units, n.Unit)
			}
		}
		for _, word := range bound(t, list) {
			words = append(words, pairKey(word, list[0].Unit))
		}
	}
	return units, words
}

// foreseeParents reads the states of what the units are inside, upwards.
func (v *View) foreseeParents(units []string) error {
	for range maxDepth {
		var next []string
		seen := map[string]bool{}
		for _, unit := range units {
			s, err := v.states.Get(unit)
			if err != nil {
				return err
			}
			for _, p := range s.leadsTo() {
				if !seen[p] {
					seen[p] = true
					next = append(next, p)
				}
			}
		}
		if len(next) == 0 {
			return nil
		}
		if err := v.states.Foresee(next); err != nil {
			return err
		}
		units = next
	}
	return nil
}

// leadsTo lists the units whose states are asked for when it is asked where this one stands.
func (s *State) leadsTo() []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, l := range []*Link{s.Assoc, s.Agg} {
		if l != nil && !IsPlace(l.Parent) {
			out = append(out, l.Parent)
		}
	}
	for _, b := range s.Bases {
		out = append(out, b.Parent)
	}
	if s.Fix != nil && s.Fix.Parent != "" {
		out = append(out, s.Fix.Parent)
	}
	return out
}

// foreseeIndex reads the pieces of the index that will be added to; and of units of which something late is told, or withdrawn, what
// it takes to fold them anew.
func (v *View) foreseeIndex(told []*Telling, units []string) error {
	ahead := make(map[string]*coming, len(units))
	for _, unit := range units {
		s, err := v.states.Get(unit)
		if err != nil {
			return err
		}
		c := &coming{}
		if s != nil {
			*c = coming{told: s.Told, last: s.Last, any: s.Folded > 0, declared: s.Declared > 0}
		}
		c.pieces = []string{refKey(unit, c.told/refChunk)}
		ahead[unit] = c
	}
	var pieces, late, void []string
	for _, t := range told {
		for _, n := range t.Units() {
			c := ahead[n.Unit]
			if c.tell(n.Unit, t) {
				late = append(late, n.Unit)
			}
			if c.declared {
				void = append(void, pairKey(n.Unit, t.Name))
			}
		}
	}
	for _, c := range ahead {
		pieces = append(pieces, c.pieces...)
	}
	if err := v.refs.Foresee(pieces); err != nil {
		return err
	}
	if err := v.voided.foresee(void); err != nil {
		return err
	}
	return v.snaps.Foresee(late)
}

// coming is how far a unit will have come.
type coming struct {
	told          int
	last          Key
	any, declared bool
	pieces        []string // of its index
}

// tell adds a telling, and says whether the unit will have to be folded anew.
func (c *coming) tell(unit string, t *Telling) (late bool) {
	if c.told++; c.told%refChunk == 0 {
		c.pieces = append(c.pieces, refKey(unit, c.told/refChunk))
	}
	key := keyOf(t)
	c.declared = c.declared || t.Event.ErrorDeclaration != nil
	if late = t.Event.ErrorDeclaration != nil || c.any && key.compare(c.last) <= 0; late {
		if chunk := (c.told - 1) / refChunk; chunk > 0 {
			c.pieces = append(c.pieces, refKey(unit, chunk-1))
		}
		return true
	}
	c.last, c.any = key, true
	return false
}
