package gs1_test

import (
	"fmt"

	"github.com/tidewaiter/tidewaiter/gs1"
)

func ExampleCanonical() {
	for _, id := range []string{
		"urn:epc:id:sgtin:9521234.050001.1652923003067",
		"https://example.com/p/01/9521234500018/10/L7/21/1652923003067?17=270101",
		"urn:epc:idpat:sgtin:9521234.050001.*",
		"urn:epc:id:sgln:9521234.50001.0",
		"geo:52.3702,4.8952;u=20",
	} {
		link, err := gs1.Canonical(id)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(link)
	}
	// Output:
	// https://id.gs1.org/01/09521234500018/21/1652923003067
	// https://id.gs1.org/01/09521234500018/21/1652923003067
	// https://id.gs1.org/01/09521234500018
	// https://id.gs1.org/414/9521234500018
	// geo:52.3702,4.8952;u=20
}

func ExampleCanonical_wrong() {
	_, err := gs1.Canonical("https://id.gs1.org/414/9521234500013")
	fmt.Println(err)
	// Output:
	// identifier "https://id.gs1.org/414/9521234500013": GLN (414) "9521234500013" has the check digit 3 at position 13, and its other digits need 8; compare with the label: one of them was misread
}

func ExampleParse() {
	key, ok := gs1.Parse("urn:epc:id:sgtin:9521234.050001.1652923003067")
	fmt.Println(ok, key.AI, key.Value, key.QualifierAI, key.Qualifier)
	// Output:
	// true 01 09521234500018 21 1652923003067
}

func ExampleSiteOf() {
	fmt.Println(gs1.SiteOf("urn:epc:id:sgln:9521234.50001.RACK-12"))
	// Output:
	// https://id.gs1.org/414/9521234500018
}

func ExampleKey_URN() {
	key, err := gs1.ParseElementString("(01)09521234500018(17)270101(21)1652923003067")
	if err != nil {
		fmt.Println(err)
		return
	}
	urn, err := key.URN(7) // the maker's company prefix, 9521234, has 7 digits
	fmt.Println(urn, err)
	fmt.Println(key.Link())
	fmt.Println(key.ElementString())
	// Output:
	// urn:epc:id:sgtin:9521234.050001.1652923003067 <nil>
	// https://id.gs1.org/01/09521234500018/21/1652923003067
	// (01)09521234500018(21)1652923003067
}

func ExampleCheckDigit() {
	digit, err := gs1.CheckDigit("952123450001")
	fmt.Printf("%c %v\n", digit, err)
	// Output:
	// 8 <nil>
}
