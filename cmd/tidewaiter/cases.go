package main

import (
	"fmt"
	"strings"

	"github.com/tidewaiter/tidewaiter/casework"
)

type casesCmd struct {
	judging
	All bool `help:"Also those that have been explained, and those that fell below the line."`
}

func (c *casesCmd) Run(e *env) error {
	d, v, err := e.judged(c.At)
	if err != nil {
		return err
	}
	defer d.Close()
	n := 0
	for _, x := range v.Cases() {
		if x.Status != casework.StatusOpen && !c.All {
			continue
		}
		n++
		if e.cli.JSON {
			err = e.printJSON(v.ReportCase(x))
		} else {
			err = e.print([]byte(caseText(v, x)))
		}
		if err != nil {
			return err
		}
	}
	if n == 0 {
		fmt.Fprintln(e.stderr, "No cases.")
	}
	return nil
}

// caseText is a case in a list, for people.
func caseText(v *casework.View, c *casework.Case) string {
	const indent = "        "
	state := ""
	if c.Status != casework.StatusOpen {
		state = " (" + c.Status + ")"
	}
	text := fmt.Sprintf("  %.2f  %s\n", float64(c.Score)/1000, wrap("Case "+c.ID()+state+": "+v.Summary(c), 110, indent))
	if s := c.SpeaksAgainst(); s != "" {
		text += indent + wrap(s, 110, indent) + "\n"
	}
	return text
}

type caseCmd struct {
	ID string `arg:"" help:"The case's number."`
	judging
}

func (c *caseCmd) Run(e *env) error {
	d, v, err := e.judged(c.At)
	if err != nil {
		return err
	}
	defer d.Close()
	x := v.Case(c.ID)
	if x == nil {
		return fmt.Errorf("%w: there is no case %s; 'tidewaiter cases --all' lists them", errNo, c.ID)
	}
	if e.cli.JSON {
		return e.printJSON(caseFile{v.ReportCase(x), findingsOf(v, x)})
	}
	return e.print([]byte(caseFileText(v, x)))
}

// caseFile is a case with its findings in full.
type caseFile struct {
	casework.CaseReport
	Evidence []casework.FindingReport `json:"evidence"`
}

func findingsOf(v *casework.View, c *casework.Case) []casework.FindingReport {
	out := []casework.FindingReport{}
	for _, f := range v.Findings(c) {
		out = append(out, casework.ReportFinding(f))
	}
	return out
}

// caseFileText is everything about a case, for people.
func caseFileText(v *casework.View, c *casework.Case) string {
	var b strings.Builder
	b.WriteString(caseText(v, c))
	fmt.Fprintf(&b, "\nPotential diversion, unexplained. The score is calibrated on simulated worlds only. Opened on %s, last changed on %s.\n",
		c.Opened.Time().Format("2 January 2006"), c.Changed.Time().Format("2 January 2006"))
	b.WriteString("\nWhat it rests on\n")
	weight := map[string]int{}
	for _, d := range c.Drivers {
		weight[d.Finding] = d.MilliNats
	}
	for _, r := range findingsOf(v, c) {
		if mn, ok := weight[r.ID]; ok {
			fmt.Fprintf(&b, "  counts %+.1f nats\n", float64(mn)/1000)
		} else {
			b.WriteString("  adds nothing to what is counted already\n")
		}
		b.WriteString(findingText(r, "  "))
	}
	b.WriteString("\nWhere the paths part\n")
	if len(c.Bridge) == 0 {
		b.WriteString("  No opinion: no party stands out from its own volume of business.\n")
	}
	for _, p := range c.Bridge {
		fmt.Fprintf(&b, "  %3d %%  %s  %s: %d of these units went through it, of %d in all\n", (p.Score+5)/10, oneLine(v.Machine.Memory.Name(p.Party)), p.Party, p.Units, p.Of)
	}
	fmt.Fprintf(&b, "\nThe %d units\n", len(c.Units))
	for _, m := range c.Units {
		fmt.Fprintf(&b, "  %s  since %s\n", m.Unit, m.Added.Time().Format("2 January 2006"))
	}
	return b.String()
}
