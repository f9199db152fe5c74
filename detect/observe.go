package detect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// maxAhead: an event that lies further ahead of its record has a wrong clock and is no news.
const maxAhead = 2 * Day

// observe takes in an entry, after custody did. t is nil for what is no event.
func (m *Memory) observe(e ledger.Entry, t *custody.Telling) {
	m.tick(e, t)
	if e.Kind == ledger.KindMasterData {
		m.places = nil // read anew when next asked for
	}
	if t == nil || t.Claim {
		return
	}
	at := custody.At(t.Event.Time)
	if at < 0 || at > custody.At(t.Recorded)+maxAhead {
		return
	}
	m.observeContents(t)
	switch {
	case t.Event.ErrorDeclaration != nil:
		m.withdraw(t)
	case t.IsCheckIn():
		m.observeCheckIn(t)
	case t.Text("sighting") != "":
		m.observeSighting(t)
	default:
		m.observeWork(t)
	}
}

// tick moves the clock. What a document claims about its own record time, and what a sweep says, is news of the time itself;
// in live capture of older events only the events tell how far the news reaches.
func (m *Memory) tick(e ledger.Entry, t *custody.Telling) {
	known := custody.At(e.Recorded)
	m.Clock.Now = max(m.Clock.Now, known)
	switch {
	case e.Trusted || e.Kind == ledger.KindSweep:
		m.Clock.News = max(m.Clock.News, known)
	case t != nil && custody.At(t.Event.Time) <= known:
		m.Clock.News = max(m.Clock.News, custody.At(t.Event.Time))
	}
}

// observeContents keeps what is inside what.
func (m *Memory) observeContents(t *custody.Telling) {
	ev := t.Event
	if ev.ParentID == "" || custody.IsPlace(ev.ParentID) || ev.Type == epcis.TransactionEvent || ev.ErrorDeclaration != nil {
		return
	}
	switch {
	case ev.Action == epcis.Add, ev.Action == epcis.Observe && get(m, m.inside, ev.ParentID) == nil && len(ev.ChildEPCs) > 0:
		in := have(m, m.inside, ev.ParentID)
		for _, c := range ev.ChildEPCs {
			if !slices.Contains(in.Children, c) {
				in.Children = append(in.Children, c)
			}
		}
	case ev.Action == epcis.Delete && len(ev.ChildEPCs) == 0:
		if in := get(m, m.inside, ev.ParentID); in != nil {
			m.takeOut(t, in.Children)
			m.inside.Put(ev.ParentID, &Inside{})
		}
	case ev.Action == epcis.Delete:
		m.takeOut(t, ev.ChildEPCs)
		if in := get(m, m.inside, ev.ParentID); in != nil {
			left := &Inside{}
			for _, c := range in.Children {
				if !slices.Contains(ev.ChildEPCs, c) {
					left.Children = append(left.Children, c)
				}
			}
			m.inside.Put(ev.ParentID, left)
		}
	}
}

// takeOut remembers accelerators that were taken out of what they were built into.
func (m *Memory) takeOut(t *custody.Telling, children []string) {
	if t.Event.Type != epcis.AssociationEvent {
		return
	}
	for _, c := range children {
		if m.Custody.Kind(c) == "server" {
			continue // out of its rack, and whole
		}
		for _, unit := range m.Accelerators(c) {
			u := have(m, m.units, unit)
			u.Out = &Out{At: custody.At(t.Event.Time), Seq: t.Seq, Site: siteOf(t.Place()), By: t.Speaker}
			m.out[unit] = true
		}
	}
}

