package custody

import "slices"

// maxDepth is how many parents up the closure of containment goes: GPU, board, server, pallet, container, rack, hall. maxSteps
// is how many states one answer may look at, whatever the events say of what was inside what, and when.
const (
	maxDepth = 8
	maxSteps = 200
)

// Own gives the state of a unit from its own events, as of an event time. A nil state: nothing was known.
type Own func(unit string, at Micros) (*State, error)

// Standing is where a unit stands at a time: its own word and that of what it is inside, whichever is later.
type Standing struct {
	Own     *State
	Site    string // a place, or ""
	Geo     string
	SiteAt  Micros // when the fact that decides the place happened
	SiteSeq int64
	Tier    int
	Inside  []string // what it is inside, nearest first
	Transit *Transit
	CheckIn *Sight // the last that is taken for the unit's own word
	Holder  string
	HeldAt  Micros
	HeldSeq int64
	Owner   string
	OwnedAt Micros
	Cut     bool // not everything that it is inside was looked at: it goes in circles, or too deep
}

// Resolve closes containment at the time of asking: a GPU is where its rack is. It returns nil when nothing is known of the unit.
func Resolve(own Own, unit string, at Micros) (*Standing, error) {
	w := walk{own: own, left: maxSteps}
	return w.resolve(unit, at)
}

// walk is one closure. It ends whatever the events say: containment in circles, or of any depth.
type walk struct {
	own  Own
	left int      // steps that may still be taken
	path []string // the units between the one asked about and this one
	done []done   // what was resolved in full: a parent is often reached by more than one way
	log  *asked   // nil where nothing is to be remembered for other walks
}

type done struct {
	moment
	st *Standing
	on []int32 // what was asked for it, where that is noted
}

// may says whether the parent may be looked at.
func (w *walk) may(parent string) bool {
	return w.left > 0 && len(w.path) <= maxDepth && !slices.Contains(w.path, parent)
}

func (w *walk) resolve(unit string, at Micros) (*Standing, error) {
	w.left--
	from := w.begin(unit)
	s, err := w.own(unit, at)
	if err != nil || s == nil {
		w.finish(from, at, nil)
		return nil, err
	}
	w.path = append(w.path, unit)
	st, err := w.close(s, at)
	w.path = w.path[:len(w.path)-1]
	if err != nil {
		st = nil
	}
	w.finish(from, at, st)
	return st, err
}

// close makes the standing of the unit at the end of the path from its own state.
func (w *walk) close(s *State, at Micros) (*Standing, error) {
	st := &Standing{Own: s, Holder: s.Holder, HeldAt: s.HeldBy.Time, HeldSeq: s.HeldBy.Seq, Owner: s.Owner, OwnedAt: s.OwnedBy.Time}
	st.takeOwn(s)
	if err := w.inherit(st, at); err != nil {
		return nil, err
	}
	st.takeCheckIn(st.checkIn())
	return st, nil
}

// checkIn is the last check-in that is taken for the unit's own word.
func (st *Standing) checkIn() *Sight {
	c := st.Own.CheckIn
	for i := range st.Own.Relayed {
		if r := &st.Own.Relayed[i]; st.isPartyTo(r.By) && (c == nil || r.Time > c.Time) {
			c = r
		}
	}
	return c
}

// isPartyTo says whether a party holds or owns the unit, or is the one to which it was sent.
func (st *Standing) isPartyTo(party string) bool {
	return party != "" && (party == st.Holder || party == st.Owner || st.Transit != nil && party == st.Transit.To)
}

func (st *Standing) takeOwn(s *State) {
	if f := s.Fix; f != nil {
		st.Site, st.Geo, st.SiteAt, st.SiteSeq, st.Tier = f.Site, f.Geo, f.Time, f.Seq, f.Tier
	}
	switch t := s.Transit; {
	case t == nil:
	case arrived(t, s.Fix):
		st.arrive(t)
	default:
		st.Transit, st.Site, st.Geo, st.SiteAt, st.SiteSeq = t, "", "", t.Since, t.Seq
	}
}

