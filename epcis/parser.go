package epcis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// parser reads one event or element, once, from front to back. Its methods' errors are *Error.
type parser struct {
	scanner
	ctx    *Context
	member int // where the name of the member begins that was read last
	grown  int // bytes by which names have become longer
}

// newParser is an error where raw is not one JSON value.
func newParser(raw jsontext.Value, ctx *Context) (parser, error) {
	if err := checkJSON(raw); err != nil {
		return parser{}, err
	}
	return parser{scanner: scanner{src: raw}, ctx: ctx}, nil
}

// decoder is a jsontext.Decoder with its source, to be used again.
type decoder struct {
	jsontext.Decoder
	src bytes.Buffer // the decoder reads from it without a copy
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(raw jsontext.Value) *decoder {
	d := decoders.Get().(*decoder)
	d.src = *bytes.NewBuffer(raw)
	d.Reset(&d.src)
	return d
}

func (d *decoder) release() {
	d.src = bytes.Buffer{}
	d.Reset(&d.src)
	decoders.Put(d)
}

// checkJSON says what keeps raw from being one JSON value, in which no name is given twice and all text is UTF-8.
func checkJSON(raw jsontext.Value) error {
	d := newDecoder(raw)
	defer d.release()
	if _, err := d.ReadValue(); err != nil {
		return syntax(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return &Error{"", "is followed by something else"}
	}
	return nil
}

// fail is an error about what begins at a place in the source.
func (p *parser) fail(at int, format string, args ...any) error {
	return &Error{p.pointer(at), fmt.Sprintf(format, args...)}
}

// failMember is an error about a member of an object that begins there.
func (p *parser) failMember(object int, name, format string, args ...any) error {
	return &Error{p.pointer(object) + "/" + name, fmt.Sprintf(format, args...)}
}

// pointer is the JSON pointer to the token that begins at a place in the source. It is worked out when somebody asks, which is
// when something is wrong: most events are valid.
func (p *parser) pointer(at int) string {
	d := newDecoder(p.src)
	defer d.release()
	for d.InputOffset() <= int64(at) {
		if _, err := d.ReadToken(); err != nil {
			return ""
		}
	}
	return shorten(d.StackPointer())
}

// object reads an object; fn reads the value of each member.
func (p *parser) object(fn func(name []byte) error) error {
	if k := p.kind(); k != '{' {
		return p.fail(p.at, "must be an object, not %s", kindName(k))
	}
	for p.open(); p.more(); {
		p.member = p.at
		if err := fn(p.name()); err != nil {
			return err
		}
	}
	return nil
}

// array reads an array; fn reads each element.
func (p *parser) array(fn func() error) error {
	if k := p.kind(); k != '[' {
		return p.fail(p.at, "must be an array, not %s", kindName(k))
	}
	for p.open(); p.more(); {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// read reads a string and says where it was. It may be a part of the source: what is kept must be copied.
func (p *parser) read() (s []byte, at int, err error) {
	if k := p.kind(); k != '"' {
		return nil, p.at, p.fail(p.at, "must be a string, not %s", kindName(k))
	}
	at = p.at
	return p.text(), at, nil
}

// value reads anything, as a part of the source.
func (p *parser) value() (jsontext.Value, error) {
	from := p.here()
	if p.skip() > maxDepth {
		return nil, p.fail(from, "is nested deeper than %d levels", maxDepth)
	}
	return p.src[from:p.at:p.at], nil
}

// maxDepth is how deep a field of somebody's own may be nested. The standard's own examples need six levels.
const maxDepth = 64

// foreign passes over a member of somebody's own namespace inside one of the standard's objects.
func (p *parser) foreign(name []byte) error {
	if !isURI(p.ctx.expand(name)) {
		return p.fail(p.member, "is not known here, and bears no prefix that says whose it is")
	}
	_, err := p.value()
	return err
}

// uri reads a URI, expanded.
func (p *parser) uri() (string, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	full, err := p.expand(s)
	if err == nil && !isURI(full) {
		err = p.fail(at, "is %s, which is no absolute URI", quoteShort(s))
	}
	return string(full), err
}

// expand expands a name of which the event is going to keep the full form.
func (p *parser) expand(name []byte) ([]byte, error) {
	full := p.ctx.expand(name)
	if p.grown += len(full) - len(name); p.grown > mostText(len(p.src)) {
		return nil, errTooLong
	}
	return full, nil
}

// fullName is expand for the name of a field; it says also whether that is a URI.
func (p *parser) fullName(name []byte) (full string, uri bool, err error) {
	full, uri = p.ctx.full(name)
	if p.grown += len(full) - len(name); p.grown > mostText(len(p.src)) {
		err = errTooLong
	}
	return full, uri, err
}

// id reads the identifier of a unit, a class, a party or a place, in its canonical form.
func (p *parser) id() (string, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	return p.canonical(s, at)
}

func (p *parser) canonical(s []byte, at int) (string, error) {
	full, err := p.expand(s)
	if err != nil {
		return "", err
	}
	c, err := canonical(full)
	if err != nil {
		return "", p.fail(at, "is %s: %v", quoteShort(s), err)
	}
	return c, nil
}

// ids reads a list of identifiers. One thing that is named twice counts once. Where the list is to be a set (EPCIS 2.0 JSON
// Schema, uniqueItems), the same spelling twice is an error.
func (p *parser) ids(unique bool) ([]string, error) {
	out := make([]string, 0, 4)
	var seen stringSet
	var spelt map[string]bool // made when it is needed
	start := p.here()
	err := p.array(func() error {
		s, at, err := p.read()
		if err != nil {
			return err
		}
		c, err := p.canonical(s, at)
		if err != nil {
			return err
		}
		again := !seen.add(c)
		if again && unique && spelt == nil {
			spelt = spellingsIn(p.src[start:at])
		}
		if spelt[string(s)] {
			return p.fail(at, "repeats %s, which the list holds already", quoteShort(s))
		}
		if spelt != nil {
			spelt[string(s)] = true
		}
		if !again {
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// spellingsIn are the strings in the beginning of an array.
func spellingsIn(src []byte) map[string]bool {
	all := map[string]bool{}
	s := scanner{src: src}
	for s.open(); s.more(); {
		all[string(s.text())] = true
	}
	return all
}

// stringSet is a set of strings, cheap while it is small.
type stringSet struct {
	few  [8]string
	n    int
	many map[string]struct{}
}

// add puts s into the set; it is false when s is in it already.
func (set *stringSet) add(s string) bool {
	if set.many != nil {
		before := len(set.many)
		set.many[s] = struct{}{}
		return len(set.many) > before
	}
	for _, other := range set.few[:set.n] {
		if other == s {
			return false
		}
	}
	if set.n < len(set.few) {
		set.few[set.n] = s
		set.n++
		return true
	}
	set.many = make(map[string]struct{}, 4*len(set.few))
	for _, other := range set.few {
		set.many[other] = struct{}{}
	}
	set.many[s] = struct{}{}
	return true
}

// word reads a word of a vocabulary, in its normal form.
func (p *parser) word(v *vocabulary) (string, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	return p.find(v, s, at)
}

func (p *parser) find(v *vocabulary, s []byte, at int) (string, error) {
	w, ok := v.find(s, p.ctx)
	if !ok {
		return "", p.fail(at, "%s", v.unknown(s))
	}
	return w.bare, nil
}

// words reads a set of words that may not be empty. As with identifiers, a word in two spellings counts once.
func (p *parser) words(v *vocabulary) (out []string, err error) {
	var seen, spelt stringSet
	start := p.here()
	err = p.array(func() error {
		s, at, err := p.read()
		if err != nil {
			return err
		}
		if !spelt.add(string(s)) {
			return p.fail(at, "repeats %s, which the list holds already", quoteShort(s))
		}
		w, err := p.find(v, s, at)
		if err == nil && seen.add(w) {
			out = append(out, w)
		}
		return err
	})
	if err == nil && len(out) == 0 {
		err = p.fail(start, "must name at least one %s", v.what)
	}
	return out, err
}

// time reads a date-time of RFC 3339 with its offset.
func (p *parser) time() (time.Time, error) {
	s, at, err := p.read()
	if err != nil {
		return time.Time{}, err
	}
	m, ok := parseMoment(s)
	if !ok {
		return time.Time{}, p.fail(at, "is %s, which is no date and time with an offset, such as 2025-03-14T09:30:00.000+01:00 (RFC 3339)", quoteShort(s))
	}
	return m.time(), nil
}

// decimal reads a number as a double.
func (p *parser) decimal() (float64, error) {
	if k := p.kind(); k != '0' {
		return 0, p.fail(p.at, "must be a number, not %s", kindName(k))
	}
	at := p.at
	s := p.raw()
	f, err := strconv.ParseFloat(string(s), 64)
	if err != nil {
		return 0, p.fail(at, "is %s, which is out of range", quoteShort(s))
	}
	return f, nil
}

func (p *parser) boolean() error {
	if k := p.kind(); k != 't' && k != 'f' {
		return p.fail(p.at, "must be true or false, not %s", kindName(k))
	}
	p.skip()
	return nil
}

func (p *parser) hex() error {
	s, at, err := p.read()
	if err != nil {
		return err
	}
	ok := len(s) > 0
	for i := range len(s) {
		ok = ok && isHex(s[i])
	}
	if !ok {
		return p.fail(at, "is %s; it must be hexadecimal", quoteShort(s))
	}
	return nil
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "nothing"
}
