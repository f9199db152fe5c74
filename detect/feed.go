package detect

// Feed is what is remembered of the way by which one holder's machines at one site report: how often, how late, how reliably.
type Feed struct {
	Gap     Micros `json:"gap,omitzero"` // between two check-ins of one unit, a slow average
	Lag     Micros `json:"lag,omitzero"` // how late check-ins become known, a slowly forgetting maximum
	Last    Micros `json:"last,omitzero"`
	Prompt  int    `json:"pr,omitzero"`  // check-ins that became known within days, counted up to promptEnough
	Outages int    `json:"out,omitzero"` // times all of it went silent for days and came back
}

const (
	usualGap    = 7 * Day  // between check-ins, until it can be seen
	maxLag      = 30 * Day // history loaded live says nothing of lateness
	minGrace    = Day / 2  // the least lateness to allow for
	maxGrace    = 9 * Day  // the most
	wrongClock  = 60 * Day // how late a check-in of a prompt feed must become known for its clock to be wrong
	promptShare = 20       // check-ins that make a feed known to be prompt
)

func feedKey(site, holder string) string { return site + "\x00" + holder }

// Feed returns what is remembered of a holder's feed at a site; never nil.
func (m *Memory) Feed(site, holder string) *Feed {
	if f := get(m, m.feeds, feedKey(site, holder)); f != nil {
		return f
	}
	return &Feed{}
}

// cadence is the usual time between check-ins of one unit.
func (f *Feed) cadence() Micros {
	if f.Gap == 0 {
		return usualGap
	}
	return max(f.Gap, Day/24)
}

// grace is how late a unit's next check-in may become known before it counts as missed. One hall may report through several
// systems, and who uploads once a week has his own day for it, so the unit's own lateness counts once it is known.
func (f *Feed) grace(d *due) Micros {
	lag := f.Lag
	if d.count >= 4 {
		lag = d.lag
	}
	return min(lag+lag/5+minGrace, maxGrace)
}

// noteLag learns how late a unit's check-ins become known.
func (u *Unit) noteLag(lag Micros) {
	switch {
	case lag > maxLag:
	case lag > u.Lag:
		u.Lag = lag
	default:
		u.Lag -= (u.Lag - max(lag, 0)) / 8
	}
}

// note learns from one check-in; gap is the time since the unit's last one, or 0.
func (f *Feed) note(gap, at, known Micros) {
	f.noteGap(gap)
	if f.Last > 0 && at-f.Last > 2*f.cadence() {
		f.Outages++
	}
	f.Last = max(f.Last, at)
	lag := max(0, known-at)
	if lag > maxLag {
		return
	}
	f.Prompt = min(f.Prompt+1, promptShare)
	if lag > f.Lag {
		f.Lag += (lag - f.Lag) / 4
	} else {
		f.Lag -= (f.Lag - lag) / 64
	}
}

// noteGap learns the cadence. A gap of two or three times the usual one is that of check-ins that were missed.
func (f *Feed) noteGap(gap Micros) {
	switch {
	case gap <= 0:
	case f.Gap == 0:
		f.Gap = gap
	case 3*gap < 2*f.Gap: // what was taken for usual had misses in it
		f.Gap += (gap - f.Gap) / 8
	default:
		times := max(1, (gap+f.Gap/2)/f.Gap)
		f.Gap += (gap/times - f.Gap) / 64
	}
}

// trueTime is when a check-in happened: by its own clock, unless the feed is prompt and the clock is off by months. Then the unit
// is alive all the same.
func (f *Feed) trueTime(at, known Micros) Micros {
	if f.Prompt >= promptShare && known-at > wrongClock {
		return known - f.Lag
	}
	return at
}
