package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/internal/checksum"
	"github.com/tidewaiter/tidewaiter/store/internal/pack"
)

// entryRow is an entry as the table holds it.
type entryRow struct {
	seq      int64
	recorded int64
	trusted  int64
	kind     string
	speaker  string
	name     string
	nameHash int64
	keyHead  int64
	keyTail  []byte
	salt     []byte
	context  int64 // contexts.id, or noContext
	sum      int64
	body     []byte
	erased   int64 // entries.seq, or notErased; then salt is the commitment
	packing  packing
}

// What stands for NULL.
const (
	noContext = -1
	notErased = -1
)

// entryColumns are the columns in the order of scan; COALESCE spares a type for one NULL.
const entryColumns = "seq, recorded, trusted, kind, speaker, name, name_hash, key_head, key_tail, salt, COALESCE(context, -1), sum, body, COALESCE(erased, -1), packing"

const insertEntry = "INSERT INTO entries (seq, recorded, trusted, kind, speaker, name, name_hash, key_head, key_tail, salt, context, sum, body, packing)" +
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

type scanner interface{ Scan(dest ...any) error }

func (r *entryRow) scan(from scanner) error {
	return from.Scan(&r.seq, &r.recorded, &r.trusted, &r.kind, &r.speaker, &r.name, &r.nameHash, &r.keyHead, &r.keyTail, &r.salt,
		&r.context, &r.sum, &r.body, &r.erased, &r.packing)
}

func (r *entryRow) args() []any {
	var context any
	if r.context != noContext {
		context = r.context
	}
	return []any{r.seq, r.recorded, r.trusted, r.kind, r.speaker, r.name, r.nameHash, r.keyHead, r.keyTail, r.salt, context, r.sum, notNil(r.body), r.packing}
}

// checksum is what sum must be.
func (r *entryRow) checksum() int64 {
	var s checksum.Row
	for _, n := range [...]int64{r.seq, r.recorded, r.trusted, r.nameHash, r.keyHead, r.context} {
		s.Number(n)
	}
	s.Text(r.kind)
	s.Text(r.speaker)
	s.Text(r.name)
	s.Bytes(r.keyTail)
	s.Bytes(r.salt)
	s.Bytes(r.body)
	if r.erased != notErased {
		s.Number(r.erased)
	}
	r.packing.sum(&s)
	return int64(s.Value())
}

func newEntryRow(e ledger.Entry, key store.Key, context int64) entryRow {
	r := entryRow{
		seq: e.Seq, recorded: e.Recorded.UnixMicro(), kind: string(e.Kind), speaker: e.Speaker, name: e.Name, nameHash: nameHash(e.Name),
		keyHead: keyHead(key), keyTail: key[8:], salt: e.Salt[:], context: context, body: e.Body, erased: notErased,
	}
	if e.Trusted {
		r.trusted = 1
	}
	r.body, r.packing = packed(pack.Events, e.Body)
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
	body, err := r.packing.unpack(pack.Events, r.body)
	if err != nil {
		return ledger.Entry{}, err
	}
	e := ledger.Entry{
		Seq: r.seq, Kind: ledger.Kind(r.kind), Recorded: time.UnixMicro(r.recorded).UTC(), Trusted: r.trusted == 1,
		Speaker: r.speaker, Name: r.name, Body: body, Salt: [32]byte(r.salt),
	}
	if r.erased != notErased {
		e.Salt, e.Erased = [32]byte{}, &ledger.Erased{Commitment: e.Salt, By: r.erased}
	}
	return e, nil
}

// erase takes the content away.
func (r *entryRow) erase(commitment [32]byte, by int64) {
	r.salt, r.body, r.context, r.erased, r.packing = commitment[:], []byte{}, noContext, by, packing{}
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

func metaSum(name string, value []byte) int64 {
	var s checksum.Row
	s.Text(name)
	s.Bytes(value)
	return int64(s.Value())
}

func viewSum(id int64, name string, cursor int64) int64 {
	var s checksum.Row
	s.Number(id)
	s.Text(name)
	s.Number(cursor)
	return int64(s.Value())
}
