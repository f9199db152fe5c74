package gs1

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkAbsolute says why id is no absolute URI (RFC 3986 §4.3, a fragment allowed), or IRI (RFC 3987).
func checkAbsolute(id string) error {
	colon := schemeEnd(id)
	if colon < 0 {
		return errors.New("not an absolute URI: it must start with a scheme, as https://… and urn:… do; give bare serial numbers a prefix of their own")
	}
	if colon == len(id)-1 {
		return errors.New("not an absolute URI: nothing follows the scheme")
	}
	for i := colon; i < len(id); {
		if classes[id[i]]&uriChar != 0 {
			i++
			continue
		}
		n, err := checkRare(id, i)
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

// checkRare looks at what starts at i and is none of the characters of RFC 3986, and says how many bytes it has.
func checkRare(id string, i int) (int, error) {
	c := id[i]
	if c == '%' {
		if i+2 >= len(id) || unhex(id[i+1]) < 0 || unhex(id[i+2]) < 0 {
			return 0, fmt.Errorf("not a URI: the percent sign at position %d has no two hexadecimal digits after it; write %%25 for a percent sign", i+1)
		}
		return 3, nil
	}
	if c < utf8.RuneSelf {
		return 0, fmt.Errorf("not a URI: %q at position %d may not stand there; write %%%02X", c, i+1, c)
	}
	r, size := utf8.DecodeRuneInString(id[i:])
	if r == utf8.RuneError && size == 1 || !unicode.IsGraphic(r) || unicode.IsSpace(r) {
		return 0, fmt.Errorf("not a URI: %s at position %d may not stand there; percent-encode its bytes", quote(id[i:i+size]), i+1)
	}
	return size, nil
}

// schemeEnd is the index of the colon after the scheme, or -1.
func schemeEnd(id string) int {
	for i := range len(id) {
		c := id[i]
		switch {
		case isLetter(c):
		case i > 0 && c == ':':
			return i
		case i > 0 && (isDigit(c) || c == '+' || c == '-' || c == '.'):
		default:
			return -1
		}
	}
	return -1
}

// cutWeb takes a web address apart: who, and what after the first slash. It is false for other schemes.
func cutWeb(id string) (authority, path string, ok bool) {
	if id[0]|0x20 != 'h' {
		return "", "", false
	}
	scheme, rest, _ := strings.Cut(id, ":")
	if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return "", "", false
	}
	rest, ok = strings.CutPrefix(rest, "//")
	if !ok {
		return "", "", true
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return rest, "", true
	}
	return rest[:end], strings.TrimPrefix(rest[end:], "/"), true
}

// host says whether an authority is of that host, whatever the user, the port and the case of its letters.
func host(authority, name string) bool {
	h := authority[strings.LastIndexByte(authority, '@')+1:]
	h, _, _ = strings.Cut(h, ":")
	return strings.EqualFold(h, name)
}
