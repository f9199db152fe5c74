package epcis

// shape is what the standard says of the members of one kind of object. Validation, comparison and the event hash read the same
// shapes, so that they cannot come to disagree about what a member means.
type shape struct {
	rules []rule              // in the order of the event hash
	slots [2 * maxRules]*rule // by slotOf, or the next that was free
}

// maxRules is a power of two above the number of members that any object has.
const maxRules = 32

// rule is what the standard says of one member.
type rule struct {
	name    string
	field   field       // of an event: its place in the set of members seen
	reads   reading     // how its value, or each element of it, is written
	words   *vocabulary // of aWord
	inner   *shape      // of objects of the standard's own; nil for those of somebody else's
	list    listKind
	each    string // what the event hash writes before each element of a list
	headed  bool   // the event hash writes the name of the list before the first of them
	skipped bool   // the event hash leaves it out
	rank    int32  // place in the event hash
}

// reading is how a value is written, and so when two values are the same.
type reading uint8

const (
	anything reading = iota // compared as it stands
	aType                   // of an event
	aURI
	anID // of a unit, a class, a party or a place
	aTime
	aWord
	aDecimal
	aText
	aBoolean
	aHex
)

// listKind is what the order and the number of a list's elements say.
type listKind uint8

const (
	single   listKind = iota // no list; where there is one, its order counts
	set                      // neither order nor number count
	bag                      // the number counts: two equal sensor reports are two measurements
	setOrOne                 // a set, or its only element
)

// shapeOf makes a shape of rules in the order of the event hash (CBV 2.0 §8.9.2).
func shapeOf(rules ...rule) *shape {
	s := &shape{rules: rules}
	for i := range rules {
		rules[i].rank = int32(i)
		slot := slotOf(rules[i].name)
		for s.slots[slot] != nil {
			slot = (slot + 1) % len(s.slots)
		}
		s.slots[slot] = &rules[i]
	}
	return s
}

// slotOf tells names apart well enough: it is asked for every member of every event.
func slotOf[T string | []byte](name T) int {
	n := len(name)
	if n < 2 {
		return n
	}
	return (n + 3*int(name[0]) + 5*int(name[1]) + 7*int(name[n-1])) % (2 * maxRules)
}

// rule is the rule for a member, or nil for one that is not the standard's.
func (s *shape) rule(name []byte) *rule {
	if s == nil {
		return nil
	}
	for slot := slotOf(name); s.slots[slot] != nil; slot = (slot + 1) % len(s.slots) {
		if s.slots[slot].name == string(name) {
			return s.slots[slot]
		}
	}
	return nil
}

// eventShape are the members of events of all types (EPCIS 2.0 §7.4). Where the event hash's reference vectors disagree with
// its text, in the order of parentID, destinationList and sourceList, this is the order of the vectors.
var eventShape = shapeOf(
	rule{name: "type", field: fType, reads: aType, skipped: true}, // it stands first of all
	rule{name: "@context", field: fContext, skipped: true},
	rule{name: "eventID", field: fID, reads: aURI, skipped: true},
	rule{name: "recordTime", field: fRecord, reads: aTime, skipped: true},
	rule{name: "errorDeclaration", field: fError, inner: declarationShape, skipped: true},
	rule{name: "eventTime", field: fTime, reads: aTime},
	rule{name: "eventTimeZoneOffset", field: fZone, reads: aText},
	rule{name: "certificationInfo", field: fCertification, reads: anID, list: setOrOne, each: "certificationInfo"},
	rule{name: "parentID", field: fParent, reads: anID},
	rule{name: "epcList", field: fEPCs, reads: anID, list: set, each: "epc", headed: true},
	rule{name: "inputEPCList", field: fInputs, reads: anID, list: set, each: "epc", headed: true},
	rule{name: "childEPCs", field: fChildren, reads: anID, list: set, each: "epc", headed: true},
	rule{name: "quantityList", field: fQuantities, inner: quantityShape, list: bag, each: "quantityElement", headed: true},
	rule{name: "childQuantityList", field: fChildQuantities, inner: quantityShape, list: bag, each: "quantityElement", headed: true},
	rule{name: "inputQuantityList", field: fInputQuantities, inner: quantityShape, list: bag, each: "quantityElement", headed: true},
	rule{name: "outputEPCList", field: fOutputs, reads: anID, list: set, each: "epc", headed: true},
	rule{name: "outputQuantityList", field: fOutputQuantities, inner: quantityShape, list: bag, each: "quantityElement", headed: true},
	rule{name: "action", field: fAction, reads: aText},
	rule{name: "transformationID", field: fTransformation, reads: anID},
	rule{name: "bizStep", field: fStep, reads: aWord, words: bizSteps},
	rule{name: "disposition", field: fDisposition, reads: aWord, words: dispositions},
	rule{name: "persistentDisposition", field: fPersistent, inner: persistentShape},
	rule{name: "readPoint", field: fReadPoint, inner: placeShape},
	rule{name: "bizLocation", field: fLocation, inner: placeShape},
	rule{name: "bizTransactionList", field: fTransactions, inner: transactionShape, list: set, headed: true},
	rule{name: "destinationList", field: fDestinations, inner: destinationShape, list: set, headed: true},
	rule{name: "sourceList", field: fSources, inner: sourceShape, list: set, headed: true},
	rule{name: "sensorElementList", field: fSensors, inner: sensorShape, list: bag, each: "sensorElement", headed: true},
	rule{name: "ilmd", field: fILMD},
)