func (m *Memory) observeCheckIn(t *custody.Telling) {
	known := custody.At(t.Recorded)
	holders := map[string]string{} // by site: the units of one event are in one machine
	for _, n := range t.Units() {
		if n.Role == custody.RoleParent || !m.IsAccelerator(n.Unit) {
			continue
		}
		u := have(m, m.units, n.Unit)
		site := siteOf(t.Place())
		if site == "" {
			site = m.siteAt(n.Unit, t.Geo())
		}
		if site == u.Site && custody.At(t.Event.Time) < u.Last && custody.At(t.Event.Time) > u.Last-wrongClock {
			u.comeBack(site, custody.At(t.Event.Time)) // late, and no news of where it is
			continue
		}
		st := m.Standing(n.Unit)
		if !t.Vouched(st) {
			m.compareSight(n.Unit, u, t, site, "check-in") // somebody else's word about it, not its own
			continue
		}
		if _, ok := holders[site]; !ok {
			holders[site] = holderOf(st)
		}
		m.checkIn(n.Unit, u, t, site, holders[site], known)
	}
}

// checkIn takes in one unit's check-in at a site.
func (m *Memory) checkIn(unit string, u *Unit, t *custody.Telling, site, holder string, known Micros) {
	feed := m.Feed(first(site, u.Site), holder)
	at := feed.trueTime(custody.At(t.Event.Time), known)
	u.comeBack(site, at)
	m.compareSight(unit, u, t, site, "check-in")
	if at <= u.Last {
		return
	}
	if site != "" && site != u.Site {
		m.moveCheckIns(unit, u.Site, site)
		u.Site, u.Count = site, 0
	}
	gap := at - u.Last
	if u.First == 0 || u.Count == 0 {
		u.First, gap = at, 0
	}
	u.Last, u.LastSeq, u.Holder, u.Out, u.Word, u.WordKnown = at, t.Seq, holder, nil, 0, 0
	delete(m.out, unit)
	u.Count++
	u.noteLag(known - at)
	m.place(unit, u)
	if site != "" {
		feed.note(gap, at, known)
		m.feeds.Put(feedKey(site, holder), feed)
	}
}

// comeBack notes for each time that the unit was seen elsewhere when it first checked in again where it should be.
func (u *Unit) comeBack(site string, at Micros) {
	for i := range u.Odd {
		if o := &u.Odd[i]; o.From == site && at > o.At && (o.Back == 0 || at < o.Back) {
			o.Back = at
		}
	}
}

// left says whether the unit's check-ins went from a site to the one of now without anybody's having reported a move: that it checks
// in there again is no surprise.
func (u *Unit) left(site string) bool {
	return slices.ContainsFunc(u.Odd, func(o Odd) bool { return o.From == site && o.Place == u.Site })
}

func (m *Memory) moveCheckIns(unit, from, to string) {
	if r := m.at[from]; r != nil {
		r.drop(unit)
	}
	if m.Site(to) == nil {
		i, _ := slices.BinarySearch(m.siteList, to)
		m.siteList = slices.Insert(m.siteList, i, to)
	}
	have(m, m.sites, to)
}

func (m *Memory) observeSighting(t *custody.Telling) {
	for _, n := range t.Units() {
		for _, unit := range m.Accelerators(n.Unit) {
			u := have(m, m.units, unit)
			site := siteOf(t.Place())
			if site == "" {
				site = m.siteAt(unit, t.Geo())
			}
			m.compareSight(unit, u, t, site, t.Text("sighting"))
		}
	}
}

// compareSight remembers a sighting that custody does not explain: the unit checks in elsewhere, or was declared elsewhere, and
// nobody reported a move.
func (m *Memory) compareSight(unit string, u *Unit, t *custody.Telling, site, kind string) {
	at := custody.At(t.Event.Time)
	home, faint := u.Site, false
	if home == "" { // never checked in: among declared sites that has most probably a missed scan behind it
		plain := kind == "customs" || IsBarred(m.placeCountry(site))
		if faint = !plain; plain || isPosition(site) {
			home = m.declared(unit)
		}
	}
	if site == "" || home == "" || custody.SameSite(site, home) || u.First > 0 && at < u.First || u.left(site) {
		return
	}
	km := m.kilometres(site, home)
	if near := isPosition(site) || isPosition(home); near && km >= 0 && float64(km) <= nearKm+uncertaintyKm(t.Geo()) {
		return // a position near the site is the site
	}
	if m.declaredMove(unit, home, site) {
		return
	}
	if !m.odd[unit] {
		m.odd[unit] = true
		m.oddIndex.Put(unit, &Handle{})
	}
	o := Odd{At: at, Known: custody.At(t.Recorded), Seq: t.Seq, Place: site, Country: m.Country(site), From: home, Kind: kind, Tier: t.Tier(), By: m.witness(t, home), Km: km, Unheard: u.Last == 0, Faint: faint}
	switch {
	case u.Last == 0:
	case u.Last > at && u.Site == home: // it became known late, and the unit had gone on checking in
		o.Back = min(u.Last, at+m.Feed(home, u.Holder).cadence())
		o.Gap = at - max(u.First, o.Back-m.Feed(home, u.Holder).cadence())
	default:
		o.Gap = at - u.Last
	}
	u.Odd = append(u.Odd, o)
	if len(u.Odd) > keepOdd {
		u.Odd = u.Odd[1:]
	}
}

