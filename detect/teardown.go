package detect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Teardown sees many accelerators taken out of what they were built into, at one site and within days, that neither go back into
// anything nor go anywhere by their serial.
//
// Source: reported cases in which servers are taken apart after inspection and leave as parts; the genealogy breaks.
//
// Innocent: re-racking or a chassis swap whose second half is late; repair; decommissioning in progress; a missed scan of where
// they went. Honest work closes within days to weeks and names its units.
type Teardown struct{}

// Parameters of Teardown.
const (
	tearMinUnits = 8
	tearPatience = 3 * Day // honest work in progress
	tearStart    = 1.5     // nats after the patience
	tearPerDay   = 0.12
	tearMost     = 4.5
	tearOne      = 2.0 // at most, for what may be one machine: the scan of its coming together again was missed
)

// Kind implements Detector.
func (Teardown) Kind() string { return "torn-down" }

// Find implements Detector.
func (d Teardown) Find(m *Memory, now Micros) []Finding {
	bySite := map[string][]silent{}
	for unit := range m.out {
		u := m.Unit(unit)
		if u == nil || u.Out == nil || now-u.Out.At < tearPatience || !stillOut(m, unit, u) {
			continue
		}
		site := first(u.Out.Site, u.Site)
		if role := m.Attr(custody.Operator(m.Custody, site), "tw:role"); role == "recycler" || role == "service" {
			continue // taking apart is their business
		}
		bySite[site] = append(bySite[site], silent{unit: unit, last: u.Out.At, seq: u.Out.Seq})
	}
	var out []Finding
	for _, site := range slices.Sorted(maps.Keys(bySite)) {
		list := bySite[site]
		sortSilent(list)
		for _, g := range clusters(list) {
			if site != "" && len(g) >= tearMinUnits {
				out = append(out, d.judge(m, site, g, now))
			}
		}
	}
	return out
}

// stillOut says whether a unit that was taken out has not been accounted for since.
func stillOut(m *Memory, unit string, u *Unit) bool {
	st := m.Standing(unit)
	if st == nil {
		return true
	}
	s := st.Own
	switch {
	case s.Assoc != nil && s.Assoc.From >= u.Out.At, s.Agg != nil && s.Agg.From >= u.Out.At:
		return false
	case st.Transit != nil && st.Transit.Since >= u.Out.At, s.Ended != nil && s.Ended.Time >= u.Out.At:
		return false
	case st.SiteAt > u.Out.At && !custody.SameSite(st.Site, u.Site):
		return false
	}
	return true
}

func (d Teardown) judge(m *Memory, site string, g []silent, now Micros) Finding {
	from, to := g[0].last, g[len(g)-1].last
	days := float64(now-to-tearPatience) / float64(Day)
	most := tearMost
	if len(g) < 2*tearMinUnits {
		most = tearOne
	}
	f := Finding{ID: identify(d.Kind(), site, fmt.Sprint(from/(7*Day))), Kind: d.Kind(), Group: GroupGone, Sites: []string{site}, First: from, From: from, To: to,
		MilliNats: nats(min(most, tearStart+tearPerDay*max(0, days))),
		Innocent: []string{
			"re-racking, repair or a chassis swap in progress: they are built in again, or sent with a return number",
			"a decommissioning whose shipment has not been scanned yet",
		}}
	if op := custody.Operator(m.Custody, site); op != "" {
		f.Parties = append(f.Parties, op)
	}
	for _, u := range g {
		f.Units = append(f.Units, u.unit)
		f.Evidence = append(f.Evidence, u.seq)
	}
	f.Explanation = fmt.Sprintf("%s %s taken out of servers at %s between %s and %s, and neither went back into one nor anywhere by serial",
		Counted(len(g), "accelerator"), were(len(g)), m.Name(site), day(from), day(to))
	return f
}
