package ledger

import (
	"crypto/sha256"
	"fmt"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Receipt is what a person hands to a stranger: an entry, opened, and the proof that it is in the log. It is JSON with two
// members: proof, the text of a tlog-proof, and opening.
type Receipt struct {
	Proof   string  `json:"proof"`
	Opening Opening `json:"opening"`
}

// Issue makes the receipt of an entry as the store gave it, under a signed checkpoint. It verifies the receipt before it
// hands it out, so an entry that was changed since it was recorded gets none.
func Issue(r tlog.HashReader, e Entry, checkpoint []byte, v note.Verifier) (Receipt, error) {
	p, err := Prove(r, e.Seq, checkpoint, v)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{Proof: string(p.Text()), Opening: Open(e)}
	if _, err := VerifyReceipt(receipt, v); err != nil {
		return Receipt{}, fmt.Errorf("entry %d is not what was recorded: %w; run `tidewaiter log fsck`", e.Seq, err)
	}
	return receipt, nil
}

// Redact withholds the entry's content and keeps the proof.
func (r Receipt) Redact() Receipt {
	r.Opening = r.Opening.Redact()
	return r
}

// ParseReceipt reads a receipt from its JSON. It verifies nothing.
func ParseReceipt(text []byte) (Receipt, error) {
	var r Receipt
	if err := json.Unmarshal(text, &r, json.RejectUnknownMembers(true)); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	if r.Proof == "" {
		return Receipt{}, fmt.Errorf("receipt: the member \"proof\" is missing")
	}
	if err := r.Opening.check(); err != nil { // also when the member is missing
		return Receipt{}, fmt.Errorf("receipt: opening: %w", err)
	}
	return r, nil
}

// Verdict is what verifying a receipt showed.
type Verdict struct {
	Checkpoint Checkpoint // the signed one
	Entry      Entry      // what the log holds; without Context and Body when the receipt withholds them
	Checked    []string   // what held, a sentence each, in the order in which it was checked
}

func (d *Verdict) held(format string, args ...any) {
	d.Checked = append(d.Checked, fmt.Sprintf(format, args...))
}

// VerifyReceipt checks, from the receipt and the log's verifier key alone, that the log whose key it is recorded this entry,
// at this place and time, from this speaker. When something does not hold, the verdict says what held before it, and the
// error what did not; the error wraps ErrNotProven unless the receipt could not be read.
//
// It does not show that what the speaker said is true, nor that the log shows everybody the same tree: for that, compare its
// checkpoint with those that others hold (CheckConsistency).
func VerifyReceipt(r Receipt, v note.Verifier) (Verdict, error) {
	var d Verdict
	p, err := ParseProof([]byte(r.Proof))
	if err != nil {
		return d, fmt.Errorf("receipt: %w", err)
	}
	c, by, err := openCheckpoint(p.Checkpoint, v)
	if err != nil {
		return d, fmt.Errorf("receipt: %w", err)
	}
	d.Checkpoint = c
	d.held("the checkpoint over %d entries is signed by %s+%08x, the key of the log %s", c.Size, by.Name, by.Hash, c.Origin)
	leaf, err := r.Opening.Leaf()
	if err != nil {
		return d, fmt.Errorf("receipt: %w", err)
	}
	if e := r.Opening.Entry; e.Seq != p.Index {
		return d, fmt.Errorf("receipt: %w: the opening is of entry %d, and the proof is for entry %d", ErrNotProven, e.Seq, p.Index)
	}
	d.held("the opening and the proof are of the same entry, %d, whose leaf hash is %v", p.Index, leaf)
	if err := p.leadsTo(c, leaf); err != nil {
		return d, fmt.Errorf("receipt: %w", err)
	}
	d.Entry = r.Opening.Entry
	d.held("the leaf leads to the signed root %v by %d hashes: the log holds the entry", c.Root, len(p.Hashes))
	d.content(r.Opening)
	return d, nil
}

// content says last what the entry is, now that it is proven.
func (d *Verdict) content(o Opening) {
	e := o.Entry
	speaker := e.Speaker
	if speaker == "" {
		speaker = "nobody named"
	}
	when := e.Recorded.Format(recordedLayout)
	if e.Trusted {
		when += " by the document's own account"
	}
	d.held("the entry is of kind %q, named %q, said by %s, recorded at %s", e.Kind, e.Name, speaker, when)
	if o.Withheld != nil {
		d.held("its content is withheld: a body whose SHA-256 is %x, and which was not seen here", o.Withheld.Body)
		return
	}
	d.held("its content is complete: a body of %d bytes, SHA-256 %x", len(e.Body), sha256.Sum256(e.Body))
}
