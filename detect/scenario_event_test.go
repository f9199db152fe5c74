package detect_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// act is what a sentence says of one moment. It is done in the order of time, for what a server holds changes.
type act struct {
	at time.Time
	s  *sentence
	do func(at time.Time) error
}

func (w *world) make(a act) error { return a.do(a.at) }

// acts spreads a sentence over time.
func (w *world) acts(s *sentence) (list []act, err error) {
	one := func(at time.Time, do func(at time.Time) error) { list = append(list, act{at, s, do}) }
	switch s.verb {
	case "made":
		one(s.at, func(at time.Time) error { return w.made(s, at) })
	case "shipped", "received", "sold":
		one(s.at, func(at time.Time) error { return w.traded(s, at) })
	case "installed", "scrapped", "inspected", "seen", "missing":
		one(s.at, func(at time.Time) error { return w.handled(s, at) })
	case "dismantled":
		one(s.at, func(at time.Time) error { return w.dismantled(s, at) })
	case "rebuilt":
		one(s.at, func(at time.Time) error { return w.rebuilt(s, at) })
	case "checkin":
		return w.series(s, 24*time.Hour)
	case "checkins":
		every, err := duration(s.clauses["every"])
		if err != nil {
			return nil, err
		}
		return w.series(s, every)
	case "parcel":
		return w.carried(s)
	}
	return list, nil
}

// series is one check-in of each unit at each time, some minutes apart, as machines report.
func (w *world) series(s *sentence, every time.Duration) (list []act, err error) {
	if every < time.Hour {
		return nil, fmt.Errorf("check-ins more often than every hour are more than a scenario needs")
	}
	for t := s.at; !t.After(s.to); t = t.Add(every) {
		for i, u := range s.units {
			list = append(list, act{t.Add(time.Duration(i) * 7 * time.Minute), s, func(at time.Time) error { return w.checkIn(s, u, at) }})
		}
	}
	return list, nil
}

// tell adds an event. Its clock may be wrong; when it was known is by the registry's.
func (w *world) tell(s *sentence, at time.Time, members map[string]any) error {
	known, err := lateness(s.clauses["known"], at)
	if err != nil {
		return err
	}
	if off := s.clauses["clock"]; off != "" {
		d, err := duration(off)
		if err != nil {
			return err
		}
		at = at.Add(d)
	}
	e := &event{s: s, at: at, known: known, members: members}
	if by := s.clauses["said-by"]; by != "" {
		if e.as, err = w.mustID(by); err != nil {
			return err
		}
	}
	w.events = append(w.events, e)
	return nil
}

// lateness says when an event was known that happened at a time: an hour later unless it is said otherwise. "weekly" is with the
// upload on the next Monday.
func lateness(how string, at time.Time) (time.Time, error) {
	switch how {
	case "":
		return at.Add(time.Hour), nil
	case "weekly":
		days := (8 - int(at.Weekday())) % 7
		return at.Truncate(24*time.Hour).AddDate(0, 0, cmp.Or(days, 7)).Add(8 * time.Hour), nil
	}
	d, err := duration(how)
	if err == nil && d < 0 {
		err = fmt.Errorf("nothing is known before it happens")
	}
	return at.Add(d), err
}

// contents are the accelerators that servers were made with.
func contents(s *sentence) ([]string, error) {
	if !s.has("holding") {
		return nil, nil
	}
	held, err := unitList(s.clauses["holding"])
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(s.clauses["each"])
	if err != nil || n*len(s.units) != len(held) {
		return nil, fmt.Errorf("made: %d accelerators are not %q for each of %d servers", len(held), s.clauses["each"], len(s.units))
	}
	return held, nil
}

