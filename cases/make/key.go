package main

import "fmt"

const link = "https://id.gs1.org/"

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

func checked(digits string) string { return digits + string(checkDigit(digits)) }

// gln is a 13-digit number of a party (reference 0) or of one of its sites.
func gln(prefix string, reference int) string {
	return checked(fmt.Sprintf("%s%05d", prefix, reference))
}

// gtin is a 14-digit number of a trade item, without its link.
func gtin(prefix string, item int) string { return checked(fmt.Sprintf("0%s%05d", prefix, item)) }

// sscc is the link of a parcel or pallet.
func sscc(prefix string, n int) string {
	return link + "00/" + checked(fmt.Sprintf("3%s%09d", prefix, n))
}
