package custody

import (
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

// Own gives the units' own states for a question. It may be kept: what was told since it was made, it knows.
func (v *View) Own(a Asked) Own {
	until, known := a.bounds()
	q := question{v: v, until: until, known: known, memo: map[moment]past{}}
	return q.own
}

// question remembers the past states that it was asked for.
type question struct {
	v            *View
	until, known Micros
	memo         map[moment]past
}

type moment struct {
	unit string
	at   Micros
}

// past is a state as of a time, and that as of now of which it is the past.
type past struct {
	state *State
	now   *State
	told  int
}

// keepPasts is how many past states a question remembers.
const keepPasts = 32768

func (q *question) own(unit string, at Micros) (*State, error) {
	at = min(at, q.until)
	now, err := q.v.state(unit)
	if err != nil || now == nil {
		return nil, err
	}
	if q.known == math.MaxInt64 && (at == math.MaxInt64 || now.Last.Time <= at && now.Wrong == nil) {
		return now.orNothing(), nil
	}
	key := moment{unit, at}
	if m, ok := q.memo[key]; ok && m.now == now && m.told == now.Told {
		return m.state, nil
	}
	s, err := q.v.stateAt(now, at, q.known)
	if err != nil {
		return nil, fmt.Errorf("unit %s: %w", unit, err)
	}
	if len(q.memo) >= keepPasts {
		clear(q.memo)
	}
	q.memo[key] = past{s, now, now.Told}
	return s, nil
}

// stateAt is the state of a unit as of an event time, by what was known at a ledger time; nil when that was nothing.
func (v *View) stateAt(now *State, at, known Micros) (*State, error) {
	s, after := &State{Unit: now.Unit}, fromStart
	if known == math.MaxInt64 && now.Wrong == nil {
		var err error
		if s, after, err = v.before(now.Unit, func(p snapshot) bool { return p.Last.Time <= at }, false); err != nil {
			return nil, err
		}
	}
	r := replay{v: v, unit: now.Unit, n: now.Told, until: at, known: known, declared: now.Declared > 0, after: after}
	r.f = folding{s: s}
	if err := r.run(); err != nil {
		return nil, err
	}
	return s.orNothing(), nil
}

// orNothing is nil when nothing that was told of the unit counts.
func (s *State) orNothing() *State {
	if s.Folded == 0 && s.Wrong == nil {
		return nil
	}
	return s
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
	Since    time.Time // of being at the site; zero when nothing that was told has a time that can be
	Tier     int
	Evidence []int64   // the entries that the answer rests on
	Seen     time.Time // time of the newest of them; zero when there is none
	Flags    []string
	Transit  *Transit
}

// Where answers where a unit is, or nil when nothing is known of it at the time asked.
func (v *View) Where(unit string, a Asked) (*Where, error) {
	own, d := v.Own(a), v.directory(a)
	at, _ := a.bounds()
	st, err := Resolve(own, unit, at)
	if err != nil || st == nil {
		return nil, err
	}
	w := &Where{Unit: unit, Holder: st.Holder, Owner: st.Owner, Site: st.Site, Geo: st.Geo, Inside: st.Inside, Transit: st.Transit, Tier: st.Tier}
	if e := Site(d, st.Site).At(at); e != nil {
		w.Country = strings.ToUpper(e.Attrs["countryCode"])
	}
	seen := st.SiteAt
	if c := st.CheckIn; c != nil && c.Time >= seen {
		seen, w.Tier = c.Time, c.Tier
	}
	switch {
	case st.SiteAt != 0:
		w.Since = st.SiteAt.Time()
	case st.Own.Folded > 0:
		seen = st.Own.Last.Time
		w.Since = seen.Time()
	}
	if seen != 0 {
		w.Seen = seen.Time()
	}
	w.Evidence = evidence(st)
	if st.SiteAt == 0 && st.CheckIn == nil {
		if w.Tier, err = v.tierOf(w.Evidence); err != nil {
			return nil, err
		}
	}
	w.Flags, err = v.flags(own, d, st)
	return w, err
}

// directory is the master data as it was known at the time that a question is about.
func (v *View) directory(a Asked) Directory {
	if _, known := a.bounds(); known != math.MaxInt64 {
		return asOf{v, known}
	}
	return v
}

// evidence lists the entries on which place, custody and containment rest.
func evidence(st *Standing) []int64 {
	var list []int64
	if st.SiteAt != 0 {
		list = append(list, st.SiteSeq)
	}
	if c := st.CheckIn; c != nil && c.Time >= st.SiteAt {
		list = append(list, c.Seq)
	}
	if st.Holder != "" {
		list = append(list, st.HeldSeq)
	}
	for _, l := range [...]*Link{st.Own.Assoc, st.Own.Agg} {
		if l != nil {
			list = append(list, l.Seq)
		}
	}
	if len(list) == 0 && st.Own.Born != nil {
		list = append(list, st.Own.Born.Seq)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tierOf is the evidence tier of an answer that names no place: that of the best of the entries that it rests on.
func (v *View) tierOf(entries []int64) (best int, err error) {
	for _, seq := range entries {
		t, err := v.telling(seq)
		if err != nil {
			return 0, err
		}
		best = max(best, t.Tier())
	}
	return best, nil
}

// flags are short words for what a reader must know beside the place.
func (v *View) flags(own Own, d Directory, st *Standing) ([]string, error) {
	s := st.Own
	var out []string
	if st.Transit != nil {
		out = append(out, "in_transit")
	}
	if st.Cut {
		out = append(out, "containment_cut")
	}
	if s.Ended != nil {
		out = append(out, "ended:"+s.Ended.What)
	}
	if s.Hearsay {
		out = append(out, "hearsay")
	}
	out = append(out, sortedKeys(s.Flags)...)
	if s.Folded > 0 && len(st.Inside) > 0 && (s.Fix == nil || s.Fix.Time < st.SiteAt) && (st.CheckIn == nil || st.CheckIn.Time < st.SiteAt) {
		out = append(out, "place_from_parent")
	}
	for _, c := range s.Claims {
		out = append(out, "claim:"+c.What+" by "+NameOf(d, c.By))
	}
	for _, k := range s.Relayed {
		if !st.isPartyTo(k.By) {
			out = append(out, "claim:check-in by "+NameOf(d, k.By))
		}
	}
	for _, k := range s.Sightings {
		if k.Time >= st.SiteAt {
			out = append(out, "sighted:"+k.Kind)
		}
	}
	more, err := alsoKnown(own, s)
	if err != nil {
		return nil, err
	}
	list, err := exceptionsOf(own, d, s.Unit)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		more = append(more, "exception:"+x.Kind)
	}
	return compact(append(out, more...)), nil
}

// alsoKnown are the provisional names of a unit under which something was told: it is not in this unit's history.
func alsoKnown(own Own, s *State) (out []string, err error) {
	for _, n := range s.Names {
		id := provisionalOf(n.Alias)
		if id == "" || id == s.Unit || n.Rank == rankClaim {
			continue
		}
		p, err := own(id, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, "also_told_as:"+id)
		}
	}
	return out, nil
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

// Find resolves what people type for a unit: its identifier in any spelling, or any alias. Several units: all of them. Of those
// that bear one alias the best vouched for are meant: the maker's word outranks a later binding, and that a claim.
func (v *View) Find(word string) ([]string, error) {
	id := canonical(word)
	s, err := v.state(id)
	if err != nil {
		return nil, err
	}
	units, err := v.replacing(id)
	if err != nil {
		return nil, err
	}
	if s != nil {
		units = append(units, id)
	}
	if s == nil || isProvisional(id) {
		for _, alias := range [...]string{word, aliasOf(id)} {
			named, err := v.named(alias)
			if err != nil {
				return nil, err
			}
			units = append(units, named...)
		}
	}
	if len(units) == 0 {
		return v.findBySerial(word)
	}
	return compact(units), nil
}

// named lists the units that answer best to an alias.
func (v *View) named(alias string) (units []string, err error) {
	best := math.MinInt
	err = v.candidates(alias, func(s *State) {
		rank, ok := s.answersTo(alias)
		switch {
		case !ok || rank < best:
		case rank > best:
			best, units = rank, []string{s.Unit}
		default:
			units = append(units, s.Unit)
		}
	})
	return units, err
}

// replacing lists the units that say that an identifier was theirs before.
func (v *View) replacing(id string) (units []string, err error) {
	err = v.candidates(id, func(s *State) {
		if slices.Contains(s.Replaces, id) {
			units = append(units, s.Unit)
		}
	})
	return units, err
}

func (v *View) candidates(word string, fn func(s *State)) error {
	if word == "" {
		return nil
	}
	units, err := v.aliases.of(word)
	if err != nil {
		return err
	}
	for _, unit := range units {
		s, err := v.state(unit)
		if err != nil {
			return err
		}
		if s != nil {
			fn(s)
		}
	}
	return nil
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
