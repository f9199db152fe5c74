package gs1_test

import (
	"testing"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// An event names tens of identifiers and capture looks at each of them, so an identifier that is canonical already must cost
// next to nothing.
func BenchmarkCanonical(b *testing.B) {
	for _, bench := range []struct{ name, id string }{
		{"canonical/sgtin", "https://id.gs1.org/01/09521234500018/21/1652923003067"},
		{"canonical/sgln", "https://id.gs1.org/414/9521234500018"},
		{"canonical/giai", "https://id.gs1.org/8004/9521234RACK0007"},
		{"canonical/sscc", "https://id.gs1.org/00/095212340000000013"},
		{"canonical/escaped", "https://id.gs1.org/01/09521234500018/21/A%2FB"},
		{"urn/sgtin", "urn:epc:id:sgtin:9521234.050001.1652923003067"},
		{"urn/sgln", "urn:epc:id:sgln:9521234.50001.0"},
		{"urn/pgln", "urn:epc:id:pgln:9521234.00000"},
		{"foreign/sgtin", "https://example.com/p/01/9521234500018/10/L1/21/1652923003067?17=270101"},
		{"private/https", "https://tidewaiter.org/unit/nvidia-sn/1652923003067"},
		{"private/geo", "geo:52.3702,4.8952;u=20"},
		{"private/uuid", "urn:uuid:6ba7b810-9dad-81d1-80b4-00c04fd430c8"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gs1.Canonical(bench.id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSiteOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if gs1.SiteOf("https://id.gs1.org/414/9521234500018/254/R12") == "" {
			b.Fatal("an SGLN has a site")
		}
	}
}
