package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"
)

// Opening opens an entry's commitment: all that is hashed into it, the salt included, so that a stranger who is handed one
// computes the leaf hash without us and, with a Proof, finds it in the signed tree.
//
// Its JSON has the first eight of these members, and then either context and body or both digests:
//
//	commitment     "tidewaiter/entry/v1": how the commitment is computed, see Commitment
//	seq            number
//	kind           string
//	recorded       RFC 3339, UTC, six decimals: "2026-03-01T09:30:00.000000Z"
//	trusted        boolean
//	speaker        string, possibly empty
//	name           string, possibly empty
//	salt           64 hexadecimal digits
//	context        the bytes as received, in base64; left out when there was none
//	body           the bytes as received, in base64
//	contextSHA256  64 hexadecimal digits: the content is withheld
//	bodySHA256     64 hexadecimal digits
//
// Body is base64, although most of the time it is JSON: what was committed to is these bytes, and a JSON value inside JSON
// loses them (spaces, escapes, the spelling of numbers) on its first way through somebody's parser.
type Opening struct {
	Entry    Entry    // without Context and Body when they are withheld
	Withheld *Digests // nil when the content is there
}

// Digests stand in an opening for the content that it withholds.
type Digests struct {
	Context [32]byte // SHA-256; of no bytes when there was none
	Body    [32]byte
}

// Open opens an entry, content included.
func Open(e Entry) Opening {
	e.Recorded = time.UnixMicro(e.Recorded.UnixMicro()).UTC() // what the commitment holds of it
	if e.Body == nil && e.Erased == nil {
		e.Body = []byte{}
	}
	return Opening{Entry: e}
}

// Redact withholds the content: the opening still proves who said when that there is something by this name, and it proves
// the content of a document that somebody holds already.
//
// The digests are not salted. Who is handed a redacted opening and can guess the whole body, byte for byte, can confirm the
// guess; a body with nothing in it that is hard to guess is not kept secret by this.
func (o Opening) Redact() Opening {
	if o.Withheld != nil {
		return o
	}
	o.Withheld = &Digests{Context: sha256.Sum256(o.Entry.Context), Body: sha256.Sum256(o.Entry.Body)}
	o.Entry.Context, o.Entry.Body = nil, nil
	return o
}

// Leaf computes the entry's leaf hash, which a Proof is verified with.
func (o Opening) Leaf() (tlog.Hash, error) {
	if err := o.check(); err != nil {
		return tlog.Hash{}, fmt.Errorf("opening of entry %d: %w", o.Entry.Seq, err)
	}
	if o.Withheld == nil {
		return LeafHash(o.Entry), nil
	}
	c := commit(o.Entry, o.Withheld.Context, o.Withheld.Body)
	return tlog.RecordHash(c[:]), nil
}

func (o Opening) check() error {
	switch {
	case o.Entry.Erased != nil:
		return fmt.Errorf("it was erased, as entry %d says: nothing is left to open", o.Entry.Erased.By)
	case o.Entry.Seq < 0:
		return fmt.Errorf("seq is %d; entries are numbered from 0", o.Entry.Seq)
	case o.Entry.Recorded.Nanosecond()%1000 != 0:
		return fmt.Errorf("recorded time %v is finer than a microsecond", o.Entry.Recorded)
	case o.Withheld != nil && (o.Entry.Body != nil || o.Entry.Context != nil):
		return errors.New("it holds both the content and the digests that stand for it; keep one of them")
	case o.Withheld == nil && o.Entry.Body == nil:
		return errors.New("it holds neither the body nor its digest")
	}
	return o.Entry.Validate()
}

// recordedLayout is RFC 3339 with the one number of decimals that an opening has.
const recordedLayout = "2006-01-02T15:04:05.000000Z"

// openingJSON is an opening as it is written. Pointers tell a member that is missing from one that is zero.
type openingJSON struct {
	Commitment    string  `json:"commitment"`
	Seq           *int64  `json:"seq"`
	Kind          *Kind   `json:"kind"`
	Recorded      *string `json:"recorded"`
	Trusted       *bool   `json:"trusted"`
	Speaker       *string `json:"speaker"`
	Name          *string `json:"name"`
	Salt          *digest `json:"salt"`
	Context       []byte  `json:"context,omitzero"`
	Body          []byte  `json:"body,omitzero"`
	ContextSHA256 *digest `json:"contextSHA256,omitzero"`
	BodySHA256    *digest `json:"bodySHA256,omitzero"`
}

// digest is 32 bytes in lower-case hexadecimal, as sha256sum prints them.
type digest [32]byte

// MarshalText writes 64 digits.
func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText writes, and nothing else.
func (d *digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != string(text) {
		return fmt.Errorf("%.80q is not 64 lower-case hexadecimal digits", text)
	}
	*d = digest(b)
	return nil
}

// MarshalJSON writes the opening as Opening describes it. It refuses what Leaf refuses.
func (o Opening) MarshalJSON() ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("opening of entry %d: %w", o.Entry.Seq, err)
	}
	e := o.Entry
	recorded := e.Recorded.UTC().Format(recordedLayout)
	j := openingJSON{
		Commitment: commitmentDomain, Seq: &e.Seq, Kind: &e.Kind, Recorded: &recorded, Trusted: &e.Trusted,
		Speaker: &e.Speaker, Name: &e.Name, Salt: (*digest)(&e.Salt), Context: e.Context, Body: e.Body,
	}
	if w := o.Withheld; w != nil {
		j.ContextSHA256, j.BodySHA256 = (*digest)(&w.Context), (*digest)(&w.Body)
	}
	return json.Marshal(&j)
}

// UnmarshalJSON reads an opening and refuses members that it does not know, that are missing or that are there twice.
func (o *Opening) UnmarshalJSON(text []byte) error {
	var j openingJSON
	if err := json.Unmarshal(text, &j, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	read, err := j.opening()
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	*o = read
	return nil
}

func (j *openingJSON) opening() (Opening, error) {
	if j.Commitment != commitmentDomain {
		return Opening{}, fmt.Errorf("commitment is %q; this version knows %q only", j.Commitment, commitmentDomain)
	}
	if j.Seq == nil || j.Kind == nil || j.Recorded == nil || j.Trusted == nil || j.Speaker == nil || j.Name == nil || j.Salt == nil {
		return Opening{}, errors.New("seq, kind, recorded, trusted, speaker, name and salt must all be there")
	}
	if (j.ContextSHA256 == nil) != (j.BodySHA256 == nil) {
		return Opening{}, errors.New("contextSHA256 and bodySHA256 come together: context and body are withheld together")
	}
	recorded, err := time.Parse(recordedLayout, *j.Recorded)
	if err != nil || recorded.Format(recordedLayout) != *j.Recorded {
		return Opening{}, fmt.Errorf("recorded is %q; it should look like 2026-03-01T09:30:00.000000Z", *j.Recorded)
	}
	o := Opening{Entry: Entry{
		Seq: *j.Seq, Kind: *j.Kind, Recorded: recorded, Trusted: *j.Trusted, Speaker: *j.Speaker, Name: *j.Name,
		Context: j.Context, Body: j.Body, Salt: *j.Salt,
	}}
	if j.BodySHA256 != nil {
		o.Withheld = &Digests{Context: *j.ContextSHA256, Body: *j.BodySHA256}
	}
	return o, o.check()
}

// ParseOpening reads an opening from its JSON.
func ParseOpening(text []byte) (Opening, error) {
	var o Opening
	if err := json.Unmarshal(text, &o); err != nil {
		return Opening{}, err
	}
	return o, nil
}
