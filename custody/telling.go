package custody

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// NS is the namespace of Tidewaiter's own terms.
const NS = "https://tidewaiter.org/ns/"

// Telling is one event as one speaker told it: the event, and when and by whom it came to be known.
type Telling struct {
	Seq      int64
	Name     string // event id
	Recorded time.Time
	Speaker  string
	Claim    bool // the speaker says it of somebody else's custody
	Event    *epcis.Event
}

// Read decodes an event entry. The entry was validated when it was captured, so an error here means that the ledger was
// changed behind our back.
func Read(e ledger.Entry) (*Telling, error) {
	ctx, err := epcis.ParseContext(e.Context)
	if err != nil {
		return nil, fmt.Errorf("entry %d: context: %w", e.Seq, err)
	}
	ev, err := epcis.ParseEvent(e.Body, ctx)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	return &Telling{Seq: e.Seq, Name: e.Name, Recorded: e.Recorded, Speaker: e.Speaker, Event: ev}, nil
}

// Text returns an extension field of the event in Tidewaiter's namespace as text, or "".
func (t *Telling) Text(local string) string { return fieldText(t.Event.Extensions, local) }

// Source and Destination return the party or place of the given type (possessing_party, owning_party, location), or "".
func (t *Telling) Source(typ string) string      { return typed(t.Event.Sources, typ) }
func (t *Telling) Destination(typ string) string { return typed(t.Event.Destinations, typ) }

// Transaction returns the first business transaction of the given type, or "".
func (t *Telling) Transaction(typ string) string { return typed(t.Event.Transactions, typ) }

func typed(list []epcis.Typed, typ string) string {
	for _, e := range list {
		if e.Type == typ {
			return e.ID
		}
	}
	return ""
}

// fieldText gives a string as it is and a number as it was written.
func fieldText(f epcis.Fields, local string) string {
	v, ok := f[NS+local]
	if !ok {
		return ""
	}
	if v.Kind() == '"' {
		s, err := unquote(v)
		if err != nil {
			return ""
		}
		return s
	}
	return strings.TrimSpace(string(v))
}

// Place is where the event says that its objects are afterwards; when it does not say, where they were read.
// A geo: URI is a position, not a place.
func (t *Telling) Place() string {
	if p := t.Event.BizLocation; p != "" && !isGeo(p) {
		return p
	}
	if p := t.Event.ReadPoint; p != "" && !isGeo(p) {
		return p
	}
	return ""
}

// Geo is the position at which the objects were read, a geo: URI (RFC 5870), or "".
func (t *Telling) Geo() string {
	if isGeo(t.Event.ReadPoint) {
		return t.Event.ReadPoint
	}
	if isGeo(t.Event.BizLocation) {
		return t.Event.BizLocation
	}
	return ""
}

func isGeo(s string) bool { return strings.HasPrefix(s, "geo:") }

// IsPlace says whether an identifier names a physical place (SGLN) rather than a thing.
func IsPlace(id string) bool { return strings.HasPrefix(id, "https://id.gs1.org/414/") || isGeo(id) }

// Step groups business steps by what they do to custody.
type Step int

// The groups. Anything else only says that a unit was seen.
const (
	StepSeen Step = iota
	StepDispatch
	StepReceipt
	StepVoid
	StepEnd
)

// StepOf maps a CBV business step to its group (CBV 2.0 §7.1).
func StepOf(bizStep string) Step {
	switch bizStep {
	case "shipping", "consigning", "departing":
		return StepDispatch
	case "receiving", "accepting":
		return StepReceipt
	case "void_shipping":
		return StepVoid
	case "destroying", "decommissioning":
		return StepEnd
	}
	return StepSeen
}

// IsCheckIn says whether the event is a device's check-in.
func (t *Telling) IsCheckIn() bool { return t.Event.BizStep == "sensor_reporting" }

// Tier is the evidence tier of the event (design §3): what it states itself, else 1 for an identifier that was scanned and
// 0 for a claim.
func (t *Telling) Tier() int {
	switch s := t.Text("tier"); {
	case len(s) == 1 && s[0] >= '0' && s[0] <= '5':
		return int(s[0] - '0')
	case t.Claim:
		return 0
	}
	return 1
}

// Units returns each unit that the event names, once, with the role it plays.
func (t *Telling) Units() []Named {
	ev := t.Event
	var out []Named
	if ev.ParentID != "" && !IsPlace(ev.ParentID) {
		role := RoleParent
		if ev.Type == epcis.TransactionEvent {
			role = RoleObject
		}
		out = append(out, Named{ev.ParentID, role})
	}
	for _, l := range []struct {
		role Role
		ids  []string
	}{{RoleObject, ev.EPCs}, {RoleChild, ev.ChildEPCs}, {RoleInput, ev.InputEPCs}, {RoleOutput, ev.OutputEPCs}} {
		for _, id := range l.ids {
			if !IsPlace(id) {
				out = append(out, Named{id, l.role})
			}
		}
	}
	return dedupe(out)
}

// Named is a unit and its role in an event.
type Named struct {
	Unit string
	Role Role
}

// Role says as what an event names a unit.
type Role int

// The roles.
const (
	RoleObject Role = iota
	RoleParent
	RoleChild
	RoleInput
	RoleOutput
)

// dedupe keeps the first role of a unit that an event names twice; small lists are the rule.
func dedupe(list []Named) []Named {
	if len(list) < 2 {
		return list
	}
	seen := make(map[string]bool, len(list))
	out := list[:0]
	for _, n := range list {
		if !seen[n.Unit] {
			seen[n.Unit] = true
			out = append(out, n)
		}
	}
	return out
}
