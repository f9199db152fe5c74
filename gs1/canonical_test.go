package gs1_test

import (
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/gs1"
)

func TestCanonicalKeepsTheFinestKeyOnly(t *testing.T) {
	for id, want := range map[string]string{
		// GTIN of 8, 12 and 13 digits.
		"https://id.gs1.org/01/9506000134352":   "https://id.gs1.org/01/09506000134352",
		"https://id.gs1.org/01/614141123452":    "https://id.gs1.org/01/00614141123452",
		"https://id.gs1.org/01/96385074/21/7":   "https://id.gs1.org/01/00000096385074/21/7",
		"https://example.com/01/96385074/21/7?": "https://id.gs1.org/01/00000096385074/21/7",
		// What is coarser goes.
		"https://id.gs1.org/01/09506000134352/22/2A":                 "https://id.gs1.org/01/09506000134352",
		"https://id.gs1.org/01/09506000134352/22/2A/10/L1":           "https://id.gs1.org/01/09506000134352/10/L1",
		"https://id.gs1.org/01/09506000134352/22/2A/10/L1/21/7":      "https://id.gs1.org/01/09506000134352/21/7",
		"https://example.com/a/b/01/09506000134352/10/L1/21/7?17=27": "https://id.gs1.org/01/09506000134352/21/7",
		"https://id.gs1.org/8006/040123451234560102/10/L/21/7":       "https://id.gs1.org/8006/040123451234560102/21/7",
		// Extension 0 is none.
		"https://id.gs1.org/414/0614141073467/254/0": "https://id.gs1.org/414/0614141073467",
		"https://example.com/414/0614141073467":      "https://id.gs1.org/414/0614141073467",
		// Query and fragment go.
		"https://id.gs1.org/01/09506000134352?17=270101": "https://id.gs1.org/01/09506000134352",
		"https://id.gs1.org/01/09506000134352#top":       "https://id.gs1.org/01/09506000134352",
		// The case of scheme and host, and ports, say nothing.
		"HTTP://ID.GS1.ORG/01/09506000134352":                 "https://id.gs1.org/01/09506000134352",
		"https://id.gs1.org:443/01/09506000134352":            "https://id.gs1.org/01/09506000134352",
		"http://user@example.com:8080/01/09506000134352/21/7": "https://id.gs1.org/01/09506000134352/21/7",
		// One escape for one character.
		"https://id.gs1.org/01/09506000134352/21/a%2fb":       "https://id.gs1.org/01/09506000134352/21/a%2Fb",
		"https://id.gs1.org/01/09506000134352/21/%41b":        "https://id.gs1.org/01/09506000134352/21/Ab",
		"https://id.gs1.org/01/09506000134352/21/a(b":         "https://id.gs1.org/01/09506000134352/21/a%28b",
		"https://id.gs1.org/01/0950600013435%32":              "https://id.gs1.org/01/09506000134352",
		"https://example.com/01/09506000134352/21/%C3%A9":     "https://example.com/01/09506000134352/21/%C3%A9",
		"urn:epc:id:sgtin:9506000.013435.a%2fb":               "https://id.gs1.org/01/09506000134352/21/a%2Fb",
		"URN:EPC:id:sgtin:9506000.013435.1":                   "https://id.gs1.org/01/09506000134352/21/1",
		"urn:epc:id:sgtin:9506000.013435.*":                   "https://id.gs1.org/01/09506000134352/21/%2A",
		"urn:epc:idpat:sgtin:9506000.013435.7":                "https://id.gs1.org/01/09506000134352/21/7",
		"urn:epc:idpat:upui:9506000.013435.*":                 "https://id.gs1.org/01/09506000134352",
		"urn:epc:id:sgtin:9506000.013435.a.b":                 "https://id.gs1.org/01/09506000134352/21/a.b",
		"https://example.com/00/x/01/09506000134352/10/L1":    "https://id.gs1.org/01/09506000134352/10/L1",
		"https://example.com/8004/01/01/09506000134352/10/21": "https://id.gs1.org/01/09506000134352/10/21",
	} {
		if got, err := gs1.Canonical(id); err != nil || got != want {
			t.Errorf("Canonical(%s) = %s, %v; want %s", id, got, err, want)
		}
	}
}

