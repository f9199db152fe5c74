package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Darkness sees accelerators of one holder at one site that stop checking in together and stay silent.
//
// Source: reported "inspect, strip, ship" cases, where a hall passes an inspection and is emptied within days; scan statistics
// over site and time. An inspection is therefore the trigger of the next watch, not a clearance.
//
// Innocent: a network or power outage, a firmware freeze, a data-hall move, decommissioning that nobody reported, a broken feed,
// a server that is switched off. Outages end; the longer the silence, the fewer of them last, which is what the ratio says.
type Darkness struct{}

// Parameters of Darkness: how honest silences come about, and how long they last. Rates are those of public reports where there
// are any (facts: half a percent of site-days with an outage, four percent of servers a year switched off), and assumptions else.
const (
	darkMinUnits = 8        // one server's accelerators
	darkWindow   = 14 * Day // in which units of one group fall silent
	darkCadence  = 7 * Day  // of check-ins, until it can be seen
	darkMinGrace = Day / 2  // the least lateness to allow for
	darkMaxGrace = 9 * Day  // the most

	// A whole site silent: outages of hours to days, and freezes of up to three weeks, often after an inspection.
	darkOutage     = 0.05
	darkOutageDays = 4.0
	darkFreeze     = 0.03
	darkFreezeDays = 22.0
	// Part of a site silent, beside machines that report: the network works, so the reason is in the hall.
	darkPart     = 0.06 // for one machine; less for more of them
	darkPartDays = 5.0
	// Single servers are switched off for one to four weeks.
	darkOffPerYear = 0.04
	darkOffDays    = 28.0
	// For good, and nobody says so.
	darkForever = 0.0015

	darkAfter      = 60 * Day // how long an inspection casts its light
	darkInspection = 1.2      // ratio, in nats, of a silence that begins in that light
	darkSelfWord   = 1.0      // what the operator's own word about most of the units takes away
	darkOften      = 0.6      // what each earlier silence of the site that ended takes away, up to three
	darkLeast      = 0.5      // nats; below that it is not worth a finding
)

// Kind implements Detector.
func (Darkness) Kind() string { return "site-went-dark" }

// silent is a unit that should have checked in and did not.
type silent struct {
	unit    string
	last    Micros
	seq     int64  // of its last check-in
	machine string // in which it is built
	holder  string
	self    bool // its operator says something about it that nobody else confirms
}

// Find implements Detector.
func (d Darkness) Find(m *Memory, now Micros) []Finding {
	heard := min(now, m.Clock.News)
	var out []Finding
	m.Sites(func(site string, s *SiteMemory) {
		list, heardLast := d.silentAt(m, site, s, heard)
		if len(list) < darkMinUnits {
			return
		}
		for _, ours := range byHolder(list) {
			for _, group := range clusters(ours) {
				if f, ok := d.judge(m, site, s, group, heardLast, heard); ok {
					out = append(out, f)
				}
			}
		}
	})
	return out
}

// silentAt lists the site's silent units that papers do not explain, and when each unit that reports did so last.
func (Darkness) silentAt(m *Memory, site string, s *SiteMemory, heard Micros) (list []silent, reporting []Micros) {
	late := s.cadence() + min(max(2*s.Lag, darkMinGrace), darkMaxGrace)
	for unit := range m.at[site] {
		u := m.Unit(unit)
		if u == nil {
			continue
		}
		if heard-u.Last <= late {
			reporting = append(reporting, u.Last)
			continue
		}
		st := m.Standing(unit)
		why := excuse(m, u, st, site, s.cadence())
		if why == movedAway {
			continue
		}
		if machine, whole := m.machine(unit, st, u.Last+s.cadence()); whole {
			list = append(list, silent{unit, u.Last, u.LastSeq, machine, holderOf(st), why == ownWord})
		}
	}
	sortSilent(list)
	return list, reporting
}

