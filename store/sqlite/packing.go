package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/tidewaiter/tidewaiter/store/internal/checksum"
	"github.com/tidewaiter/tidewaiter/store/internal/pack"
)

// packing says how a body, or a row's value, is kept: NULL as it is, else with which dictionary.
type packing struct{ sql.NullInt64 }

// first is the first dictionary of its kind.
const first = 1

// packed is a text as it is kept: packed, unless that is no shorter.
func packed(d *pack.Dictionary, text []byte) ([]byte, packing) {
	if p, ok := d.Pack(text); ok {
		return p, packing{sql.NullInt64{Int64: first, Valid: true}}
	}
	return text, packing{}
}

// unpack gives the text back.
func (p packing) unpack(d *pack.Dictionary, kept []byte) ([]byte, error) {
	switch {
	case !p.Valid:
		return notNil(kept), nil
	case p.Int64 == first:
		return d.Unpack(kept)
	}
	return nil, fmt.Errorf("it is packed in a way, %d, that this program does not know", p.Int64)
}

// sum adds it to a row's checksum.
func (p packing) sum(s *checksum.Row) {
	if p.Valid {
		s.Number(p.Int64)
	}
}

// viewValue is the value of a view's row as the table holds it.
type viewValue struct {
	value   []byte
	sum     int64
	packing packing
}

func packRow(value []byte) (v viewValue) {
	v.value, v.packing = packed(pack.States, value)
	return v
}

// checksum is what sum must be.
func (v *viewValue) checksum(view int64, key []byte) int64 {
	var s checksum.Row
	s.Number(view)
	s.Bytes(key)
	s.Bytes(v.value)
	v.packing.sum(&s)
	return int64(s.Value())
}

// unpack is the value as it was written.
func (v *viewValue) unpack(view int64, key []byte) ([]byte, error) {
	if v.checksum(view, key) != v.sum {
		return nil, errRowSum
	}
	return v.packing.unpack(pack.States, v.value)
}
