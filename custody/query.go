package custody

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Asked is the time that a question is about: what had happened by At, as far as it was known by Known. Zero values mean now.
type Asked struct {
	At    time.Time
	Known time.Time
}

func (a Asked) bounds() (at, known Micros) {
	at, known = math.MaxInt64, math.MaxInt64
	if !a.At.IsZero() {
		at = At(a.At)
	}
	if !a.Known.IsZero() {
		known = At(a.Known)
	}
	return at, known
}

// Own gives the units' own states for a question.
func (v *View) Own(a Asked) Own {
	until, known := a.bounds()
	memo := map[string]*State{}
	return func(unit string, at Micros) (*State, error) {
		at = min(at, until)
		s, err := v.states.Get(unit)
		if err != nil || s == nil {
			return nil, err
		}
		if known == math.MaxInt64 && (at == math.MaxInt64 || s.Last.Time <= at && !s.hasEarlyEnd()) {
			return s, nil
		}
		key := unit + "\x00" + itoa(int64(at))
		if m, ok := memo[key]; ok {
			return m, nil
		}
		told, err := v.told(unit, s.Told, func(t, k Micros) bool { return t <= at && k <= known })
		if err != nil {
			return nil, err
		}
		var m *State
		if len(told) > 0 {
			m = Fold(unit, told)
		}
		if len(memo) > keepRecent {
			clear(memo)
		}
		memo[key] = m
		return m, nil
	}
}

// hasEarlyEnd: events with implausible times are counted as problems but lie outside the order.
func (s *State) hasEarlyEnd() bool {
	return slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.Kind == "implausible-time" })
}

// Where is the answer to where a unit is.
type Where struct {
	Unit     string
	Holder   string
	Owner    string
	Site     string
	Country  string
	Geo      string
	Inside   []string
	Since    time.Time // of being at the site
	Tier     int
	Evidence []int64   // the entries that the answer rests on
	Seen     time.Time // time of the newest of them
	Flags    []string
	Transit  *Transit
}

// Where answers where a unit is, or nil when nothing is known of it at the time asked.
func (v *View) Where(unit string, a Asked) (*Where, error) {
	own := v.Own(a)
	at, _ := a.bounds()
	st, err := Resolve(own, unit, at)
	if err != nil || st == nil {
		return nil, err
	}
	w := &Where{Unit: unit, Holder: st.Holder, Owner: st.Owner, Site: st.Site, Geo: st.Geo, Inside: st.Inside, Transit: st.Transit, Tier: st.Tier}
	w.Country = Country(v, st.Site)
	seen, seq := st.SiteAt, st.SiteSeq
	w.Since = st.SiteAt.Time()
	if c := st.Own.CheckIn; c != nil && c.Time >= seen {
		seen, seq, w.Tier = c.Time, c.Seq, c.Tier
	}
	if st.SiteAt == 0 && st.Own.Folded > 0 {
		seen = st.Own.Last.Time
		w.Since = seen.Time()
	}
	w.Seen = seen.Time()
	w.Evidence = evidence(st, seq)
	w.Flags, err = v.flags(own, st)
	return w, err
}

func evidence(st *Standing, seq int64) []int64 {
	list := []int64{seq, st.SiteSeq, st.HeldSeq}
	if st.Own.Assoc != nil {
		list = append(list, st.Own.Assoc.Seq)
	}
	if st.Own.Agg != nil {
		list = append(list, st.Own.Agg.Seq)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// flags are short words for what a reader must know beside the place.
func (v *View) flags(own Own, st *Standing) ([]string, error) {
	s := st.Own
	var out []string
	if st.Transit != nil {
		out = append(out, "in_transit")
	}
	if s.Ended != nil {
		out = append(out, "ended:"+s.Ended.What)
	}
	for _, w := range sortedKeys(s.Flags) {
		out = append(out, w)
	}
	if s.Folded > 0 && len(st.Inside) > 0 && (s.Fix == nil || s.Fix.Time < st.SiteAt) && (s.CheckIn == nil || s.CheckIn.Time < st.SiteAt) {
		out = append(out, "place_from_parent")
	}
	for _, c := range s.Claims {
		out = append(out, "claim:"+c.What+" by "+NameOf(v, c.By))
	}
	for _, k := range s.Sightings {
		if k.Time >= st.SiteAt {
			out = append(out, "sighted:"+k.Kind)
		}
	}
	list, err := v.ExceptionsOf(own, s.Unit)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		out = append(out, "exception:"+x.Kind)
	}
	return compact(out), nil
}

func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Trace lists everything that was told about a unit, in order of event time, with what is withdrawn marked so.
type Trace struct {
	Telling   *Telling
	Withdrawn bool
}

// Trace returns what was told about a unit, in the order in which it happened.
func (v *View) Trace(unit string, a Asked) ([]Trace, error) {
	s, err := v.states.Get(unit)
	if err != nil || s == nil {
		return nil, err
	}
	at, known := a.bounds()
	told, err := v.told(unit, s.Told, func(t, k Micros) bool { return t <= at && k <= known })
	if err != nil {
		return nil, err
	}
	gone, _ := withdrawn(told)
	slices.SortFunc(told, func(a, b *Telling) int {
		return cmp.Or(keyOf(a).compare(keyOf(b)), cmp.Compare(a.Seq, b.Seq))
	})
	out := make([]Trace, len(told))
	for i, t := range told {
		out[i] = Trace{t, gone[t.Name] && t.Event.ErrorDeclaration == nil}
	}
	return out, nil
}

// Find resolves what people type for a unit: its identifier in any spelling, or any alias. Several units: all of them.
func (v *View) Find(word string) ([]string, error) {
	if s, err := v.states.Get(canonical(word)); err != nil {
		return nil, err
	} else if s != nil {
		return []string{canonical(word)}, nil
	}
	a, err := v.aliases.Get(word)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return v.findBySerial(word)
	}
	return unitsOf(a), nil
}

func unitsOf(a *Alias) []string {
	var maker, all []string
	for _, b := range a.Bindings {
		all = append(all, b.Unit)
		if b.Maker {
			maker = append(maker, b.Unit)
		}
	}
	if len(maker) > 0 {
		all = maker
	}
	return compact(all)
}

// findBySerial is the last resort: a word that stands at the end of an identifier.
func (v *View) findBySerial(word string) ([]string, error) {
	if word == "" || strings.ContainsAny(word, "/ ") {
		return nil, nil
	}
	var out []string
	err := v.states.All(func(unit string, _ *State) error {
		if strings.HasSuffix(unit, "/"+word) {
			out = append(out, unit)
		}
		return nil
	})
	return compact(out), err
}

// State returns a unit's own state now, or nil.
func (v *View) State(unit string) (*State, error) { return v.states.Get(unit) }

// Units calls fn for every unit, in no particular order.
func (v *View) Units(fn func(unit string, s *State) error) error { return v.states.All(fn) }

// ISODuration writes a duration as ISO 8601 does, in days, hours and minutes.
func ISODuration(d time.Duration) string {
	if d < 0 {
		return "-" + ISODuration(-d)
	}
	days, d := d/(24*time.Hour), d%(24*time.Hour)
	hours, d := d/time.Hour, d%time.Hour
	out := "P"
	if days > 0 {
		out += fmt.Sprintf("%dD", days)
	}
	if hours > 0 || d >= time.Minute || days == 0 {
		out += "T"
		if hours > 0 {
			out += fmt.Sprintf("%dH", hours)
		}
		if m := d / time.Minute; m > 0 || hours == 0 {
			out += fmt.Sprintf("%dM", m)
		}
	}
	return out
}
