package sim

import "slices"

// scan reports a handling event as a person with a scanner would: it may be missed, doubled, mis-scanned, late, and
// written with a wrong clock. It says whether the registry learns of it.
func (g *gen) scan(e event) bool {
	s, f := e.by.noise, &g.cfg.Feed
	if s.chance(f.MissingScan[e.by.feed.tidiness]) {
		g.w.stats.missed++
		return false
	}
	if s.chance(f.Phantom) {
		g.phantom(e)
	}
	wrong := len(e.items) > 0 && s.chance(f.MisScan)
	if !wrong {
		return g.file(e).known < g.end
	}
	g.w.stats.misScanned++
	bad := e
	bad.items = g.misScan(s, e.items)
	bad = g.file(bad)
	if s.chance(f.Corrected) {
		g.correct(bad, e)
	}
	return bad.known < g.end
}

// misScan replaces one serial by another unit's, or by one that does not exist.
func (g *gen) misScan(s stream, items []ref) []ref {
	out := append([]ref(nil), items...)
	i := s.IntN(len(out))
	t := g.w.thing(out[i])
	if t.product.kind == parcelKind || s.chance(0.5) {
		if n := g.neighbour(out[i], 1+s.IntN(12)); !slices.Contains(out, n) { // one list names nothing twice
			out[i] = n
		}
		return out
	}
	b := []byte(t.serial)
	j := len(b) - 1 - s.IntN(min(4, len(b)-1))
	if '0' <= b[j] && b[j] <= '9' {
		b[j] = '0' + (b[j]-'0'+byte(1+s.IntN(9)))%10
	}
	if slices.ContainsFunc(out, func(r ref) bool { o := g.w.thing(r); return o.product == t.product && o.serial == string(b) }) {
		return out
	}
	g.w.things = append(g.w.things, thing{product: t.product, serial: string(b), secret: s.Uint64()})
	out[i] = ref(len(g.w.things) - 1)
	return out
}

// neighbour is a thing of the same product that was made some pieces earlier, or the thing itself.
func (g *gen) neighbour(r ref, pieces int) ref {
	found := r
	for q := r - 1; q > 0 && pieces > 0 && q > r-500; q-- {
		if g.w.thing(q).product == g.w.thing(r).product {
			found, pieces = q, pieces-1
		}
	}
	return found
}

// phantom reports an event that did not occur, hours before the real one; some are withdrawn.
func (g *gen) phantom(e event) {
	s := e.by.noise
	e.at -= s.hours(2, 40)
	e = g.file(e)
	if s.chance(g.cfg.Feed.Corrected) {
		e.error = &declared{at: e.known + s.hours(4, 200), reason: "did_not_occur"}
		g.file2(e, e.error.at)
	}
}

// correct declares a reported event erroneous and reports the right one.
func (g *gen) correct(bad, right event) {
	s := bad.by.noise
	when := bad.known + s.hours(2, 240)
	right = g.stamp(right)
	right.id = g.eventID(s)
	g.file2(right, when)
	bad.error = &declared{at: when, reason: "incorrect_data", corrective: right.id}
	g.file2(bad, when)
}

// file reports an event from the office: never missed, but late, doubled, and written with a wrong clock.
func (g *gen) file(e event) event {
	s, f := e.by.noise, &g.cfg.Feed
	truly := e.at
	e = g.stamp(e)
	if e.by.feed.ids {
		e.id = g.eventID(s)
	}
	e.known = g.learnt(e.by, truly)
	g.w.keep(e)
	if s.chance(f.Duplicate) {
		g.w.stats.duplicates++
		g.file2(e, e.known+s.hours(0.1, 96))
	}
	return e
}

// file2 reports an event once more, as it stands, at a known time.
func (g *gen) file2(e event, known instant) {
	e.known = known
	g.w.keep(e)
}

// stamp writes an event's time as the reporter's clock has it.
func (g *gen) stamp(e event) event {
	s := e.by.noise
	e.at += instant(s.NormFloat64() * 45 * float64(second))
	if place := e.place(); place != nil {
		e.at += place.clock
	}
	if s.chance(g.cfg.Feed.ClockYear) {
		g.w.stats.wrongYear++
		e.at = at(e.at.time().AddDate(pick(s, []int{-1, -1, 1}), 0, 0))
	}
	return e
}

// learnt draws when the registry learns of what a party saw at a time.
func (g *gen) learnt(by *party, seen instant) instant {
	s, f := by.noise, &g.cfg.Feed
	late := s.lognormal(f.LateMedian.Seconds(), f.LateSigma)
	known := seen + 30*second + instant(late*1000)
	if by.feed.weekly {
		known = uploadAfter(by, known)
	}
	return known
}

// uploadAfter is a weekly uploader's next upload: always the same hour of the week.
func uploadAfter(by *party, t instant) instant {
	phase := instant(mix(uint64(by.number))%168) * hour
	return t - (t-phase)%week + week
}

// agent reports a check-in: fewer mistakes, little lateness.
func (g *gen) agent(e event) {
	s, f := e.by.noise, &g.cfg.Feed
	if s.chance(f.CheckInMiss) {
		return
	}
	truly := e.at
	if place := e.place(); place != nil {
		e.at += place.clock
	}
	if e.by.feed.ids {
		e.id = g.eventID(s)
	}
	e.evidence = s.Uint64()
	e.known = truly + 5*second + instant(s.lognormal(240, 1.4)*1000)
	if e.by.feed.weekly {
		e.known = uploadAfter(e.by, e.known)
	}
	g.w.keep(e)
	if s.chance(f.Duplicate) {
		g.file2(e, e.known+s.hours(0.02, 30))
	}
}

func (g *gen) eventID(s stream) [2]uint64 { return [2]uint64{s.Uint64(), s.Uint64() | 1} }

// place is where an event was reported, nil if it says none.
func (e *event) place() *site {
	switch {
	case e.readPoint != nil:
		return e.readPoint
	case e.bizLocation != nil:
		return e.bizLocation
	case e.parentSite != nil:
		return e.parentSite
	}
	return nil
}

// wrongWeight is a gross weight as a clerk writes it: now and then in another unit.
func (g *gen) wrongWeight(by *party, kg float64) float64 {
	switch s := by.noise; {
	case !s.chance(g.cfg.Feed.WrongUnit):
		return kg
	case s.chance(0.5):
		return kg * 2.2046
	default:
		return kg * 1000
	}
}
