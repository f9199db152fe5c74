package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrNotProven is wrapped by every error that says: this is well formed, but it does not prove what it should. A text that
// cannot be read at all gives another error.
var ErrNotProven = errors.New("not proven")

// maxSize bounds the size of a tree. No ledger gets there; the arithmetic of tree indexes would overflow a little further on,
// and a text from a stranger may claim any size.
const maxSize = 1 << 60

// Checkpoint is what a log signs: this many entries, and the root of the Merkle tree over them (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string // the log's name, which is also the name of its key
	Size   int64  // number of entries
	Root   tlog.Hash
}

// Body is the text that is signed: origin, size and root, a line each (tlog-checkpoint, "Note text").
func (c Checkpoint) Body() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// Sign signs that the log's tree of this size has this root, and returns the checkpoint's text. Nobody can take it back: two
// signed checkpoints that no consistency proof joins show for ever that the log was rewritten (tlog-checkpoint,
// "Signatures"). So whoever signs first makes sure, with ProveConsistency, that the tree extends the one signed last.
func Sign(s *Signer, size int64, root tlog.Hash) ([]byte, error) {
	c := Checkpoint{Origin: s.Origin(), Size: size, Root: root}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	text, err := note.Sign(&note.Note{Text: c.Body()}, s.keys...)
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint of size %d: %w", size, err)
	}
	return text, nil
}

func (c Checkpoint) check() error {
	switch {
	case c.Size < 0 || c.Size > maxSize:
		return fmt.Errorf("a tree of size %d cannot be: sizes go from 0 to 2^60", c.Size)
	case c.Size == 0 && c.Root != (&Tree{}).Root():
		return fmt.Errorf("the empty tree has one root, SHA-256 of no bytes, and not %v", c.Root)
	}
	return nil
}

// ParseCheckpoint reads a signed checkpoint and checks that the verifier's key signed it and that it is of that key's log.
// Lines after the third are allowed and mean nothing here, and so do the signatures of other keys (witnesses, say). The error
// wraps ErrNotProven when the text is a checkpoint but is not signed by this key, or speaks of another log.
func ParseCheckpoint(text []byte, v note.Verifier) (Checkpoint, error) {
	c, _, err := openCheckpoint(text, v)
	return c, err
}

// openCheckpoint is ParseCheckpoint, and says also whose signature was accepted.
func openCheckpoint(text []byte, v note.Verifier) (c Checkpoint, by note.Signature, err error) {
	if v == nil {
		return c, by, errors.New("a checkpoint can be read only with the log's verifier key, and none was given")
	}
	keys := keysOf(v)
	n, err := note.Open(text, note.VerifierList(keys.verifiers()...))
	if err != nil {
		return c, by, fmt.Errorf("checkpoint: %w", explainNote(err, v))
	}
	if c, err = parseBody(n.Text); err != nil {
		return Checkpoint{}, by, fmt.Errorf("checkpoint of %s: %w", v.Name(), err)
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, by, fmt.Errorf("checkpoint: %w: it is of log %q, and the key is that of %q", ErrNotProven, c.Origin, v.Name())
	}
	if by, err = keys.accepted(n.Sigs, c.Size); err != nil {
		return Checkpoint{}, by, fmt.Errorf("checkpoint: %w", err)
	}
	return c, by, nil
}

// explainNote tells a text that is no signed note from a note that this key did not sign.
func explainNote(err error, v note.Verifier) error {
	if unsigned, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return fmt.Errorf("%w: not signed by %s+%08x, but by %s: %w", ErrNotProven, v.Name(), v.KeyHash(), signers(unsigned.Note), err)
	}
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return fmt.Errorf("%w: it was changed after it was signed, or signed with another key: %w", ErrNotProven, err)
	}
	return fmt.Errorf("this is no signed note (%w): text, an empty line, then signatures that begin with an em dash", err)
}

func signers(n *note.Note) string {
	var names []string
	for _, s := range n.UnverifiedSigs {
		names = append(names, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// ParseBody reads what Body writes: a checkpoint without signatures.
func ParseBody(body string) (Checkpoint, error) {
	c, err := parseBody(body)
	if err == nil && c.Body() != body {
		err = errors.New("it has other lines than origin, size and root")
	}
	return c, err
}

// parseBody reads the text that was signed. What it lets through has one spelling, but for the extension lines.
func parseBody(body string) (Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if len(lines) < 3 {
		return Checkpoint{}, fmt.Errorf("it has %d lines; it needs three: origin, size, root", len(lines))
	}
	for i, line := range lines {
		if line == "" {
			return Checkpoint{}, fmt.Errorf("line %d is empty", i+1)
		}
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("size: %w", err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("root: %w", err)
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	return c, c.check()
}

// parseDecimal reads a number from 0 on in its one spelling: no sign, no leading zeroes.
func parseDecimal(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a decimal number of 63 bits: %w", s, err)
	}
	if n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%q is not a decimal number without sign or leading zeroes", s)
	}
	return n, nil
}

// parseBase64 reads base64 (RFC 4648 section 4) in its one spelling: padded, and no stray bits at the end.
func parseBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%.60q is not base64: %w", s, err)
	}
	if base64.StdEncoding.EncodeToString(b) != s {
		return nil, fmt.Errorf("%.60q is base64 with something in between", s)
	}
	return b, nil
}

func parseHash(s string) (tlog.Hash, error) {
	b, err := parseBase64(s)
	if err != nil {
		return tlog.Hash{}, err
	}
	if len(b) != tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("%.60q is base64 of %d bytes; a hash has %d", s, len(b), tlog.HashSize)
	}
	return tlog.Hash(b), nil
}
