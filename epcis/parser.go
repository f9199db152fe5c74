package epcis

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// parser reads one event or element, once, from front to back. Its methods' errors are *Error.
type parser struct {
	dec jsontext.Decoder
	src bytes.Buffer // the decoder reads from it without a copy
	ctx *Context
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

func newParser(raw jsontext.Value, ctx *Context) *parser {
	p := parsers.Get().(*parser)
	p.src = *bytes.NewBuffer(raw)
	p.dec.Reset(&p.src)
	p.ctx = ctx
	return p
}

func (p *parser) release() {
	p.src, p.ctx = bytes.Buffer{}, nil
	p.dec.Reset(&p.src)
	parsers.Put(p)
}

// fail is an error about what was read last.
func (p *parser) fail(format string, args ...any) error {
	return &Error{string(p.dec.StackPointer()), fmt.Sprintf(format, args...)}
}

// in is an error about a member of what is being read.
func (p *parser) in(at, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

// object reads an object; fn reads the value of each member.
func (p *parser) object(fn func(name string) error) error {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return syntax(err)
	}
	if tok.Kind() != '{' {
		return p.fail("must be an object, not %s", kindName(tok.Kind()))
	}
	for {
		tok, err := p.dec.ReadToken()
		if err != nil {
			return syntax(err)
		}
		if tok.Kind() == '}' {
			return nil
		}
		if err := fn(tok.String()); err != nil {
			return err
		}
	}
}

// array reads an array; fn reads each element.
func (p *parser) array(fn func(i int) error) error {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return syntax(err)
	}
	if tok.Kind() != '[' {
		return p.fail("must be an array, not %s", kindName(tok.Kind()))
	}
	for i := 0; ; i++ {
		if p.dec.PeekKind() == ']' {
			_, err := p.dec.ReadToken()
			return wrap(err)
		}
		if err := fn(i); err != nil {
			return err
		}
	}
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return syntax(err)
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

// text reads a string.
func (p *parser) text() (string, error) {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return "", syntax(err)
	}
	if tok.Kind() != '"' {
		return "", p.fail("must be a string, not %s", kindName(tok.Kind()))
	}
	return tok.String(), nil
}

// number reads a number as it was written.
func (p *parser) number() (jsontext.Value, error) {
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	if v.Kind() != '0' {
		return nil, p.fail("must be a number, not %s", kindName(v.Kind()))
	}
	return v, nil
}

// value reads anything, as its bytes. They belong to the event's own.
func (p *parser) value() (jsontext.Value, error) {
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	if depthOf(v) > maxDepth {
		return nil, p.fail("is nested deeper than %d levels", maxDepth)
	}
	return v, nil
}

// maxDepth is how deep an extension may be nested. The standard's own examples need six levels.
const maxDepth = 64

// depthOf is how deep valid JSON is nested.
func depthOf(v jsontext.Value) int {
	depth, most, quoted := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > most {
				most = depth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

// uri reads a URI, expanded.
func (p *parser) uri() (string, error) {
	s, err := p.text()
	if err != nil {
		return "", err
	}
	s = p.ctx.Expand(s)
	if !isURI(s) {
		return "", p.fail("is %s, which is no absolute URI", quoteShort(s))
	}
	return s, nil
}

// id reads the identifier of a unit, a class, a party or a place, in its canonical form.
func (p *parser) id() (string, error) {
	s, err := p.uri()
	if err != nil {
		return "", err
	}
	c, err := gs1.Canonical(s)
	if err != nil {
		return "", p.fail("is %s: %v", quoteShort(s), err)
	}
	return c, nil
}

// ids reads a list of identifiers. Where it is a set (EPCIS 2.0 JSON Schema, uniqueItems) the same spelling twice is an error;
// one thing named twice in two spellings, or twice in a list, counts once.
func (p *parser) ids(set bool) ([]string, error) {
	out := []string{}
	var spelt, seen map[string]bool
	err := p.array(func(i int) error {
		s, err := p.uri()
		if err != nil {
			return err
		}
		if set {
			if spelt == nil {
				spelt = map[string]bool{}
			}
			if spelt[s] {
				return p.fail("repeats %s, which the list holds already", quoteShort(s))
			}
			spelt[s] = true
		}
		c, err := gs1.Canonical(s)
		if err != nil {
			return p.fail("is %s: %v", quoteShort(s), err)
		}
		if len(out) > 0 {
			if seen == nil {
				seen = map[string]bool{out[0]: true}
			}
			if seen[c] {
				return nil
			}
			seen[c] = true
		}
		out = append(out, c)
		return nil
	})
	return out, err
}

// word reads a word of a vocabulary, in its normal form.
func (p *parser) word(v *vocabulary) (string, error) {
	s, err := p.text()
	if err != nil {
		return "", err
	}
	w, why := v.bare(s, p.ctx)
	if why != "" {
		return "", p.fail("%s", why)
	}
	return w, nil
}

// words reads a set of words that may not be empty.
func (p *parser) words(v *vocabulary) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	err := p.array(func(int) error {
		w, err := p.word(v)
		if err != nil {
			return err
		}
		if seen[w] {
			return p.fail("repeats %s, which the list holds already", quoteShort(w))
		}
		seen[w] = true
		out = append(out, w)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = p.fail("must name at least one %s", v.what)
	}
	return out, err
}

// time reads a date-time of RFC 3339 with its offset.
func (p *parser) time() (time.Time, error) {
	s, err := p.text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := parseTime(s)
	if err != nil {
		return time.Time{}, p.fail("is %s, which is no date and time with an offset, such as 2025-03-14T09:30:00.000+01:00 (RFC 3339)", quoteShort(s))
	}
	return t, nil
}

// parseTime reads RFC 3339, with its lower case letters and its leap seconds, which time.Parse does not take.
func parseTime(s string) (time.Time, error) {
	s = strings.ToUpper(s)
	leap := len(s) > 19 && s[17:19] == "60" && s[13] == ':' && s[16] == ':'
	if leap {
		s = s[:17] + "59" + s[19:]
	}
	if strings.Contains(s, ",") {
		return time.Time{}, fmt.Errorf("%q has a comma", s)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if leap {
		t = t.Add(time.Second)
	}
	return t, err
}
