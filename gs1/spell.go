package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// Link is the key's canonical Digital Link.
func (k Key) Link() string {
	b := make([]byte, 0, 128)
	b = append(append(append(b, stem...), k.AI...), '/')
	b = appendEscaped(b, k.Value, unreserved)
	if k.QualifierAI != "" {
		b = append(append(append(b, '/'), k.QualifierAI...), '/')
		b = appendEscaped(b, k.Qualifier, unreserved)
	}
	return string(b)
}

// String is the key's canonical Digital Link.
func (k Key) String() string { return k.Link() }

// ElementString is the key as people read it under a barcode, numbers in brackets: "(01)09521234500018(21)12". An opening
// bracket that belongs to a value has a backslash before it, which no value can hold.
func (k Key) ElementString() string {
	s := "(" + k.AI + ")" + strings.ReplaceAll(k.Value, "(", `\(`)
	if k.QualifierAI != "" {
		s += "(" + k.QualifierAI + ")" + strings.ReplaceAll(k.Qualifier, "(", `\(`)
	}
	return s
}

// URN is the key as an EPC URN: an EPC (urn:epc:id:) where it names one thing, else an EPC class (urn:epc:class:lgtin:, or
// urn:epc:idpat: with an asterisk for the serial).
//
// A URN shows where the company prefix ends, which no other spelling tells: companyPrefixLength, 6 to 12, is for the caller to
// know. It is an error where the length does not fit the key, and where EPC has no scheme for it: model numbers (8013), payment
// slips (415), lots of pieces (8006 with 10), service relation instances (8019) and facilities by UIC (7040).
func (k Key) URN(companyPrefixLength int) (string, error) {
	s, class := k.scheme()
	if s == nil {
		return "", fmt.Errorf("key %s has no EPC URN: EPC Tag Data Standard has no scheme for it; use its link", k.ElementString())
	}
	if err := k.check(); err != nil {
		return "", fmt.Errorf("key %s: %w", k.ElementString(), err)
	}
	body, err := s.write(k, companyPrefixLength)
	if err != nil {
		return "", fmt.Errorf("key %s with a company prefix of %d digits: %w", k.ElementString(), companyPrefixLength, err)
	}
	switch {
	case s == &lgtin:
		return "urn:epc:class:lgtin:" + body, nil
	case class:
		return "urn:epc:idpat:" + s.name + ":" + body + ".*", nil
	}
	return "urn:epc:id:" + s.name + ":" + body, nil
}

// check says what is wrong with a key that somebody put together by hand.
func (k Key) check() error {
	pairs := [...]string{k.AI, k.Value, k.QualifierAI, k.Qualifier}
	n := len(pairs)
	if k.QualifierAI == "" {
		n = 2
	}
	_, err := ruleOf(k.AI).read(pairs[:n])
	return err
}

// scheme is the EPC scheme that can say the key, or nil, and whether the key is the class of such things.
func (k Key) scheme() (*scheme, bool) {
	if k.AI == lgtin.ai && k.QualifierAI == lgtin.qualifier {
		return &lgtin, false
	}
	for i := range schemes {
		s := &schemes[i]
		if s.ai != k.AI || k.QualifierAI != "" && k.QualifierAI != s.qualifier {
			continue
		}
		class := k.QualifierAI == "" && s.qualifier != "" && !s.classless
		if s.joined {
			class = len(k.Value) == ruleOf(k.AI).head
		}
		return s, class
	}
	return nil, false
}

// write writes the parts of a URN, without an asterisk.
func (s *scheme) write(k Key, prefix int) (string, error) {
	if prefix < 6 || prefix > 12 {
		return "", errors.New("a company prefix is 6 to 12 digits")
	}
	b := make([]byte, 0, 64)
	if s.width == 0 {
		if len(k.Value) <= prefix || !within(k.Value[:prefix], digits) {
			return "", errors.New("the key does not start with so many digits, and something after them")
		}
		b = append(append(b, k.Value[:prefix]...), '.')
		b = appendEscaped(b, k.Value[prefix:], plainURN)
	} else {
		b = s.appendNumber(b, k.Value, prefix)
	}
	switch {
	case k.QualifierAI != "":
		b = appendEscaped(append(b, '.'), k.Qualifier, plainURN)
	case s.classless:
		b = append(b, ".0"...)
	case s.joined:
		if serial := k.Value[ruleOf(k.AI).head:]; serial != "" {
			b = appendEscaped(append(b, '.'), serial, plainURN)
		}
	}
	return string(b), nil
}

// appendNumber writes company prefix and reference, and the pieces of an ITIP: value is digits with their check digit.
func (s *scheme) appendNumber(b []byte, value string, prefix int) []byte {
	if s.lead || s.zero {
		lead := value[:1]
		value = value[1:]
		b = append(append(b, value[:prefix]...), '.')
		if s.lead {
			b = append(b, lead...)
			b = append(b, value[prefix:s.width-1]...)
		} else {
			b = append(b, value[prefix:s.width]...)
		}
	} else {
		b = append(append(b, value[:prefix]...), '.')
		b = append(b, value[prefix:s.width]...)
	}
	if s.pieces {
		b = append(append(append(b, '.'), value[13:15]...), '.')
		b = append(b, value[15:17]...)
	}
	return b
}