// witness is who says that a unit was seen, if it rests on his word alone: neither the deployment's, an authority's, nor that of who
// operates the unit's own site and would hardly say so.
func (m *Memory) witness(t *custody.Telling, home string) string {
	by := t.Speaker
	if by == "" || by == custody.Registrar || by == custody.Operator(m.Custody, home) || m.Attr(by, "tw:role") == "authority" {
		return ""
	}
	return by
}

// keepOdd bounds how many odd sightings of one unit are remembered.
const keepOdd = 8

// declared is where a unit that never checked in should be: at its site, or on the way to one.
func (m *Memory) declared(unit string) string {
	st := m.withoutCheckIn(unit)
	switch {
	case st == nil:
		return ""
	case st.Transit != nil:
		return siteOf(st.Transit.ToSite)
	}
	return siteOf(st.Site)
}

// declaredMove says whether anybody reported that a unit went to a site, so that its being there is no surprise: it was sent
// there, its receipt there was reported, it was sold to whoever operates the site, or the site is its operator's own. That it
// was built in there is no report of how it came there.
func (m *Memory) declaredMove(unit, home, site string) bool {
	operator := custody.Operator(m.Custody, site)
	if operator != "" && operator == custody.Operator(m.Custody, home) {
		return true
	}
	before := m.withoutCheckIn(unit)
	if before == nil {
		return false
	}
	if t := before.Transit; t != nil && (custody.SameSite(t.ToSite, site) || m.near(t.ToSite, site) || operator != "" && operator == t.To) {
		return true
	}
	if operator != "" && operator == before.Owner {
		return true
	}
	received := custody.StepOf(before.Own.HeldBy.What) == custody.StepReceipt || before.Own.Holder == ""
	return received && (operator != "" && operator == before.Holder || before.Own.Holder != "" && custody.SameSite(before.Site, site))
}

// withoutCheckIn is where a unit would stand, were it not for its own last word.
func (m *Memory) withoutCheckIn(unit string) *custody.Standing {
	st := m.Standing(unit)
	if st == nil {
		return nil
	}
	own := *st.Own
	own.CheckIn, own.Relayed = nil, nil
	before, err := custody.Resolve(func(id string, at Micros) (*custody.State, error) {
		if id == unit {
			return &own, nil
		}
		return m.Own(id, at)
	}, unit, Micros(1)<<62)
	if err != nil {
		return nil
	}
	return before
}

func isHandle(unit string) bool {
	return strings.HasPrefix(unit, "https://id.gs1.org/00/") || strings.HasPrefix(unit, "https://id.gs1.org/8003/")
}

// amount reads tw:declaredValue.
func amount(t *custody.Telling) float64 {
	raw, ok := t.Event.Extensions[custody.NS+"declaredValue"]
	if !ok {
		return 0
	}
	var v struct {
		Number   any `json:"amount"`
		TwNumber any `json:"tw:amount"`
	}
	if json.Unmarshal(raw, &v) != nil {
		f, _ := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
		return f
	}
	for _, n := range []any{v.Number, v.TwNumber} {
		switch n := n.(type) {
		case float64:
			return n
		case string:
			f, _ := strconv.ParseFloat(n, 64)
			return f
		}
	}
	return 0
}

func number(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}
