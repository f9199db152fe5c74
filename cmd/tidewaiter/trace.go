package main

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
)

type traceCmd struct {
	Unit string `arg:"" help:"A unit by any of its names."`
	asking
}

// traceReport is one line of what trace prints with --json.
type traceReport struct {
	Unit        string         `json:"unit"`
	Seq         int64          `json:"seq"`
	EventID     string         `json:"eventID"`
	EventTime   string         `json:"eventTime"`
	Recorded    string         `json:"recorded"`
	Speaker     string         `json:"speaker"`
	Claim       bool           `json:"claim"`     // said of somebody else's custody
	Withdrawn   bool           `json:"withdrawn"` // declared erroneous by who said it
	Erroneous   bool           `json:"errorDeclaration"`
	Tier        int            `json:"tier"`
	Type        string         `json:"type"`
	Action      string         `json:"action,omitempty"`
	BizStep     string         `json:"bizStep,omitempty"`
	Disposition string         `json:"disposition,omitempty"`
	Place       string         `json:"place,omitempty"`
	Parent      string         `json:"parentID,omitempty"`
	From        string         `json:"from,omitempty"`
	To          string         `json:"to,omitempty"`
	Event       jsontext.Value `json:"event"` // as received
}

func (c *traceCmd) Run(e *env) error {
	d, v, err := e.asked()
	if err != nil {
		return err
	}
	defer d.Close()
	units, gone, err := e.findTold(v, c.Unit, c.asked())
	if err != nil {
		return err
	}
	known := len(gone) > 0
	for _, unit := range units {
		list, err := v.Custody.Trace(unit, c.asked())
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		known = true
		if !e.cli.JSON {
			if err := e.printf("%s\n", unit); err != nil {
				return err
			}
		}
		for _, t := range list {
			if e.cli.JSON {
				err = e.printJSON(reportTrace(unit, t))
			} else {
				err = e.print([]byte(traceLine(v, unit, t)))
			}
			if err != nil {
				return err
			}
		}
	}
	if !known {
		return fmt.Errorf("%w: nothing was known of %s at that time", errNo, c.Unit)
	}
	return e.printTombstones(c.Unit, gone)
}

func reportTrace(unit string, t custody.Trace) traceReport {
	ev := t.Telling.Event
	place := t.Telling.Place()
	if place == "" {
		place = t.Telling.Geo()
	}
	return traceReport{
		Unit: unit, Seq: t.Telling.Seq, EventID: t.Telling.Name, EventTime: stamp(ev.Time), Recorded: stamp(t.Telling.Recorded), Speaker: t.Telling.Speaker,
		Claim: t.Telling.Claim, Withdrawn: t.Withdrawn, Erroneous: ev.ErrorDeclaration != nil, Tier: t.Telling.Tier(), Type: string(ev.Type),
		Action: string(ev.Action), BizStep: ev.BizStep, Disposition: ev.Disposition, Place: place, Parent: ev.ParentID,
		From: t.Telling.Source("possessing_party"), To: t.Telling.Destination("possessing_party"), Event: ev.Raw,
	}
}

// traceLine is one event of a unit's history, for people.
func traceLine(v *casework.View, unit string, t custody.Trace) string {
	ev, name := t.Telling.Event, v.Machine.Memory.Name
	what := ev.BizStep
	if what == "" {
		what = string(ev.Type)
	}
	var parts []string
	switch {
	case ev.ParentID != "" && ev.ParentID != unit:
		parts = append(parts, strings.ToLower(string(ev.Action))+" "+strings.TrimSpace(custody.KindOf(v.Custody, ev.ParentID)+" "+ev.ParentID))
	case ev.ParentID == unit:
		parts = append(parts, fmt.Sprintf("%s %d inside", strings.ToLower(string(ev.Action)), len(ev.ChildEPCs)))
	}
	if to := t.Telling.Destination("possessing_party"); to != "" {
		parts = append(parts, name(t.Telling.Source("possessing_party"))+" → "+name(to))
	}
	if place := t.Telling.Place(); place != "" {
		parts = append(parts, "at "+name(place))
	} else if geo := t.Telling.Geo(); geo != "" {
		parts = append(parts, "at "+geo)
	}
	if t.Telling.Claim {
		parts = append(parts, "(a claim by "+name(t.Telling.Speaker)+")")
	}
	switch {
	case ev.ErrorDeclaration != nil:
		what = "declared erroneous: " + what
	case t.Withdrawn:
		what += " (withdrawn)"
	}
	return fmt.Sprintf("  %s  %-18s %s  [%d, T%d]\n", ev.Time.UTC().Format("2006-01-02 15:04"), what, oneLine(strings.Join(parts, ", ")), t.Telling.Seq, t.Telling.Tier())
}
