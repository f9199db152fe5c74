package casework

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidewaiter/tidewaiter/detect"
)

// ID is what people and programs call a case.
func (c *Case) ID() string { return strconv.Itoa(c.Number) }

// Summary says in a few sentences what a case is: what is unexplained, what was seen, and where the paths part. It accuses
// nobody.
func (v *View) Summary(c *Case) string {
	sentences := []string{fmt.Sprintf("%s, unexplained.", detect.Counted(len(c.Units), "accelerator"))}
	if s := v.wentDark(c); s != "" {
		sentences = append(sentences, s)
	}
	if s := v.parcels(c); s != "" {
		sentences = append(sentences, s)
	}
	switch c.Seen {
	case 0:
	case 1:
		sentences = append(sentences, "One has since been seen elsewhere.")
	default:
		sentences = append(sentences, fmt.Sprintf("%d have since been seen elsewhere.", c.Seen))
	}
	if len(c.Bridge) > 0 {
		sentences = append(sentences, fmt.Sprintf("The paths part at: %s.", v.Machine.Memory.Name(c.Bridge[0].Party)))
	} else {
		sentences = append(sentences, "No party stands out as the one at which the paths part.")
	}
	return strings.Join(sentences, " ")
}

// SpeaksAgainst says in a sentence what speaks against a case.
func (c *Case) SpeaksAgainst() string {
	if len(c.Against) == 0 {
		return ""
	}
	return "Speaks against it: " + strings.Join(c.Against, "; ") + "."
}

// wentDark says where and when the units were last where they should be.
func (v *View) wentDark(c *Case) string {
	if c.From == 0 {
		return ""
	}
	where := ""
	switch len(c.Sites) {
	case 0:
	case 1:
		where = " at " + v.Machine.Memory.Name(c.Sites[0])
	default:
		where = fmt.Sprintf(" at %s and %d more", v.Machine.Memory.Name(c.Sites[0]), len(c.Sites)-1)
	}
	if len(c.Sites) == 0 {
		return fmt.Sprintf("They were sent %s and not reported as received since.", between(c.From, c.To))
	}
	if c.Unproven {
		since := "parcels left there"
		if c.Parcels == 0 && c.Seen > 0 {
			since = "some were seen elsewhere"
		}
		return fmt.Sprintf("None of them was ever heard from%s, and nobody has counted them since %s %s; which of them are gone is not known.", where, since, between(c.From, c.To))
	}
	if c.Passed > 0 {
		return fmt.Sprintf("They passed inspection%s on %s and were last heard %s.", where, date(c.Passed), between(c.From, c.To))
	}
	return fmt.Sprintf("They were last heard%s %s.", where, between(c.From, c.To))
}

// parcels says what may have carried them; it is a likelihood and never a fact.
func (v *View) parcels(c *Case) string {
	if c.Parcels == 0 {
		return ""
	}
	s := fmt.Sprintf("%d of them may have left in %s declared as parts", c.MayHold, detect.Counted(c.Parcels, "parcel"))
	if c.Routes > 1 {
		s += fmt.Sprintf(", over %d routes", c.Routes)
	}
	if c.ToParty != "" {
		s += " to " + v.Machine.Memory.Name(c.ToParty)
	}
	if c.ToBarred != "" {
		s += " (" + c.ToBarred + ")"
	}
	return s + "."
}

func date(t Micros) string { return t.Time().Format("2 January 2006") }

// between says "on 2 April 2025", or "from 2 to 5 April 2025".
func between(from, to Micros) string {
	a, b := from.Time(), to.Time()
	switch {
	case date(from) == date(to):
		return "on " + date(from)
	case a.Year() == b.Year() && a.Month() == b.Month():
		return fmt.Sprintf("from %d to %s", a.Day(), date(to))
	case a.Year() == b.Year():
		return fmt.Sprintf("from %s to %s", a.Format("2 January"), date(to))
	}
	return "from " + date(from) + " to " + date(to)
}