func (w *world) made(s *sentence, at time.Time) error {
	held, err := contents(s)
	if err != nil {
		return err
	}
	_, site, err := w.end(s.clauses["by"])
	if err != nil {
		return err
	}
	everything := append(slices.Clone(s.units), held...)
	err = w.tell(s, at, place(map[string]any{"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "epcList": w.all(everything)}, site))
	for i, server := range s.units {
		if n := len(held) / len(s.units); n > 0 && err == nil {
			w.inside[server] = slices.Clone(held[i*n : (i+1)*n])
			err = w.link(s, at.Add(time.Hour), "ADD", "assembling", server, w.inside[server], site)
		}
	}
	return err
}

// link is an association of things with what they are built into.
func (w *world) link(s *sentence, at time.Time, action, step, parent string, children []string, site string) error {
	return w.tell(s, at, place(map[string]any{
		"type": "AssociationEvent", "action": action, "bizStep": step, "parentID": w.id(parent), "childEPCs": w.all(children),
	}, site))
}

func (w *world) dismantled(s *sentence, at time.Time) error {
	site, err := w.mustID(s.clauses["at"])
	if err != nil {
		return err
	}
	for i, u := range s.units {
		server, out := u, w.inside[u]
		if u[0] == 'g' {
			server, out = w.holding(u), []string{u}
		}
		if len(out) == 0 || server == "" {
			return fmt.Errorf("dismantled: there is nothing to take %s out of", u)
		}
		if !s.has("said-by") { // what is only said changes nothing of what is inside
			w.inside[server] = slices.DeleteFunc(slices.Clone(w.inside[server]), func(in string) bool { return slices.Contains(out, in) })
		}
		if err := w.link(s, at.Add(time.Duration(i)*10*time.Minute), "DELETE", "disassembling", server, out, site); err != nil {
			return err
		}
	}
	return nil
}

// holding is the server that holds an accelerator.
func (w *world) holding(unit string) string {
	for server, in := range w.inside {
		if slices.Contains(in, unit) {
			return server
		}
	}
	return ""
}

func (w *world) rebuilt(s *sentence, at time.Time) error {
	site, err := w.mustID(s.clauses["at"])
	if err != nil {
		return err
	}
	into := s.clauses["into"]
	if w.ids[into] == "" || into[0] != 's' {
		return fmt.Errorf("rebuilt: %s is no server that was made", into)
	}
	if !s.has("said-by") {
		w.inside[into] = append(slices.Clone(w.inside[into]), s.units...)
	}
	return w.link(s, at, "ADD", "assembling", into, s.units, site)
}

func (w *world) checkIn(s *sentence, unit string, at time.Time) error {
	reporting := []string{unit}
	if unit[0] == 's' {
		reporting = w.inside[unit]
	}
	if len(reporting) == 0 {
		return fmt.Errorf("%s checks in with nothing inside", unit)
	}
	m := map[string]any{"type": "ObjectEvent", "action": "OBSERVE", "bizStep": "sensor_reporting", "epcList": w.all(reporting)}
	if tier, err := strconv.Atoi(cmp.Or(s.clauses["tier"], "3")); err == nil {
		m["tw:tier"] = tier
	}
	return w.readAt(s, at, m)
}

// readAt adds where something was read: at a site, or at a position.
func (w *world) readAt(s *sentence, at time.Time, m map[string]any) error {
	where := s.clauses["at"]
	if id := w.ids[where]; id != "" {
		m["readPoint"] = map[string]any{"id": id}
		return w.tell(s, at, m)
	}
	if !strings.Contains(where, ",") {
		return fmt.Errorf("nobody declared the place %s", where)
	}
	m["readPoint"] = map[string]any{"id": "geo:" + where + ";u=1000"}
	return w.tell(s, at, m)
}

// handled is what is done to units where they are.
func (w *world) handled(s *sentence, at time.Time) error {
	m := map[string]any{"type": "ObjectEvent", "action": "OBSERVE", "epcList": w.all(s.units)}
	if by := s.clauses["by"]; by != "" {
		s.clauses["said-by"] = cmp.Or(s.clauses["said-by"], by)
	}
	switch s.verb {
	case "installed":
		return w.installed(s, at)
	case "scrapped":
		m["bizStep"], m["disposition"] = "decommissioning", "inactive"
	case "inspected":
		m["bizStep"], m["disposition"] = "inspecting", "conformant"
	case "seen":
		m["tw:sighting"] = s.clauses["as"]
		if tier, err := strconv.Atoi(s.clauses["tier"]); err == nil {
			m["tw:tier"] = tier
		}
		return w.readAt(s, at, m)
	case "missing":
		m["persistentDisposition"] = map[string]any{"set": []string{s.clauses["as"]}}
		return w.tell(s, at, m)
	}
	site, err := w.mustID(s.clauses["at"])
	if err != nil {
		return err
	}
	return w.tell(s, at, place(m, site))
}

func (w *world) installed(s *sentence, at time.Time) error {
	site, err := w.mustID(s.clauses["at"])
	if err != nil {
		return err
	}
	return w.tell(s, at, place(map[string]any{
		"type": "AssociationEvent", "action": "ADD", "bizStep": "installing", "parentID": site, "childEPCs": w.all(s.units),
	}, site))
}

func (w *world) all(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = w.id(n)
	}
	return out
}

// place says where an event happened, where that is known.
func place(m map[string]any, site string) map[string]any {
	if site != "" {
		m["readPoint"], m["bizLocation"] = map[string]any{"id": site}, map[string]any{"id": site}
	}
	return m
}
