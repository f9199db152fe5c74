package ledger

import (
	"fmt"
	"time"
)

// Kind says what an entry is.
type Kind string

// The kinds of entry. Events and master data elements come from EPCIS documents and keep the bytes they came with;
// a statement keeps its own too; every other kind is a JSON record of Tidewaiter's own.
const (
	KindEvent      Kind = "event"          // an EPCIS 2.0 event
	KindMasterData Kind = "masterdata"     // one EPCIS VocabularyElement
	KindSweep      Kind = "sweep"          // ledger time moves on although nothing else arrived
	KindKey        Kind = "log-key"        // the log's signing key was replaced
	KindSuccession Kind = "log-succession" // this log goes on where another one ended
	KindErasure    Kind = "erasure"        // the content of other entries was destroyed, see Erasing
	KindHold       Kind = "hold"           // a legal hold: what is under it is not erased
	KindRelease    Kind = "hold-release"   // a legal hold ended
	KindStatement  Kind = "statement"      // a statement that its issuer signed, as it was registered: COSE, and not JSON
	KindIssuer     Kind = "issuer-key"     // a key with which a party's statements are verified was trusted, or is no more
)

// Entry is what the ledger holds: an event or a record, who said it, and when we knew.
//
// Seq is the entry's place in the ledger and its leaf index in the Merkle tree, from 0. Recorded has microsecond
// resolution, is in UTC, and never decreases with Seq.
type Entry struct {
	Seq      int64
	Kind     Kind
	Recorded time.Time
	Trusted  bool     // Recorded was taken from the document, in a ledger begun for history
	Speaker  string   // the party that says it, a canonical URI; empty when nobody could be named
	Name     string   // the event id (EPCIS eventID, or the CBV event hash where none was given), or the element's or record's id
	Context  []byte   // the JSON-LD @context with which Body is read, as received; nil when there was none
	Body     []byte   // the bytes as received
	Salt     [32]byte // random; hides Body from whoever reads the tree only
	Erased   *Erased  // not nil: Context, Body and Salt were destroyed
}

// Erased stands where an entry's content was.
type Erased struct {
	Commitment [32]byte // what the tree holds of the entry, which nobody can compute any more
	By         int64    // Seq of the entry that says who destroyed the content, and why
}

// String is for messages and tests, where a pointer would be printed as an address.
func (e *Erased) String() string {
	if e == nil {
		return "not erased"
	}
	return fmt.Sprintf("erased by entry %d, commitment %x", e.By, e.Commitment)
}
