package detect_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/detect"
)

// expectation is what should be found at a time, and what should not.
type expectation struct {
	gap     string // why the present code is known to fall short
	not     bool
	about   string // finding, case, bridge or exception
	kind    string // of a finding or an exception; the party of a bridge
	status  string // of a case
	gone    bool   // of a finding: withdrawn
	party   string
	site    string
	units   []string
	among   []string
	bridge  string
	bound   string // "score" or "llr"
	compare string
	value   float64
}

// readExpectation reads "known-gap REASON at DATE expect no …"; the first two parts may be missing.
func (s *sentence) readExpectation(words []string) (err error) {
	x := &expectation{}
	s.verb, s.expect = "expect", x
	if words[0] == "known-gap" {
		if len(words) < 3 || words[1] == "expect" || words[1] == "at" {
			return fmt.Errorf("known-gap needs a reason in quotes and then what would be right")
		}
		x.gap, words = words[1], words[2:]
	}
	if words[0] == "at" && len(words) > 1 {
		if s.at, err = date(words[1]); err != nil {
			return err
		}
		words = words[2:]
	}
	if len(words) < 2 || words[0] != "expect" {
		return fmt.Errorf("something to expect is missing")
	}
	words = words[1:]
	if words[0] == "no" {
		x.not, words = true, words[1:]
	}
	return x.read(words)
}

func (x *expectation) read(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("expect: what? a finding, a case, a bridge or an exception")
	}
	x.about, words = words[0], words[1:]
	switch x.about {
	case "finding", "exception", "bridge":
		if len(words) == 0 {
			return fmt.Errorf("expect %s: which?", x.about)
		}
		x.kind, words = words[0], words[1:]
	case "case":
		x.status = casework.StatusOpen
	default:
		return fmt.Errorf("expect: %q is no finding, case, bridge or exception", x.about)
	}
	if x.about == "finding" && !knownKind(x.kind) {
		return fmt.Errorf("no detector finds %q", x.kind)
	}
	for len(words) > 0 {
		n, err := x.clause(words)
		if err != nil {
			return err
		}
		words = words[n:]
	}
	return nil
}

func knownKind(kind string) bool {
	return slices.ContainsFunc(detect.Detectors(), func(d detect.Detector) bool { return d.Kind() == kind })
}

// clause reads one clause and says how many words it had.
func (x *expectation) clause(words []string) (n int, err error) {
	switch {
	case words[0] == "closed" && x.about == "case":
		x.status = casework.StatusClosed
		return 1, nil
	case words[0] == "in-review" && x.about == "case":
		x.status = casework.StatusReview
		return 1, nil
	case words[0] == "withdrawn" && x.about == "finding":
		x.gone = true
		return 1, nil
	case len(words) == 1:
		return 0, fmt.Errorf("expect: something is missing after %q", words[0])
	case words[0] == "units":
		x.units, err = unitList(words[1])
		return 2, err
	case words[0] == "among":
		x.among, err = unitList(words[1])
		return 2, err
	case words[0] == "bridge" && x.about == "case":
		x.bridge = words[1]
		return 2, nil
	case words[0] == "of" && x.about == "finding":
		x.party = words[1]
		return 2, nil
	case words[0] == "at" && x.about == "finding":
		x.site = words[1]
		return 2, nil
	case words[0] == "llr" && x.about == "finding" || words[0] == "score" && x.about == "case":
		return 3, x.readBound(words)
	}
	return 0, fmt.Errorf("expect %s does not take %q", x.about, words[0])
}

func (x *expectation) readBound(words []string) (err error) {
	if len(words) < 3 || words[1] != ">=" && words[1] != "<=" {
		return fmt.Errorf("%s is compared by >= or <= and a number", words[0])
	}
	x.bound, x.compare = words[0], words[1]
	x.value, err = strconv.ParseFloat(words[2], 64)
	return err
}

func (x *expectation) holds(v float64) bool {
	switch x.compare {
	case ">=":
		return v >= x.value
	case "<=":
		return v <= x.value
	}
	return true
}

// seen is what was made of a story by a time.
type seen struct {
	world      *world
	view       *casework.View
	exceptions []custody.Exception
}

