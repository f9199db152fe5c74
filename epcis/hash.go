package epcis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Hash is the event hash of CBV 2.0 §8.9.2: an RFC 6920 name, "ni:///sha-256;…?ver=CBV2.0". It leaves out the event id, the
// record time and the error declaration.
//
// It is a name and no commitment: by its definition numbers are doubles and fields have no separators, so that two different
// events can have one hash. Where the standard's text and its reference vectors disagree (the order of source and destination
// lists; certification info, which the vectors include) it follows the vectors.
//
// ev is what ParseEvent returned for the same ctx. An error is an *Error, and comes of an event that ParseEvent did not accept.
func Hash(ev *Event, ctx *Context) (string, error) {
	c, err := newComposer(ev, ctx)
	if err != nil {
		return "", err
	}
	defer c.release()
	hasher{c}.event(ev.Type)
	text, err := c.written()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	var name [len("ni:///sha-256;?ver=CBV2.0") + 2*sha256.Size]byte
	b := append(name[:0], "ni:///sha-256;"...)
	b = append(hex.AppendEncode(b, sum[:]), "?ver=CBV2.0"...)
	return string(b), nil
}

// hasher writes the text that is hashed: a member's name, and its value or its parts.
type hasher struct{ *composer }

func (h hasher) write(s string) { h.out = append(h.out, s...) }

func (h hasher) event(t Type) {
	h.write("eventType=")
	h.write(string(t))
	h.object(eventShape)
}

// object writes the members of one of the standard's own objects in their order, then those of anybody else's.
func (h hasher) object(s *shape) {
	first := len(h.parts)
	for h.open(); h.more(); {
		name := h.name()
		r := s.rule(name)
		switch {
		case r == nil:
			h.extension(name)
		case r.skipped:
			h.skip()
		default:
			from := len(h.out)
			h.standard(r)
			h.end(r.rank, from)
		}
	}
	h.arrange(first, false)
}

// standard writes one member of the standard's own; nothing at all where it says nothing.
func (h hasher) standard(r *rule) {
	switch h.kind() {
	case '[':
		h.list(r)
		return
	case '{':
		from := len(h.out)
		h.write(r.name)
		named := len(h.out)
		if h.body(r); len(h.out) == named {
			h.out = h.out[:from]
		}
		return
	}
	from := len(h.out)
	h.write(r.name)
	h.out = append(h.out, '=')
	named := len(h.out)
	if h.scalar(r); len(h.out) == named {
		h.out = h.out[:from]
	}
}

// body writes an object without its name.
func (h hasher) body(r *rule) {
	if r.inner == nil {
		h.fields()
		return
	}
	h.object(r.inner)
}

// list writes a list: its name once, or before each element another one, as the standard has it.
func (h hasher) list(r *rule) {
	start := len(h.out)
	if r.headed {
		h.write(r.name)
	}
	first := len(h.parts)
	for h.open(); h.more(); {
		from := len(h.out)
		h.write(r.each)
		if h.kind() == '{' {
			h.body(r)
		} else {
			h.out = append(h.out, '=')
			h.scalar(r)
		}
		h.end(0, from)
	}
	if len(h.parts) == first {
		h.out = h.out[:start] // an empty list says nothing
	}
	h.arrange(first, false)
}

func (h hasher) scalar(r *rule) {
	if h.kind() != '"' {
		h.double(h.raw())
		return
	}
	s := bytes.TrimSpace(h.text())
	if r.reads == aTime {
		if m, ok := parseMoment(s); ok {
			h.out = m.appendMillis(h.out)
			return
		}
	}
	if normal, ok := h.normal(s, r); ok {
		h.write(normal)
	} else {
		h.out = append(h.out, s...)
	}
}

// double writes a number without zeros at its end, as a double, which is what the standard reads; else what stands there.
func (h hasher) double(s []byte) {
	if isSmallInteger(s) {
		h.out = append(h.out, s...)
	} else if f, err := strconv.ParseFloat(string(s), 64); err == nil {
		h.out = strconv.AppendFloat(h.out, f, 'f', -1, 64)
	} else {
		h.out = append(h.out, s...)
	}
}

// isSmallInteger says whether s is written as the double that it is would be.
func isSmallInteger(s []byte) bool {
	return 0 < len(s) && len(s) <= 15 && number(s) >= 0 && (s[0] != '0' || len(s) == 1)
}

// fields writes the members of somebody else's object, ordered by their text.
func (h hasher) fields() {
	first := len(h.parts)
	for h.open(); h.more(); {
		h.extension(h.name())
	}
	h.arrange(first, false)
}

// extension writes a field of somebody else's as "{namespace}local=value", or its name and its parts; of a list, each element
// as a field of its own.
func (h hasher) extension(name []byte) {
	if h.kind() == '[' {
		for h.open(); h.more(); {
			h.extension(name)
		}
		return
	}
	from := len(h.out)
	h.key(name)
	if h.kind() == '{' {
		h.fields()
	} else {
		h.out = append(h.out, '=')
		h.loose()
	}
	h.end(last, from)
}

// key writes an expanded name: the namespace, which ends in the last of / # and :, in braces.
func (h hasher) key(name []byte) {
	from := len(h.out)
	h.out = h.ctx.appendExpanded(append(h.out, '{'), name)
	full := h.out[from+1:]
	local := len(full)
	for local > 0 && full[local-1] != '/' && full[local-1] != '#' && full[local-1] != ':' {
		local--
	}
	if local == 0 { // no namespace
		h.out = append(h.out[:from], full...)
		return
	}
	h.out = append(h.out, 0)
	full = h.out[from+1:]
	copy(full[local+1:], full[local:])
	full[local] = '}'
}

// loose writes a value of which nothing is known; what looks like a number or an instant is one, whether quoted or not.
func (h hasher) loose() {
	var s []byte
	if h.kind() == '"' {
		s = bytes.TrimSpace(h.text())
	} else {
		s = h.raw()
	}
	if mayBeNumber(s) {
		h.double(s)
		return
	}
	if m, ok := parseMoment(s); ok && s[10] == 'T' {
		h.out = m.appendMillis(h.out)
		return
	}
	h.out = append(h.out, s...)
}

// mayBeNumber says whether s has no character that a decimal number has not. The words of Go's own syntax for doubles (Inf, NaN,
// 0x, 1_000) are none.
func mayBeNumber(s []byte) bool {
	for _, c := range s {
		if !isDigit(c) && c != '.' && c != '-' && c != '+' && c|0x20 != 'e' {
			return false
		}
	}
	return len(s) > 0
}
