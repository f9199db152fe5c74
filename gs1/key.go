package gs1

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Key is a GS1 key at its finest level: a primary key, and the one qualifier that narrows it, if any. It holds what the
// characters mean, not how they are escaped. Two keys that are equal (==) name the same thing.
//
// Keys come from Parse and ParseElementString, which check them; one that was put together by hand is not checked.
type Key struct {
	AI          string // application identifier of the primary key: "01" GTIN, "414" GLN, "8004" GIAI, …
	Value       string // its value with check digit; a GTIN has 14 digits; GRAI (8003), GDTI (253) and GCN (255) include their serial
	QualifierAI string // "21" serial, "10" lot, "235" third-party serial, "254" GLN extension, "8011" component serial, …; or ""
	Qualifier   string
}

// stem begins every canonical link.
const stem = "https://id.gs1.org/"

// Parse reads a GS1 key in any spelling that is a URI: EPC URN, EPC class or pattern URN, Digital Link on any host. It is
// false for everything else, well-formed or not: Canonical says what is wrong.
func Parse(id string) (Key, bool) {
	k, as, err := read(id)
	if err != nil || as == otherURI {
		return Key{}, false
	}
	return k, true
}

// Canonical gives the one spelling of an identifier.
//
// A GS1 key, however it was spelt, becomes its Digital Link on id.gs1.org at its finest level: the GTIN has 14 digits, a
// consumer product variant (22) is dropped, a lot (10) is dropped where a serial (21) stands, query and fragment are dropped,
// and what is not unreserved (RFC 3986 §2.3) is percent-encoded. An SGLN with extension 0 has none (TDS §6.3.3).
//
// Any other absolute URI is returned unchanged: private identifiers, geo:, urn:uuid:, EPC URNs that GS1 Digital Link cannot
// say (gid, usdod, adi, bic, imovn, patterns wider than one class), and links on foreign hosts that carry no well-formed key.
//
// It is an error when id is no absolute URI, and when it claims to be a GS1 key (by urn:epc: or the host id.gs1.org) and is
// none. An id that is canonical already is returned as it is, and costs no memory unless it has something escaped.
func Canonical(id string) (string, error) {
	k, as, err := read(id)
	switch {
	case err != nil:
		return "", fmt.Errorf("identifier %s: %w", quote(id), err)
	case as == otherSpelling && !k.spells(id):
		return k.Link(), nil
	}
	return id, nil
}

// SiteOf is the canonical link of a place without its extension ("https://id.gs1.org/414/…"): the site of which the place is a
// part. It is "" when place is no SGLN.
func SiteOf(place string) string {
	k, as, err := read(place)
	switch {
	case err != nil || as == otherURI || k.AI != "414":
		return ""
	case as == canonicalLink:
		return place[:len(stem)+len("414/")+len(k.Value)]
	}
	return Key{AI: k.AI, Value: k.Value}.Link()
}

// spells says whether id is the key's canonical link, without writing that.
func (k Key) spells(id string) bool {
	rest, ok := strings.CutPrefix(id, stem)
	if ok {
		rest, ok = strings.CutPrefix(rest, k.AI)
	}
	if ok {
		rest, ok = cutEscaped(rest, k.Value)
	}
	if ok && k.QualifierAI != "" {
		rest, ok = strings.CutPrefix(rest, "/")
		if ok {
			rest, ok = strings.CutPrefix(rest, k.QualifierAI)
		}
		if ok {
			rest, ok = cutEscaped(rest, k.Qualifier)
		}
	}
	return ok && rest == ""
}

// cutEscaped cuts a slash and the canonical escape of value from the start of s.
func cutEscaped(s, value string) (string, bool) {
	if s == "" || s[0] != '/' {
		return s, false
	}
	s = s[1:]
	for i := range len(value) {
		c := value[i]
		switch {
		case s != "" && s[0] == c && classes[c]&unreserved != 0:
			s = s[1:]
		case len(s) > 2 && s[0] == '%' && classes[c]&unreserved == 0 && s[1] == hexDigits[c>>4] && s[2] == hexDigits[c&15]:
			s = s[3:]
		default:
			return s, false
		}
	}
	return s, true
}

// reading is what an identifier turned out to be.
type reading int

const (
	otherURI      reading = iota // not a GS1 key: somebody else's name
	canonicalLink                // a key, and the identifier is its canonical link
	otherSpelling                // a key, and whether the identifier is its canonical link has not been looked at
)

// read reads an identifier. The usual case comes first and goes over the characters once.
func read(id string) (Key, reading, error) {
	path, own := strings.CutPrefix(id, stem)
	if own {
		if k, ok := readPlain(path); ok {
			return k, canonicalLink, nil
		}
		return readOwn(id, path)
	}
	if len(id) >= len(urnPrefix) && strings.EqualFold(id[:len(urnPrefix)], urnPrefix) {
		return readURN(id[len(urnPrefix):])
	}
	if err := checkAbsolute(id); err != nil {
		return Key{}, otherURI, err
	}
	authority, path, ok := cutWeb(id)
	switch {
	case !ok:
		return Key{}, otherURI, nil
	case authority == "":
		return Key{}, otherURI, errors.New("not a URI: a web address needs // and a host after its scheme")
	}
	if host(authority, "id.gs1.org") {
		return readOwn(id, path)
	}
	if k, ok := readForeign(path); ok {
		return k, otherSpelling, nil
	}
	return Key{}, otherURI, nil
}

// quote shows what somebody wrote, cut to a length that fits an error message.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
