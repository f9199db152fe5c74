package gs1

import (
	"fmt"
	"strings"
)

// urnPrefix begins every EPC URI. Its letters may have either case (RFC 8141 §3.1), what follows may not.
const urnPrefix = "urn:epc:"

// scheme is the grammar of one EPC scheme (TDS §6.3): a company prefix, a reference, and what follows, parted by dots.
type scheme struct {
	name      string
	ai        string
	width     int    // digits of company prefix and reference together; 0 where the reference is characters
	lead      bool   // the reference's first digit stands before the company prefix: indicator, extension digit
	zero      bool   // the value starts with a filling 0
	pieces    bool   // piece and total follow the reference
	qualifier string // what the last part is; "" where there is none
	joined    bool   // the last part is the end of the value
	classless bool   // a pattern for the last part names no class that a link could name
}

var schemes = [...]scheme{
	{name: "sgtin", ai: "01", width: 13, lead: true, qualifier: "21"},
	{name: "sgln", ai: "414", width: 12, qualifier: "254", classless: true},
	{name: "pgln", ai: "417", width: 12},
	{name: "giai", ai: "8004"},
	{name: "sscc", ai: "00", width: 17, lead: true},
	{name: "grai", ai: "8003", width: 12, zero: true, joined: true},
	{name: "gdti", ai: "253", width: 12, joined: true},
	{name: "cpi", ai: "8010", qualifier: "8011"},
	{name: "ginc", ai: "401"},
	{name: "gsin", ai: "402", width: 16},
	{name: "itip", ai: "8006", width: 13, lead: true, pieces: true, qualifier: "21"},
	{name: "upui", ai: "01", width: 13, lead: true, qualifier: "235"},
	{name: "sgcn", ai: "255", width: 12, joined: true},
	{name: "gsrn", ai: "8018", width: 17},
	{name: "gsrnp", ai: "8017", width: 17},
}

// lgtin is the one scheme of classes that have an identifier of their own (CBV 2.0 §8.3).
var lgtin = scheme{name: "lgtin", ai: "01", width: 13, lead: true, qualifier: "10"}

// readURN reads what follows urn:epc:.
func readURN(rest string) (Key, reading, error) {
	kind, rest, _ := strings.Cut(rest, ":")
	name, body, ok := strings.Cut(rest, ":")
	switch kind {
	case "id", "idpat", "class":
	case "tag", "raw", "pat":
		return Key{}, otherURI, fmt.Errorf("urn:epc:%s: names the bits of a tag, not the thing; use its pure identity, urn:epc:id:…", kind)
	default:
		return Key{}, otherURI, fmt.Errorf("%s is no kind of EPC URN; use one of urn:epc:id:…, urn:epc:class:… and urn:epc:idpat:…", quote(kind))
	}
	if !ok {
		return Key{}, otherURI, fmt.Errorf("nothing follows urn:epc:%s:%s; a scheme, a colon and an identifier must", kind, name)
	}
	s := schemeOf(kind, name)
	switch {
	case s != nil:
		return s.read(body, kind == "idpat")
	case kind == "class":
		return Key{}, otherURI, fmt.Errorf("%s is no scheme of EPC classes; lgtin is the only one (a class without a lot is urn:epc:idpat:sgtin:….*)", quote(name))
	}
	return Key{}, otherURI, checkForeign(name, body, kind == "idpat")
}

func schemeOf(kind, name string) *scheme {
	if kind == "class" {
		if name == lgtin.name {
			return &lgtin
		}
		return nil
	}
	for i := range schemes {
		if schemes[i].name == name {
			return &schemes[i]
		}
	}
	return nil
}

// parts is how many parts a URN of the scheme has.
func (s *scheme) parts() int {
	n := 2
	if s.pieces {
		n += 2
	}
	if s.hasSerial() {
		n++
	}
	return n
}

// hasSerial says whether a last part follows the reference, which a pattern may leave open.
func (s *scheme) hasSerial() bool { return s.qualifier != "" || s.joined }

// mostURNParts is the number of parts of the longest URN, an ITIP: prefix, reference, piece, total, serial.
const mostURNParts = 5

