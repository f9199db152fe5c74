package gs1

import "strings"

// class says which alphabets a byte belongs to.
type class uint8

const (
	digits     class = 1 << iota // 0-9
	set82                        // GS1 AI encodable character set 82, General Specifications figure 7.11-1: what X means
	set39                        // GS1 AI encodable character set 39, figure 7.11-2: what Y means
	unreserved                   // RFC 3986 §2.3: written as it is in a canonical link
	plainURN                     // may stand unescaped in the last part of an EPC URN (TDS appendix A)
	percent                      // the percent sign
	uriChar                      // RFC 3986 §2: may stand in a URI; the percent sign only with two hexadecimal digits
)

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var classes = func() (t [256]class) {
	for c, chars := range map[class]string{
		digits:     "0123456789",
		set82:      alphanumeric + `!"%&'()*+,-./:;<=>?_`,
		set39:      "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		unreserved: alphanumeric + "-._~",
		plainURN:   alphanumeric + "!'()*+,-.:;=_",
		percent:    "%",
		uriChar:    alphanumeric + "-._~:/?#[]@!$&'()*+,;=",
	} {
		for i := range len(chars) {
			t[chars[i]] |= c
		}
	}
	return t
}()

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// within says whether s is made of one alphabet.
func within(s string, set class) bool { return stray(s, set) < 0 }

// stray is the index of the first byte of s that is not in the alphabet, or -1.
func stray(s string, set class) int {
	for i := range len(s) {
		if classes[s[i]]&set == 0 {
			return i
		}
	}
	return -1
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}

// unescape undoes percent-encoding. It allocates only where there is something to undo.
func unescape(s string) (string, bool) {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s, true
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return "", false
			}
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return string(b), true
}

const hexDigits = "0123456789ABCDEF"

// appendEscaped writes s with everything percent-encoded that is not in the alphabet.
func appendEscaped(b []byte, s string, plain class) []byte {
	first := stray(s, plain)
	if first < 0 {
		return append(b, s...)
	}
	b = append(b, s[:first]...)
	for i := first; i < len(s); i++ {
		if c := s[i]; classes[c]&plain != 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
