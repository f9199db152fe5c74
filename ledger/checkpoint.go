package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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

// Signer signs the checkpoints of one log.
type Signer struct {
	key  note.Signer
	vkey string
}

// GenerateKey makes a key pair for a log: the signer key, which is secret and which LoadSigner reads, and the verifier key
// (vkey), which is for everybody. Both are one line of text in the form of C2SP signed-note and golang.org/x/mod/sumdb/note.
// The key is Ed25519, made from 32 bytes of rand, which must be a cryptographic source.
func GenerateKey(origin string, rand io.Reader) (skey, vkey string, err error) {
	if err := CheckOrigin(origin); err != nil {
		return "", "", err
	}
	if skey, vkey, err = note.GenerateKey(rand, origin); err != nil {
		return "", "", fmt.Errorf("make a signing key for %s: %w", origin, err)
	}
	return skey, vkey, nil
}

// CheckOrigin says why a text cannot name a log. An origin is a URL without its scheme, such as tidewaiter.example/log, that
// nobody else uses; it names the log's key too, so it has neither spaces nor plus signs (signed-note, "Format").
func CheckOrigin(origin string) error {
	unfit := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' }
	switch {
	case origin == "":
		return errors.New("a log needs an origin, such as tidewaiter.example/log")
	case !utf8.ValidString(origin):
		return fmt.Errorf("origin %q is not UTF-8", origin)
	case strings.ContainsFunc(origin, unfit):
		return fmt.Errorf("origin %q holds a space, a control character or a plus sign; write it as in tidewaiter.example/log", origin)
	case strings.Contains(origin, "://"):
		return fmt.Errorf("origin %q begins with a scheme; write it without, as in tidewaiter.example/log", origin)
	}
	return nil
}

// LoadSigner reads a signer key as GenerateKey wrote it. Its errors never repeat the key.
func LoadSigner(skey string) (*Signer, error) {
	skey = strings.TrimSpace(skey)
	key, err := note.NewSigner(skey)
	if err != nil {
		return nil, fmt.Errorf("signer key (%w): it should be one line, PRIVATE+KEY+<origin>+<key id>+<base64>", err)
	}
	if err := CheckOrigin(key.Name()); err != nil {
		return nil, fmt.Errorf("signer key: %w", err)
	}
	vkey, err := verifierKey(skey)
	if err != nil {
		return nil, fmt.Errorf("signer key of %s: %w", key.Name(), err)
	}
	return &Signer{key: key, vkey: vkey}, nil
}

// verifierKey derives the public half of a signer key that note has accepted: algorithm 1 (Ed25519) and a seed of 32 bytes.
func verifierKey(skey string) (string, error) {
	parts := strings.SplitN(skey, "+", 5) // base64 may hold a plus sign itself
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 5 || len(key) != 1+ed25519.SeedSize {
		return "", errors.New("it is no Ed25519 key")
	}
	private := ed25519.NewKeyFromSeed(key[1:])
	return note.NewEd25519VerifierKey(parts[2], ed25519.PublicKey(private[ed25519.SeedSize:]))
}

// Origin is the name of the log for which the key signs.
func (s *Signer) Origin() string { return s.key.Name() }

// VerifierKey is the public half, for everybody who is to check what this key signed.
func (s *Signer) VerifierKey() string { return s.vkey }

// LoadVerifier reads a verifier key (vkey), such as VerifierKey returns.
func LoadVerifier(vkey string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return nil, fmt.Errorf("verifier key %q (%w): it should be one line, <origin>+<key id>+<base64>", vkey, err)
	}
	return v, nil
}

// Sign signs that the log's tree of this size has this root, and returns the checkpoint's text. Nobody can take it back: two
// signed checkpoints that no consistency proof joins show for ever that the log was rewritten (tlog-checkpoint,
// "Signatures"). So whoever signs first makes sure, with ProveConsistency, that the tree extends the one signed last.
func Sign(s *Signer, size int64, root tlog.Hash) ([]byte, error) {
	c := Checkpoint{Origin: s.Origin(), Size: size, Root: root}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	text, err := note.Sign(&note.Note{Text: c.Body()}, s.key)
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
	if v == nil {
		return Checkpoint{}, errors.New("a checkpoint can be read only with the log's verifier key, and none was given")
	}
	n, err := note.Open(text, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", explainNote(err, v))
	}
	c, err := parseBody(n.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint of %s: %w", v.Name(), err)
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w: it is of log %q, and the key is that of %q", ErrNotProven, c.Origin, v.Name())
	}
	return c, nil
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