// arrived: nobody reported the receipt, but the party to which it was sent handled the unit afterwards, or somebody did at the
// place to which it was sent.
func arrived(t *Transit, f *Fix) bool {
	if t == nil || f == nil || f.By == "" || f.Time <= t.Since {
		return false
	}
	if f.Site != "" && t.ToSite != "" && SameSite(f.Site, t.ToSite) {
		return true
	}
	return f.By == t.To && t.From != t.To && (f.Site == "" || t.FromSite == "" || !SameSite(f.Site, t.FromSite))
}

// arrive gives the unit to the party to which it was sent, as of the time at which it is known to have arrived.
func (st *Standing) arrive(t *Transit) {
	f := st.Own.Fix
	if t.To != "" && f.Time >= st.HeldAt {
		st.Holder, st.HeldAt, st.HeldSeq = t.To, f.Time, f.Seq
	}
}

// inherit takes over what holds for the parents: of those left, as it was then; of the open ones, as it is at the time asked.
func (w *walk) inherit(st *Standing, at Micros) error {
	s := st.Own
	if f := s.Fix; f != nil && f.Parent != "" && f.Site == "" && f.Geo == "" {
		p, err := w.parent(st, f.Parent, f.Time)
		if err != nil {
			return err
		}
		st.takePlace(p, f.Time)
	}
	for _, b := range s.Bases {
		if err := w.inheritBase(st, b); err != nil {
			return err
		}
	}
	for _, l := range [...]struct {
		link *Link
		what string
	}{{s.Assoc, association}, {s.Agg, aggregation}} {
		if l.link == nil || IsPlace(l.link.Parent) {
			continue
		}
		if err := w.inheritLink(st, l.link, l.what, at); err != nil {
			return err
		}
	}
	return nil
}

// parent resolves a parent, or gives nil where that would not end.
func (w *walk) parent(st *Standing, unit string, at Micros) (*Standing, error) {
	if IsPlace(unit) {
		return nil, nil
	}
	key := moment{unit, at}
	if i := slices.IndexFunc(w.done, func(d done) bool { return d.moment == key }); i >= 0 {
		w.note(w.done[i].on)
		return w.done[i].st, nil
	}
	if !w.may(unit) {
		st.Cut = true
		return nil, nil
	}
	if p := w.remembered(unit, at); p != nil {
		return p, nil
	}
	from := w.noted()
	p, err := w.resolve(unit, at)
	switch {
	case err != nil:
	case p != nil && p.Cut:
		st.Cut = true
	default:
		w.done = append(w.done, done{key, p, w.notedSince(from)})
	}
	return p, err
}

func (w *walk) inheritBase(st *Standing, b Base) error {
	from, end, open, err := closedAt(w.own, b.Parent, b.What, b.From, b.Again, b.At)
	if err != nil {
		return err
	}
	if open {
		end = b.At
	}
	p, err := w.parent(st, b.Parent, end)
	if err != nil {
		return err
	}
	st.takeParties(p, from)
	return nil
}

func (w *walk) inheritLink(st *Standing, l *Link, what string, at Micros) error {
	from, end, open, err := closedAt(w.own, l.Parent, what, l.From, l.Again, at)
	if err != nil {
		return err
	}
	if !open {
		p, err := w.parent(st, l.Parent, end)
		if err != nil {
			return err
		}
		st.takePlace(p, end)
		st.takeParties(p, from)
		return nil
	}
	if slices.Contains(w.path, l.Parent) {
		st.Cut = true
		return nil
	}
	st.isInside(l.Parent)
	p, err := w.parent(st, l.Parent, at)
	if err != nil || p == nil {
		return err
	}
	st.takePlace(p, from)
	st.takeParties(p, from)
	st.isInside(p.Inside...)
	return nil
}

