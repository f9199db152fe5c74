package detect

import (
	"fmt"
	"math"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Darkness sees accelerators of one site that stop checking in together and stay silent.
//
// Source: reported "inspect, strip, ship" cases, where a hall passes an inspection and is emptied within days; scan statistics
// over site and time. An inspection is therefore the trigger of the next watch, not a clearance.
//
// Innocent: a network or power outage, a firmware freeze, a data-hall move, decommissioning that nobody reported, a broken feed.
// Outages end; the longer the silence, the fewer of them last, which is what the ratio says.
type Darkness struct{}

// Parameters of Darkness. Durations of honest outages are of the order of a week; freezes and moves of two to four.
const (
	darkMinUnits   = 8        // one server's accelerators
	darkWindow     = 14 * Day // in which units of one group fall silent
	darkDefault    = 7 * Day  // cadence of check-ins where it cannot be seen
	darkHonest     = 0.035    // share of site-months with an honest silence of a missed check-in
	darkMeanDays   = 7.0      // mean of what such a silence lasts beyond that
	darkForever    = 0.0018   // share of site-months in which a group stops reporting for good and nobody says so
	darkAfter      = 60 * Day // how long an inspection casts its light
	darkInspection = 1.4      // ratio, in nats, of a silence that begins in that light
	darkPartial    = 0.5      // some go silent while others beside them report: the feed works
	darkMinGrace   = Day / 2  // the least lateness to allow for
	darkMaxGrace   = 9 * Day  // the most
	darkSelfWord   = 1.0      // what the operator's own word about the units takes away
	darkOften      = 0.6      // what each earlier silence that ended takes away
)

// Kind implements Detector.
func (Darkness) Kind() string { return "site-went-dark" }

// silent is a unit that should have checked in and did not.
type silent struct {
	unit string
	last Micros
	seq  int64
	self bool // its operator says something about it that nobody else confirms
}

// Find implements Detector.
func (d Darkness) Find(m *Memory, now Micros) []Finding {
	heard := min(now, m.Clock.News)
	var out []Finding
	m.Sites(func(site string, s *SiteMemory) {
		if len(s.Units) < darkMinUnits {
			return
		}
		list, reporting := d.silentAt(m, site, s, heard)
		for _, group := range clusters(list) {
			if f, ok := d.judge(m, site, s, group, reporting, heard); ok {
				out = append(out, f)
			}
		}
	})
	return out
}

// silentAt lists the site's silent units that papers do not explain, and counts those that report.
func (Darkness) silentAt(m *Memory, site string, s *SiteMemory, heard Micros) (list []silent, reporting int) {
	cadence := cadence(m, s)
	grace := min(max(2*s.Lag, darkMinGrace), darkMaxGrace)
	for unit := range s.Units {
		u := m.Unit(unit)
		if u == nil || heard-u.Last <= cadence+grace {
			reporting++
			continue
		}
		switch excuse(m, unit, u, site) {
		case movedAway:
		case ownWord:
			list = append(list, silent{unit, u.Last, u.LastSeq, true})
		default:
			list = append(list, silent{unit, u.Last, u.LastSeq, false})
		}
	}
	slices.SortFunc(list, func(a, b silent) int {
		if a.last != b.last {
			return int(min(max(a.last-b.last, -1), 1))
		}
		if a.unit < b.unit {
			return -1
		}
		return 1
	})
	return list, reporting
}

// cadence is the median time between check-ins of a site's units.
func cadence(m *Memory, s *SiteMemory) Micros {
	var gaps []Micros
	for unit := range s.Units {
		if u := m.Unit(unit); u != nil && u.Count >= 3 {
			gaps = append(gaps, (u.Last-u.First)/Micros(u.Count-1))
		}
	}
	if len(gaps) == 0 {
		return darkDefault
	}
	slices.Sort(gaps)
	return max(gaps[len(gaps)/2], Day/24)
}

// What papers say about a silent unit.
const (
	unexplained = iota
	ownWord     // only the operator itself says something
	movedAway   // somebody else confirms that it went, or it is under way to a named receiver
)

// excuse says what explains a unit's silence since its last check-in.
func excuse(m *Memory, unit string, u *Unit, site string) int {
	st := m.Standing(unit)
	if st == nil {
		return unexplained
	}
	s := st.Own
	switch {
	case s.Ended != nil && s.Ended.Time > u.Last:
		return ownWord
	case st.HeldAt > u.Last && st.Transit == nil && st.SiteAt > u.Last && !custody.SameSite(st.Site, site):
		return movedAway // received by somebody
	case st.Transit != nil && st.Transit.Since > u.Last-Day:
		return movedAway // sent with its serial to a named receiver; if it does not arrive, Overdue sees it
	case st.SiteAt > u.Last && st.Site != "" && !custody.SameSite(st.Site, site):
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
		for n < len(list) && list[n].last-list[0].last <= darkWindow && list[n].last-list[n-1].last <= darkWindow/2 {
			n++
		}
		if n >= darkMinUnits {
			out = append(out, list[:n])
		}
		list = list[n:]
	}
	return out
}

func (d Darkness) judge(m *Memory, site string, s *SiteMemory, group []silent, reporting int, heard Micros) (Finding, bool) {
	from, to := group[0].last, group[len(group)-1].last
	days := float64(heard-group[len(group)/2].last) / float64(Day)
	missed := float64(cadence(m, s)) / float64(Day)
	honest := darkHonest*math.Exp(-max(0, days-missed)/darkMeanDays) + darkForever
	llr := -math.Log(honest)
	f := Finding{Kind: d.Kind(), Group: GroupGone, Sites: []string{site}, First: from, From: from, To: to,
		Innocent: []string{
			"a network or power outage, or a firmware freeze, at the site: it would end with the same units checking in again",
			"a data-hall move or a decommissioning that was not reported: the operator can show the units or their papers",
			"the site's feed of check-ins broke: other units of the site would be silent too",
		}}
	if op := custody.Operator(m.Custody, site); op != "" {
		f.Parties = append(f.Parties, op)
	}
	if p, ok := lastPass(s, to); ok {
		llr += darkInspection
		f.Inspected = p.At
		f.Evidence = append(f.Evidence, p.Seq)
	}
	total := reporting + len(group)
	if share := float64(reporting) / float64(total); share > 0.1 && share < 0.95 {
		llr += darkPartial
	}
	self := 0
	for _, u := range group {
		f.Units = append(f.Units, u.unit)
		f.Evidence = append(f.Evidence, u.seq)
		if u.self {
			self++
		}
	}
	if self*2 > len(group) {
		llr -= darkSelfWord
		f.Against = append(f.Against, fmt.Sprintf("the operator itself reports what became of %d of them; nobody else confirms it", self))
	}
	llr -= min(float64(s.Outages), 3) * darkOften
	if len(group) < 2*darkMinUnits {
		llr -= 1
	}
	if llr <= 0.5 {
		return f, false
	}
	f.ID = identify(f.Kind, site, fmt.Sprint(from/(7*Day)))
	f.MilliNats = nats(llr)
	f.Explanation = fmt.Sprintf("%d accelerators at %s were last heard between %s and %s and have been silent for %d days; %d others there still report",
		len(group), m.Name(site), day(from), day(to), int(days), reporting)
	return f, true
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