// machine is what a unit is built into, and whether most of the accelerators in it have been silent since a time as well: single
// silent ones in a machine that reports have failed.
func (m *Memory) machine(unit string, st *custody.Standing, since Micros) (id string, whole bool) {
	if st == nil || len(st.Inside) == 0 {
		return unit, true
	}
	id = st.Inside[0]
	for _, in := range st.Inside {
		if custody.KindOf(m.Custody, in) == "server" {
			id = in
		}
	}
	all, alive := m.Accelerators(id), 0
	for _, other := range all {
		if u := m.Unit(other); u != nil && u.Last > since {
			alive++
		}
	}
	return id, 2*alive < len(all) || len(all) == 0
}

func holderOf(st *custody.Standing) string {
	if st == nil {
		return ""
	}
	return st.Holder
}

func sortSilent(list []silent) {
	slices.SortFunc(list, func(a, b silent) int {
		if a.last != b.last {
			return int(min(max(a.last-b.last, -1), 1))
		}
		return strings.Compare(a.unit, b.unit)
	})
}

// byHolder splits a list by holder, keeping its order: a tenant's hall stands beside others'.
func byHolder(list []silent) [][]silent {
	var order []string
	groups := map[string][]silent{}
	for _, u := range list {
		if groups[u.holder] == nil {
			order = append(order, u.holder)
		}
		groups[u.holder] = append(groups[u.holder], u)
	}
	out := make([][]silent, len(order))
	for i, h := range order {
		out[i] = groups[h]
	}
	return out
}

// cadence is the usual time between check-ins of one of the site's units.
func (s *SiteMemory) cadence() Micros {
	if s.Gap == 0 {
		return darkCadence
	}
	return max(s.Gap, Day/24)
}

// What papers say about a silent unit.
const (
	unexplained = iota
	ownWord     // only the operator itself says something
	movedAway   // somebody else confirms that it went, or it is under way to a named receiver
)

// darkOwnMove is how long a move between an operator's own sites may take, when it was announced as it began.
const darkOwnMove = 35 * Day

// excuse says what explains a unit's silence since its last check-in.
func excuse(m *Memory, u *Unit, st *custody.Standing, site string, cadence Micros) int {
	if st == nil {
		return unexplained
	}
	s, operator := st.Own, custody.Operator(m.Custody, site)
	ours := func(party string) bool {
		return party == "" || party == operator || party == st.Holder && st.Transit == nil
	}
	switch {
	case st.Transit != nil && st.Transit.Since > u.Last-Day:
		t := st.Transit
		if t.To != t.From && !ours(t.To) {
			return movedAway // sent with its serial to a named receiver; if it does not arrive, Overdue sees it
		}
		if t.Since < u.Last+cadence+2*Day && m.Clock.Now-t.Since < darkOwnMove {
			return movedAway // announced as it began
		}
		return ownWord // sent to itself: nobody else has seen them
	case st.SiteAt > u.Last-Day && st.Site != "" && !custody.SameSite(st.Site, site):
		if op := custody.Operator(m.Custody, st.Site); op == "" || op == operator {
			return ownWord
		}
		return movedAway // received, or seen, by somebody else
	case s.Ended != nil && s.Ended.Time > u.Last:
		if s.Ended.By != operator && s.Ended.By != st.Holder {
			return movedAway
		}
		return ownWord
	}
	for _, flag := range []string{"stolen", "unknown"} {
		if f, ok := s.Flags[flag]; ok && f.Time > u.Last-Day {
			return ownWord
		}
	}
	return unexplained
}

// clusters groups silent units by when they were last heard.
func clusters(list []silent) [][]silent {
	var out [][]silent
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].last-list[0].last <= darkWindow+darkWindow/2 && list[n].last-list[n-1].last <= darkWindow/2 {
			n++
		}
		if n >= darkMinUnits {
			out = append(out, list[:n])
		}
		list = list[n:]
	}
	return out
}

