package custody

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A unit of which something late is told, or something withdrawn, is marked stale, and folded anew when its state is next asked
// for or written: once, however much was told in between. The fold begins at the last snapshot before what is new.

// snapshot is a state after so many events, as it is kept.
type snapshot struct {
	N     int            `json:"n"`
	Last  Key            `json:"last"`
	State jsontext.Value `json:"s"`
}

// snapshots of one unit, oldest first.
type snapshots struct {
	S []snapshot `json:"s"`
}

// snapEvery is how many events lie between two snapshots.
const snapEvery = 64

// thin drops the snapshots that a unit of n events need not keep: the further back, the sparser. Which those are depends on n
// only, and what is not kept at n is not kept at any higher n: it does not matter by which way a state came about.
func (p *snapshots) thin(n int) {
	p.S = slices.DeleteFunc(p.S, func(s snapshot) bool {
		steps := s.N / snapEvery
		return n-s.N > 2*snapEvery*(1<<bits.TrailingZeros(uint(steps)))
	})
}

// always are the fields that are kept by arrival, not by the fold.
type always struct {
	told, declared int
	wrong          *Problem
}

func (s *State) always() always { return always{s.Told, s.Declared, s.Wrong} }

func (s *State) setAlways(a always) { s.Told, s.Declared, s.Wrong = a.told, a.declared, a.wrong }

// snap keeps a snapshot of the state when one is due.
func (v *View) snap(s *State) error {
	if s.Folded%snapEvery != 0 || s.Folded == 0 {
		return nil
	}
	p, err := v.snaps.Get(s.Unit)
	if err != nil {
		return err
	}
	if p == nil {
		p = &snapshots{}
	}
	keep := s.always()
	s.setAlways(always{})
	b, err := json.Marshal(s, json.Deterministic(true))
	s.setAlways(keep)
	if err != nil {
		return fmt.Errorf("snapshot of %s: %w", s.Unit, err)
	}
	p.S = append(p.S, snapshot{N: s.Folded, Last: s.Last, State: b})
	p.thin(s.Folded)
	v.snaps.Put(s.Unit, p)
	return nil
}

// newest is the last snapshot that fits, or nil.
func (p *snapshots) newest(fits func(snapshot) bool) *snapshot {
	if p == nil {
		return nil
	}
	for i := len(p.S) - 1; i >= 0; i-- {
		if fits(p.S[i]) {
			return &p.S[i]
		}
	}
	return nil
}

func (p *snapshot) state() (*State, error) {
	s := &State{}
	if err := json.Unmarshal(p.State, s); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return s, nil
}

// fromStart lies before every event.
var fromStart = Key{Time: math.MinInt64}

// mark says that a unit is to be folded anew from a key on.
func (v *View) mark(unit string, from Key) {
	if old, ok := v.stale[unit]; !ok || from.compare(old) < 0 {
		v.stale[unit] = from
		v.standings.changed(unit)
	}
}

// state returns a unit's own state now, or nil.
func (v *View) state(unit string) (*State, error) {
	if from, ok := v.stale[unit]; ok {
		if err := v.refold(unit, from); err != nil {
			return nil, fmt.Errorf("unit %s: %w", unit, err)
		}
	}
	return v.states.Get(unit)
}

// settle folds anew whatever is to be.
func (v *View) settle() error {
	for unit := range v.stale {
		if _, err := v.state(unit); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) refold(unit string, from Key) error {
	old, err := v.states.Get(unit)
	if err != nil || old == nil {
		return err
	}
	s, after, err := v.before(unit, func(p snapshot) bool { return p.Last.compare(from) < 0 }, true)
	if err != nil {
		return err
	}
	keep := old.always()
	r := replay{v: v, unit: unit, n: old.Told, until: math.MaxInt64, known: math.MaxInt64, declared: old.Declared > 0, after: after}
	r.f = folding{s: s, each: v.snap}
	if err := r.run(); err != nil {
		return err
	}
	if after == fromStart { // else not all of it was looked at, and what was told since has been counted
		keep.wrong = s.Wrong
	}
	s.setAlways(keep)
	v.states.Put(unit, s)
	v.standings.changed(unit)
	delete(v.stale, unit)
	return nil
}

// before is the state at the last snapshot that fits, and the key after which to go on; with drop the later ones are forgotten.
func (v *View) before(unit string, fits func(snapshot) bool, drop bool) (*State, Key, error) {
	p, err := v.snaps.Get(unit)
	if err != nil {
		return nil, Key{}, err
	}
	snap := p.newest(fits)
	if drop && p != nil {
		kept := 0
		if snap != nil {
			kept = slices.IndexFunc(p.S, func(o snapshot) bool { return o.N == snap.N }) + 1
		}
		if kept < len(p.S) {
			p.S = p.S[:kept]
			v.snaps.Put(unit, p)
		}
	}
	if snap == nil {
		return &State{Unit: unit}, fromStart, nil
	}
	s, err := snap.state()
	return s, snap.Last, err
}

// replay folds what was told about a unit after a key, as far as it had happened by a time and was known by a time. It holds
// the tellings of one moment at a time.
type replay struct {
	v            *View
	unit         string
	n            int // entries told
	until, known Micros
	declared     bool // there are error declarations
	after        Key
	f            folding
}

func (r *replay) run() error {
	list, err := r.v.told(r.unit, r.n, r.after.Time, r.declared)
	if err != nil {
		return err
	}
	events := list[:0]
	for _, e := range list {
		switch {
		case e.at > r.until || e.known > r.known:
		case e.declares:
			t, err := r.telling(e.seq)
			if err != nil {
				return err
			}
			r.f.declare(t)
		case e.at >= r.after.Time:
			events = append(events, e)
		}
	}
	slices.SortFunc(events, byEventTime)
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].at == events[0].at {
			n++
		}
		if err := r.moment(events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// moment folds what happened at one time.
func (r *replay) moment(events []ref) error {
	told := make([]*Telling, 0, len(events))
	for _, e := range events {
		t, err := r.telling(e.seq)
		if err != nil {
			return err
		}
		if keyOf(t).compare(r.after) > 0 {
			told = append(told, t)
		}
	}
	slices.SortStableFunc(told, byKey)
	for len(told) > 0 {
		n := 1
		for n < len(told) && told[n].Name == told[0].Name {
			n++
		}
		if err := r.f.tell(told[:n]); err != nil {
			return err
		}
		told = told[n:]
	}
	return nil
}

// telling reads an entry, and weighs it by what was known at the time asked about.
func (r *replay) telling(seq int64) (*Telling, error) {
	t, err := r.v.telling(seq)
	if err != nil || r.known == math.MaxInt64 {
		return t, err
	}
	then := *t
	then.weigh(asOf{r.v, r.known})
	return &then, nil
}
