package epcis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// frame is an object or an array of the document that is being read.
type frame struct {
	kind    container
	seen    map[string]bool // members of an object
	pointer string          // of an array
	n       int             // elements of an array that were read
	vtyp    string          // of a vocabulary and its list: its type
}

// container names the objects and arrays that a decoder goes into; everything else is passed over.
type container int

const (
	inDocument container = iota
	inHeader
	inMasterData
	inVocabularies
	inVocabulary
	inElements
	inBody
	inResults
	inResultsBody
	inEvents
)

func (c container) isArray() bool { return c == inVocabularies || c == inElements || c == inEvents }

// inside says what lies inside what: the members that are gone into.
var inside = map[container]map[string]container{
	inDocument:    {"epcisHeader": inHeader, "epcisBody": inBody},
	inHeader:      {"epcisMasterData": inMasterData},
	inMasterData:  {"vocabularyList": inVocabularies},
	inVocabulary:  {"vocabularyElementList": inElements},
	inBody:        {"eventList": inEvents, "queryResults": inResults},
	inResults:     {"resultsBody": inResultsBody},
	inResultsBody: {"eventList": inEvents, "vocabularyList": inVocabularies},
}

// needed are the members that must be there. What a document and its body need depends on the document's type.
var needed = map[container][]string{
	inVocabulary:  {"type"},
	inResults:     {"queryName", "resultsBody"},
	inResultsBody: {"eventList"},
}

// mayHold says whether a member of that name may stand in the container: where the standard has a closed list, others bear a
// prefix.
func (c container) mayHold(name string) bool {
	switch c {
	case inHeader, inResults, inResultsBody:
		_, known := inside[c][name]
		return known || c == inResults && (name == "queryName" || name == "subscriptionID") || isURI(name)
	}
	return true
}

// Members of a document that bear no prefix (EPCIS 2.0 JSON Schema, epcisDocument and epcisQueryDocument).
var (
	queryMembers    = []string{"@context", "id", "type", "schemaVersion", "creationDate", "epcisBody"}
	documentMembers = append([]string{"instanceIdentifier", "sender", "receiver", "epcisHeader"}, queryMembers...)
)

// aboutDocument are the members by which a document, or a single event, says what it is.
var aboutDocument = map[string]bool{"@context": true, "id": true, "type": true, "schemaVersion": true, "creationDate": true,
	"instanceIdentifier": true, "sender": true, "receiver": true}

// about reads what a document or a vocabulary says of itself.
func (d *Decoder) about(top *frame, name string) error {
	v, err := d.dec.ReadValue()
	if err != nil {
		return err
	}
	h := &d.header
	switch {
	case top.kind == inVocabulary:
		return d.text(v, &top.vtyp)
	case name == "@context":
		d.ctx = v.Clone()
		_, err = ParseContext(d.ctx)
	case name == "type":
		err = d.text(v, &h.Type)
	case name == "id":
		err = d.text(v, &h.ID)
	case name == "schemaVersion":
		err = d.text(v, &h.SchemaVersion)
	case name == "sender":
		err = d.text(v, &h.Sender)
	case name == "receiver":
		err = d.text(v, &h.Receiver)
	case name == "instanceIdentifier":
		err = d.text(v, &h.InstanceIdentifier)
	case name == "creationDate":
		err = d.created(v)
	}
	return err
}

func (d *Decoder) text(v jsontext.Value, into *string) error {
	if v.Kind() != '"' {
		return d.fault("must be a string, not " + kindName(v.Kind()))
	}
	if err := json.Unmarshal(v, into); err != nil {
		return d.fault(syntaxReason(err))
	}
	return nil
}

func (d *Decoder) created(v jsontext.Value) error {
	var s string
	if err := d.text(v, &s); err != nil {
		return err
	}
	m, ok := parseMoment([]byte(s))
	if !ok {
		return d.fault("is " + quoteShort(s) + ", which is no date and time with an offset (RFC 3339)")
	}
	d.header.CreationDate = m.time()
	return nil
}

// checkDocument says what is wrong with a document, now that all of it is known.
func (d *Decoder) checkDocument() error {
	h, seen := &d.header, d.root.seen
	members, body := documentMembers, "eventList"
	needs := []string{"@context", "epcisBody", "schemaVersion", "creationDate"}
	switch h.Type {
	case "":
		return &Error{"/type", "is missing"}
	case "EPCISQueryDocument":
		members, needs, body = queryMembers, needs[:2], "queryResults"
	case "EPCISDocument":
	default:
		return fmt.Errorf("%w: its type is %s, not EPCISDocument or EPCISQueryDocument", ErrNotEPCIS, quoteShort(h.Type))
	}
	for _, name := range needs {
		if !seen[name] {
			return &Error{"/" + name, "is missing"}
		}
	}
	if !d.body[body] {
		return &Error{"/epcisBody/" + body, "is missing; it is what an " + h.Type + " is for"}
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if !slices.Contains(members, name) && !isURI(name) {
			return &Error{"/" + name, "is no member of an " + h.Type + ", and bears no prefix that says whose it is"}
		}
	}
	return d.checkHeader()
}

func (d *Decoder) checkHeader() error {
	h, seen := &d.header, d.root.seen
	if seen["id"] && !isURI(h.ID) {
		return &Error{"/id", "is " + quoteShort(h.ID) + ", which is no absolute URI"}
	}
	if seen["schemaVersion"] && !isVersion2(h.SchemaVersion) {
		return &Error{"/schemaVersion", "is " + quoteShort(h.SchemaVersion) + "; only EPCIS 2 is written in JSON, such as 2.0"}
	}
	return nil
}

// isVersion2 says whether a version is 2, or 2 with numbers behind it.
func isVersion2(v string) bool {
	for i, part := range strings.Split(v, ".") {
		if part == "" || number([]byte(part)) < 0 || i == 0 && part != "2" {
			return false
		}
	}
	return true
}

// checkAlone says why what was read is no single event either.
func (d *Decoder) checkAlone() error {
	switch t := d.header.Type; {
	case t == "EPCISDocument" || t == "EPCISQueryDocument":
		return &Error{"/epcisBody", "is missing"}
	case d.root.seen["eventTime"] || allowed[Type(t)] != 0:
		return nil
	case !d.root.seen["type"]:
		return fmt.Errorf("%w: it is a JSON object without a type", ErrNotEPCIS)
	default:
		return fmt.Errorf("%w: its type is %s", ErrNotEPCIS, quoteShort(t))
	}
}