// read reads the part of a URN that is the scheme's own.
func (s *scheme) read(body string, pattern bool) (Key, reading, error) {
	var all [mostURNParts]string
	parts, ok := splitDots(body, all[:s.parts()])
	if !ok {
		return Key{}, otherURI, fmt.Errorf("%s %s has %d parts; it must have %d, parted by dots", s.name, quote(body), len(parts), s.parts())
	}
	fixed := len(parts)
	if pattern {
		if fixed, ok = beforeStars(parts); !ok {
			return Key{}, otherURI, fmt.Errorf("%s %s has a part after an asterisk; after the first asterisk all parts must be asterisks", s.name, quote(body))
		}
	}
	if open := len(parts) - fixed; open > 1 || open == 1 && (s.classless || !s.hasSerial()) {
		// A wider pattern than one class: an EPC URI, and nothing that a link can say.
		return Key{}, otherURI, s.checkNumbers(parts[:fixed])
	}
	k, err := s.key(parts, fixed)
	return k, otherSpelling, err
}

// splitDots cuts body at dots into exactly len(into) parts; the last of them may hold dots itself.
func splitDots(body string, into []string) ([]string, bool) {
	for i := range into[:len(into)-1] {
		var ok bool
		if into[i], body, ok = strings.Cut(body, "."); !ok {
			return into[:i+1], false
		}
	}
	into[len(into)-1] = body
	return into, true
}

// beforeStars counts the parts before the first asterisk.
func beforeStars(parts []string) (int, bool) {
	n := 0
	for n < len(parts) && parts[n] != "*" {
		n++
	}
	for _, p := range parts[n:] {
		if p != "*" {
			return 0, false
		}
	}
	return n, true
}

// checkNumbers looks at company prefix and reference, as far as they are there. EPC URNs know company prefixes of 6 to 12 digits;
// with a reference of digits they fill up a fixed length (TDS §6.3).
func (s *scheme) checkNumbers(parts []string) error {
	if len(parts) == 0 {
		return nil
	}
	prefix := parts[0]
	if len(prefix) < 6 || len(prefix) > 12 || !within(prefix, digits) {
		return fmt.Errorf("%s has the company prefix %s; a company prefix is 6 to 12 digits", s.name, quote(prefix))
	}
	if len(parts) == 1 {
		return nil
	}
	reference := parts[1]
	if s.width == 0 {
		if reference == "" {
			return fmt.Errorf("%s has nothing after its company prefix; there must be a reference", s.name)
		}
		return nil
	}
	if i := stray(reference, digits); i >= 0 {
		return fmt.Errorf("%s has the reference %s with %q at position %d, where only a digit may stand", s.name, quote(reference), reference[i], i+1)
	}
	if n := len(prefix) + len(reference); n != s.width {
		return fmt.Errorf("%s has %d digits in company prefix and reference together; it must have %d, here %d in the reference, without a check digit",
			s.name, n, s.width, s.width-len(prefix))
	}
	return nil
}

// key puts the key together from the first parts of a URN; what comes after them is left open by a pattern.
func (s *scheme) key(parts []string, fixed int) (Key, error) {
	if err := s.checkNumbers(parts); err != nil {
		return Key{}, err
	}
	last := ""
	if s.hasSerial() && fixed == len(parts) {
		var err error
		if last, err = s.text(parts[fixed-1]); err != nil {
			return Key{}, err
		}
		if last == "" {
			return Key{}, fmt.Errorf("%s has nothing after its last dot; there must be a serial, or in a pattern (urn:epc:idpat:) an asterisk", s.name)
		}
	}
	value, err := s.value(parts)
	if err != nil {
		return Key{}, err
	}
	if s.joined {
		value += last
	}
	r := ruleOf(s.ai)
	pairs := [...]string{s.ai, value, s.qualifier, last}
	if s.qualifier == "" || last == "" {
		return r.read(pairs[:2])
	}
	return r.read(pairs[:])
}

// value is the key's value without a serial that is part of it.
func (s *scheme) value(parts []string) (string, error) {
	prefix, reference := parts[0], parts[1]
	if s.width == 0 {
		text, err := s.text(reference)
		return prefix + text, err
	}
	var buf [32]byte
	b := buf[:0]
	switch {
	case s.lead:
		b, reference = append(b, reference[0]), reference[1:]
	case s.zero:
		b = append(b, '0')
	}
	b = append(append(b, prefix...), reference...)
	b = append(b, checkDigit(b))
	if s.pieces {
		b = append(append(b, parts[2]...), parts[3]...)
	}
	return string(b), nil
}

// text reads a part that is characters: those that a URN cannot hold are percent-encoded (TDS appendix A).
func (s *scheme) text(part string) (string, error) {
	if i := stray(part, plainURN|percent); i >= 0 {
		return "", fmt.Errorf("%s has %q at position %d of %s; in an EPC URN write %%%02X", s.name, part[i], i+1, quote(part), part[i])
	}
	v, ok := unescape(part)
	if !ok {
		return "", noEscape(part)
	}
	return v, nil
}
