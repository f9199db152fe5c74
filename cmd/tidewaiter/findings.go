package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// judging is the flag of questions about what is suspected.
type judging struct {
	At moment `help:"As of this ledger time: by what was known then. Replays the ledger up to it." placeholder:"TIME"`
}

// judged opens the data folder for a question about what is suspected, at a ledger time or now.
func (e *env) judged(at moment) (*deployment, *casework.View, error) {
	if at.IsZero() {
		return e.asked()
	}
	d, err := e.openExisting()
	if err != nil {
		return nil, nil, err
	}
	v, err := d.replay(at)
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return d, v, nil
}

// replay makes the views anew, in memory, from what was recorded up to a time.
func (d *deployment) replay(at moment) (*casework.View, error) {
	ctx := d.env.ctx
	v, err := casework.Open(memory.New().Rows(ctx, casework.Name), d.entry)
	if err != nil {
		return nil, err
	}
	head, err := d.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	bar := d.env.bar("Replaying the ledger")
	defer bar.clear()
	err = d.store.Entries(ctx, 0, head.Size, func(en ledger.Entry) error {
		if en.Recorded.After(at.Time) {
			return io.EOF
		}
		bar.set(en.Seq+1, head.Size)
		return v.Apply(en)
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return v, v.SettleAt(custody.At(at.Time))
}

type findingsCmd struct {
	judging
	Withdrawn bool `help:"Also those that later entries explained."`
}

func (c *findingsCmd) Run(e *env) error {
	d, v, err := e.judged(c.At)
	if err != nil {
		return err
	}
	defer d.Close()
	n := 0
	for _, f := range v.Machine.Findings() {
		if f.WithdrawnAt != 0 && !c.Withdrawn {
			continue
		}
		n++
		r := casework.ReportFinding(f)
		if e.cli.JSON {
			err = e.printJSON(r)
		} else {
			err = e.print([]byte(findingText(r, "")))
		}
		if err != nil {
			return err
		}
	}
	if n == 0 {
		fmt.Fprintln(e.stderr, "No findings.")
	}
	return nil
}

// findingText is a finding for people, with its innocent explanations always beside it.
func findingText(r casework.FindingReport, indent string) string {
	var b strings.Builder
	state := ""
	if r.WithdrawnAt != nil {
		state = ", withdrawn on " + r.WithdrawnAt.Format("2 January 2006")
	}
	fmt.Fprintf(&b, "%s%s  %+.1f nats, raised on %s%s\n", indent, r.Kind, r.LLR, r.RaisedAt.Format("2 January 2006"), state)
	in := indent + "    "
	b.WriteString(in + wrap(r.Explanation+".", 110, in) + "\n")
	for _, a := range r.Against {
		b.WriteString(in + wrap("Speaks against it: "+a+".", 110, in) + "\n")
	}
	for _, x := range r.Innocent {
		b.WriteString(in + wrap("Or: "+x+".", 110, in) + "\n")
	}
	entries := r.Evidence
	more := ""
	if len(entries) > 12 {
		more, entries = fmt.Sprintf(", and %d more", len(entries)-12), entries[:12]
	}
	fmt.Fprintf(&b, "%sEntries %s%s\n", in, numbers(entries), more)
	return b.String()
}

type exceptionsCmd struct {
	judging
	Kind string `help:"Only this kind." placeholder:"KIND"`
}

func (c *exceptionsCmd) Run(e *env) error {
	d, v, err := e.judged(c.At)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := v.Custody.Exceptions(v.Custody.Own(custody.Asked{}))
	if err != nil {
		return err
	}
	n, others := 0, map[string]bool{}
	for _, x := range list {
		if c.Kind != "" && x.Kind != c.Kind {
			others[x.Kind] = true
			continue
		}
		n++
		if e.cli.JSON {
			err = e.printJSON(casework.ReportException(x))
		} else {
			err = e.print([]byte(exceptionText(x)))
		}
		if err != nil {
			return err
		}
	}
	switch {
	case n == 0 && len(others) > 0:
		fmt.Fprintf(e.stderr, "No exceptions of the kind %s; there are some of these: %s.\n", c.Kind, strings.Join(slices.Sorted(maps.Keys(others)), ", "))
	case n == 0:
		fmt.Fprintln(e.stderr, "No exceptions.")
	}
	return nil
}

func exceptionText(x custody.Exception) string {
	unit := "no unit"
	if len(x.Units) > 0 {
		unit = x.Units[0]
	}
	if len(x.Units) > 1 {
		unit += fmt.Sprintf(" and %d more", len(x.Units)-1)
	}
	return fmt.Sprintf("%s  %-26s %s\n    %s  [entries %s]\n", x.First.Time().Format("2006-01-02"), x.Kind, unit, oneLine(x.Note), numbers(x.Seqs))
}
