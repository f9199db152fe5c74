package sim

import "math"

// checkIns reports what the agents of all servers report: once a week each, while they are powered, connected, and at a
// site that checks in.
func (g *gen) checkIns() {
	for _, v := range g.servers {
		for _, st := range v.stays {
			g.checkInAt(v, st)
		}
	}
}

func (g *gen) checkInAt(v *server, st stay) {
	if !st.site.checkin {
		return
	}
	by := st.holder
	s := by.noise
	first := st.span.from + (v.phase-st.span.from%week+week)%week
	end := min(st.span.to, g.end)
	for t := first; t < end; t += week {
		seen := t + instant(s.NormFloat64()*4*float64(hour))
		if seen < st.span.from || seen >= end || darkAt(v.dark, seen) || darkAt(st.site.dark, seen) {
			continue
		}
		g.agent(g.checkIn(s, v, by, st.site, seen))
	}
}

func (g *gen) checkIn(s stream, v *server, by *party, x *site, seen instant) event {
	e := event{kind: objectEvent, action: actionObserve, at: seen, by: by, step: "sensor_reporting",
		items: v.contents(seen), tier: int8(by.feed.tier)}
	if by.feed.whole {
		e.items = append([]ref{v.ref}, e.items...)
	}
	if by.feed.geo {
		e.geo = near(s, x, 0.01, pick(s, []int{500, 1000, 2000, 5000}))
	} else {
		e.readPoint = x
	}
	if t := v.badYear; t <= seen && seen < t+3*week {
		e.at = at(seen.time().AddDate(-1, 0, 0))
	}
	return e
}

// near is a place within some degrees of a site, to four decimals.
func near(s stream, x *site, degrees float64, metres int) *point {
	round := func(f float64) float64 { return math.Round(f*1e4) / 1e4 }
	return &point{round(x.lat + s.between(-degrees, degrees)), round(x.lon + s.between(-degrees, degrees)), metres}
}
