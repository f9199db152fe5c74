package epcis

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// eventParser is the parser of one event: what was seen of it so far.
type eventParser struct {
	*parser
	ev   *Event
	seen field
}

// ParseEvent validates one event of EPCIS 2.0 and normalises it (see Event). ctx is the context of the document that it came
// in; one of its own goes on top. An error is an *Error.
//
// It accepts what the EPCIS 2.0 JSON Schema accepts, except: what the text of the standard forbids and a schema cannot say
// (a parent is needed to add to it or to take from it; an association needs children unless it is ended; a sensor attribute
// stands in the metadata or in the report; did_not_occur has no corrective events); GS1 keys that are malformed; names given
// twice; nesting beyond 64 levels. It is looser where older spellings are in use: URNs of CBV 1.x, and characters of IRIs.
func ParseEvent(raw jsontext.Value, ctx *Context) (*Event, error) {
	if raw.Kind() != '{' {
		return nil, &Error{"", "must be an object, not " + kindName(raw.Kind())}
	}
	if bytes.Contains(raw, []byte(`"@context"`)) {
		var err error
		if ctx, err = ownContext(raw, ctx); err != nil {
			return nil, err
		}
	}
	p := eventParser{parser: newParser(raw, ctx), ev: &Event{Raw: raw}}
	defer p.release()
	if err := p.object(p.member); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p.ev, nil
}

// ownContext is the document's context with the event's own on top.
func ownContext(raw jsontext.Value, ctx *Context) (*Context, error) {
	p := newParser(raw, ctx)
	defer p.release()
	var own jsontext.Value
	err := p.object(func(name string) error {
		v, err := p.dec.ReadValue()
		if name == "@context" {
			own = v.Clone()
		}
		return wrap(err)
	})
	if err != nil || own == nil {
		return ctx, err
	}
	if ctx == none {
		return ParseContext(own)
	}
	return ctx.with(own)
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

var fieldNames = map[string]field{
	"type": fType, "eventTime": fTime, "eventTimeZoneOffset": fZone, "recordTime": fRecord, "eventID": fID,
	"certificationInfo": fCertification, "errorDeclaration": fError, "@context": fContext, "action": fAction,
	"epcList": fEPCs, "quantityList": fQuantities, "parentID": fParent, "childEPCs": fChildren, "childQuantityList": fChildQuantities,
	"inputEPCList": fInputs, "inputQuantityList": fInputQuantities, "outputEPCList": fOutputs, "outputQuantityList": fOutputQuantities,
	"transformationID": fTransformation, "bizStep": fStep, "disposition": fDisposition, "persistentDisposition": fPersistent,
	"readPoint": fReadPoint, "bizLocation": fLocation, "bizTransactionList": fTransactions, "sourceList": fSources,
	"destinationList": fDestinations, "sensorElementList": fSensors, "ilmd": fILMD,
}

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

// member reads one member of an event.
func (p *eventParser) member(name string) error {
	f, ok := fieldNames[name]
	if !ok {
		return p.extension(name)
	}
	p.seen |= f
	switch {
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
	case fType:
		ev.Type, err = p.eventType()
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
	case fContext:
		_, err = p.value()
	}
	return err
}

// what reads the members that say what an event is about.
func (p *eventParser) what(f field) (err error) {
	ev := p.ev
	switch f {
	case fEPCs:
		ev.EPCs, err = p.ids(true)
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
		ev.Transactions, err = p.typed("bizTransaction", transactionTypes, false)
	case fSources:
		ev.Sources, err = p.typed("source", sourceTypes, true)
	case fDestinations:
		ev.Destinations, err = p.typed("destination", sourceTypes, true)
	}
	return err
}

// eventType reads the type: one of the five, or the URI of somebody's own.
func (p *eventParser) eventType() (Type, error) {
	s, err := p.text()
	if err != nil {
		return "", err
	}
	full := p.ctx.Expand(s)
	t := Type(strings.TrimPrefix(full, standard["epcis"]))
	if _, ok := allowed[t]; ok {
		return t, nil
	}
	if !isURI(full) {
		return "", p.fail("is %s, which is no type of event: it must be ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, "+
			"AssociationEvent, or a URI", quoteShort(s))
	}
	return Type(full), nil
}

func (p *eventParser) action() (Action, error) {
	s, err := p.text()
	switch a := Action(s); {
	case err != nil:
		return "", err
	case a == Add, a == Observe, a == Delete:
		return a, nil
	}
	return "", p.fail("is %s; it must be ADD, OBSERVE or DELETE", quoteShort(s))
}

// zone reads ±hh:mm, at most 14 hours.
func (p *eventParser) zone() (string, error) {
	s, err := p.text()
	if err != nil {
		return "", err
	}
	digit := func(i int, most byte) bool { return '0' <= s[i] && s[i] <= most }
	ok := len(s) == 6 && (s[0] == '+' || s[0] == '-') && s[3] == ':' && digit(4, '5') && digit(5, '9') &&
		(s[1] == '0' && digit(2, '9') || s[1] == '1' && digit(2, '3') || s[1:] == "14:00")
	if !ok {
		return "", p.fail("is %s; it must be an offset such as +01:00", quoteShort(s))
	}
	return s, nil
}

// extension reads a member of somebody's own namespace.
func (p *eventParser) extension(name string) error {
	if full, ok := p.extensionName(name); ok {
		v, err := p.value()
		if err != nil {
			return err
		}
		return p.put(&p.ev.Extensions, full, v)
	}
	if _, own := allowed[p.ev.Type]; !own && p.seen&fType != 0 {
		_, err := p.value() // an extension type has members of its own
		return err
	}
	return p.fail("is no member of an event, and bears no prefix that says whose it is (such as tw:%s)", name)
}

// extensionName expands the name of an extension; it must be a URI, or a term that the context defines.
func (p *parser) extensionName(name string) (string, bool) {
	full := p.ctx.Expand(name)
	return full, isURI(full)
}

func (p *parser) put(fields *Fields, name string, v jsontext.Value) error {
	if *fields == nil {
		*fields = Fields{}
	}
	if _, twice := (*fields)[name]; twice {
		return p.fail("is there twice, with another prefix: both mean %s", name)
	}
	(*fields)[name] = v
	return nil
}

func (p *eventParser) ilmd() (Fields, error) {
	fields := Fields{}
	err := p.object(func(name string) error {
		full, ok := p.extensionName(name)
		if !ok {
			return p.fail("must bear a prefix that says whose it is, or be a URI")
		}
		v, err := p.value()
		if err != nil {
			return err
		}
		return p.put(&fields, full, v)
	})
	return fields, err
}
