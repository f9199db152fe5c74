package detect

import (
	"fmt"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Overdue sees accelerators that were sent with their serials and never reported as received, nor heard of since.
//
// Source: proposals that carriers report any consignment not received in a set time; forwarders named as consignees.
//
// Innocent: a receipt that was not scanned (up to one in ten at small parties); storage in a free zone; a customs hold.
type Overdue struct{}

// Parameters of Overdue.
const (
	overdueAllow    = 21 * Day  // for a leg between two parties
	overdueFreeZone = 120 * Day // for storage in a free zone or at a forwarder
	overdueStart    = 0.8
	overduePerDay   = 0.03
	overdueMost     = 3.2
	overdueRedirect = 1.0 // the receiver is a forwarder, or the end user is somebody else's country
)

// Kind implements Detector.
func (Overdue) Kind() string { return "consignment-overdue" }

// Find implements Detector.
func (d Overdue) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	m.Loads(func(l *Load) {
		if l.Void || l.Settled || len(l.Units) == 0 || len(l.Legs) == 0 || l.RMA {
			return
		}
		last := l.Legs[len(l.Legs)-1]
		due := last.At + overdueAllow
		if t := m.siteType(last.ToSite); t == "free_zone" || t == "forwarder" {
			due = last.At + overdueFreeZone
		}
		if now <= due {
			return
		}
		missing := m.stillUnderWay(l, last)
		if len(missing) == 0 {
			l.Settled = true
			m.loads.Put(l.ID, l)
			return
		}
		out = append(out, d.judge(m, l, last, missing, now-due))
	})
	return out
}

func (m *Memory) siteType(place string) string {
	return custody.Site(m.Custody, place).Attr("tw:siteType")
}

// stillUnderWay lists the units of a load that nothing else has been heard of since.
func (m *Memory) stillUnderWay(l *Load, last Leg) []string {
	var out []string
	for _, unit := range l.Units {
		if u := m.Unit(unit); u != nil && u.Last > last.At {
			continue
		}
		st := m.Standing(unit)
		if st != nil && st.Transit != nil && st.Transit.Since >= l.Legs[0].At && st.Transit.Since <= last.At {
			out = append(out, unit)
		}
	}
	return out
}

func (d Overdue) judge(m *Memory, l *Load, last Leg, missing []string, late Micros) Finding {
	llr := min(overdueMost, overdueStart+overduePerDay*float64(late)/float64(Day))
	if role := m.Attr(last.To, "tw:role"); role == "forwarder" || role == "broker" {
		llr += overdueRedirect
	}
	f := Finding{ID: identify(d.Kind(), l.ID), Kind: d.Kind(), Group: GroupConsumed, MilliNats: nats(llr), Units: missing, Parties: []string{last.From, last.To},
		Sites: []string{last.Site, last.ToSite}, Consignments: []string{l.ID}, First: last.At, From: last.At, To: last.At,
		Innocent: []string{
			"the receipt was not scanned: the receiver can show the units, or they check in",
			"storage in a free zone, or a customs hold",
		},
		Explanation: fmt.Sprintf("%s, sent on %s to %s, and not reported as received %d days after that was due",
			Counted(len(missing), "accelerator"), day(last.At), m.Name(last.To), int(late/Day))}
	for _, g := range l.Legs {
		f.Evidence = append(f.Evidence, g.Seq)
	}
	slices.Sort(f.Units)
	return f
}
