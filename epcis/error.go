package epcis

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Error says what of an event or a master data element is not valid, and where.
type Error struct {
	Pointer string // JSON pointer (RFC 6901) from the event or element; empty for the whole of it
	Reason  string // continues a sentence that begins with the pointer: "must be a string"
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Reason
	}
	return e.Pointer + " " + e.Reason
}

// syntax turns what the JSON reader says into an Error, in words that name the fault and not the reader.
func syntax(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	e := &Error{Reason: syntaxReason(err)}
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		e.Pointer = shorten(s.JSONPointer)
	}
	return e
}

// shorten gives the pointer, or where it is longer than anybody reads, one to what lies around it.
func shorten(pointer jsontext.Pointer) string {
	const most = 256
	p := string(pointer)
	if len(p) > most {
		p = p[:strings.LastIndexByte(p[:most+1], '/')]
	}
	return p
}

func syntaxReason(err error) string {
	var s *jsontext.SyntacticError
	switch text := err.Error(); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "is there twice: two readers could each believe another of the two"
	case strings.Contains(text, "invalid UTF-8"):
		return "is not valid UTF-8: save the file as UTF-8"
	case strings.Contains(text, "exceeded max depth"):
		return "is nested too deep"
	case errors.As(err, &s) && s.Err != nil:
		return "is not JSON: " + s.Err.Error()
	default:
		return "is not JSON: " + text
	}
}
