package detect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/gs1"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// maxAhead: an event that lies further ahead of its record has a wrong clock and is no news.
const maxAhead = 2 * Day

// observe takes in an entry, after custody did. t is nil for what is no event.
func (m *Memory) observe(e ledger.Entry, t *custody.Telling) {
	m.tick(e, t)
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
		for _, unit := range m.Accelerators(c) {
			u := have(m, m.units, unit)
			u.Out = &Out{At: custody.At(t.Event.Time), Seq: t.Seq, Site: siteOf(t.Place()), By: t.Speaker}
		}
	}
}

func (m *Memory) observeCheckIn(t *custody.Telling) {
	at := custody.At(t.Event.Time)
	for _, n := range t.Units() {
		if n.Role == custody.RoleParent || !m.IsAccelerator(n.Unit) {
			continue
		}
		u := have(m, m.units, n.Unit)
		site := siteOf(t.Place())
		if site == "" {
			site = m.nearestSite(n.Unit, t.Geo())
		}
		m.compareSight(n.Unit, u, t, site, "check-in")
		if at <= u.Last {
			continue
		}
		if site != "" && site != u.Site {
			m.moveCheckIns(n.Unit, u.Site, site)
			u.Site, u.First, u.Count = site, at, 0
		}
		if u.First == 0 {
			u.First = at
		}
		u.Last, u.LastSeq, u.Out = at, t.Seq, nil
		u.Count++
		m.noteFeed(site, at, custody.At(t.Recorded))
	}
}

// noteFeed learns how late a site's check-ins become known.
func (m *Memory) noteFeed(site string, at, known Micros) {
	if site == "" {
		return
	}
	s := have(m, m.sites, site)
	lag := max(0, known-at)
	if lag > 30*Day { // history loaded live says nothing of lateness
		return
	}
	if lag > s.Lag {
		s.Lag += (lag - s.Lag) / 4
	} else {
		s.Lag -= (s.Lag - lag) / 64
	}
	s.Feed = max(s.Feed, at)
}

func (m *Memory) moveCheckIns(unit, from, to string) {
	if s := m.Site(from); from != "" && s != nil {
		delete(s.Units, unit)
		m.sites.Put(from, s)
	}
	if m.Site(to) == nil {
		i, _ := slices.BinarySearch(m.siteList, to)
		m.siteList = slices.Insert(m.siteList, i, to)
	}
	s := have(m, m.sites, to)
	if s.Units == nil {
		s.Units = map[string]bool{}
	}
	s.Units[unit] = true
}

// nearestSite is the unit's own site when a position lies near enough to it, else the position itself.
func (m *Memory) nearestSite(unit, geo string) string {
	lat, lon, ok := custody.GeoPoint(geo)
	if !ok {
		return ""
	}
	st := m.Standing(unit)
	if st != nil && st.Site != "" {
		if slat, slon, ok := custody.Position(m.Custody, st.Site); ok && custody.Kilometres(lat, lon, slat, slon) <= 50+uncertaintyKm(geo) {
			return siteOf(st.Site)
		}
	}
	base, _, _ := strings.Cut(geo, ";")
	return base
}

func uncertaintyKm(geo string) float64 {
	_, rest, found := strings.Cut(geo, ";u=")
	if !found {
		return 0
	}
	rest, _, _ = strings.Cut(rest, ";")
	metres, err := strconv.ParseFloat(rest, 64)
	if err != nil {
		return 0
	}
	return min(metres/1000, 500)
}

func (m *Memory) observeSighting(t *custody.Telling) {
	for _, n := range t.Units() {
		for _, unit := range m.Accelerators(n.Unit) {
			u := have(m, m.units, unit)
			site := siteOf(t.Place())
			if site == "" {
				site = m.nearestSite(unit, t.Geo())
			}
			m.compareSight(unit, u, t, site, t.Text("sighting"))
		}
	}
}

// compareSight remembers a sighting that custody does not explain: the unit checks in elsewhere, and nobody reported a move.
func (m *Memory) compareSight(unit string, u *Unit, t *custody.Telling, site, kind string) {
	at := custody.At(t.Event.Time)
	if site == "" || u.Site == "" || custody.SameSite(site, u.Site) || at < u.First {
		return
	}
	lat, lon, ok1 := custody.Position(m.Custody, site)
	slat, slon, ok2 := custody.Position(m.Custody, u.Site)
	km := -1
	if ok1 && ok2 {
		km = int(custody.Kilometres(lat, lon, slat, slon))
	}
	o := Odd{At: at, Known: custody.At(t.Recorded), Seq: t.Seq, Place: site, Country: m.Country(site), From: u.Site, Kind: kind, Tier: t.Tier(), Gap: at - u.Last, Km: km}
	if kind == "check-in" || len(u.Odd) < 8 {
		if m.declaredMove(unit, site) {
			return
		}
		if !m.odd[unit] {
			m.odd[unit] = true
			m.oddIndex.Put(unit, &Handle{})
		}
		u.Odd = append(u.Odd, o)
		if len(u.Odd) > 8 {
			u.Odd = u.Odd[1:]
		}
	}
}

// declaredMove says whether anybody reported that a unit went to a site: then its being there is no surprise.
func (m *Memory) declaredMove(unit, site string) bool {
	st := m.Standing(unit)
	if st == nil {
		return false
	}
	// Where it would be, were it not for the check-in itself.
	own := *st.Own
	own.CheckIn = nil
	before, err := custody.Resolve(func(id string, at Micros) (*custody.State, error) {
		if id == unit {
			return &own, nil
		}
		return m.Own(id, at)
	}, unit, Micros(1)<<62)
	if err != nil || before == nil {
		return false
	}
	if t := before.Transit; t != nil {
		return custody.SameSite(t.ToSite, site) || custody.Operator(m.Custody, site) == t.To
	}
	return custody.SameSite(before.Site, site)
}

// siteOf is a place without its extension: the site of which it is a part.
func siteOf(place string) string {
	if base := gs1.SiteOf(place); base != "" {
		return base
	}
	return place
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
