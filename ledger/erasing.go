package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
)

// Erasing is the body of an entry of KindErasure: whose content was destroyed, why, and by which two persons. It has nothing of
// that content. In its place there are Marks, by which somebody who asks for a unit by its name learns that something that was
// told about it is gone, and somebody who does not know the name learns nothing.
type Erasing struct {
	Kind        Kind   `json:"kind"`
	Entries     []Gone `json:"entries"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
	ConfirmedBy string `json:"confirmedBy"`
	MarkKey     digest `json:"markKey"` // random, drawn for this entry
	Seq         int64  `json:"-"`       // of the entry itself
	Recorded    int64  `json:"-"`       // its recorded time, in microseconds since 1970
}

// Gone is one entry whose content was destroyed.
type Gone struct {
	Seq        int64    `json:"seq"`
	Commitment digest   `json:"commitment"` // what the tree holds of it
	Marks      []digest `json:"marks"`      // of the units that it named, sorted
}

// NewErasing begins a record with a random key.
func NewErasing(key [32]byte) Erasing { return Erasing{Kind: KindErasure, MarkKey: key} }

// Add says that an entry is erased which named these units.
func (r *Erasing) Add(e Entry, units []string) {
	g := Gone{Seq: e.Seq, Commitment: Commitment(e), Marks: []digest{}}
	for _, unit := range units {
		g.Marks = append(g.Marks, r.mark(unit))
	}
	slices.SortFunc(g.Marks, func(a, b digest) int { return slices.Compare(a[:], b[:]) })
	r.Entries = append(r.Entries, g)
}

// mark is HMAC-SHA256 of the name under the record's key.
func (r *Erasing) mark(unit string) digest {
	h := hmac.New(sha256.New, r.MarkKey[:])
	h.Write([]byte(unit))
	return digest(h.Sum(nil))
}

// Named lists the entries that named the unit.
func (r *Erasing) Named(unit string) (seqs []int64) {
	want := r.mark(unit)
	for _, g := range r.Entries {
		if slices.Contains(g.Marks, want) {
			seqs = append(seqs, g.Seq)
		}
	}
	return seqs
}

// JSON is the record as an entry's body.
func (r *Erasing) JSON() ([]byte, error) {
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("an erasure: %w", err)
	}
	return text, nil
}

// ParseErasing reads an entry of KindErasure.
func ParseErasing(e Entry) (Erasing, error) {
	var r Erasing
	if err := json.Unmarshal(e.Body, &r, json.RejectUnknownMembers(true)); err != nil {
		return r, fmt.Errorf("entry %d, an erasure: %w", e.Seq, err)
	}
	r.Seq, r.Recorded = e.Seq, e.Recorded.UnixMicro()
	return r, nil
}
