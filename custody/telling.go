package custody

import (
	"fmt"
	"slices"
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

	context []byte          // with which the event's names are read
	voice   voice           // see weigh
	nowhere bool            // at no place of which an operator is known, and told by somebody who may have no part in it
	weighed int             // the state of the directory when it was weighed
	to      Named           // the unit to which it is being told, so that nobody need look for it
	roles   map[string]Role // of a long list of units
}

// Read decodes an event entry. The entry was validated when it was captured, so an error here means that the ledger was
// changed behind our back.
func Read(e ledger.Entry) (*Telling, error) {
	if e.Erased != nil {
		return nil, errErased(e)
	}
	ctx, err := epcis.ParseContext(e.Context)
	if err != nil {
		return nil, fmt.Errorf("entry %d: context: %w", e.Seq, err)
	}
	ev, err := epcis.ParseEvent(e.Body, ctx)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	return &Telling{Seq: e.Seq, Name: e.Name, Recorded: e.Recorded, Speaker: e.Speaker, Event: ev, context: e.Context}, nil
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

// Place is where the event says that its objects are afterwards; when it does not say, where they were read, or the place that
// they were put into or taken out of. A geo: URI is a position, not a place.
func (t *Telling) Place() string {
	if p := t.Event.BizLocation; p != "" && !isGeo(p) {
		return p
	}
	if p := t.Event.ReadPoint; p != "" && !isGeo(p) {
		return p
	}
	if p := t.Event.ParentID; IsPlace(p) && !isGeo(p) {
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

// isObservation says whether the event only says that its units were seen: a device's check-in, or a third party's sighting.
func (t *Telling) isObservation() bool {
	return t.Event.Type == epcis.ObjectEvent && t.Event.Action == epcis.Observe && (t.IsCheckIn() || t.Text("sighting") != "")
}

// inMotion are the steps on the way between sender and receiver: who takes them does not have the unit in its custody yet.
var inMotion = map[string]bool{
	"arriving": true, "transporting": true, "loading": true, "unloading": true, "holding": true, "staging_outbound": true,
	"entering_exiting": true,
}

// maxAhead is how far an event may claim to lie after the time at which we knew of it: more is a wrong clock.
const maxAhead = Micros(48 * time.Hour / time.Microsecond)

// implausible says whether the record of an event contradicts its time.
func implausible(at, recorded Micros) bool { return at < 0 || at > recorded+maxAhead }

func (t *Telling) implausible() bool { return implausible(At(t.Event.Time), At(t.Recorded)) }

// Tier is the evidence tier of the event (design §3): what it states itself, else 1 for an identifier that was scanned and
// 0 for a claim. Who speaks of what is not his can state what he likes: he has seen an identifier at best.
func (t *Telling) Tier() int {
	switch s := t.Text("tier"); {
	case t.voice == outside && !t.Claim:
		return 1
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
	out := make([]Named, 0, 1+len(ev.EPCs)+len(ev.ChildEPCs)+len(ev.InputEPCs)+len(ev.OutputEPCs))
	if ev.ParentID != "" && !IsPlace(ev.ParentID) {
		role := RoleParent
		if ev.Type == epcis.TransactionEvent {
			role = RoleObject
		}
		out = append(out, Named{ev.ParentID, role})
	}
	lists := 0
	for _, l := range [...]struct {
		role Role
		ids  []string
	}{{RoleInput, ev.InputEPCs}, {RoleOutput, ev.OutputEPCs}, {RoleChild, ev.ChildEPCs}, {RoleObject, ev.EPCs}} {
		if len(l.ids) > 0 {
			lists++
		}
		for _, id := range l.ids {
			if !IsPlace(id) {
				out = append(out, Named{id, l.role})
			}
		}
	}
	if lists < 2 && !(len(out) > 0 && slices.ContainsFunc(out[1:], func(n Named) bool { return n.Unit == out[0].Unit })) {
		return out // one list names nothing twice
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

// dedupe keeps the first role of a unit that an event names twice.
func dedupe(list []Named) []Named {
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

// fewUnits is up to how many names a list is looked through one by one.
const fewUnits = 16

// role says as what the event names a unit: the same as Units says.
func (t *Telling) role(unit string) Role {
	if t.to.Unit == unit {
		return t.to.Role
	}
	ev := t.Event
	if n := len(ev.EPCs) + len(ev.ChildEPCs) + len(ev.InputEPCs) + len(ev.OutputEPCs); n > fewUnits {
		if t.roles == nil {
			t.roles = make(map[string]Role, n)
			for _, u := range t.Units() {
				t.roles[u.Unit] = u.Role
			}
		}
		return t.roles[unit]
	}
	switch {
	case ev.ParentID == unit && ev.Type != epcis.TransactionEvent:
		return RoleParent
	case slices.Contains(ev.InputEPCs, unit):
		return RoleInput
	case slices.Contains(ev.OutputEPCs, unit):
		return RoleOutput
	case slices.Contains(ev.ChildEPCs, unit):
		return RoleChild
	}
	return RoleObject
}
