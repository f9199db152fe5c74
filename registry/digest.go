package registry

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/tidewaiter/tidewaiter/store"
)

// Digest sums up a view's rows in the order of their keys: two views with one digest say the same. It returns the number of
// rows and a SHA-256 in hexadecimal.
func Digest(rows store.Rows) (n int64, digest string, err error) {
	h := sha256.New()
	var size [8]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	err = rows.Scan("", func(key string, value []byte) error {
		n++
		put([]byte(key))
		put(value)
		return nil
	})
	return n, hex.EncodeToString(h.Sum(nil)), err
}
