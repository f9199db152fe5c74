package epcis

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Type is one of the five EPCIS 2.0 event types (EPCIS 2.0 §7.4), by its bare name.
type Type string

// The event types.
const (
	ObjectEvent         Type = "ObjectEvent"
	AggregationEvent    Type = "AggregationEvent"
	TransactionEvent    Type = "TransactionEvent"
	TransformationEvent Type = "TransformationEvent"
	AssociationEvent    Type = "AssociationEvent"
)

// Action says how an event relates to the life of what it names (EPCIS 2.0 §7.3.2).
type Action string

// The actions.
const (
	Add     Action = "ADD"
	Observe Action = "OBSERVE"
	Delete  Action = "DELETE"
)

// Event is one EPCIS event, decoded, validated and normalised:
//
//   - identifiers of units, classes, parties and places are canonical (see gs1.Canonical);
//   - vocabulary of the CBV is the bare word ("shipping"), however it was written (bare word, Web URI, URN, CURIE);
//     any other vocabulary is its full URI;
//   - lists of units hold no identifier twice and keep the order in which they came.
//
// Raw is the event as received, byte for byte.
type Event struct {
	Type              Type
	ID                string // eventID as written, or empty
	Time              time.Time
	TimeZoneOffset    string
	RecordTime        time.Time // zero when absent
	Action            Action    // empty for a TransformationEvent
	BizStep           string
	Disposition       string
	PersistentSet     []string
	PersistentUnset   []string
	EPCs              []string
	ParentID          string
	ChildEPCs         []string
	InputEPCs         []string
	OutputEPCs        []string
	Quantities        []Quantity
	ChildQuantities   []Quantity
	InputQuantities   []Quantity
	OutputQuantities  []Quantity
	TransformationID  string
	ReadPoint         string // canonical; may be a geo: URI
	BizLocation       string
	Transactions      []Typed // type and bizTransaction
	Sources           []Typed // type and source
	Destinations      []Typed // type and destination
	CertificationInfo []string
	ErrorDeclaration  *ErrorDeclaration
	HasSensorElements bool
	ILMD              Fields
	Extensions        Fields // of the event itself
	Raw               jsontext.Value

	checked bool // ParseEvent found Raw to be JSON
}

// Quantity is a number of things of one class that are not told apart (EPCIS 2.0 §7.3.3.3).
type Quantity struct {
	Class    string
	Quantity float64 // 0 when absent: then the amount is unknown
	UOM      string  // UN/ECE Recommendation 20 code; empty for a count
}

// Typed is a business transaction, a source or a destination: a type, a bare CBV word or a URI, and an identifier.
type Typed struct {
	Type string
	ID   string
}

// ErrorDeclaration withdraws the event that has the same id (EPCIS 2.0 §7.4.1.2).
type ErrorDeclaration struct {
	Time               time.Time
	Reason             string // "did_not_occur", "incorrect_data", or a URI
	CorrectiveEventIDs []string
}

// Fields are extension fields by expanded name, namespace and local name joined ("https://tidewaiter.org/ns/payer").
type Fields map[string]jsontext.Value
