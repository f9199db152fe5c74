package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// commitmentDomain begins every commitment, so that its hash can never be that of something else.
const commitmentDomain = "tidewaiter/entry/v1"

// Commitment is what the Merkle tree holds of an entry: 32 bytes that bind all of it and, by its salt, tell nothing of it.
//
// It is the SHA-256 of ten fields, one after the other, each written as its length in bytes (unsigned, 8 bytes, big-endian)
// and then its bytes:
//
//	 1  the ASCII text tidewaiter/entry/v1
//	 2  Seq, unsigned, 8 bytes, big-endian
//	 3  Kind, UTF-8
//	 4  Recorded in microseconds since 1970-01-01T00:00:00Z, two's complement, 8 bytes, big-endian
//	 5  Trusted, one byte, 00 or 01
//	 6  Speaker, UTF-8
//	 7  Name, UTF-8
//	 8  the SHA-256 of Context (of no bytes when there is none), 32 bytes
//	 9  the SHA-256 of Body, 32 bytes
//	10  Salt, 32 bytes
//
// Every field says its length, so two different entries never give the same input. The 32 bytes of the commitment are the
// tree's record: its leaf hash is SHA-256(0x00 || commitment), RFC 6962 section 2.1. Test vectors are in testdata/vectors.
//
// Of an erased entry it is the one that was kept.
func Commitment(e Entry) [32]byte {
	if e.Erased != nil {
		return e.Erased.Commitment
	}
	return commit(e, sha256.Sum256(e.Context), sha256.Sum256(e.Body))
}

// commit is Commitment for somebody who has the digests only.
func commit(e Entry, context, body [32]byte) [32]byte {
	b := make([]byte, 0, 512)
	b = appendField(b, commitmentDomain)
	b = appendField(b, binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	b = appendField(b, e.Kind)
	b = appendField(b, binary.BigEndian.AppendUint64(nil, uint64(e.Recorded.UnixMicro())))
	trusted := []byte{0}
	if e.Trusted {
		trusted[0] = 1
	}
	b = appendField(b, trusted)
	b = appendField(b, e.Speaker)
	b = appendField(b, e.Name)
	b = appendField(b, context[:])
	b = appendField(b, body[:])
	b = appendField(b, e.Salt[:])
	return sha256.Sum256(b)
}

func appendField[T ~string | ~[]byte](b []byte, field T) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
	return append(b, field...)
}

// LeafHash is the entry's leaf in the tree.
func LeafHash(e Entry) tlog.Hash {
	c := Commitment(e)
	return tlog.RecordHash(c[:])
}

// Bounds of Recorded: what RFC 3339 can write, so that every entry can be opened in a proof.
var (
	minRecorded = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	maxRecorded = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
)

// Validate says why an entry cannot be kept. Every store asks before it appends: what Validate lets through can be committed
// to, opened in a proof, and read again unchanged.
func (e Entry) Validate() error {
	switch {
	case e.Kind == "":
		return errors.New("an entry needs a kind")
	case !utf8.ValidString(string(e.Kind)), !utf8.ValidString(e.Speaker), !utf8.ValidString(e.Name):
		return fmt.Errorf("kind, speaker and name must be UTF-8: %q, %q, %q", e.Kind, e.Speaker, e.Name)
	case e.Recorded.Before(minRecorded), e.Recorded.After(maxRecorded):
		return fmt.Errorf("recorded time %v lies outside the years 0 to 9999", e.Recorded)
	}
	return nil
}

// DamagedError is what reading entries gives when one that was kept can no longer be read.
type DamagedError struct {
	Seq int64
	Err error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("entry %d is damaged: %v; run `tidewaiter log fsck`, then restore from a backup", e.Seq, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }
