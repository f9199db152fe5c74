package gs1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// spelling is one key in all its spellings. Check digits are those that GS1 publishes with these examples, or were computed by
// hand from the General Specifications.
type spelling struct {
	urn     string
	prefix  int // length of the company prefix
	link    string
	element string
}

var spellings = []spelling{
	{"urn:epc:id:sgtin:9506000.013435.12", 7, "https://id.gs1.org/01/09506000134352/21/12", "(01)09506000134352(21)12"},
	{"urn:epc:id:sgtin:0614141.712345.2017", 7, "https://id.gs1.org/01/70614141123451/21/2017", "(01)70614141123451(21)2017"},
	{"urn:epc:id:sgtin:950600013435.0.12", 12, "https://id.gs1.org/01/09506000134352/21/12", "(01)09506000134352(21)12"},
	{"urn:epc:id:sgtin:950600.0013435.a%2Fb", 6, "https://id.gs1.org/01/09506000134352/21/a%2Fb", "(01)09506000134352(21)a/b"},
	{"urn:epc:id:sgtin:9506000.013435.!%22%25%26'()*+,-.%2F:;%3C=%3E%3F_", 7,
		"https://id.gs1.org/01/09506000134352/21/%21%22%25%26%27%28%29%2A%2B%2C-.%2F%3A%3B%3C%3D%3E%3F_",
		`(01)09506000134352(21)!"%&'\()*+,-./:;<=>?_`},
	{"urn:epc:class:lgtin:4054739.099914.20160711", 7, "https://id.gs1.org/01/04054739999148/10/20160711", "(01)04054739999148(10)20160711"},
	{"urn:epc:id:upui:4012345.012345.AB12", 7, "https://id.gs1.org/01/04012345123456/235/AB12", "(01)04012345123456(235)AB12"},
	{"urn:epc:id:sscc:0614141.1234567890", 7, "https://id.gs1.org/00/106141412345678908", "(00)106141412345678908"},
	{"urn:epc:id:sgln:0614141.07346.1234", 7, "https://id.gs1.org/414/0614141073467/254/1234", "(414)0614141073467(254)1234"},
	{"urn:epc:id:sgln:0614141.07346.0", 7, "https://id.gs1.org/414/0614141073467", "(414)0614141073467"},
	{"urn:epc:id:sgln:061414107346..R12", 12, "https://id.gs1.org/414/0614141073467/254/R12", "(414)0614141073467(254)R12"},
	{"urn:epc:id:pgln:0614141.07346", 7, "https://id.gs1.org/417/0614141073467", "(417)0614141073467"},
	{"urn:epc:id:grai:0614141.12345.400", 7, "https://id.gs1.org/8003/00614141123452400", "(8003)00614141123452400"},
	{"urn:epc:id:giai:0614141.12345400", 7, "https://id.gs1.org/8004/061414112345400", "(8004)061414112345400"},
	{"urn:epc:id:giai:0614141.A.B%2FC", 7, "https://id.gs1.org/8004/0614141A.B%2FC", "(8004)0614141A.B/C"},
	{"urn:epc:id:gsrn:0614141.1234567890", 7, "https://id.gs1.org/8018/061414112345678902", "(8018)061414112345678902"},
	{"urn:epc:id:gsrnp:0614141.1234567890", 7, "https://id.gs1.org/8017/061414112345678902", "(8017)061414112345678902"},
	{"urn:epc:id:gdti:0614141.12345.400", 7, "https://id.gs1.org/253/0614141123452400", "(253)0614141123452400"},
	{"urn:epc:id:cpi:0614141.123ABC.123456789", 7, "https://id.gs1.org/8010/0614141123ABC/8011/123456789", "(8010)0614141123ABC(8011)123456789"},
	{"urn:epc:id:cpi:0614141.5PQ7%2FZ43%23.12345", 7, "https://id.gs1.org/8010/06141415PQ7%2FZ43%23/8011/12345", "(8010)06141415PQ7/Z43#(8011)12345"},
	{"urn:epc:id:sgcn:4012345.67890.04711", 7, "https://id.gs1.org/255/401234567890104711", "(255)401234567890104711"},
	{"urn:epc:id:ginc:0614141.xyz47%2F11", 7, "https://id.gs1.org/401/0614141xyz47%2F11", "(401)0614141xyz47/11"},
	{"urn:epc:id:gsin:0614141.123456789", 7, "https://id.gs1.org/402/06141411234567890", "(402)06141411234567890"},
	{"urn:epc:id:itip:4012345.012345.01.02.987", 7, "https://id.gs1.org/8006/040123451234560102/21/987", "(8006)040123451234560102(21)987"},

	{"urn:epc:idpat:sgtin:4054739.099914.*", 7, "https://id.gs1.org/01/04054739999148", "(01)04054739999148"},
	{"urn:epc:idpat:grai:0614141.12345.*", 7, "https://id.gs1.org/8003/00614141123452", "(8003)00614141123452"},
	{"urn:epc:idpat:gdti:0614141.12345.*", 7, "https://id.gs1.org/253/0614141123452", "(253)0614141123452"},
	{"urn:epc:idpat:sgcn:4012345.67890.*", 7, "https://id.gs1.org/255/4012345678901", "(255)4012345678901"},
	{"urn:epc:idpat:cpi:0614141.123ABC.*", 7, "https://id.gs1.org/8010/0614141123ABC", "(8010)0614141123ABC"},
	{"urn:epc:idpat:itip:4012345.012345.01.02.*", 7, "https://id.gs1.org/8006/040123451234560102", "(8006)040123451234560102"},
}

