package detect

import (
	"fmt"
	"slices"
)

// Elsewhere sees units that fell silent at their site and turned up at another, though nobody reported a move.
//
// Source: reported cases in which stripped accelerators are switched on again abroad; "chassis moved but declared zone
// unchanged", "serial in an inventory that was never shipped there" in governance proposals.
//
// Innocent: a move whose papers are late or lost; a mis-scan (one in a thousand); the same operator re-deploying its own units.
type Elsewhere struct{}

// Parameters of Elsewhere, in nats.
const (
	seenOne     = 2.4 // one unit may be a mis-scan
	seenMore    = 1.6 // for the second and the third observation
	seenMachine = 0.8 // a whole machine is no mis-scan
	seenMost    = 6.5
	seenAtHome  = 5.5 // at most, where nothing is barred: papers of an honest sale get lost together
	seenBarred  = 1.2
	seenSigned  = 0.8 // signed by the device itself
)

// Kind implements Detector.
func (Elsewhere) Kind() string { return "seen-elsewhere" }

// Find implements Detector.
func (d Elsewhere) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	m.oddBySite(func(site string, odd []oddUnit) {
		gone := slices.DeleteFunc(slices.Clone(odd), func(o oddUnit) bool { return o.odd.Back != 0 })
		if len(gone) > 0 {
			out = append(out, d.judge(m, site, gone))
		}
	})
	return out
}

func (d Elsewhere) judge(m *Memory, site string, list []oddUnit) Finding {
	f := m.sighted(d.Kind(), site, list)
	f.Innocent = []string{
		"the move was honest and its papers are late or lost: receiver and sender can show them",
		"a serial was mis-scanned: a second reading, or the device's own evidence, would show another",
	}
	for _, o := range list {
		home := o.odd.At - o.odd.Gap // when it was last where it should be
		if f.From == 0 || home < f.From {
			f.From = home
		}
		f.To = max(f.To, home)
		f.Unheard = f.Unheard || o.odd.Unheard
	}
	f.MilliNats = nats(m.believed(list, d.weigh))
	silent := "after they had fallen silent"
	if f.Unheard {
		silent = "though not all of them had ever been heard from there"
	}
	f.Explanation = fmt.Sprintf("%s declared at %s %s seen elsewhere (%s) %s, and nobody reported a move",
		Counted(len(f.Units), "accelerator"), m.Name(site), were(len(f.Units)), m.placesText(list), silent)
	return f
}

func (Elsewhere) weigh(t tally) float64 {
	llr, most := seenOne+seenMore*float64(min(t.events-1, 2)), seenAtHome
	if t.units > t.events {
		llr += seenMachine
	}
	if t.barred {
		llr += seenBarred
		most = seenMost
	}
	if t.signed {
		llr += seenSigned
	}
	return min(llr, most)
}
