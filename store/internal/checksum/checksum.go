// Package checksum tells a row that was changed behind the store's back from one that is as it was written: CRC-32C over its fields,
// which both SQL stores keep beside them. It knows numbers and bytes, and no database.
package checksum

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Row is the checksum of a row: of its fields one after the other, each after its length, so that nothing can move from one to
// the next.
type Row struct{ crc uint32 }

// Number adds a number.
func (r *Row) Number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	r.crc = crc32.Update(r.crc, castagnoli, b[:])
}

// Bytes adds bytes, after their length.
func (r *Row) Bytes(b []byte) {
	r.Number(int64(len(b)))
	r.crc = crc32.Update(r.crc, castagnoli, b)
}

// Text adds text as its bytes.
func (r *Row) Text(t string) { r.Bytes([]byte(t)) }

// Value is signed: PostgreSQL's integers are, and SQLite then needs four bytes for it and never six.
func (r *Row) Value() int32 { return int32(r.crc) }
