package detect_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The language of scenarios, as docs/scenarios.md specifies it. A file is a background and the scenarios in front of it; each
// line is a sentence, and what is wrong with it is said with file and line.

// scenario is one story: what was told, and what Tidewaiter should make of it.
type scenario struct {
	title string
	lines []sentence
}

// sentence is one line: a declaration, an event or an expectation, with the clauses that it has.
type sentence struct {
	file    string
	line    int
	verb    string
	name    string    // of a party, a site or a parcel
	at, to  time.Time // to: the end of a series
	units   []string
	clauses map[string]string
	expect  *expectation
}

func (s *sentence) errorf(format string, a ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{s.file, s.line}, a...)...)
}

func (s *sentence) has(clause string) bool { _, ok := s.clauses[clause]; return ok }

// grammar is what a verb needs and takes. The first words are the verb, a name, a date and units, as far as it has them.
type grammar struct {
	name, date, series, units bool
	needs, takes              string
}

const (
	papers   = " consignment declared hs worth weighing paid-by end-user end-use owner rma"
	telling  = " known said-by"
	trading  = " incorporated business capital parent parent-country"
	reported = papers + telling
)

var verbs = map[string]grammar{
	"site":       {name: true, needs: "of at", takes: "in used-as"},
	"made":       {date: true, units: true, needs: "by", takes: "holding each" + telling},
	"shipped":    {date: true, units: true, needs: "from to", takes: reported},
	"received":   {date: true, units: true, needs: "from to", takes: reported},
	"sold":       {date: true, units: true, needs: "from to", takes: reported},
	"installed":  {date: true, units: true, needs: "at", takes: telling},
	"dismantled": {date: true, units: true, needs: "at", takes: telling},
	"rebuilt":    {date: true, units: true, needs: "into at", takes: telling},
	"scrapped":   {date: true, units: true, needs: "at", takes: telling},
	"checkins":   {date: true, series: true, units: true, needs: "every at", takes: "tier clock" + telling},
	"checkin":    {date: true, units: true, needs: "at", takes: "tier clock" + telling},
	"inspected":  {date: true, units: true, needs: "at by", takes: "known"},
	"seen":       {date: true, units: true, needs: "at by as", takes: "tier" + telling},
	"missing":    {date: true, units: true, needs: "by as", takes: telling},
	"parcel":     {name: true, date: true, needs: "from to weighing", takes: "declared hs worth paid-by end-user end-use via signed-for reported-by-sender" + telling},
	"until":      {date: true},
}

// roles are the words for parties and what tw:role calls them.
var roles = map[string]string{
	"maker": "manufacturer", "distributor": "distributor", "carrier": "carrier", "forwarder": "forwarder", "broker": "broker", "operator": "operator",
	"tenant": "tenant", "lessor": "lessor", "service": "service", "recycler": "recycler", "authority": "authority",
}

// bare are the clauses that are said by one word.
var bare = []string{"reported-by-sender", "signed-for"}

// phrases are clauses that read better as two words.
var phrases = strings.NewReplacer(" paid by ", " paid-by ", " said by ", " said-by ", " end user ", " end-user ", " end use ", " end-use ",
	" used as ", " used-as ", " parent country ", " parent-country ", " reported by sender", " reported-by-sender", " signed for", " signed-for")

// parse reads a file of scenarios.
func parse(file, text string) (list []*scenario, err error) {
	var background []sentence
	for i, raw := range strings.Split(text, "\n") {
		s := sentence{file: file, line: i + 1, clauses: map[string]string{}}
		words, err := split(raw)
		if err != nil {
			return nil, s.errorf("%w", err)
		}
		if len(words) == 0 {
			continue
		}
		if words[0] == "scenario" || words[0] == "twin" {
			list = append(list, &scenario{title: strings.TrimSpace(raw), lines: slices.Clone(background)})
			continue
		}
		if err := s.read(words); err != nil {
			return nil, s.errorf("%w", err)
		}
		if len(list) == 0 {
			background = append(background, s)
		} else {
			last := list[len(list)-1]
			last.lines = append(last.lines, s)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no scenario; begin one with a line `scenario TITLE`", file)
	}
	return list, nil
}

// split cuts a line into words; what stands in quotes is one word, and # begins a comment.
func split(line string) (words []string, err error) {
	parts := strings.Split(line, `"`)
	for i, p := range parts {
		if i%2 == 1 {
			if i == len(parts)-1 {
				return nil, fmt.Errorf("a quotation is not closed")
			}
			words = append(words, p)
			continue
		}
		before, _, comment := strings.Cut(p, "#")
		padded := phrases.Replace(phrases.Replace(" " + strings.Join(strings.Fields(before), " ") + " "))
		words = append(words, strings.Fields(padded)...)
		if comment {
			break
		}
	}
	return words, nil
}

// read takes in the words of a line.
func (s *sentence) read(words []string) error {
	s.verb = words[0]
	switch s.verb {
	case "expect", "at", "known-gap":
		return s.readExpectation(words)
	}
	g, known := verbs[s.verb]
	if roles[s.verb] != "" {
		return s.readParty(words)
	}
	if !known {
		return fmt.Errorf("no sentence begins with %q", s.verb)
	}
	rest, err := s.readHead(g, words[1:])
	if err != nil {
		return err
	}
	return s.readClauses(g, rest)
}

func (s *sentence) readParty(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("a party has a name and a country: `%s NAME CC`", s.verb)
	}
	s.name, s.clauses["in"] = words[1], words[2]
	return s.readClauses(grammar{takes: trading}, words[3:])
}

