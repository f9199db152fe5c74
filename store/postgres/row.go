package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/internal/checksum"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf is the checksum of numbers and bytes.
func sumOf(fields ...any) int32 {
	var s checksum.Row
	for _, f := range fields {
		switch f := f.(type) {
		case int64:
			s.Number(f)
		case []byte:
			s.Bytes(f)
		}
	}
	return s.Value()
}

// headRow is where the ledger ends, as the table holds it.
type headRow struct {
	size, recorded int64
	tip, token     []byte
	sum            int32
}

const headColumns = "size, recorded, tip, token, sum"

func (h *headRow) dest() []any { return []any{&h.size, &h.recorded, &h.tip, &h.token, &h.sum} }

func (h *headRow) checksum() int32 { return sumOf(h.size, h.recorded, h.tip, h.token) }

func (h *headRow) head() (store.Head, error) {
	if h.checksum() != h.sum || h.size < 0 {
		return store.Head{}, fmt.Errorf("%w: the row that says where the ledger ends does not agree with its checksum; run `tidewaiter log fsck`, then restore from a backup", store.ErrDamaged)
	}
	return store.Head{Size: h.size, Recorded: h.recorded}, nil
}

// entryRow is an entry as the table holds it.
type entryRow struct {
	seq, recorded, nameHash, keyHead int64
	context                          *int64 // contexts.id
	sum                              int32
	trusted                          bool
	kind, keyTail, salt              []byte
	speaker, name, body              []byte
	erased                           *int64 // entries.seq; then salt is the commitment
}

// The columns that a new entry has, and all of them in the order of dest.
const (
	newColumns   = "seq, recorded, name_hash, key_head, context, sum, trusted, kind, key_tail, salt, speaker, name, body"
	entryColumns = newColumns + ", erased"
)

func (r *entryRow) dest() []any {
	return []any{&r.seq, &r.recorded, &r.nameHash, &r.keyHead, &r.context, &r.sum, &r.trusted, &r.kind, &r.keyTail, &r.salt, &r.speaker, &r.name, &r.body, &r.erased}
}

// checksum is what sum must be.
func (r *entryRow) checksum() int32 {
	var s checksum.Row
	context, trusted := int64(-1), int64(0)
	if r.context != nil {
		context = *r.context
	}
	if r.trusted {
		trusted = 1
	}
	for _, n := range [...]int64{r.seq, r.recorded, trusted, r.nameHash, r.keyHead, context} {
		s.Number(n)
	}
	for _, b := range [...][]byte{r.kind, r.speaker, r.name, r.keyTail, r.salt, r.body} {
		s.Bytes(b)
	}
	if r.erased != nil {
		s.Number(*r.erased)
	}
	return s.Value()
}

func newEntryRow(e ledger.Entry, key store.Key, context *int64) entryRow {
	r := entryRow{
		seq: e.Seq, recorded: e.Recorded.UnixMicro(), nameHash: nameHash(e.Name), keyHead: keyHead(key), context: context, trusted: e.Trusted,
		kind: []byte(e.Kind), keyTail: key[8:], salt: e.Salt[:], speaker: []byte(e.Speaker), name: []byte(e.Name), body: e.Body,
	}
	r.sum = r.checksum()
	return r
}

var (
	errChecksum = errors.New("its bytes do not agree with their checksum")
	errMissing  = errors.New("its row is missing")
)

// entry is the entry without its context.
func (r *entryRow) entry() (ledger.Entry, error) {
	switch {
	case r.checksum() != r.sum:
		return ledger.Entry{}, errChecksum
	case len(r.salt) != 32:
		return ledger.Entry{}, fmt.Errorf("its salt has %d bytes", len(r.salt))
	}
	e := ledger.Entry{
		Seq: r.seq, Kind: ledger.Kind(r.kind), Recorded: time.UnixMicro(r.recorded).UTC(), Trusted: r.trusted,
		Speaker: string(r.speaker), Name: string(r.name), Body: notNil(r.body), Salt: [32]byte(r.salt),
	}
	if r.erased != nil {
		e.Salt, e.Erased = [32]byte{}, &ledger.Erased{Commitment: e.Salt, By: *r.erased}
	}
	return e, nil
}

// erase takes the content away.
func (r *entryRow) erase(commitment [32]byte, by int64) {
	r.salt, r.body, r.context, r.erased = commitment[:], []byte{}, nil, &by
	r.sum = r.checksum()
}

// shellHash is what stands as the hash of a context that was erased. Its row stays, empty, so that no other context gets its id,
// by which other processes may remember it.
func shellHash(id int64) []byte {
	h := sha256.Sum256(fmt.Appendf(nil, "tidewaiter/erased-context/v1 %d", id))
	return h[:]
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func nameHash(name string) int64 {
	h := sha256.Sum256([]byte(name))
	return int64(binary.BigEndian.Uint64(h[:8]))
}

func keyHead(key store.Key) int64 { return int64(binary.BigEndian.Uint64(key[:8])) }

// keyBytes is how much of a view row's key its index holds. PostgreSQL's limit is 2,704 bytes.
const keyBytes = 1000

// viewRow is a row of a view as the table holds it.
type viewRow struct {
	sum              int32
	key, value, long []byte
}

const viewRowColumns = "sum, key, value, long"

func (r *viewRow) dest() []any { return []any{&r.sum, &r.key, &r.value, &r.long} }

// full is the whole key.
func (r *viewRow) full() []byte {
	if r.long != nil {
		return r.long
	}
	return r.key
}

// check says whether the row of this view is as it was written.
func (r *viewRow) check(view int64) error {
	if key, long := split(string(r.full())); rowSum(view, r.full(), r.value) != r.sum || string(key) != string(r.key) || (long == nil) != (r.long == nil) {
		return errRowSum
	}
	return nil
}

// split gives what the columns key and long hold of a key.
func split(key string) (indexed, long []byte) {
	if len(key) <= keyBytes {
		return []byte(key), nil
	}
	hash := sha256.Sum256([]byte(key))
	return append([]byte(key[:keyBytes]), hash[:]...), []byte(key)
}

// about is the same for all rows about one thing. Keys begin with words that say which table of a view they belong to, and go on
// with what they are about: unit/X, watch/unit/X and told/X are about X.
func about(key string) int32 {
	for {
		word, rest, found := strings.Cut(key, "/")
		if !found || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
			return int32(crc32.Checksum([]byte(key), castagnoli))
		}
		key = rest
	}
}

func rowSum(view int64, key, value []byte) int32 { return sumOf(view, key, value) }

func metaSum(name string, value []byte) int32 { return sumOf([]byte(name), value) }

func viewSum(id int64, name string, cursor int64, token []byte) int32 {
	return sumOf(id, []byte(name), cursor, token)
}

func leaseSum(name, holder string, until int64) int32 {
	return sumOf([]byte(name), []byte(holder), until)
}