func TestCanonicalLeavesOtherNamesAlone(t *testing.T) {
	for _, id := range []string{
		"geo:52.3702,4.8952;u=20",
		"urn:uuid:6ba7b810-9dad-81d1-80b4-00c04fd430c8",
		"urn:epcglobal:cbv:bt:0614141073467:1152",
		"https://tidewaiter.org/unit/nvidia-sn/1652923003067",
		"https://ref.gs1.org/cbv/BizStep-shipping",
		"https://example.com",
		"https://example.com/?a=1#b",
		"tw:product",
		"nvidia-sn:1652923003067",
		"https://example.com/straße",
		// They look like Digital Links and are none: check digit, length, order, something after the key, a slash at the end.
		"https://example.com/01/09506000134353/21/7",
		"https://example.com/01/0950600013435",
		"https://example.com/01/09506000134352/21/7/10/L1",
		"https://example.com/01/09506000134352/info",
		"https://example.com/01/09506000134352/",
		"https://example.com/01/09506000134352/21/123456789012345678901",
		"https://example.com/01/09506000134352/21/7/235/8",
		"https://example.com/gtin/09506000134352",
		"https://example.com/reports/401/annual",
		"https://example.com/415/0614141073467",
		"ftp://example.com/01/09506000134352",
		// EPC URNs that are no GS1 keys, and patterns that are no class.
		"urn:epc:id:gid:95100000.12345.400",
		"urn:epc:id:usdod:2S194.12345678901",
		"urn:epc:id:adi:35962.PQ7VZ4.M37GXB92",
		"urn:epc:id:adi:W81X9C..%23B5",
		"urn:epc:id:bic:CSQU3054383",
		"urn:epc:id:imovn:9176187",
		"urn:epc:idpat:gid:95100000.12345.*",
		"urn:epc:idpat:sgtin:9506000.*.*",
		"urn:epc:idpat:sgtin:*.*.*",
		"urn:epc:idpat:sgln:0614141.07346.*",
		"urn:epc:idpat:sscc:0614141.*",
		"urn:epc:idpat:giai:0614141.*",
	} {
		if got, err := gs1.Canonical(id); err != nil || got != id {
			t.Errorf("Canonical(%s) = %s, %v; want it unchanged", id, got, err)
		}
		if k, ok := gs1.Parse(id); ok {
			t.Errorf("Parse(%s) = %+v; it is no GS1 key", id, k)
		}
	}
}

