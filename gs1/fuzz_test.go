package gs1_test

import (
	"testing"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// Whatever comes in: no panic, canonical is a fixed point, Parse and Canonical agree, and every way to spell a key leads back to it.
func FuzzCanonical(f *testing.F) {
	for _, s := range spellings {
		f.Add(s.urn)
		f.Add(s.link)
	}
	for _, id := range []string{
		"", ":", "urn:epc:", "urn:epc:id:sgln:952123412345..0", "urn:epc:idpat:itip:*.*.*.*.*", "https://id.gs1.org/414/0614141073467/254/0",
		"HTTP://u@example.com:80/a/01/9506000134352/22/2A/10/L%2f1/21/%41?x#y", "https://id.gs1.org/01/09506000134352/21/%25", "geo:52,4;u=1",
		"urn:epc:id:adi:W81X9C..%23B5", "https://example.com/straße", "https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K", "https:",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		k, isKey := gs1.Parse(id)
		c, err := gs1.Canonical(id)
		if err != nil {
			if isKey {
				t.Fatalf("Parse(%q) = %+v, and Canonical says %v", id, k, err)
			}
			return
		}
		if again, err := gs1.Canonical(c); err != nil || again != c {
			t.Fatalf("Canonical(%q) = %q, whose canonical form is %q, %v", id, c, again, err)
		}
		if ck, ok := gs1.Parse(c); ok != isKey || ck != k {
			t.Fatalf("Parse(%q) = %+v, %v, but Parse(%q) = %+v, %v", id, k, isKey, c, ck, ok)
		}
		switch {
		case !isKey && c != id:
			t.Fatalf("Canonical(%q) = %q, although that is no key", id, c)
		case isKey:
			checkKey(t, k, c)
		}
		if site, want := gs1.SiteOf(id), (gs1.Key{AI: k.AI, Value: k.Value}); isKey && k.AI == "414" && site != want.Link() || k.AI != "414" && site != "" {
			t.Fatalf("SiteOf(%q) = %q", id, site)
		}
	})
}

func FuzzParseElementString(f *testing.F) {
	for _, s := range spellings {
		f.Add(s.element)
	}
	f.Add(`(21)AB\(1)(17)270101(10)L1(01)09506000134352`)
	f.Add(`(01)`)
	f.Add(`(254)0(414)0614141073467`)
	f.Fuzz(func(t *testing.T, s string) {
		k, err := gs1.ParseElementString(s)
		if err == nil {
			checkKey(t, k, k.Link())
		}
	})
}

func checkKey(t *testing.T, k gs1.Key, link string) {
	t.Helper()
	if k.Link() != link {
		t.Fatalf("Link of %+v = %s; want %s", k, k.Link(), link)
	}
	if again, ok := gs1.Parse(link); !ok || again != k {
		t.Fatalf("Parse(%s) = %+v, %v; want %+v", link, again, ok, k)
	}
	if again, err := gs1.ParseElementString(k.ElementString()); err != nil || again != k {
		t.Fatalf("ParseElementString(%s) = %+v, %v; want %+v", k.ElementString(), again, err, k)
	}
	for n := range 15 {
		urn, err := k.URN(n)
		if err != nil {
			continue
		}
		if again, ok := gs1.Parse(urn); !ok || again != k {
			t.Fatalf("URN(%d) of %s = %s, which is %+v, %v", n, link, urn, again, ok)
		}
	}
}
