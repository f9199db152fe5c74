package epcis

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// eventParser is the parser of one event: what was seen of it so far.
type eventParser struct {
	parser
	ev   *Event
	seen field
}

// ParseEvent validates one event of EPCIS 2.0 and normalises it (see Event). ctx is the context of the document that it came
// in; one of its own goes on top. An error is an *Error. The event refers to raw, which must not be changed afterwards.
//
// It accepts what the EPCIS 2.0 JSON Schema accepts for an event of a document, and refuses what that refuses, except:
//
// It is stricter where the text of the standard says what a schema cannot, or where two readers could understand different
// things: an aggregation needs a parent unless it only observes; did_not_occur has no corrective events; GS1 keys must be well
// formed, percent signs in URIs too; a word with a prefix of the CBV must be one of its words in that place; a field that is
// named twice, be it with two prefixes; a type of the standard's own is held to its rules however it is spelt (epcis:ObjectEvent),
// and a member of the standard's own in events of somebody else's type; an event's @context must be one; numbers fit a double,
// instants lie in the years 0 to 9999 in UTC; fields of somebody's own are nested at most 64 levels deep; no broken UTF-8.
//
// It is looser where older or shorter spellings are in use: URNs of CBV 1.x, Web URIs of the CBV's drafts and of the GS1 Web
// Vocabulary; terms of the @context, for words, identifiers and names; characters of IRIs (RFC 3987).
func ParseEvent(raw jsontext.Value, ctx *Context) (*Event, error) {
	if k := raw.Kind(); k != '{' {
		return nil, &Error{"", "must be an object, not " + kindName(k)}
	}
	inner, err := newParser(raw, ctx)
	if err != nil {
		return nil, err
	}
	p := eventParser{parser: inner, ev: &Event{Raw: raw, checked: true}}
	if err := p.begin(); err != nil {
		return nil, err
	}
	if err := p.object(p.field); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p.ev, nil
}

// begin looks for the members that say how to read all others, wherever they stand: the event's own context, then its type.
func (p *eventParser) begin() (err error) {
	if p.ctx, err = ownContext(p.ev.Raw, p.ctx); err != nil {
		return err
	}
	typed := false
	for p.open(); !typed && p.more(); {
		if typed = string(p.name()) == "type"; typed {
			p.ev.Type, err = p.eventType()
		} else {
			p.skip()
		}
	}
	if !typed {
		return &Error{"/type", "is missing"}
	}
	p.at = 0
	return err
}

// ownContext is the document's context with the event's own on top.
func ownContext(raw jsontext.Value, ctx *Context) (*Context, error) {
	s := scanner{src: raw}
	if !s.mayHold("@context") {
		return ctx, nil
	}
	var err error
	for s.open(); s.more() && err == nil; {
		if string(s.name()) == "@context" {
			ctx, err = ctx.with(s.raw())
		} else {
			s.skip()
		}
	}
	return ctx, err
}

// field is a set of members of an event.
type field uint32

const (
	fType field = 1 << iota
	fTime
	fZone
	fRecord
	fID
	fCertification
	fError
	fContext
	fAction
	fEPCs
	fQuantities
	fParent
	fChildren
	fChildQuantities
	fInputs
	fInputQuantities
	fOutputs
	fOutputQuantities
	fTransformation
	fStep
	fDisposition
	fPersistent
	fReadPoint
	fLocation
	fTransactions
	fSources
	fDestinations
	fSensors
	fILMD
)

const (
	fCommon = fType | fTime | fZone | fRecord | fID | fCertification | fError | fContext | fStep | fDisposition | fReadPoint |
		fLocation | fTransactions | fSources | fDestinations | fSensors
	fLink = fCommon | fAction | fParent | fChildren | fChildQuantities
)

// allowed are the members that each type of event may have (EPCIS 2.0 §7.4).
var allowed = map[Type]field{
	ObjectEvent:      fCommon | fAction | fEPCs | fQuantities | fPersistent | fILMD,
	AggregationEvent: fLink,
	AssociationEvent: fLink,
	TransactionEvent: fCommon | fAction | fParent | fEPCs | fQuantities,
	TransformationEvent: fCommon | fInputs | fInputQuantities | fOutputs | fOutputQuantities | fTransformation | fPersistent |
		fILMD,
}

// field reads one member of an event.
func (p *eventParser) field(name []byte) error {
	r := eventShape.rule(name)
	if r == nil {
		return p.extension(name)
	}
	p.seen |= r.field
	switch f := r.field; {
	case f < fAction:
		return p.common(f)
	case f&(fStep|fDisposition|fPersistent|fReadPoint|fLocation|fTransactions|fSources|fDestinations|fAction) != 0:
		return p.why(f)
	default:
		return p.what(f)
	}
}

// common reads the members that every event may have.
func (p *eventParser) common(f field) (err error) {
	ev := p.ev
	switch f {
	case fTime:
		ev.Time, err = p.time()
	case fZone:
		ev.TimeZoneOffset, err = p.zone()
	case fRecord:
		ev.RecordTime, err = p.time()
	case fID:
		ev.ID, err = p.uri()
	case fCertification:
		ev.CertificationInfo, err = p.certification()
	case fError:
		ev.ErrorDeclaration, err = p.declaration()
	case fType, fContext:
		p.skip() // read already
	}
	return err
}