func TestEverySchemeInEverySpelling(t *testing.T) {
	for _, s := range spellings {
		want, ok := gs1.Parse(s.link)
		if !ok {
			t.Errorf("Parse(%s) says that this is no key", s.link)
			continue
		}
		for _, id := range []string{s.urn, s.link, strings.Replace(s.link, "https://id.gs1.org", "http://example.com/stem", 1) + "?linkType=all#top"} {
			if got, err := gs1.Canonical(id); err != nil || got != s.link {
				t.Errorf("Canonical(%s) = %s, %v; want %s", id, got, err, s.link)
			}
			if got, ok := gs1.Parse(id); !ok || got != want {
				t.Errorf("Parse(%s) = %+v, %v; want %+v", id, got, ok, want)
			}
		}
		if got := want.Link(); got != s.link {
			t.Errorf("Link of %+v = %s; want %s", want, got, s.link)
		}
		if got, err := want.URN(s.prefix); err != nil || got != s.urn {
			t.Errorf("URN(%d) of %s = %s, %v; want %s", s.prefix, s.link, got, err, s.urn)
		}
		if got := fmt.Sprint(want); got != s.link {
			t.Errorf("printing %+v gives %s; want its link", want, got)
		}
		if got := want.ElementString(); got != s.element {
			t.Errorf("ElementString of %s = %s; want %s", s.link, got, s.element)
		}
		if got, err := gs1.ParseElementString(s.element); err != nil || got != want {
			t.Errorf("ParseElementString(%s) = %+v, %v; want %+v", s.element, got, err, want)
		}
	}
}

func TestKeysWithoutURN(t *testing.T) {
	for _, link := range []string{
		"https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K",
		"https://id.gs1.org/415/0614141073467/8020/INV-7",
		"https://id.gs1.org/8018/061414112345678902/8019/3",
		"https://id.gs1.org/8006/040123451234560102/10/L1",
		"https://id.gs1.org/417/0614141073467/7040/1ABC",
		"https://id.gs1.org/414/0614141073467/7040/1ABC",
	} {
		k, ok := gs1.Parse(link)
		if !ok {
			t.Errorf("Parse(%s) says that this is no key", link)
			continue
		}
		if got, err := gs1.Canonical(link); got != link || err != nil {
			t.Errorf("Canonical(%s) = %s, %v", link, got, err)
		}
		if urn, err := k.URN(7); err == nil {
			t.Errorf("URN of %s = %s; EPC has no scheme for it", link, urn)
		}
	}
}

func TestURNRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		key    gs1.Key
		prefix int
	}{
		{gs1.Key{AI: "01", Value: "09506000134352"}, 5},
		{gs1.Key{AI: "01", Value: "09506000134352"}, 13},
		{gs1.Key{AI: "01", Value: "09506000134353"}, 7}, // put together by hand: wrong check digit
		{gs1.Key{AI: "01", Value: "x"}, 7},
		{gs1.Key{AI: "8004", Value: "0614141A"}, 8},
		{gs1.Key{AI: "8004", Value: "0614141"}, 7},
		{gs1.Key{AI: "01", Value: "09506000134352", QualifierAI: "22", Qualifier: "1"}, 7},
		{gs1.Key{AI: "17", Value: "270101"}, 7},
		{gs1.Key{}, 7},
	} {
		if urn, err := c.key.URN(c.prefix); err == nil {
			t.Errorf("URN(%d) of %+v = %s; want an error", c.prefix, c.key, urn)
		}
	}
}

func TestElementStringWithAttributes(t *testing.T) {
	want := gs1.Key{AI: "01", Value: "09506000134352", QualifierAI: "21", Qualifier: "AB(1)"}
	for _, s := range []string{
		`(01)09506000134352(21)AB\(1)`,
		`(21)AB\(1)(17)270101(10)L1(01)09506000134352`,
		`(01)09506000134352(22)2A(10)L1(21)AB\(1)(3103)000195(250)ECID-99`,
	} {
		if got, err := gs1.ParseElementString(s); err != nil || got != want {
			t.Errorf("ParseElementString(%s) = %+v, %v; want %+v", s, got, err, want)
		}
	}
}

func TestWrongElementStrings(t *testing.T) {
	for s, says := range map[string]string{
		"":                   "has no key",
		"0109506000134352":   "in brackets",
		"(01)":               "has no value",
		"(01":                "in brackets",
		"(1)2":               "2 to 4 digits",
		"(01)9506000134352":  "it must have 14",
		"(01)09506000134353": "need 2",
		"(17)270101":         "has no key",
		"(01)09506000134352(00)106141412345678908": "names two things",
		"(01)09506000134352(21)1(21)2":             "twice",
		"(01)09506000134352(21)1(235)2":            "cannot stand there",
		"(01)09506000134352(21)é":                  "may have only",
		"(415)0614141073467":                       "names nothing without",
		"(8010)0614141A(8011)007":                  "write 7",
		"(90)" + strings.Repeat("x", 91):           "more than 90",
	} {
		if k, err := gs1.ParseElementString(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseElementString(%s) = %+v, %v; want an error that says %q", s, k, err, says)
		}
	}
}
