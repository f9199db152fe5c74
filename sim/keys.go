package sim

import "strconv"

// Keys of GS1, spelt as canonical Digital Links or as EPC URNs (TDS 2.0 §6.3). The simulator spells its own, on purpose:
// it must not share a mistake with the package that reads them.

// checkDigit computes the GS1 check digit (General Specifications §7.9) of a string of digits.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		weight := 3
		if (len(digits)-i)%2 == 0 {
			weight = 1
		}
		sum += weight * int(digits[i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}

// padded is n with leading zeros.
func padded(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}

// gln is a party's or site's 13-digit number: prefix of 7, reference of 5, check digit.
func gln(prefix string, reference int) string {
	digits := prefix + padded(reference, 5)
	return digits + string(checkDigit(digits))
}

const link = "https://id.gs1.org/"

// appendParty spells a PGLN.
func appendParty(b []byte, number string, urn bool) []byte {
	if urn {
		return append(append(append(append(b, "urn:epc:id:pgln:"...), number[:7]...), '.'), number[7:12]...)
	}
	return append(append(append(b, link...), "417/"...), number...)
}

// appendPlace spells an SGLN without extension.
func appendPlace(b []byte, number string, urn bool) []byte {
	if urn {
		b = append(append(append(append(b, "urn:epc:id:sgln:"...), number[:7]...), '.'), number[7:12]...)
		return append(b, ".0"...)
	}
	return append(append(append(b, link...), "414/"...), number...)
}

// appendThing spells a unit: SGTIN, GIAI (racks) or SSCC (handling units).
func appendThing(b []byte, t *thing, urn bool) []byte {
	switch t.product.kind {
	case rackKind:
		return appendAsset(b, t, urn)
	case parcelKind:
		return appendHandling(b, t.serial, urn)
	}
	gtin := t.product.gtin
	if urn {
		b = append(append(b, "urn:epc:id:sgtin:"...), gtin[1:8]...)
		b = append(append(b, '.', gtin[0]), gtin[8:13]...)
		return append(append(b, '.'), t.serial...)
	}
	b = append(append(append(b, link...), "01/"...), gtin...)
	return append(append(b, "/21/"...), t.serial...)
}

// appendAsset spells a GIAI: the serial starts with the company prefix.
func appendAsset(b []byte, t *thing, urn bool) []byte {
	if urn {
		b = append(append(b, "urn:epc:id:giai:"...), t.serial[:7]...)
		return append(append(b, '.'), t.serial[7:]...)
	}
	return append(append(append(b, link...), "8004/"...), t.serial...)
}

// appendHandling spells an SSCC of 18 digits: extension digit, prefix of 7, reference of 9, check digit.
func appendHandling(b []byte, sscc string, urn bool) []byte {
	if urn {
		b = append(append(b, "urn:epc:id:sscc:"...), sscc[1:8]...)
		b = append(b, '.', sscc[0])
		return append(b, sscc[8:17]...)
	}
	return append(append(append(b, link...), "00/"...), sscc...)
}

// appendClass spells a trade item class.
func appendClass(b []byte, p *product, urn bool) []byte {
	if urn {
		b = append(append(b, "urn:epc:idpat:sgtin:"...), p.gtin[1:8]...)
		b = append(append(b, '.', p.gtin[0]), p.gtin[8:13]...)
		return append(b, ".*"...)
	}
	return append(append(append(b, link...), "01/"...), p.gtin...)
}
