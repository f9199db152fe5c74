package gs1_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/gs1"
)

const (
	alphabet82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
	alphabet39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimals   = "0123456789"
)

func text(t *rapid.T, alphabet string, least, most int, label string) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), least, most, -1).Draw(t, label)
}

// escape writes s as an EPC URN does.
func escape(s string) string {
	for _, c := range `%"#&/<>?` { // the percent sign first
		s = strings.ReplaceAll(s, string(c), fmt.Sprintf("%%%02X", c))
	}
	return s
}

// drawURN draws an EPC URN of any scheme, and the length of its company prefix. It knows the schemes by itself.
func drawURN(t *rapid.T) (string, int) {
	scheme := rapid.SampledFrom([]string{"sgtin", "lgtin", "upui", "sscc", "sgln", "pgln", "grai", "giai", "gsrn", "gsrnp", "gdti",
		"cpi", "sgcn", "ginc", "gsin", "itip"}).Draw(t, "scheme")
	n := rapid.IntRange(6, 12).Draw(t, "prefix length")
	prefix := text(t, decimals, n, n, "prefix")
	number := func(total int) string { return prefix + "." + text(t, decimals, total-n, total-n, "reference") }
	tail := func(most int) string { return "." + escape(text(t, alphabet82, 1, most, "serial")) }
	urn := "urn:epc:id:" + scheme + ":"
	switch scheme {
	case "sgtin":
		return urn + number(13) + tail(20), n
	case "lgtin":
		return "urn:epc:class:lgtin:" + number(13) + tail(20), n
	case "upui":
		return urn + number(13) + tail(28), n
	case "sscc", "gsrn", "gsrnp":
		return urn + number(17), n
	case "sgln":
		return urn + number(12) + tail(20), n
	case "pgln":
		return urn + number(12), n
	case "grai":
		return urn + number(12) + tail(16), n
	case "gdti":
		return urn + number(12) + tail(17), n
	case "sgcn":
		return urn + number(12) + "." + text(t, decimals, 1, 12, "serial"), n
	case "giai", "ginc":
		return urn + prefix + tail(30-n), n
	case "cpi":
		serial := rapid.Uint64Range(0, 999_999_999_999).Draw(t, "serial")
		return fmt.Sprintf("%s%s.%s.%d", urn, prefix, escape(text(t, alphabet39, 1, 30-n, "reference")), serial), n
	case "gsin":
		return urn + number(16), n
	}
	total := rapid.IntRange(1, 99).Draw(t, "total")
	return fmt.Sprintf("%s%s.%02d.%02d%s", urn, number(13), rapid.IntRange(1, total).Draw(t, "piece"), total, tail(20)), n
}

func TestURNToLinkAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		urn, n := drawURN(t)
		link, err := gs1.Canonical(urn)
		if err != nil {
			t.Fatal(err)
		}
		k, ok := gs1.Parse(link)
		if !ok {
			t.Fatalf("Canonical(%s) = %s, which Parse does not know", urn, link)
		}
		if again, err := k.URN(n); err != nil || again != urn {
			t.Fatalf("%s became %s and then %s, %v", urn, link, again, err)
		}
	})
}

func TestClassOfAnEPCDiffersFromItInTheSerialOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		urn, n := drawURN(t)
		var pattern string
		for scheme, fields := range map[string]int{"sgtin": 3, "grai": 3, "gdti": 3, "sgcn": 3, "cpi": 3, "itip": 5} {
			if rest, ok := strings.CutPrefix(urn, "urn:epc:id:"+scheme+":"); ok {
				parts := strings.SplitN(rest, ".", fields)
				pattern = "urn:epc:idpat:" + scheme + ":" + strings.Join(parts[:len(parts)-1], ".") + ".*"
			}
		}
		if pattern == "" {
			t.Skip("a scheme without classes")
		}
		class, ok := gs1.Parse(pattern)
		if !ok {
			t.Fatalf("%s is a class, and Parse says that it is no key", pattern)
		}
		thing, _ := gs1.Parse(urn)
		if class.AI != thing.AI || !strings.HasPrefix(thing.Value, class.Value) || class.QualifierAI != "" {
			t.Fatalf("%s is %+v, its class %s is %+v", urn, thing, pattern, class)
		}
		if again, err := class.URN(n); err != nil || again != pattern {
			t.Fatalf("%s became %s and then %s, %v", pattern, class, again, err)
		}
	})
}

func TestAllSpellingsOfALinkAreOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		urn, _ := drawURN(t)
		want, err := gs1.Canonical(urn)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(want, "https://id.gs1.org")
		if strings.HasPrefix(path, "/01/0") && rapid.Bool().Draw(t, "short GTIN") {
			path = "/01/" + path[len("/01/0"):]
		}
		id := rapid.SampledFrom([]string{"https://id.gs1.org", "HTTPS://ID.GS1.ORG", "http://example.com", "https://example.com/01/x"}).Draw(t, "host") +
			overEscape(t, path) + rapid.SampledFrom([]string{"", "?", "?17=270101", "#/01/x", "?a=/21/b"}).Draw(t, "query")
		if got, err := gs1.Canonical(id); err != nil || got != want {
			t.Fatalf("Canonical(%s) = %s, %v; want %s", id, got, err, want)
		}
	})
}

// overEscape escapes characters of values that need not be.
func overEscape(t *rapid.T, path string) string {
	parts := strings.Split(path, "/")
	for i := 2; i < len(parts); i += 2 {
		at := rapid.IntRange(0, len(parts[i])-1).Draw(t, "at")
		if !strings.Contains(parts[i][max(0, at-2):at+1], "%") {
			parts[i] = parts[i][:at] + fmt.Sprintf("%%%02x", parts[i][at]) + parts[i][at+1:]
		}
	}
	return strings.Join(parts, "/")
}

func TestElementsMayComeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		urn, _ := drawURN(t)
		want, _ := gs1.Parse(urn)
		elements := []string{gs1.Key{AI: want.AI, Value: want.Value}.ElementString(), "(17)270101", "(250)" + "ECID"}
		if want.QualifierAI != "" {
			elements = append(elements, strings.TrimPrefix(want.ElementString(), elements[0]))
		}
		s := strings.Join(rapid.Permutation(elements).Draw(t, "order"), "")
		if got, err := gs1.ParseElementString(s); err != nil || got != want {
			t.Fatalf("ParseElementString(%s) = %+v, %v; want %+v", s, got, err, want)
		}
	})
}

// A check digit finds every single wrong digit.
func TestOneWrongDigitIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := text(t, decimals, 13, 13, "GTIN without check digit")
		check, err := gs1.CheckDigit(digits)
		if err != nil {
			t.Fatal(err)
		}
		right := []byte(digits + string(check))
		if _, err := gs1.Canonical("https://id.gs1.org/01/" + string(right)); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, 13).Draw(t, "position")
		right[i] = '0' + (right[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if got, err := gs1.Canonical("https://id.gs1.org/01/" + string(right)); err == nil {
			t.Fatalf("Canonical accepted %s, which has one wrong digit", got)
		}
		foreign := "https://example.com/01/" + string(right)
		if got, err := gs1.Canonical(foreign); err != nil || got != foreign {
			t.Fatalf("Canonical(%s) = %s, %v; a foreign link without a right key is a private name", foreign, got, err)
		}
	})
}
