package gs1

import (
	"fmt"
	"slices"
	"strconv"
)

// foreign is an EPC scheme that is no GS1 key (TDS §6.3). Its URNs have no Digital Link and stay as they are.
type foreign struct {
	name  string
	parts int
	check func(part string, i int) bool
	form  string // an example, for the error message
}

var foreigners = [...]foreign{
	{"gid", 3, func(part string, i int) bool { return isNumber(part, gidMost[i]) }, "95100000.12345.400, three numbers of at most 28, 24 and 36 bits"},
	{"usdod", 2, func(part string, i int) bool {
		return i == 0 && isActivity(part) || i == 1 && isNumber(part, most36)
	}, "2S194.12345678901, a CAGE code or DoDAAC and a number of at most 36 bits"},
	{"adi", 3, checkADI, "35962.PQ7VZ4.M37GXB92, a CAGE code or DoDAAC, a part number or nothing, and a serial"},
	{"bic", 1, func(part string, _ int) bool { return isContainer(part) }, "CSQU3054383, an ISO 6346 container code"},
	{"imovn", 1, func(part string, _ int) bool { return len(part) == 7 && within(part, digits) }, "9176187, the 7 digits of a vessel"},
}

// checkForeign looks at an EPC URN of a scheme that is no GS1 key. A pattern may leave its last parts open.
func checkForeign(name, body string, pattern bool) error {
	i := slices.IndexFunc(foreigners[:], func(f foreign) bool { return f.name == name })
	if i < 0 {
		return fmt.Errorf("%s is no EPC scheme; the schemes of GS1 keys are sgtin, sscc, sgln, pgln, grai, giai, gsrn, gsrnp, gdti, cpi, sgcn, ginc, gsin, itip and upui",
			quote(name))
	}
	f := foreigners[i]
	parts, ok := splitDots(body, make([]string, f.parts))
	fixed := len(parts)
	if pattern && ok {
		fixed, ok = beforeStars(parts)
	}
	if !ok {
		return fmt.Errorf("%s %s has the wrong parts; it must be like %s", name, quote(body), f.form)
	}
	for i, part := range parts[:fixed] {
		if !f.check(part, i) {
			return fmt.Errorf("%s %s is wrong at its part %d, %s; it must be like %s", name, quote(body), i+1, quote(part), f.form)
		}
	}
	return nil
}

// most36 is the largest number of 36 bits.
const most36 = 1<<36 - 1

// gidMost are the largest numbers of manager, class and serial of a general identifier.
var gidMost = [3]uint64{1<<28 - 1, 1<<24 - 1, most36}

// isNumber: a numeric component has no leading zeros and fits its bits.
func isNumber(s string, most uint64) bool {
	if !within(s, digits) || len(s) > 1 && s[0] == '0' {
		return false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n <= most
}

// isActivity: a CAGE code of 5 or a DoDAAC of 6, of digits and capitals without I and O.
func isActivity(s string) bool {
	if len(s) != 5 && len(s) != 6 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c < 'A' || c > 'Z' || c == 'I' || c == 'O') {
			return false
		}
	}
	return true
}

// checkADI: who, the original part number (which may be missing), the serial (which may start with # where there is none).
func checkADI(part string, i int) bool {
	if i == 0 {
		return isActivity(part)
	}
	text, ok := unescape(part)
	if !ok || stray(part, plainURN|percent) >= 0 {
		return false
	}
	if i == 1 {
		return len(text) <= 32 && isPartText(text)
	}
	if text != "" && text[0] == '#' {
		text = text[1:]
	}
	return text != "" && len(text) <= 30 && isPartText(text)
}

// isPartText: digits, capitals, hyphen and slash.
func isPartText(s string) bool {
	for i := range len(s) {
		if c := s[i]; classes[c]&set39 == 0 || c == '#' {
			return false
		}
	}
	return true
}

// isContainer: ISO 6346, owner of three letters, category, six digits and a check digit.
func isContainer(s string) bool {
	if len(s) != 11 || !within(s[4:], digits) {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return s[3] == 'J' || s[3] == 'U' || s[3] == 'Z'
}
