package inventory

import (
	"strings"
	"unicode"
)

// fillers are what BMCs write where a serial number should be, in lower case and without spaces and dots.
var fillers = map[string]bool{
	"na": true, "n/a": true, "none": true, "null": true, "nil": true, "unknown": true, "empty": true, "default": true, "defaultstring": true,
	"notavailable": true, "notapplicable": true, "notspecified": true, "notpresent": true, "noserial": true, "serialnumber": true,
	"systemserialnumber": true, "chassisserialnumber": true, "tobefilledbyoem": true, "tobefilled": true, "tbd": true, "0123456789": true,
	"123456789": true, "1234567890": true, "invalid": true, "error": true, "unspecified": true, "ff:ff:ff:ff": true,
}

// serial returns a serial number that tells one thing from others, or why this is none.
func serial(raw text) (s, why string) {
	s = strings.TrimSpace(string(raw))
	switch {
	case s == "":
		return "", "no serial number"
	case isFiller(s):
		return "", "no serial number (it says " + quoted(s) + ")"
	case len(s) > 64 || strings.ContainsFunc(s, unusable):
		return "", "a serial number that cannot be used (" + quoted(s) + ")"
	}
	return s, ""
}

func isFiller(s string) bool {
	plain := strings.NewReplacer(" ", "", ".", "", "_", "", "-", "").Replace(strings.ToLower(s))
	if plain == "" || fillers[plain] {
		return true
	}
	one := strings.Trim(strings.TrimPrefix(plain, "0x"), plain[len(plain)-1:])
	return one == "" // 0000000, FFFFFFFF, 0x0000
}

func unusable(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r) && r != ' '
}

// quoted is text of a BMC as it may be shown on a terminal.
func quoted(s string) string {
	if s = printable(s); len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return "“" + s + "”"
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unusable(r) {
			return '?'
		}
		return r
	}, s)
}

// legalForms are the words of a manufacturer's name that other BMCs of the same manufacturer leave out.
var legalForms = map[string]bool{
	"inc": true, "incorporated": true, "corp": true, "corporation": true, "co": true, "company": true, "ltd": true, "limited": true,
	"llc": true, "plc": true, "gmbh": true, "ag": true, "sa": true, "technology": true, "technologies": true, "electronics": true,
	"semiconductor": true, "international": true, "group": true, "r": true, "tm": true,
}

// maker is a manufacturer's name as an alias kind holds it: "NVIDIA Corporation" and "Nvidia" are both nvidia. It is
// "unknown" when the name is missing.
func maker(name text) string {
	words := strings.FieldsFunc(strings.ToLower(string(name)), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for len(words) > 1 && legalForms[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	joined := strings.Join(words, "-")
	if joined == "" || fillers[joined] {
		return "unknown"
	}
	return joined
}
