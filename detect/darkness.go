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
	// Single check-ins fail to arrive.
	darkMiss = 0.01
	// For good, and nobody says so. Of single machines the papers are often broken by a missed scan.
	darkForever    = 0.0015
	darkForeverOne = 0.05
	darkFew        = 3   // machines; of fewer than that the silence alone says no more than
	darkFewMost    = 4.5 // nats, inspected or not

	darkAfter      = 60 * Day // how long an inspection casts its light
	darkInspection = 1.2      // ratio, in nats, of a silence that begins in that light
	darkSelfWord   = 1.0      // what the operator's own word about most of the units takes away, when it came afterwards
	darkAnnounced  = 2.5      // and when it came as it happened; then the inspection adds nothing
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
	holder  string // when it was last heard
	word    int    // what its operator says about it: unexplained, ownWord or announced
}

// Find implements Detector.
func (d Darkness) Find(m *Memory, now Micros) []Finding {
	heard := min(now, m.Clock.News)
	var out []Finding
	m.Sites(func(site string, s *SiteMemory) {
		list, heardLast := d.silentAt(m, site, heard)
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
func (Darkness) silentAt(m *Memory, site string, heard Micros) (list []silent, reporting []Micros) {
	feeds := map[string]*Feed{}
	r := m.at[site]
	if r == nil {
		return nil, nil
	}
	for i := range r.list {
		due := &r.list[i]
		feed := feeds[due.holder]
		if feed == nil {
			feed = m.Feed(site, due.holder)
			feeds[due.holder] = feed
		}
		if heard-due.last <= feed.cadence()+feed.grace(due) {
			reporting = append(reporting, due.last)
			continue
		}
		unit := due.unit
		u := m.Unit(unit)
		if u == nil {
			continue
		}
		st := m.Standing(unit)
		why := excuse(m, u, st, site, feed.cadence())
		if why == movedAway {
			continue
		}
		if machine, whole := m.machine(unit, st, u.Last+feed.cadence()); whole {
			list = append(list, silent{unit, u.Last, u.LastSeq, machine, u.Holder, why})
		}
	}
	sortSilent(list)
	return list, reporting
}

// machine is what a unit is built into, and whether most of the accelerators in it have been silent since a time as well: single
// silent ones in a machine that reports have failed.
func (m *Memory) machine(unit string, st *custody.Standing, since Micros) (id string, whole bool) {
	switch {
	case st == nil:
		return unit, true
	case len(st.Inside) > 0:
		id = st.Inside[0]
	case len(st.Own.Past) > 0:
		id = st.Own.Past[len(st.Own.Past)-1].Parent // out of which it was taken
	default:
		return unit, true
	}
	id = first(m.server(st), id)
	all, alive := m.Accelerators(id), 0
	for _, other := range all {
		if u := m.Unit(other); u != nil && u.Last > since {
			alive++
		}
	}
	return id, 2*alive < len(all) || len(all) == 0
}

// server is the server in which something stands by its papers, or "".
func (m *Memory) server(st *custody.Standing) (id string) {
	if st == nil {
		return ""
	}
	for _, in := range st.Inside {
		if m.Custody.Kind(in) == "server" {
			id = in
		}
	}
	return id
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

// What papers say about a silent unit.
const (
	unexplained = iota
	ownWord     // only the operator itself says something, and afterwards
	announced   // only the operator itself says something, but said so as it happened
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
	said := u.said(cadence)
	switch {
	case u.Passed > u.Last+Day && u.PassBy != "" && !ours(u.PassBy):
		return movedAway // somebody else has counted it since
	case st.Transit != nil && st.Transit.Since > u.Last-Day:
		t := st.Transit
		if t.To != t.From && !ours(t.To) {
			return movedAway // sent with its serial to a named receiver; if it does not arrive, Overdue sees it
		}
		if said == announced && m.Clock.Now-t.Since < darkOwnMove {
			return movedAway // on its way
		}
		return said
	case s.Ended != nil && s.Ended.Time > u.Last:
		if s.Ended.By != operator && s.Ended.By != st.Holder {
			return movedAway
		}
		return said
	case st.SiteAt > u.Last+Day && len(st.Inside) > 0 && custody.SameSite(st.Site, site):
		return said // put into a rack anew, or counted
	case st.SiteAt > u.Last-Day && st.Site != "" && !custody.SameSite(st.Site, site):
		if op := custody.Operator(m.Custody, st.Site); op == "" || op == operator {
			return said
		}
		return movedAway // received, or seen, by somebody else
	}
	for _, flag := range []string{"stolen", "unknown"} {
		if f, ok := s.Flags[flag]; ok && f.Time > u.Last-Day {
			return ownWord
		}
	}
	return unexplained
}

// said is what the operator's own word about a silent unit is worth: it was announced only if it came as it happened.
func (u *Unit) said(cadence Micros) int {
	if u.Word == 0 || u.Word >= u.Last+cadence+2*Day || u.WordKnown > u.Last+cadence+2*Day+maxGrace {
		return ownWord
	}
	return announced
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

// machines counts the machines of a group. Units of which nobody knows what they are built into may all be in one.
func machines(group []silent) int {
	seen := map[string]bool{}
	loose := 0
	for _, u := range group {
		if u.machine == u.unit {
			loose++
			continue
		}
		seen[u.machine] = true
	}
	return len(seen) + (loose+darkMinUnits-1)/darkMinUnits
}

// honest is how probable it is that a silence of so many days, of so many of the site's machines, comes about honestly.
func (Darkness) honest(days, cadence float64, dark, all int, whole bool) float64 {
	forever := max(darkForever, darkForeverOne/float64(dark*dark))
	ends := func(after, within float64) float64 { return 1 / (1 + math.Exp((days-after)/within)) }
	if whole {
		return darkOutage*math.Exp(-days/darkOutageDays) + darkFreeze*ends(darkFreezeDays, 1) + forever
	}
	off := atLeast(dark, float64(all)*darkOffPerYear*(darkOffDays+float64(darkWindow)/float64(Day))/365)
	missed := 1 + math.Floor(days/cadence)
	off += atLeast(dark, float64(all)*2*math.Pow(darkMiss, missed))
	return darkPart/float64(min(dark, 4))*math.Exp(-days/darkPartDays) + off*ends(darkOffDays, 2) + forever
}

// atLeast bounds the probability that so many rare things happen by chance, when rate of them are expected (Poisson).
func atLeast(n int, rate float64) float64 {
	p := 1.0
	for k := 1; k <= n && p > 1e-9; k++ {
		p *= min(1, rate/float64(k))
	}
	return p
}

// since counts the units that reported after a time.
func since(reporting []Micros, after Micros) (n int) {
	for _, t := range reporting {
		if t > after {
			n++
		}
	}
	return n
}

// besideInTime is what is left out at both ends of the time in which witnesses count: a check-in may be hours early or late.
const besideInTime = Day / 2

// witnessed says whether others at the site reported while the group should have: between the first and the last check-in that it
// missed. An outage is one stretch of time, so it cannot explain a silence in the middle of which others were heard; reports
// before and after say nothing.
func witnessed(reporting []Micros, group []silent, cadence, heard Micros) bool {
	quarter := len(group) / 4 // some fell silent earlier or later for reasons of their own
	first, last := group[quarter].last+cadence, group[len(group)-1-quarter].last+cadence
	if missed := (heard - group[len(group)/2].last - Day) / cadence; missed > 1 {
		last += (missed - 1) * cadence
	}
	n := 0
	for _, t := range reporting {
		if t > first+besideInTime && t < last-besideInTime {
			n++
		}
	}
	return n >= darkMinUnits/2 && 20*n >= len(group)
}

func (d Darkness) judge(m *Memory, site string, s *SiteMemory, group []silent, reporting []Micros, heard Micros) (Finding, bool) {
	from, middle, to := group[0].last, group[len(group)/2].last, group[len(group)-1].last
	feed := m.Feed(site, group[0].holder)
	days := float64(heard-middle) / float64(Day)
	overdue := max(0, days-float64(feed.cadence())/float64(Day))
	dark, others := machines(group), since(reporting, middle+feed.cadence())
	all := dark + int(math.Ceil(float64(others)*float64(dark)/float64(len(group))))
	llr := -math.Log(d.honest(overdue, float64(feed.cadence())/float64(Day), dark, all, !witnessed(reporting, group, feed.cadence(), heard)))
	f := Finding{Kind: d.Kind(), Group: GroupGone, Sites: []string{site}, First: from, From: from, To: to, Innocent: darkInnocent}
	f.Parties = append(f.Parties, group[0].holder, custody.Operator(m.Custody, site))
	said := map[int]int{}
	for _, u := range group {
		f.Units = append(f.Units, u.unit)
		f.Evidence = append(f.Evidence, u.seq)
		said[u.word]++
	}
	if n := said[ownWord] + said[announced]; n > 0 {
		f.Against = append(f.Against, fmt.Sprintf("the operator itself reports what became of %d of them; nobody else confirms it", n))
	}
	p, passed := lastPass(s, to)
	switch {
	case 2*said[announced] > len(group):
		llr -= darkAnnounced
		f.Announced = true
	case 2*said[ownWord] > len(group):
		llr -= darkSelfWord
		fallthrough
	case passed:
		if passed {
			llr += darkInspection
			f.Inspected = p.At
			f.Evidence = append(f.Evidence, p.Seq)
		}
	}
	if dark < darkFew {
		llr = min(llr, darkFewMost)
	}
	llr -= min(float64(feed.Outages), 3) * darkOften
	if llr < darkLeast {
		return f, false
	}
	f.ID = identify(f.Kind, site, group[0].holder, fmt.Sprint(from/(7*Day)))
	f.MilliNats = nats(llr)
	f.Explanation = fmt.Sprintf("%s in %s at %s, last heard between %s and %s, silent for %d days since; %d others there have reported meanwhile",
		Counted(len(group), "accelerator"), Counted(dark, "machine"), m.Name(site), day(from), day(to), int(days), others)
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