// readHead reads name, date and units.
func (s *sentence) readHead(g grammar, words []string) ([]string, error) {
	next := func(what string) (string, error) {
		if len(words) == 0 {
			return "", fmt.Errorf("%s: %s is missing", s.verb, what)
		}
		w := words[0]
		words = words[1:]
		return w, nil
	}
	var err error
	if g.name {
		if s.name, err = next("the name"); err != nil {
			return nil, err
		}
	}
	if g.date {
		w, err := next("the date")
		if err != nil {
			return nil, err
		}
		if err := s.readDates(w, g.series); err != nil {
			return nil, err
		}
	}
	if g.units {
		w, err := next("the list of units")
		if err != nil {
			return nil, err
		}
		if s.units, err = unitList(w); err != nil {
			return nil, err
		}
	}
	return words, nil
}

func (s *sentence) readDates(w string, series bool) (err error) {
	from, to, ok := strings.Cut(w, "..")
	if ok != series {
		return fmt.Errorf("%s takes %s, not %q", s.verb, map[bool]string{true: "two dates, FIRST..LAST", false: "one date"}[series], w)
	}
	if s.at, err = date(from); err != nil {
		return err
	}
	s.to = s.at
	if series {
		s.to, err = date(to)
	}
	return err
}

// date is a day, of which nine in the morning is meant, or a day and a time; all in UTC.
func date(w string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, w); err == nil {
		return t.Add(9 * time.Hour), nil
	}
	t, err := time.Parse("2006-01-02T15:04", w)
	if err != nil {
		return t, fmt.Errorf("%q is no date; write 2025-04-01 or 2025-04-01T15:00", w)
	}
	return t, nil
}

// maxUnits bounds a list of units, so that a slip of the finger does not make a world of millions.
const maxUnits = 5000

// unitList reads "g1..g8,g12".
func unitList(w string) (list []string, err error) {
	for _, part := range strings.Split(w, ",") {
		from, to, series := strings.Cut(part, "..")
		kind, a, err := unitName(from)
		if err != nil {
			return nil, err
		}
		b := a
		if series {
			var other string
			if other, b, err = unitName(to); err != nil {
				return nil, err
			}
			if other != kind || b < a || b-a >= maxUnits {
				return nil, fmt.Errorf("%q is no series of units", part)
			}
		}
		for n := a; n <= b; n++ {
			list = append(list, kind+strconv.Itoa(n))
		}
	}
	return list, nil
}

// unitName reads g12 (an accelerator) or s3 (a server).
func unitName(w string) (kind string, n int, err error) {
	if len(w) > 1 && (w[0] == 'g' || w[0] == 's') {
		if n, err = strconv.Atoi(w[1:]); err == nil && n > 0 && n < 1e6 {
			return w[:1], n, nil
		}
	}
	return "", 0, fmt.Errorf("%q is no unit; accelerators are g1, g2, …, servers s1, s2, …", w)
}

// readClauses reads the rest of a sentence: in any order, each clause once.
func (s *sentence) readClauses(g grammar, words []string) error {
	allowed := strings.Fields(g.needs + " " + g.takes)
	for len(words) > 0 {
		c := words[0]
		words = words[1:]
		switch {
		case !slices.Contains(allowed, c):
			return fmt.Errorf("%s does not take %q here; it takes: %s", s.verb, c, strings.Join(allowed, ", "))
		case s.has(c):
			return fmt.Errorf("%s: %q is said twice", s.verb, c)
		case slices.Contains(bare, c):
			s.clauses[c] = c
		case len(words) == 0:
			return fmt.Errorf("%s: something is missing after %q", s.verb, c)
		default:
			s.clauses[c] = words[0]
			words = words[1:]
			if len(words) > 0 && slices.Contains(units[c], words[0]) {
				words = words[1:]
			}
		}
	}
	for _, c := range strings.Fields(g.needs) {
		if !s.has(c) {
			return fmt.Errorf("%s needs %q", s.verb, c)
		}
	}
	return nil
}

// units are the words after a clause's value that only make it a sentence.
var units = map[string][]string{"weighing": {"kg"}, "worth": {"dollars"}, "capital": {"dollars"}, "known": {"later"}, "clock": {"off"}}

// duration reads 7d, 12h or -365d.
func duration(w string) (time.Duration, error) {
	days, ok := strings.CutSuffix(w, "d")
	if !ok {
		d, err := time.ParseDuration(w)
		if err != nil {
			return 0, fmt.Errorf("%q is no length of time; write 7d or 12h", w)
		}
		return d, nil
	}
	n, err := strconv.Atoi(days)
	if err != nil || n > 10000 || n < -10000 {
		return 0, fmt.Errorf("%q is no number of days", w)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// words lists the verbs there are, for the page that specifies them.
func vocabulary() []string {
	list := append(slices.Collect(maps.Keys(verbs)), slices.Collect(maps.Keys(roles))...)
	for _, g := range verbs {
		list = append(list, strings.Fields(g.needs+" "+g.takes)...)
	}
	list = append(list, strings.Fields(trading)...)
	slices.Sort(list)
	return slices.Compact(list)
}
