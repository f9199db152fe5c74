package epcis

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner walks over JSON, front to back, without copying it. It judges nothing: whether text is JSON is for jsontext alone to
// say (see checkJSON), and the scanner only finds the parts of what jsontext let through. Over anything else it stays within the
// text and comes to an end, and what it finds means nothing.
type scanner struct {
	src []byte
	at  int
}

// here goes to the next token and says where that is.
func (s *scanner) here() int {
	for s.at < len(s.src) && s.src[s.at] <= ' ' {
		s.at++
	}
	return s.at
}

// kind is the kind of the next value.
func (s *scanner) kind() jsontext.Kind {
	if s.here(); s.at >= len(s.src) {
		return 0
	}
	c := s.src[s.at]
	if c == '-' || '1' <= c && c <= '9' {
		c = '0'
	}
	return jsontext.Kind(c)
}

// open goes into the object or array that comes next.
func (s *scanner) open() {
	s.here()
	s.at++
}

// more goes to the next member or element; it is false behind the last, and then has left the object or array.
func (s *scanner) more() bool {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c <= ' ' || c == ',':
			s.at++
		case c == '}' || c == ']':
			s.at++
			return false
		default:
			return true
		}
	}
	return false
}

// name reads a member's name, and goes on to its value.
func (s *scanner) name() []byte {
	name := s.text()
	for s.at < len(s.src) && (s.src[s.at] <= ' ' || s.src[s.at] == ':') {
		s.at++
	}
	return name
}

// text reads a string. It is a part of the source where nothing in it is escaped.
func (s *scanner) text() []byte {
	if s.kind() != '"' {
		s.skip()
		return nil
	}
	start := s.at
	escaped := s.skipString()
	switch {
	case s.at-start < 2:
		return nil
	case escaped:
		b, _ := jsontext.AppendUnquote(nil, s.src[start:s.at])
		return b
	}
	return s.src[start+1 : s.at-1 : s.at-1]
}

// skipString passes over a string that starts here, and says whether anything in it is escaped.
func (s *scanner) skipString() (escaped bool) {
	at, src := s.at+1, s.src
	for {
		at = plainEnd(src, at)
		switch {
		case at >= len(src):
			s.at = len(src)
			return escaped
		case src[at] == '"':
			s.at = at + 1
			return escaped
		}
		escaped = true
		at += 2
	}
}

// plainEnd is where the next quote or backslash is. Most of a document is text, so it looks at eight bytes at a time: a byte of
// v ^ pattern is zero where v has the byte looked for, and only there, or above such a place, does subtracting one borrow.
func plainEnd(src []byte, at int) int {
	const ones = 0x0101010101010101
	for ; at+8 <= len(src); at += 8 {
		v := binary.LittleEndian.Uint64(src[at:])
		quote, backslash := v^ones*'"', v^ones*'\\'
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash) & (ones * 0x80)
		if found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(src) && src[at] != '"' && src[at] != '\\' {
		at++
	}
	return at
}

// skip passes over the next value and says how deep it is nested: 0 where it is no object and no array.
func (s *scanner) skip() (deepest int) {
	depth := 0
	for s.here(); s.at < len(s.src); {
		switch s.src[s.at] {
		case '"':
			s.skipString()
		case '{', '[':
			s.at++
			depth++
			deepest = max(deepest, depth)
			continue
		case '}', ']':
			s.at++
			depth--
		case ',', ':', ' ', '\t', '\n', '\r':
			s.at++
			continue
		default:
			s.skipPlain()
		}
		if depth <= 0 {
			break
		}
	}
	return deepest
}

// skipPlain passes over a number, true, false or null.
func (s *scanner) skipPlain() {
	for s.at++; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\n', '\r':
			return
		}
	}
}

// raw reads the next value as it stands.
func (s *scanner) raw() []byte {
	start := s.here()
	s.skip()
	return s.src[start:s.at:s.at]
}

// mayHold says whether a member of that name can be in the source: it is there as it is, or with something escaped.
func (s *scanner) mayHold(name string) bool {
	return bytes.Contains(s.src, []byte(name)) || bytes.IndexByte(s.src, '\\') >= 0
}