func TestCanonicalSaysWhatIsWrong(t *testing.T) {
	for id, says := range map[string]string{
		// No absolute URI.
		"":                          "must start with a scheme",
		"1652923003067":             "must start with a scheme",
		"example.com/x y":           "must start with a scheme",
		"urn:":                      "nothing follows",
		"urn:x y":                   "write %20",
		"urn:x\x00":                 "write %00",
		"urn:x%zz":                  "write %25",
		"urn:x%2":                   "write %25",
		"urn:x\u202ey":              "may not stand there",
		"urn:x\u00a0y":              "may not stand there",
		"urn:x\xff":                 "may not stand there",
		"https:///x":                "a host",
		"https:x":                   "a host",
		`https://example.com/<id>`:  "write %3C",
		"https://id.gs1.org/ü?x= y": "is not the number",
		// On id.gs1.org.
		"https://id.gs1.org":                                            "no key after the host",
		"https://id.gs1.org/":                                           "no key after the host",
		"https://id.gs1.org/?01=09506000134352":                         "no key after the host",
		"https://id.gs1.org/gtin/09506000134352":                        "write 01",
		"https://id.gs1.org/02/09506000134352":                          "is not the number of a GS1 key",
		"https://id.gs1.org/stem/01/09506000134352":                     "is not the number of a GS1 key",
		"https://id.gs1.org/01":                                         "no value after it",
		"https://id.gs1.org/01/09506000134352/":                         "no slash follows",
		"https://id.gs1.org/01/09506000134352/21/":                      "1 to 20",
		"https://id.gs1.org/01/09506000134353":                          "need 2",
		"https://id.gs1.org/01/09506000134":                             "it must have 14",
		"https://id.gs1.org/01/0950600013435X":                          "only a digit",
		"https://id.gs1.org/01/09506000134352/21/123456789012345678901": "1 to 20",
		"https://id.gs1.org/01/09506000134352/21/a~b":                   "may have only",
		"https://id.gs1.org/01/09506000134352/21/%C3%A9":                "may have only",
		"https://id.gs1.org/01/09506000134352/21/a%2":                   "write %25",
		"https://id.gs1.org/01/09506000134352/21/7/10/L1":               "in this order, (22), (10), (21), or only (235)",
		"https://id.gs1.org/01/09506000134352/21/7/235/8":               "or only (235)",
		"https://id.gs1.org/01/09506000134352/21/7/21/7":                "cannot stand there",
		"https://id.gs1.org/01/09506000134352/17/270101":                "is no qualifier of GTIN (01)",
		"https://id.gs1.org/01/09506000134352/22/1/10/2/21/3/235/4":     "more than 8 parts",
		"https://id.gs1.org/00/106141412345678908/21/7":                 "may have no qualifiers",
		"https://id.gs1.org/00/10614141234567890":                       "it must have 18",
		"https://id.gs1.org/01/09506000134352?a=<":                      "write %3C",
		"https://id.gs1.org/8003/10614141123452400":                     "a GRAI starts with 0",
		"https://id.gs1.org/8004/RACK0007":                              "company prefix",
		"https://id.gs1.org/8006/040123451234560302":                    "piece 03 of 02",
		"https://id.gs1.org/8010/0614141abc":                            "capital letters",
		"https://id.gs1.org/8010/0614141A/8011/007":                     "write 7",
		"https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310cXX":             "they are 2K",
		"https://id.gs1.org/255/4012345678901X":                         "only digits",
		"https://id.gs1.org/415/0614141073467":                          "names nothing without",
		"https://id.gs1.org/417/0614141073467/7040/XABC":                "starts with a digit",
		"https://id.gs1.org/417/0614141073467/7040/1AB%2A":              "importer index",
		"HTTPS://ID.GS1.ORG/01/09506000134353":                          "need 2",
		// EPC URNs.
		"urn:epc:":                                              "is no kind of EPC URN",
		"urn:epc:x":                                             "is no kind of EPC URN",
		"urn:epc:id":                                            "a scheme",
		"urn:epc:id:sgtin":                                      "a scheme",
		"urn:epc:id:sgtn:9506000.013435.12":                     "is no EPC scheme",
		"urn:epc:id:lgtin:9506000.013435.12":                    "is no EPC scheme",
		"urn:epc:class:sgtin:9506000.013435.12":                 "lgtin is the only one",
		"urn:epc:tag:sgtin-96:3.0614141.812345.6789":            "pure identity",
		"urn:epc:id:sgtin:9506000.013435":                       "it must have 3",
		"urn:epc:id:sgtin:9506000.0134352.12":                   "it must have 13, here 6 in the reference",
		"urn:epc:id:sgtin:95060.00013435.12":                    "6 to 12 digits",
		"urn:epc:id:sgtin:95O6000.013435.12":                    "6 to 12 digits",
		"urn:epc:id:sgtin:9506000.O13435.12":                    "only a digit",
		"urn:epc:id:sgtin:9506000.013435.":                      "nothing after its last dot",
		"urn:epc:id:sgtin:9506000.013435.a/b":                   "write %2F",
		"urn:epc:id:sgtin:9506000.013435.a#b":                   "write %23",
		"urn:epc:id:sgtin:9506000.013435.a%23b":                 "may have only",
		"urn:epc:id:sgtin:9506000.013435.a%2":                   "write %25",
		"urn:epc:id:sgtin:9506000.013435.a b":                   "write %20",
		"urn:epc:id:sgtin:9506000.013435.123456789012345678901": "1 to 20",
		"urn:epc:idpat:sgtin:*.013435.12":                       "after the first asterisk",
		"urn:epc:idpat:sgtin:95.*.*":                            "6 to 12 digits",
		"urn:epc:id:grai:0614141.12345.":                        "nothing after its last dot",
		"urn:epc:id:grai:0614141.12345.12345678901234567":       "14 to 30",
		"urn:epc:id:sscc:0614141.12345678901":                   "it must have 17",
		"urn:epc:id:sscc:0614141.1234567890.1":                  "only a digit",
		"urn:epc:id:giai:0614141.":                              "nothing after its company prefix",
		"urn:epc:id:cpi:0614141..1":                             "nothing after its company prefix",
		"urn:epc:id:giai:0614141.123456789012345678901234":      "5 to 30",
		"urn:epc:id:cpi:0614141.abc.1":                          "capital letters",
		"urn:epc:id:cpi:0614141.ABC.01":                         "write 1",
		"urn:epc:id:itip:4012345.012345.03.02.987":              "piece 03 of 02",
		"urn:epc:id:itip:4012345.012345.1.2.987":                "it must have 18",
		"urn:epc:id:gid:095.1.2":                                "three numbers",
		"urn:epc:id:gid:95.1":                                   "three numbers",
		"urn:epc:id:gid:95.1.99999999999999999999999":           "three numbers",
		"urn:epc:id:usdod:2S19.1":                               "CAGE",
		"urn:epc:id:adi:35962.pq.1":                             "part number",
		"urn:epc:id:adi:35962.PQ.":                              "a serial",
		"urn:epc:id:bic:CSQX3054383":                            "ISO 6346",
		"urn:epc:id:bic:CS1U3054383":                            "ISO 6346", "urn:epc:id:bic:CSQU305438": "ISO 6346",
		"urn:epc:id:usdod:2S19i.1": "CAGE", "urn:epc:id:adi:35962.PQ%2.1": "part number",
		"https://id.gs1.org/8013/X987654Ad4X4bL5ttr2310c2K": "company prefix",
		"urn:epc:id:imovn:917618":                           "7 digits",
		"urn:epc:idpat:sgln:0614141.7346.*":                 "here 5 in the reference",
		"urn:epc:idpat:gid:*.1.*":                           "wrong parts",
	} {
		got, err := gs1.Canonical(id)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Canonical(%q) = %s, %v; want an error that says %q", id, got, err, says)
		}
		if k, ok := gs1.Parse(id); ok {
			t.Errorf("Parse(%q) = %+v, although Canonical refuses it", id, k)
		}
	}
}