// The objects inside an event (EPCIS 2.0 §7.3).
var (
	declarationShape = shapeOf(
		rule{name: "declarationTime", reads: aTime},
		rule{name: "reason", reads: aWord, words: errorReasons},
		rule{name: "correctiveEventIDs", reads: aURI, list: set},
	)
	quantityShape = shapeOf(
		rule{name: "epcClass", reads: anID},
		rule{name: "quantity", reads: aDecimal},
		rule{name: "uom", reads: aText},
	)
	placeShape       = shapeOf(rule{name: "id", reads: anID})
	transactionShape = shapeOf(
		rule{name: "type", reads: aWord, words: transactionTypes},
		rule{name: "bizTransaction", reads: anID},
	)
	sourceShape = shapeOf(
		rule{name: "type", reads: aWord, words: sourceTypes},
		rule{name: "source", reads: anID},
	)
	destinationShape = shapeOf(
		rule{name: "type", reads: aWord, words: sourceTypes},
		rule{name: "destination", reads: anID},
	)
	persistentShape = shapeOf(
		rule{name: "set", reads: aWord, words: dispositions, list: set, each: "set"},
		rule{name: "unset", reads: aWord, words: dispositions, list: set, each: "unset"},
	)
	sensorShape = shapeOf(
		rule{name: "sensorMetadata", inner: metadataShape},
		rule{name: "sensorReport", inner: reportShape, list: bag, each: "sensorReport"},
	)
	metadataShape = shapeOf(
		rule{name: "time", reads: aTime},
		rule{name: "startTime", reads: aTime},
		rule{name: "endTime", reads: aTime},
		rule{name: "deviceID", reads: anID},
		rule{name: "deviceMetadata", reads: anID},
		rule{name: "rawData", reads: anID},
		rule{name: "dataProcessingMethod", reads: anID},
		rule{name: "bizRules", reads: anID},
	)
	reportShape = shapeOf(
		rule{name: "type", reads: aWord, words: measurements},
		rule{name: "exception", reads: aWord, words: alerts},
		rule{name: "time", reads: aTime},
		rule{name: "deviceID", reads: anID},
		rule{name: "deviceMetadata", reads: anID},
		rule{name: "rawData", reads: anID},
		rule{name: "dataProcessingMethod", reads: anID},
		rule{name: "bizRules", reads: anID},
		rule{name: "microorganism", reads: anID},
		rule{name: "chemicalSubstance", reads: anID},
		rule{name: "value", reads: aDecimal},
		rule{name: "component", reads: aWord, words: components},
		rule{name: "stringValue", reads: aText},
		rule{name: "booleanValue", reads: aBoolean},
		rule{name: "hexBinaryValue", reads: aHex},
		rule{name: "uriValue", reads: anID},
		rule{name: "minValue", reads: aDecimal},
		rule{name: "maxValue", reads: aDecimal},
		rule{name: "meanValue", reads: aDecimal},
		rule{name: "sDev", reads: aDecimal},
		rule{name: "percRank", reads: aDecimal},
		rule{name: "percValue", reads: aDecimal},
		rule{name: "uom", reads: aText},
		rule{name: "coordinateReferenceSystem", reads: anID},
	)
)
