package epcis

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// Digest is the same for two events that say the same, and differs for any two that do not: it is how duplicates are told.
//
// It is a SHA-256 over the event with names expanded, identifiers canonical, CBV words bare, times as instants, numbers as exact
// decimals, sets in an order of their own, and every part with its length, so that nothing can be shifted from one field into
// another. The error declaration counts; recordTime, which is ours to set, and the @context, which only says how names are
// spelt, do not. Unlike the event hash of the CBV it never reads a number as a double.
func Digest(ev *Event, ctx *Context) ([32]byte, error) {
	var err error
	if bytes.Contains(ev.Raw, []byte(`"@context"`)) {
		if ctx, err = ownContext(ev.Raw, ctx); err != nil {
			return [32]byte{}, err
		}
	}
	c := canon{newParser(ev.Raw, ctx)}
	defer c.p.release()
	b, err := c.object(nil, topLevel)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(b), nil
}

// meaning says how a value is to be read.
type meaning struct {
	kind  meaningKind
	words *vocabulary // of words
	set   bool        // the order of the list says nothing
}

type meaningKind int

const (
	plain meaningKind = iota // as it is
	identifier
	instant
	word
	omitted
	ours // an object or list of objects of the standard's own: members by meanings below
)

// meanings are those of the members of the standard's own objects. Names that mean different things in different objects have
// the object's name before them.
var meanings = map[string]meaning{
	"eventTime": {kind: instant}, "recordTime": {kind: omitted}, "@context": {kind: omitted}, "declarationTime": {kind: instant},
	"time": {kind: instant}, "startTime": {kind: instant}, "endTime": {kind: instant},
	"certificationInfo": {kind: identifier, set: true}, "eventID": {kind: identifier}, "correctiveEventIDs": {kind: identifier, set: true},
	"epcList": {kind: identifier, set: true}, "childEPCs": {kind: identifier, set: true}, "inputEPCList": {kind: identifier, set: true},
	"outputEPCList": {kind: identifier, set: true}, "parentID": {kind: identifier}, "transformationID": {kind: identifier},
	"quantityList": {kind: ours, set: true}, "childQuantityList": {kind: ours, set: true}, "inputQuantityList": {kind: ours, set: true},
	"outputQuantityList": {kind: ours, set: true}, "epcClass": {kind: identifier},
	"bizStep": {kind: word, words: bizSteps}, "disposition": {kind: word, words: dispositions}, "reason": {kind: word, words: errorReasons},
	"persistentDisposition": {kind: ours}, "set": {kind: word, words: dispositions, set: true}, "unset": {kind: word, words: dispositions, set: true},
	"readPoint": {kind: ours}, "bizLocation": {kind: ours}, "id": {kind: identifier}, "errorDeclaration": {kind: ours},
	"bizTransactionList": {kind: ours, set: true}, "bizTransaction": {kind: identifier}, "sourceList": {kind: ours, set: true},
	"source": {kind: identifier}, "destinationList": {kind: ours, set: true}, "destination": {kind: identifier},
	"bizTransactionList/type": {kind: word, words: transactionTypes}, "sourceList/type": {kind: word, words: sourceTypes},
	"destinationList/type": {kind: word, words: sourceTypes},
	"sensorElementList":    {kind: ours, set: true}, "sensorMetadata": {kind: ours}, "sensorReport": {kind: ours, set: true},
	"sensorReport/type": {kind: word, words: measurements}, "exception": {kind: word, words: alerts}, "component": {kind: word, words: components},
	"deviceID": {kind: identifier}, "deviceMetadata": {kind: identifier}, "rawData": {kind: identifier}, "dataProcessingMethod": {kind: identifier},
	"bizRules": {kind: identifier}, "microorganism": {kind: identifier}, "chemicalSubstance": {kind: identifier},
	"coordinateReferenceSystem": {kind: identifier}, "uriValue": {kind: identifier},
}

const (
	topLevel = ""        // the event itself
	foreign  = "\x00ext" // an object of somebody's own namespace: nothing is known of its members
)

// meaningOf is the meaning of a member of an object.
func meaningOf(parent, name string) meaning {
	if parent == foreign {
		return meaning{}
	}
	if m, ok := meanings[parent+"/"+name]; ok {
		return m
	}
	return meanings[name]
}

// canon writes the canonical form.
type canon struct{ p *parser }

// chunk writes a part with its kind and its length.
func chunk(dst []byte, kind byte, part []byte) []byte {
	dst = append(dst, kind)
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}

// object writes an object's members in the order of their expanded names.
func (c canon) object(dst []byte, parent string) ([]byte, error) {
	type member struct {
		name string
		form []byte
	}
	var members []member
	err := c.p.object(func(name string) error {
		m := meaningOf(parent, name)
		if m.kind == omitted && parent == topLevel {
			_, err := c.p.value()
			return err
		}
		inner := name
		if _, known := meanings[name]; !known || parent == foreign {
			name, inner = c.p.ctx.Expand(name), foreign
		}
		form, err := c.value(nil, inner, m)
		members = append(members, member{name, form})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	var all []byte
	for _, m := range members {
		all = chunk(all, 'k', []byte(m.name))
		all = append(all, m.form...)
	}
	return chunk(dst, 'o', all), nil
}

// value writes the next value. inner is the name of the object or list that it is, for the meaning of what is in it.
func (c canon) value(dst []byte, inner string, m meaning) ([]byte, error) {
	switch c.p.dec.PeekKind() {
	case '{':
		return c.object(dst, inner)
	case '[':
		return c.list(dst, inner, m)
	case '"':
		s, err := c.p.text()
		if err != nil {
			return nil, err
		}
		form := chunk(dst, 's', []byte(c.text(s, m)))
		if m.kind == identifier && m.set { // one certificate is a list of one
			form = chunk(nil, 'a', form)
		}
		return form, nil
	case '0':
		v, err := c.p.number()
		return chunk(dst, 'n', exactDecimal(v)), err
	}
	v, err := c.p.value()
	return chunk(dst, 'l', v), err
}

// list writes a list; a set in the order of its elements' forms, each once.
func (c canon) list(dst []byte, inner string, m meaning) ([]byte, error) {
	var forms [][]byte
	one := m
	one.set = false
	err := c.p.array(func(int) error {
		form, err := c.value(nil, inner, one)
		forms = append(forms, form)
		return err
	})
	if err != nil {
		return nil, err
	}
	if m.set {
		slices.SortFunc(forms, bytes.Compare)
		forms = slices.CompactFunc(forms, bytes.Equal)
	}
	return chunk(dst, 'a', bytes.Join(forms, nil)), nil
}

func (c canon) text(s string, m meaning) string {
	switch m.kind {
	case identifier:
		s = c.p.ctx.Expand(s)
		if canonical, err := gs1.Canonical(s); err == nil {
			return canonical
		}
	case word:
		if bare, why := m.words.bare(s, c.p.ctx); why == "" {
			return bare
		}
	case instant:
		if t, err := parseTime(s); err == nil {
			return strconv.FormatInt(t.Unix(), 10) + "." + strconv.Itoa(t.Nanosecond())
		}
	}
	return s
}

// exactDecimal is a number's one form: digits without zeros at their ends, and the power of ten behind them.
func exactDecimal(v jsontext.Value) []byte {
	s := string(v)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(strings.TrimPrefix(s[i+1:], "+"))
		if err != nil {
			return v // an exponent that does not fit an int: as it was written
		}
		exponent, s = n, s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	if short == "" {
		return []byte("0")
	}
	exponent += len(digits) - len(short)
	return []byte(sign + short + "e" + strconv.Itoa(exponent))
}