func TestErrorsStayShort(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	for _, id := range []string{long, "urn:epc:id:sgtin:" + long, "urn:epc:id:" + long + ":1", "https://id.gs1.org/" + long + "/1", "https://id.gs1.org/01/" + long} {
		if _, err := gs1.Canonical(id); err == nil || len(err.Error()) > 1000 {
			t.Errorf("Canonical of a million characters that start %.30q: want an error that somebody can read, got %d characters", id, len(err.Error()))
		}
	}
}

func TestSiteOf(t *testing.T) {
	const site = "https://id.gs1.org/414/0614141073467"
	for place, want := range map[string]string{
		site:                                site,
		site + "/254/R12":                   site,
		site + "/254/R%2F12":                site,
		site + "/254/0":                     site,
		site + "/7040/1ABC":                 site,
		"urn:epc:id:sgln:0614141.07346.R12": site,
		"urn:epc:id:sgln:0614141.07346.0":   site,
		"https://example.com/sites/414/0614141073467/254/R12?x": site,

		"":                                     "",
		"geo:52.3702,4.8952":                   "",
		"https://id.gs1.org/414/0614141073468": "",
		"https://id.gs1.org/417/0614141073467": "",
		"urn:epc:id:pgln:0614141.07346":        "",
		"https://id.gs1.org/01/09506000134352": "",
		"urn:epc:idpat:sgln:0614141.07346.*":   "",
		"https://example.com/414/x":            "",
	} {
		if got := gs1.SiteOf(place); got != want {
			t.Errorf("SiteOf(%s) = %q; want %q", place, got, want)
		}
	}
}

func TestCheckDigit(t *testing.T) {
	for digits, want := range map[string]byte{
		"0950600013435":     '2',
		"061414107346":      '7',
		"10614141234567890": '8',
		"629104150021":      '3',
		"0":                 '0',
		"1":                 '7',
	} {
		if got, err := gs1.CheckDigit(digits); err != nil || got != want {
			t.Errorf("CheckDigit(%s) = %c, %v; want %c", digits, got, err, want)
		}
	}
	for _, digits := range []string{"", "12a", "12 ", "１２"} {
		if got, err := gs1.CheckDigit(digits); err == nil {
			t.Errorf("CheckDigit(%q) = %c; want an error", digits, got)
		}
	}
}

func TestWhatIsCanonicalCostsNoMemory(t *testing.T) {
	for _, s := range spellings {
		if strings.Contains(s.link, "%") {
			continue // to undo an escape takes memory
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = gs1.Canonical(s.link) }); n != 0 {
			t.Errorf("Canonical(%s) allocates %v times; canonical links come by the million", s.link, n)
		}
	}
	for _, id := range []string{"geo:52.3702,4.8952;u=20", "https://tidewaiter.org/unit/nvidia-sn/1652923003067"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = gs1.Canonical(id) }); n != 0 {
			t.Errorf("Canonical(%s) allocates %v times", id, n)
		}
	}
}