func (st *Standing) isInside(parents ...string) {
	for _, p := range parents {
		if !slices.Contains(st.Inside, p) {
			st.Inside = append(st.Inside, p)
		}
	}
}

// closedAt says from when a unit was inside a parent, and when that ended by a time although the unit's own events do not say
// so: the parent was emptied. One that was put in again after the parent was emptied is inside again.
func closedAt(own Own, parent, what string, from, again, at Micros) (since, end Micros, open bool, err error) {
	end, found, err := emptiedAfter(own, parent, what, from, at)
	if err != nil || !found {
		return from, 0, true, err
	}
	if again > end {
		from = again
		end, found, err = emptiedAfter(own, parent, what, from, at)
	}
	return from, end, !found, err
}

// emptiedAfter finds when a parent was emptied first after a time. A state keeps the last times only: for earlier ones it is
// asked as of an earlier time.
func emptiedAfter(own Own, parent, what string, from, at Micros) (first Micros, found bool, err error) {
	if IsPlace(parent) {
		return 0, false, nil
	}
	for range maxSteps {
		s, err := own(parent, at)
		if err != nil || s == nil {
			return first, found, err
		}
		for _, m := range s.Emptied {
			if m.What == what && m.Time > from && m.Time <= at {
				first, found = m.Time, true
				break
			}
		}
		if len(s.Emptied) < keepEmpty || s.Emptied[0].Time <= from {
			break
		}
		at = s.Emptied[0].Time - 1
	}
	return first, found, nil
}

// takePlace takes over the parent's place when it is news: the parent's fact counts from the time at which the link began, or
// ended. A link's own event often tells a place too; then the parent, which both share, decides.
func (st *Standing) takePlace(p *Standing, from Micros) {
	if p == nil {
		return
	}
	at := max(p.SiteAt, from)
	if at < st.SiteAt {
		return
	}
	if p.Transit != nil {
		if arrived(p.Transit, st.Own.Fix) {
			return
		}
		st.Transit, st.Site, st.Geo = p.Transit, "", ""
		st.SiteAt, st.SiteSeq = p.SiteAt, p.SiteSeq
		return
	}
	if p.Site == "" && p.Geo == "" {
		return
	}
	st.Site, st.Geo, st.SiteAt, st.SiteSeq, st.Tier, st.Transit = p.Site, p.Geo, at, p.SiteSeq, p.Tier, nil
}

// takeParties takes over who holds and who owns the parent, where that changed while the unit was inside: custody changes by
// being handed over, not by being put into something of somebody else's.
func (st *Standing) takeParties(p *Standing, from Micros) {
	if p == nil {
		return
	}
	if p.Holder != "" && (st.Holder == "" || p.HeldAt > from && p.HeldAt >= st.HeldAt) {
		st.Holder, st.HeldAt, st.HeldSeq = p.Holder, p.HeldAt, p.HeldSeq
	}
	if p.Owner != "" && (st.Owner == "" || p.OwnedAt > from && p.OwnedAt >= st.OwnedAt) {
		st.Owner, st.OwnedAt = p.Owner, p.OwnedAt
	}
	if arrived(p.Transit, st.Own.Fix) {
		st.arrive(p.Transit)
	}
}

// takeCheckIn: a unit that says itself where it is outranks paper that is older.
func (st *Standing) takeCheckIn(c *Sight) {
	st.CheckIn = c
	if c == nil || c.Time < st.SiteAt {
		return
	}
	if c.Place != "" && (c.Place != st.Site || st.Transit != nil) {
		st.Site, st.Geo, st.SiteAt, st.Transit = c.Place, c.Geo, c.Time, nil
		st.SiteSeq = c.Seq
	}
	if c.Geo != "" {
		st.Geo = c.Geo
	}
	st.Tier = max(st.Tier, c.Tier)
}
