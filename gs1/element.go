package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// ParseElementString reads a barcode's data as people write it, numbers in brackets: "(01)09521234500018(17)270101(21)12". Of
// all that it may say, the result is the key at its finest level; attributes of the thing (dates, weights, content) are looked
// at only for characters and length. An opening bracket inside a value is written with a backslash before it.
//
// It is an error when there is no key, more than one, or a wrong one. The order of elements does not matter.
func ParseElementString(s string) (Key, error) {
	k, err := readElements(s)
	if err != nil {
		return Key{}, fmt.Errorf("element string %s: %w", quote(s), err)
	}
	return k, nil
}

// mostElements is more than a symbol can hold; it bounds the work that a stranger's text can ask for.
const mostElements = 100

func readElements(s string) (Key, error) {
	var r *rule
	values := map[string]string{}
	for s != "" {
		ai, value, rest, err := nextElement(s)
		if err != nil {
			return Key{}, err
		}
		s = rest
		if old, again := values[ai]; again && old != value {
			return Key{}, fmt.Errorf("(%s) stands there twice, with %s and %s", ai, quote(old), quote(value))
		}
		if values[ai] = value; len(values) > mostElements {
			return Key{}, fmt.Errorf("more than %d elements", mostElements)
		}
		if found := ruleOf(ai); found != nil {
			if r != nil && r != found {
				return Key{}, fmt.Errorf("names two things, %s (%s) and %s (%s); give one of them", r.name, r.ai, found.name, found.ai)
			}
			r = found
		}
	}
	if r == nil {
		return Key{}, errors.New("has no key; one of its elements must name something, as (01), (00), (414) or (8004) do")
	}
	pairs := []string{r.ai, values[r.ai]}
	for _, q := range r.qualifiers {
		if v, ok := values[q.ai]; ok {
			pairs = append(pairs, q.ai, v)
		}
	}
	return r.read(pairs)
}

// nextElement cuts a number in brackets and its value from the start of s.
func nextElement(s string) (ai, value, rest string, err error) {
	ai, rest, ok := strings.Cut(strings.TrimPrefix(s, "("), ")")
	if s[0] != '(' || !ok || len(ai) < 2 || len(ai) > 4 || !within(ai, digits) {
		return "", "", "", fmt.Errorf("at %s there must be a number of 2 to 4 digits in brackets, such as (01)", quote(s))
	}
	var b []byte
	for rest != "" && rest[0] != '(' {
		if strings.HasPrefix(rest, `\(`) {
			rest = rest[1:]
		}
		b, rest = append(b, rest[0]), rest[1:]
	}
	value = string(b)
	switch i := stray(value, set82|set39); {
	case value == "":
		return "", "", "", fmt.Errorf("(%s) has no value", ai)
	case len(value) > 90:
		return "", "", "", fmt.Errorf("(%s) has a value of %d characters; no element has more than 90", ai, len(value))
	case i >= 0:
		return "", "", "", fmt.Errorf("(%s) holds %q at position %d of its value; it may have only %s", ai, value[i], i+1, alphabet(set82))
	}
	return ai, value, rest, nil
}
