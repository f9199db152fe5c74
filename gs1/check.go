package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// CheckDigit is the last digit that makes a GS1 key of these digits (General Specifications §7.9): from the right, every
// other digit counts three times, and the check digit completes the sum to a multiple of ten. It is an error when digits is
// empty or holds anything but 0 to 9.
func CheckDigit(digits string) (byte, error) {
	if digits == "" {
		return 0, errors.New("a check digit needs digits before it; there are none")
	}
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return 0, fmt.Errorf("%s holds %q at position %d; a check digit is computed of digits only", quote(digits), digits[i], i+1)
		}
	}
	return checkDigit(digits), nil
}

// checkDigit is CheckDigit for what is known to be digits.
func checkDigit[T string | []byte](digits T) byte {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += weight * int(digits[i]-'0')
		weight = 4 - weight
	}
	return byte('0' + (10-sum%10)%10)
}

// checkPrefix: keys that are not digits throughout start with the company prefix, and no company prefix is shorter than four.
func checkPrefix(v string) error {
	if i := stray(v[:4], digits); i >= 0 {
		return fmt.Errorf("starts with no company prefix: %q at position %d, where at least 4 digits must stand", v[i], i+1)
	}
	return nil
}

// checkAssetZero: a GRAI fills the place of a GTIN's indicator with a zero.
func checkAssetZero(v string) error {
	if v[0] != '0' {
		return fmt.Errorf("starts with %c; a GRAI starts with 0, then 12 digits and their check digit", v[0])
	}
	return nil
}

// checkPieces: the four digits after an ITIP's GTIN say which piece of how many.
func checkPieces(v string) error {
	piece, total := v[14:16], v[16:18]
	if piece == "00" || total == "00" || piece > total {
		return fmt.Errorf("is piece %s of %s; pieces count from 01 to the total", piece, total)
	}
	return nil
}

// checkNoLeadingZero: a component serial is a number, and a number has one spelling.
func checkNoLeadingZero(v string) error {
	if len(v) > 1 && v[0] == '0' {
		return fmt.Errorf("starts with 0; write %s", strings.TrimLeft(v[:len(v)-1], "0")+v[len(v)-1:])
	}
	return nil
}

// checkFacility: a unique identification code is a digit, two characters, and an importer index.
func checkFacility(v string) error {
	if !isDigit(v[0]) {
		return fmt.Errorf("starts with %q; it starts with a digit", v[0])
	}
	if c := v[3]; classes[c]&unreserved == 0 || c == '.' {
		return fmt.Errorf("ends in %q; the importer index is a letter, a digit, - or _", c)
	}
	return nil
}

// Weights and letters of a model number's check pair (General Specifications §7.9).
const (
	modelOrder   = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`
	modelLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
)

var modelWeights = [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}

// checkModel: a model number ends in two check characters.
func checkModel(v string) error {
	if err := checkPrefix(v); err != nil {
		return err
	}
	body := v[:len(v)-2]
	sum := 0
	for i := range len(body) {
		sum += strings.IndexByte(modelOrder, body[i]) * modelWeights[len(body)-1-i]
	}
	sum %= 1021
	if want := string([]byte{modelLetters[sum>>5], modelLetters[sum&31]}); v[len(body):] != want {
		return fmt.Errorf("has the check characters %s; for these characters they are %s: compare with the label", v[len(body):], want)
	}
	return nil
}
