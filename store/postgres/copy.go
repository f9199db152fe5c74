package postgres

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5"
)

// copying writes rows in PostgreSQL's binary COPY format.
type copying struct{ b []byte }

func (c *copying) begin() {
	c.b = append(c.b, "PGCOPY\n\xff\r\n\x00"...)
	c.b = append(c.b, make([]byte, 8)...) // flags, and no extension of the header
}

func (c *copying) row(fields int16) { c.b = binary.BigEndian.AppendUint16(c.b, uint16(fields)) }

func (c *copying) int64(n int64) {
	c.b = binary.BigEndian.AppendUint32(c.b, 8)
	c.b = binary.BigEndian.AppendUint64(c.b, uint64(n))
}

func (c *copying) int32(n int32) {
	c.b = binary.BigEndian.AppendUint32(c.b, 4)
	c.b = binary.BigEndian.AppendUint32(c.b, uint32(n))
}

func (c *copying) bool(v bool) {
	c.b = append(c.b, 0, 0, 0, 1, 0)
	if v {
		c.b[len(c.b)-1] = 1
	}
}

func (c *copying) bytes(v []byte) {
	c.b = binary.BigEndian.AppendUint32(c.b, uint32(len(v)))
	c.b = append(c.b, v...)
}

func (c *copying) null() { c.b = append(c.b, 0xff, 0xff, 0xff, 0xff) }

func (c *copying) end() { c.b = append(c.b, 0xff, 0xff) }

// copyEntries writes entries by COPY. (The driver's own CopyFrom asks the server for the columns' types each time, and boxes
// each value.)
func copyEntries(ctx context.Context, conn *pgx.Conn, rows []entryRow) error {
	size := 0
	for i := range rows {
		size += len(rows[i].body) + 512
	}
	c := copying{make([]byte, 0, size)}
	c.begin()
	for i := range rows {
		c.entry(&rows[i])
	}
	c.end()
	_, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(c.b), "COPY tidewaiter.entries ("+newColumns+") FROM STDIN (FORMAT binary)")
	return err
}

func (c *copying) entry(r *entryRow) {
	c.row(13)
	for _, n := range [...]int64{r.seq, r.recorded, r.nameHash, r.keyHead} {
		c.int64(n)
	}
	if r.context == nil {
		c.null()
	} else {
		c.int64(*r.context)
	}
	c.int32(r.sum)
	c.bool(r.trusted)
	for _, b := range [...][]byte{r.kind, r.keyTail, r.salt, r.speaker, r.name, r.body} {
		c.bytes(b)
	}
}
