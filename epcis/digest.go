package epcis

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
)

// Digest is the same for two events that say the same, and differs for any two that do not: it is how duplicates are told.
//
// It is a SHA-256 over the event with names expanded, identifiers canonical, CBV words bare, times as instants, numbers as exact
// decimals, sets in an order of their own, and every part with its length or its end, so that nothing can be shifted from one
// field into another. The error declaration counts; recordTime, which is ours to set, and the @context, which only says how
// names are spelt, do not. Unlike the event hash of the CBV it never reads a number as a double.
//
// ev is what ParseEvent returned for the same ctx. An error is an *Error, and comes of an event that ParseEvent did not accept.
func Digest(ev *Event, ctx *Context) ([32]byte, error) {
	c, err := newComposer(ev, ctx)
	if err != nil {
		return [32]byte{}, err
	}
	defer c.release()
	d := digester{c}
	d.object(eventShape)
	text, err := d.written()
	return sha256.Sum256(text), err
}

// digester writes the canonical form. A value is one byte that says its kind, then a length and its bytes, or its members or
// elements and one byte that ends them; so of two different values neither begins with the other.
type digester struct{ *composer }

// foreign is the rule for what is somebody else's: nothing is known of it.
var foreign = &rule{rank: last}

// chunk writes a text with its kind and its length.
func chunk[T string | []byte](dst []byte, kind byte, text T) []byte {
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(text)))
	return append(dst, text...)
}

// object writes an object: its members in the order of the standard, those of others in that of their forms.
func (d digester) object(s *shape) {
	d.out = append(d.out, '{')
	first := len(d.parts)
	for d.open(); d.more(); {
		name := d.scanner.name()
		r := s.rule(name)
		from := len(d.out)
		switch {
		case r == nil:
			r = foreign
			d.name(name)
		case r.field&(fRecord|fContext) != 0:
			d.skip()
			continue
		default:
			d.out = chunk(d.out, 'k', name)
		}
		d.value(r)
		d.end(r.rank, from)
	}
	d.arrange(first, false)
	d.out = append(d.out, '}')
}

// name writes a name in full.
func (d digester) name(name []byte) {
	namespace, rest, ok := lookUp(d.ctx, name)
	if !ok {
		rest = name
	}
	d.out = binary.AppendUvarint(append(d.out, 'k'), uint64(len(namespace)+len(rest)))
	d.out = append(append(d.out, namespace...), rest...)
}

// value writes the next value.
func (d digester) value(r *rule) {
	switch d.kind() {
	case '{':
		d.object(r.inner)
	case '[':
		d.list(r)
	case '"':
		if r.list == setOrOne {
			d.out = append(d.out, '[')
			d.text(r)
			d.out = append(d.out, ']')
			return
		}
		d.text(r)
	case '0':
		d.out = chunk(d.out, 'n', decimal(string(d.raw())))
	default:
		d.out = chunk(d.out, 'l', d.raw())
	}
}

// list writes a list; a set and a bag in the order of their elements' forms.
func (d digester) list(r *rule) {
	element := *r
	element.list = single
	d.out = append(d.out, '[')
	first := len(d.parts)
	for d.open(); d.more(); {
		from := len(d.out)
		d.value(&element)
		d.end(0, from)
	}
	if r.list == single {
		d.parts = d.parts[:first]
	} else {
		d.arrange(first, r.list != bag)
	}
	d.out = append(d.out, ']')
}

// text writes a string in its one spelling.
func (d digester) text(r *rule) {
	s := d.scanner.text()
	switch r.reads {
	case aType:
		if t, ok := typeOf(s, d.ctx); ok {
			d.out = chunk(d.out, 's', string(t))
			return
		}
	case aTime:
		if m, ok := parseMoment(s); ok {
			d.out = append(m.append(append(d.out, 'i')), ';')
			return
		}
	}
	if normal, ok := d.normal(s, r); ok {
		d.out = chunk(d.out, 's', normal)
	} else {
		d.out = chunk(d.out, 's', s)
	}
}

// decimal is a number's one form: the digits without zeros at their ends, and the power of ten behind them. A number with an
// exponent that nobody means stays as it was written.
func decimal(written string) string {
	s, negative := strings.CutPrefix(written, "-")
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.ParseInt(strings.TrimPrefix(s[i+1:], "+"), 10, 32)
		if err != nil {
			return written
		}
		exponent, s = int(n), s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if short == "" {
		return "0"
	}
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.Itoa(exponent)
}
