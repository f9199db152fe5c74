// Package pack makes the bytes that a store keeps smaller: short JSON texts, one by one, with the words that they have in common taken
// from a dictionary. It knows such words and the block format S2; it knows no entries, no rows and no database.
package pack

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Each text is packed by itself, so that one can be destroyed without the others. S2 takes 2 µs for an event of a kilobyte and makes a
// quarter of it; Zstandard makes a fifth, and takes twenty times as long.
//
// What is packed can only be read with the dictionary that it was packed with: a dictionary is never changed, another one is added.

//go:embed event.dict
var eventWords []byte

//go:embed state.dict
var stateWords []byte

// Dictionary is the words that texts of one kind have in common.
type Dictionary struct{ words *s2.Dict }

// The dictionaries: of EPCIS 2.0 events as JSON, and of the rows of views.
var (
	Events = &Dictionary{s2.MakeDict(eventWords, nil)}
	States = &Dictionary{s2.MakeDict(stateWords, nil)}
)

// largest is how much a text may have that was packed: larger ones are kept as they are.
const largest = 64 << 20

// Pack gives the packed text; ok is false where that would be no shorter.
func (d *Dictionary) Pack(text []byte) (packed []byte, ok bool) {
	if len(text) > largest {
		return nil, false
	}
	packed = d.words.Encode(make([]byte, 0, s2.MaxEncodedLen(len(text))), text)
	return packed, len(packed) < len(text)
}

var errTooLarge = errors.New("it claims to be larger than anything that is packed")

// Unpack gives the text back.
func (d *Dictionary) Unpack(packed []byte) ([]byte, error) {
	n, err := s2.DecodedLen(packed)
	if err == nil && n > largest {
		err = errTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	text, err := d.words.Decode(make([]byte, n), packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	return text, nil
}
