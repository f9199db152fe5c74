package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// mostParts is the length of the longest path of a key: GTIN, variant, lot and serial.
const mostParts = 8

// readPlain reads the path of a link on id.gs1.org that is canonical and has nothing escaped: a key, at most one qualifier, and
// none of the characters that would have to be percent-encoded. It goes over the characters once, and notes for each part of
// the path which alphabets all of its characters belong to.
func readPlain(path string) (Key, bool) {
	var parts [4]string
	var within [4]class
	n, start, all := 0, 0, ^class(0)
	for i := range len(path) {
		c := classes[path[i]]
		if path[i] == '/' && n < len(parts)-1 {
			parts[n], within[n] = path[start:i], all
			n, start, all = n+1, i+1, ^class(0)
		} else if all &= c; c&unreserved == 0 {
			return Key{}, false
		}
	}
	parts[n], within[n] = path[start:], all
	r := ruleOf(parts[0])
	if r == nil || n%2 == 0 || !r.fits(parts[1], within[1]) {
		return Key{}, false
	}
	k := Key{AI: r.ai, Value: parts[1]}
	if n == 1 {
		return k, !r.required
	}
	q, _ := r.qualifierOf(parts[2])
	if q == nil || q.coarse || !q.fits(parts[3], within[3]) || q.ai == extension.ai && parts[3] == "0" {
		return Key{}, false
	}
	k.QualifierAI, k.Qualifier = q.ai, parts[3]
	return k, true
}

// readOwn reads a link on id.gs1.org. What stands there claims to be a key, and nothing else may stand before it.
func readOwn(id, path string) (Key, reading, error) {
	path = dropQuery(path)
	if path == "" {
		return Key{}, otherURI, errors.New("no key after the host; a canonical link is, for example, https://id.gs1.org/01/09521234500015/21/12")
	}
	var parts [mostParts]string
	n, rest := 0, path
	for more := true; more; n++ {
		if n == mostParts {
			return Key{}, otherURI, fmt.Errorf("the path has more than %d parts; a GS1 key has a number, a value, and at most three qualifiers", mostParts)
		}
		parts[n], rest, more = strings.Cut(rest, "/")
	}
	k, err := readPath(parts[:n])
	if err != nil {
		return Key{}, otherURI, err
	}
	if !k.spells(id) {
		// What is canonical is a URI by construction; only what will be changed needs the look at every character.
		if err := checkAbsolute(id); err != nil {
			return Key{}, otherURI, err
		}
	}
	return k, otherSpelling, nil
}

// readForeign reads the path of a link on any other host. It carries a key when it ends in one: a few
// pairs of number and value, the first of them a primary key. If it does not, or the key is wrong, the link is somebody's own name.
func readForeign(path string) (Key, bool) {
	path = dropQuery(path)
	var parts [mostParts]string
	for n := 1; n <= mostParts; n++ {
		cut := strings.LastIndexByte(path, '/')
		parts[mostParts-n] = path[cut+1:]
		if n%2 == 0 && ruleOf(parts[mostParts-n]) != nil {
			if k, err := readPath(parts[mostParts-n:]); err == nil {
				return k, true
			}
		}
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return Key{}, false
}

func dropQuery(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		return path[:i]
	}
	return path
}

// readPath reads a path that is a key and nothing else.
func readPath(parts []string) (Key, error) {
	r := ruleOf(parts[0])
	if r == nil {
		return Key{}, noSuchKey(parts[0])
	}
	if len(parts)%2 != 0 {
		return Key{}, fmt.Errorf("the path ends in %s with no value after it; numbers and values come in pairs, and no slash follows the last", quote(parts[len(parts)-1]))
	}
	for i := 1; i < len(parts); i += 2 {
		v, ok := unescape(parts[i])
		if !ok {
			return Key{}, noEscape(parts[i])
		}
		parts[i] = v
	}
	if r.ai == "01" {
		parts[1] = pad(parts[1])
	}
	return r.read(parts)
}

// read checks pairs of numbers and values, in the order of a path, and takes the key and the finest qualifier.
func (r *rule) read(pairs []string) (Key, error) {
	k := Key{AI: r.ai, Value: pairs[1]}
	if err := r.check(k.Value); err != nil {
		return Key{}, err
	}
	last := -1
	for i := 2; i < len(pairs); i += 2 {
		q, place := r.qualifierOf(pairs[i])
		if q == nil {
			return Key{}, fmt.Errorf("%s is no qualifier of %s (%s), which may have %s", quote(pairs[i]), r.name, r.ai, r.allowed())
		}
		if place <= last || q.alone && len(pairs) > 4 {
			return Key{}, fmt.Errorf("(%s) cannot stand there: %s (%s) may have, in this order, %s", q.ai, r.name, r.ai, r.allowed())
		}
		last = place
		if err := q.check(pairs[i+1]); err != nil {
			return Key{}, err
		}
		if !q.coarse {
			k.QualifierAI, k.Qualifier = q.ai, pairs[i+1]
		}
	}
	return k, r.finish(&k)
}

// finish settles what the qualifiers mean.
func (r *rule) finish(k *Key) error {
	if k.QualifierAI == "" && r.required {
		return fmt.Errorf("%s (%s) names nothing without %s", r.name, r.ai, r.allowed())
	}
	if k.QualifierAI == extension.ai && k.Qualifier == "0" {
		k.QualifierAI, k.Qualifier = "", "" // TDS §6.3.3: extension 0 is how a URN says that there is none
	}
	return nil
}

// allowed lists the qualifiers of a key.
func (r *rule) allowed() string {
	if len(r.qualifiers) == 0 {
		return "no qualifiers"
	}
	var together, alone []string
	for _, q := range r.qualifiers {
		if q.alone {
			alone = append(alone, "("+q.ai+")")
		} else {
			together = append(together, "("+q.ai+")")
		}
	}
	if len(together) > 0 {
		alone = append([]string{strings.Join(together, ", ")}, alone...)
	}
	return strings.Join(alone, ", or only ")
}

func noEscape(part string) error {
	return fmt.Errorf("%s has a percent sign without two hexadecimal digits after it; write %%25 for a percent sign", quote(part))
}

// pad makes a GTIN-8, GTIN-12 or GTIN-13 one of 14 digits.
func pad(gtin string) string {
	switch len(gtin) {
	case 8, 12, 13:
		return "000000"[:14-len(gtin)] + gtin
	}
	return gtin
}

// words were an alternative to the numbers until GS1 Digital Link 1.2 deprecated them.
var words = map[string]string{
	"gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
	"gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004", "payTo": "415",
}

func noSuchKey(part string) error {
	if ai := words[part]; ai != "" {
		return fmt.Errorf("%q is no key: words are deprecated since GS1 Digital Link 1.2, and not read here; write %s", part, ai)
	}
	return fmt.Errorf("%s is not the number of a GS1 key; a path starts with 01 (GTIN), 00 (SSCC), 414 (GLN), 417 (party), 8003 (GRAI), 8004 (GIAI), 8010 (CPID), …", quote(part))
}