// what reads the members that say what an event is about.
func (p *eventParser) what(f field) (err error) {
	ev := p.ev
	switch f {
	case fEPCs:
		ev.EPCs, err = p.ids(ev.Type != TransactionEvent)
	case fChildren:
		ev.ChildEPCs, err = p.ids(false)
	case fInputs:
		ev.InputEPCs, err = p.ids(true)
	case fOutputs:
		ev.OutputEPCs, err = p.ids(true)
	case fQuantities:
		ev.Quantities, err = p.quantities()
	case fChildQuantities:
		ev.ChildQuantities, err = p.quantities()
	case fInputQuantities:
		ev.InputQuantities, err = p.quantities()
	case fOutputQuantities:
		ev.OutputQuantities, err = p.quantities()
	case fParent:
		ev.ParentID, err = p.id()
	case fTransformation:
		ev.TransformationID, err = p.id()
	case fSensors:
		ev.HasSensorElements, err = p.sensorElements()
	case fILMD:
		ev.ILMD, err = p.ilmd()
	}
	return err
}

// why reads the members that say why, where and between whom.
func (p *eventParser) why(f field) (err error) {
	ev := p.ev
	switch f {
	case fAction:
		ev.Action, err = p.action()
	case fStep:
		ev.BizStep, err = p.word(bizSteps)
	case fDisposition:
		ev.Disposition, err = p.word(dispositions)
	case fPersistent:
		ev.PersistentSet, ev.PersistentUnset, err = p.persistent()
	case fReadPoint:
		ev.ReadPoint, err = p.place()
	case fLocation:
		ev.BizLocation, err = p.place()
	case fTransactions:
		ev.Transactions, err = p.typedList("bizTransaction", transactionTypes, false)
	case fSources:
		ev.Sources, err = p.typedList("source", sourceTypes, true)
	case fDestinations:
		ev.Destinations, err = p.typedList("destination", sourceTypes, true)
	}
	return err
}

// types are the standard's own, the usual ones first.
var types = [...]Type{ObjectEvent, AggregationEvent, AssociationEvent, TransactionEvent, TransformationEvent}

// eventType reads the type: one of the five, or the URI of somebody's own.
func (p *eventParser) eventType() (Type, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	if t, ok := typeOf(s, p.ctx); ok {
		return t, nil
	}
	return "", p.fail(at, "is %s, which is no type of event: it must be ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, "+
		"AssociationEvent, or a URI", quoteShort(s))
}

// typeOf is the normal form of a type: the bare name of one of the five, else a URI.
func typeOf(s []byte, ctx *Context) (Type, bool) {
	full := ctx.expand(s)
	bare := bytes.TrimPrefix(full, []byte(standard.terms["epcis"]))
	for _, t := range types {
		if string(t) == string(bare) {
			return t, true
		}
	}
	return Type(full), isURI(full)
}

func (p *eventParser) action() (Action, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	for _, a := range []Action{Add, Observe, Delete} {
		if string(s) == string(a) {
			return a, nil
		}
	}
	return "", p.fail(at, "is %s; it must be ADD, OBSERVE or DELETE", quoteShort(s))
}

// zone reads ±hh:mm, at most 14 hours.
func (p *eventParser) zone() (string, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	seconds, ok := zoneSeconds(s)
	if !ok || len(s) != len("+01:00") || max(seconds, -seconds) > 14*3600 {
		return "", p.fail(at, "is %s; it must be an offset such as +01:00", quoteShort(s))
	}
	return string(s), nil
}

// extension reads a member of somebody's own namespace.
func (p *eventParser) extension(name []byte) error {
	full, uri, err := p.fullName(name)
	if err != nil {
		return err
	}
	if uri {
		return p.put(&p.ev.Extensions, full)
	}
	if _, own := allowed[p.ev.Type]; own {
		return p.fail(p.member, "is no member of an event, and bears no prefix that says whose it is, such as tw:")
	}
	_, err = p.value() // an extension type has members of its own
	return err
}

// put reads a value into fields.
func (p *eventParser) put(fields *Fields, name string) error {
	if _, twice := (*fields)[name]; twice {
		return p.fail(p.member, "is there twice, with another prefix: both mean %s", quoteShort(name))
	}
	v, err := p.value()
	if err != nil {
		return err
	}
	if *fields == nil {
		*fields = Fields{}
	}
	(*fields)[name] = v
	return nil
}

func (p *eventParser) ilmd() (Fields, error) {
	fields := Fields{}
	err := p.object(func(name []byte) error {
		full, uri, err := p.fullName(name)
		if err != nil {
			return err
		}
		if !uri {
			return p.fail(p.member, "must bear a prefix that says whose it is, or be a URI")
		}
		return p.put(&fields, full)
	})
	return fields, err
}
