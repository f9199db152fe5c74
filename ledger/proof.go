package ledger

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proofHeader is the first line of a proof (C2SP tlog-proof, "Format").
const proofHeader = "c2sp.org/tlog-proof@v1"

// maxPath is more hashes than any path to a root has: a tree of maxSize is 60 high.
const maxPath = 63

// Proof shows to anybody who has the log's verifier key that a leaf is in the log, without asking the log. Its text is C2SP
// tlog-proof, https://c2sp.org/tlog-proof, which public tools check too; files of it end in .tlog-proof.
//
// What Tidewaiter writes has no extra data: nothing authenticates it, and a proof may be shown to somebody who must not see
// the entry. The entry's content travels beside it, as an Opening.
type Proof struct {
	Extra      []byte           // opaque and not authenticated; nil when there is none
	Index      int64            // the leaf's, which is its entry's Seq
	Hashes     tlog.RecordProof // from the leaf's sibling up to the root's child (RFC 6962 section 2.1.1)
	Checkpoint []byte           // the signed checkpoint, verbatim
}

// Prove makes the proof for one entry under a signed checkpoint from the tree's stored hashes. It checks the proof before it
// hands it out: a damaged tree gives an error here, not a proof that fails in somebody else's hands.
func Prove(r tlog.HashReader, seq int64, checkpoint []byte, v note.Verifier) (Proof, error) {
	c, err := ParseCheckpoint(checkpoint, v)
	if err != nil {
		return Proof{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	if seq < 0 || seq >= c.Size {
		return Proof{}, fmt.Errorf("prove entry %d: the checkpoint speaks of the first %d entries only; sign a new one first", seq, c.Size)
	}
	p := Proof{Index: seq, Checkpoint: bytes.Clone(checkpoint)}
	if p.Hashes, err = tlog.ProveRecord(c.Size, seq, r); err != nil {
		return Proof{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	leaf, err := readHash(r, tlog.StoredHashIndex(0, seq))
	if err != nil {
		return Proof{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	if err := p.leadsTo(c, leaf); err != nil {
		return Proof{}, fmt.Errorf("prove entry %d: the stored tree is damaged: %w; run `tidewaiter log fsck`", seq, err)
	}
	return p, nil
}

func readHash(r tlog.HashReader, index int64) (tlog.Hash, error) {
	h, err := r.ReadHashes([]int64{index})
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("stored hash %d: %w", index, err)
	}
	if len(h) != 1 {
		return tlog.Hash{}, fmt.Errorf("stored hash %d: asked for one, given %d", index, len(h))
	}
	return h[0], nil
}

// Text is the proof as it is written to a file.
func (p Proof) Text() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if len(p.Extra) > 0 {
		fmt.Fprintf(&b, "extra %s\n", base64.StdEncoding.EncodeToString(p.Extra))
	}
	fmt.Fprintf(&b, "index %d\n", p.Index)
	for _, h := range p.Hashes {
		fmt.Fprintf(&b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// ParseProof reads a proof. It refuses every spelling but one, so that Text gives the same bytes again. It checks no
// signature: that is Verify's work.
func ParseProof(text []byte) (Proof, error) {
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != proofHeader {
		return Proof{}, fmt.Errorf("proof: it should begin with the line %q, and begins with %.60q", proofHeader, lines[0])
	}
	if !found || checkpoint == "" {
		return Proof{}, errors.New("proof: no checkpoint follows; an empty line and the signed checkpoint belong at the end")
	}
	p, err := parsePath(lines[1:])
	if err != nil {
		return Proof{}, fmt.Errorf("proof: %w", err)
	}
	p.Checkpoint = []byte(checkpoint)
	return p, nil
}

// parsePath reads the lines between the header and the empty line.
func parsePath(lines []string) (p Proof, err error) {
	if extra, ok := cutLine(&lines, "extra "); ok {
		if p.Extra, err = parseBase64(extra); err != nil {
			return Proof{}, fmt.Errorf("extra: %w", err)
		}
		if len(p.Extra) == 0 {
			return Proof{}, errors.New("extra: the line is left out when there is no extra data")
		}
	}
	index, ok := cutLine(&lines, "index ")
	if !ok {
		return Proof{}, errors.New("the line \"index N\" is missing")
	}
	if p.Index, err = parseDecimal(index); err != nil {
		return Proof{}, fmt.Errorf("index: %w", err)
	}
	if len(lines) > maxPath {
		return Proof{}, fmt.Errorf("%d hashes; no tree is higher than %d", len(lines), maxPath)
	}
	for i, line := range lines {
		h, err := parseHash(line)
		if err != nil {
			return Proof{}, fmt.Errorf("hash %d: %w", i+1, err)
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}

// cutLine takes the first line away when it begins with prefix, and returns the rest of it.
func cutLine(lines *[]string, prefix string) (string, bool) {
	if len(*lines) == 0 {
		return "", false
	}
	rest, ok := strings.CutPrefix((*lines)[0], prefix)
	if ok {
		*lines = (*lines)[1:]
	}
	return rest, ok
}

// Signed returns the proof's checkpoint after checking its signature, as ParseCheckpoint does.
func (p Proof) Signed(v note.Verifier) (Checkpoint, error) { return ParseCheckpoint(p.Checkpoint, v) }

// Verify checks that the log whose key v is signed a tree that has this leaf at the proof's index. The leaf comes from
// Opening.Leaf or LeafHash, never from the proof. Errors wrap ErrNotProven when everything could be read but does not fit.
func (p Proof) Verify(leaf tlog.Hash, v note.Verifier) error {
	c, err := p.Signed(v)
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	return p.leadsTo(c, leaf)
}

func (p Proof) leadsTo(c Checkpoint, leaf tlog.Hash) error {
	if p.Index < 0 || p.Index >= c.Size {
		return fmt.Errorf("%w: the proof is for entry %d, and the checkpoint speaks of %d entries", ErrNotProven, p.Index, c.Size)
	}
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, leaf); err != nil {
		return fmt.Errorf("%w: leaf %v at index %d does not lead to the root %v of size %d (%w)", ErrNotProven, leaf, p.Index, c.Root, c.Size, err)
	}
	return nil
}

// ProveConsistency makes the proof that the tree of one size extends that of a smaller or equal size: nothing was changed or
// taken out in between (RFC 6962 section 2.1.2). From the empty tree on, the proof is empty.
func ProveConsistency(r tlog.HashReader, older, newer int64) (tlog.TreeProof, error) {
	switch {
	case older < 0 || newer > maxSize:
		return nil, fmt.Errorf("prove that a tree of size %d extends that of size %d: sizes go from 0 to 2^60", newer, older)
	case older > newer:
		return nil, fmt.Errorf("prove that a tree of size %d extends that of size %d: a ledger never shrinks", newer, older)
	case older == 0:
		return tlog.TreeProof{}, nil
	}
	p, err := tlog.ProveTree(newer, older, r)
	if err != nil {
		return nil, fmt.Errorf("prove that the tree of size %d extends that of size %d: %w", newer, older, err)
	}
	return p, nil
}

// CheckConsistency checks that one checkpoint extends another of the same log. The error wraps ErrNotProven; when both
// checkpoints are signed and no proof joins them, the log has shown two histories, and the two texts are the evidence.
func CheckConsistency(p tlog.TreeProof, older, newer Checkpoint) error {
	if older.Origin != newer.Origin {
		return fmt.Errorf("%w: the checkpoints are of two logs, %q and %q", ErrNotProven, older.Origin, newer.Origin)
	}
	for _, c := range []Checkpoint{older, newer} {
		if err := c.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrNotProven, err)
		}
	}
	if older.Size == 0 {
		if len(p) > 0 {
			return fmt.Errorf("%w: every tree extends the empty one, by an empty proof; this one has %d hashes", ErrNotProven, len(p))
		}
		return nil
	}
	if err := tlog.CheckTree(p, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("%w: the tree of size %d does not extend that of size %d (%w)", ErrNotProven, newer.Size, older.Size, err)
	}
	return nil
}