// machines counts the machines of a group.
func machines(group []silent) int {
	seen := map[string]bool{}
	for _, u := range group {
		seen[u.machine] = true
	}
	return len(seen)
}

// honest is how probable it is that a silence of so many days, of so many of the site's machines, comes about honestly.
func (Darkness) honest(days float64, dark, all int, whole bool) float64 {
	ends := func(after, within float64) float64 { return 1 / (1 + math.Exp((days-after)/within)) }
	if whole {
		return darkOutage*math.Exp(-days/darkOutageDays) + darkFreeze*ends(darkFreezeDays, 1) + darkForever
	}
	// As many machines switched off at one time, by chance.
	rate := float64(all) * darkOffPerYear * (darkOffDays + float64(darkWindow)/float64(Day)) / 365
	off := 1.0
	for k := 1; k <= dark && off > 1e-9; k++ {
		off *= min(1, rate/float64(k))
	}
	return darkPart/float64(min(dark, 4))*math.Exp(-days/darkPartDays) + off*ends(darkOffDays, 2) + darkForever
}

// witnesses counts the units that reported after a time: others at the site whose word shows that the feed works.
func witnesses(reporting []Micros, after Micros) (n int) {
	for _, t := range reporting {
		if t > after {
			n++
		}
	}
	return n
}

func (d Darkness) judge(m *Memory, site string, s *SiteMemory, group []silent, reporting []Micros, heard Micros) (Finding, bool) {
	from, middle, to := group[0].last, group[len(group)/2].last, group[len(group)-1].last
	days := float64(heard-middle) / float64(Day)
	overdue := max(0, days-float64(s.cadence())/float64(Day))
	dark, others := machines(group), witnesses(reporting, middle+s.cadence())
	all := dark + int(math.Ceil(float64(others)*float64(dark)/float64(len(group))))
	llr := -math.Log(d.honest(overdue, dark, all, others*10 < len(group)))
	f := Finding{Kind: d.Kind(), Group: GroupGone, Sites: []string{site}, First: from, From: from, To: to, Innocent: darkInnocent}
	f.Parties = append(f.Parties, group[0].holder, custody.Operator(m.Custody, site))
	if p, ok := lastPass(s, to); ok {
		llr += darkInspection
		f.Inspected = p.At
		f.Evidence = append(f.Evidence, p.Seq)
	}
	self := 0
	for _, u := range group {
		f.Units = append(f.Units, u.unit)
		f.Evidence = append(f.Evidence, u.seq)
		if u.self {
			self++
		}
	}
	if self > 0 {
		f.Against = append(f.Against, fmt.Sprintf("the operator itself reports what became of %d of them; nobody else confirms it", self))
	}
	if self*2 > len(group) {
		llr -= darkSelfWord
	}
	llr -= min(float64(s.Outages), 3) * darkOften
	if llr < darkLeast {
		return f, false
	}
	f.ID = identify(f.Kind, site, group[0].holder, fmt.Sprint(from/(7*Day)))
	f.MilliNats = nats(llr)
	f.Explanation = fmt.Sprintf("%d accelerators in %d machines at %s were last heard between %s and %s and have been silent for %d days; %d others there have reported since",
		len(group), dark, m.Name(site), day(from), day(to), int(days), others)
	return f, true
}

var darkInnocent = []string{
	"a network or power outage, or a firmware freeze, at the site: it would end with the same units checking in again",
	"machines that were switched off: they can be switched on",
	"a data-hall move or a decommissioning that was not reported: the operator can show the units or their papers",
	"the site's feed of check-ins broke: other units of the site would be silent too",
}

// lastPass is the last inspection that a silence follows.
func lastPass(s *SiteMemory, dark Micros) (Pass, bool) {
	for i := len(s.Passed) - 1; i >= 0; i-- {
		if p := s.Passed[i]; p.At <= dark+Day && dark-p.At <= darkAfter {
			return p, true
		}
	}
	return Pass{}, false
}

func day(t Micros) string { return t.Time().Format("2 January 2006") }
