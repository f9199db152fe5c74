package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Signer signs the checkpoints of one log: with an Ed25519 key, which every tool can check, and, where the log has one, with an
// ML-DSA-44 key beside it, whose signatures a quantum computer cannot forge.
type Signer struct {
	keys  []note.Signer
	vkeys []string
	plain ed25519.PrivateKey // the Ed25519 key, for what is not a signed note
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

// LoadSigner reads a log's signer keys: a line as GenerateKey wrote it and, on a second line, one of GeneratePostQuantumKey, if
// the log has one. Its errors never repeat a key.
func LoadSigner(text string) (*Signer, error) {
	s := new(Signer)
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		load := loadEd25519
		if i > 0 {
			load = loadMLDSA
		}
		key, vkey, err := load(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("signer key, line %d: %w", i+1, err)
		}
		s.keys, s.vkeys = append(s.keys, key), append(s.vkeys, vkey)
	}
	s.plain = privateKey(strings.TrimSpace(strings.SplitN(strings.TrimSpace(text), "\n", 2)[0]))
	switch {
	case len(s.keys) > 2:
		return nil, fmt.Errorf("signer key: %d lines; a log signs with one Ed25519 key and at most one ML-DSA-44 key", len(s.keys))
	case len(s.keys) == 2 && s.keys[0].Name() != s.keys[1].Name():
		return nil, fmt.Errorf("signer key: the lines are of two logs, %s and %s", s.keys[0].Name(), s.keys[1].Name())
	}
	return s, nil
}

func loadEd25519(skey string) (note.Signer, string, error) {
	key, err := note.NewSigner(skey)
	if err != nil {
		return nil, "", fmt.Errorf("%w: it should be one line, PRIVATE+KEY+<origin>+<key id>+<base64>", err)
	}
	if err := CheckOrigin(key.Name()); err != nil {
		return nil, "", err
	}
	vkey, err := verifierKey(skey)
	if err != nil {
		return nil, "", fmt.Errorf("key of %s: %w", key.Name(), err)
	}
	return key, vkey, nil
}

// verifierKey derives the public half of a signer key that note has accepted: algorithm 1 (Ed25519) and a seed of 32 bytes.
func verifierKey(skey string) (string, error) {
	private := privateKey(skey)
	if private == nil {
		return "", errors.New("it is no Ed25519 key")
	}
	return note.NewEd25519VerifierKey(strings.SplitN(skey, "+", 5)[2], ed25519.PublicKey(private[ed25519.SeedSize:]))
}

// privateKey takes the key from a signer key, or is nil when it is none.
func privateKey(skey string) ed25519.PrivateKey {
	parts := strings.SplitN(skey, "+", 5) // base64 may hold a plus sign itself
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 5 || len(key) != 1+ed25519.SeedSize {
		return nil
	}
	return ed25519.NewKeyFromSeed(key[1:])
}

// Origin is the name of the log for which the keys sign.
func (s *Signer) Origin() string { return s.keys[0].Name() }

// VerifierKey is the public half of the Ed25519 key, for everybody who is to check what it signed.
func (s *Signer) VerifierKey() string { return s.vkeys[0] }

// VerifierKeys are the public halves of all keys with which the log signs, the Ed25519 key first.
func (s *Signer) VerifierKeys() []string { return slices.Clone(s.vkeys) }

// With signs with another signer's keys too: the checkpoint with which one key hands over to the next.
func (s *Signer) With(o *Signer) *Signer {
	return &Signer{keys: slices.Concat(s.keys, o.keys), vkeys: slices.Concat(s.vkeys, o.vkeys), plain: s.plain}
}

// LoadVerifier reads a verifier key (vkey) of a log, such as VerifierKeys returns.
func LoadVerifier(vkey string) (note.Verifier, error) {
	vkey = strings.TrimSpace(vkey)
	if k, err := parseVKey(vkey); err == nil && k.algorithm == algMLDSA44 {
		return k.mldsa()
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("verifier key %.200q (%w): it should be one line, <origin>+<key id>+<base64>", vkey, err)
	}
	return v, nil
}