// met says whether an expectation holds.
func (o *seen) met(x *expectation) bool {
	found := false
	switch x.about {
	case "finding":
		found = slices.ContainsFunc(o.view.Machine.Findings(), func(f *detect.Finding) bool { return o.isFinding(x, f) })
	case "case":
		found = slices.ContainsFunc(o.view.Cases(), func(c *casework.Case) bool { return o.isCase(x, c) })
	case "bridge":
		found = slices.ContainsFunc(o.view.Cases(), func(c *casework.Case) bool {
			return c.Status == casework.StatusOpen && o.first(c) == x.kind
		})
	case "exception":
		found = slices.ContainsFunc(o.exceptions, func(e custody.Exception) bool { return e.Kind == x.kind && o.areUnits(x, e.Units) })
	}
	return found != x.not
}

func (o *seen) isFinding(x *expectation, f *detect.Finding) bool {
	has := func(list []string, name string) bool { return name == "" || slices.Contains(list, o.world.id(name)) }
	return f.Kind == x.kind && (f.WithdrawnAt != 0) == x.gone && has(f.Parties, x.party) && has(f.Sites, x.site) &&
		o.areUnits(x, f.Units) && x.holds(float64(f.MilliNats)/1000)
}

func (o *seen) isCase(x *expectation, c *casework.Case) bool {
	units := make([]string, len(c.Units))
	for i, m := range c.Units {
		units[i] = m.Unit
	}
	return c.Status == x.status && (x.bridge == "" || x.bridge == o.first(c)) && o.areUnits(x, units) && x.holds(float64(c.Score)/1000)
}

// first is the name of the party that comes first as the bridge of a case, or "none".
func (o *seen) first(c *casework.Case) string {
	if len(c.Bridge) == 0 {
		return "none"
	}
	return o.world.name(c.Bridge[0].Party)
}

func (o *seen) areUnits(x *expectation, have []string) bool {
	if x.units != nil && !slices.Equal(sortedIDs(o.world, x.units), slices.Sorted(slices.Values(have))) {
		return false
	}
	allowed := sortedIDs(o.world, x.among)
	return x.among == nil || !slices.ContainsFunc(have, func(u string) bool { return !slices.Contains(allowed, u) })
}

func sortedIDs(w *world, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = w.id(n)
	}
	slices.Sort(out)
	return out
}

// tell says in words what there is, so that a failed expectation can be understood without a debugger.
func (o *seen) tell(about string) string {
	var lines []string
	switch about {
	case "finding":
		for _, f := range o.view.Machine.Findings() {
			state := ""
			if f.WithdrawnAt != 0 {
				state = ", withdrawn on " + f.WithdrawnAt.Time().Format(time.DateOnly)
			}
			lines = append(lines, fmt.Sprintf("%s llr %.1f units %s of %s%s: %s", f.Kind, float64(f.MilliNats)/1000, o.names(f.Units), o.names(f.Parties), state, f.Explanation))
		}
	case "case", "bridge":
		for _, c := range o.view.Cases() {
			lines = append(lines, o.tellCase(c))
		}
	case "exception":
		for _, e := range o.exceptions {
			lines = append(lines, fmt.Sprintf("%s units %s: %s", e.Kind, o.names(e.Units), e.Note))
		}
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n        ")
}

func (o *seen) tellCase(c *casework.Case) string {
	var ids, bridges, drivers []string
	for _, m := range c.Units {
		ids = append(ids, m.Unit)
	}
	for _, b := range c.Bridge {
		bridges = append(bridges, fmt.Sprintf("%s %.2f", o.world.name(b.Party), float64(b.Score)/1000))
	}
	for _, d := range c.Drivers {
		drivers = append(drivers, fmt.Sprintf("%s %.1f", d.Finding, float64(d.MilliNats)/1000))
	}
	return fmt.Sprintf("case %s score %.2f units %s bridge [%s] made of [%s]: %s", c.Status, float64(c.Score)/1000, o.names(ids),
		strings.Join(bridges, ", "), strings.Join(drivers, ", "), o.view.Summary(c))
}

// names gives identifiers the names that the story gave them; a long list is shortened.
func (o *seen) names(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = o.world.name(id)
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	if len(out) > 6 {
		return fmt.Sprintf("%s, %s … %s (%d)", out[0], out[1], out[len(out)-1], len(out))
	}
	return strings.Join(out, ", ")
}
