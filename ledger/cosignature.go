package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/mldsa"
	"golang.org/x/mod/sumdb/note"
)

// The algorithms that are known by a byte at the beginning of a key (C2SP signed-note, "Signatures", and tlog-cosignature).
const (
	algCosignature = 0x04 // Ed25519 by a witness, with a time
	algMLDSA44     = 0x06 // ML-DSA-44 by a witness or a log, with a time or 0
)

// stampSize is the length of the time with which both kinds of cosignature begin.
const stampSize = 8

// vkeyParts is a verifier key taken apart.
type vkeyParts struct {
	name      string
	hash      uint32
	algorithm byte
	key       []byte
}

func parseVKey(vkey string) (k vkeyParts, err error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return k, errors.New("it should be one line, <name>+<key id>+<base64>")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) < 2 {
		return k, errors.New("its third part should be base64 of the key")
	}
	k = vkeyParts{name: parts[0], hash: keyHash(parts[0], raw), algorithm: raw[0], key: raw[1:]}
	if k.name == "" || parts[1] != fmt.Sprintf("%08x", k.hash) {
		return k, fmt.Errorf("its key id should be %08x: part of it was lost or changed", k.hash)
	}
	return k, nil
}

func keyHash(name string, raw []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return binary.BigEndian.Uint32(sum[:])
}

func formatVKey(name string, algorithm byte, key []byte) string {
	raw := append([]byte{algorithm}, key...)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, raw), base64.StdEncoding.EncodeToString(raw))
}

// verifier is a key that checks signatures of one kind.
type verifier struct {
	name   string
	hash   uint32
	verify func(msg, sig []byte) bool
}

func (v *verifier) Name() string                { return v.name }
func (v *verifier) KeyHash() uint32             { return v.hash }
func (v *verifier) Verify(msg, sig []byte) bool { return v.verify(msg, sig) }

// LoadCosigner reads the verifier key of a witness: Ed25519 (type 04) or ML-DSA-44 (type 06), C2SP tlog-cosignature.
func LoadCosigner(vkey string) (note.Verifier, error) {
	k, err := parseVKey(strings.TrimSpace(vkey))
	if err != nil {
		return nil, fmt.Errorf("witness key %.200q: %w", vkey, err)
	}
	switch k.algorithm {
	case algCosignature:
		return k.cosigner()
	case algMLDSA44:
		return k.mldsa()
	}
	return nil, fmt.Errorf("witness key of %s: it is of type %02x; a witness has a key of type 04 (Ed25519) or 06 (ML-DSA-44)", k.name, k.algorithm)
}

func (k vkeyParts) cosigner() (note.Verifier, error) {
	if len(k.key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key of %s: an Ed25519 key has %d bytes, and this one %d", k.name, ed25519.PublicKeySize, len(k.key))
	}
	return &verifier{name: k.name, hash: k.hash, verify: func(msg, sig []byte) bool {
		if len(sig) != stampSize+ed25519.SignatureSize {
			return false
		}
		signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
		return ed25519.Verify(k.key, []byte(signed), sig[stampSize:])
	}}, nil
}

func (k vkeyParts) mldsa() (note.Verifier, error) {
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), k.key)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", k.name, err)
	}
	return &verifier{name: k.name, hash: k.hash, verify: func(msg, sig []byte) bool {
		if len(sig) != stampSize+mldsa.MLDSA44SignatureSize {
			return false
		}
		signed, err := cosignedMessage(k.name, binary.BigEndian.Uint64(sig), string(msg))
		return err == nil && mldsa.Verify(key, signed, sig[stampSize:], nil) == nil
	}}, nil
}

// cosignedMessage is what ML-DSA-44 signs of a checkpoint (tlog-cosignature, "ML-DSA-44 signed message"). Extension lines are
// no part of it.
func cosignedMessage(name string, stamp uint64, body string) ([]byte, error) {
	c, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	if len(name) > 255 || len(c.Origin) > 255 {
		return nil, errors.New("a name of more than 255 bytes cannot be signed with ML-DSA-44")
	}
	b := []byte("subtree/v1\n\x00")
	b = append(append(b, byte(len(name))), name...)
	b = binary.BigEndian.AppendUint64(b, stamp)
	b = append(append(b, byte(len(c.Origin))), c.Origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Size))
	return append(b, c.Root[:]...), nil
}

// CosignedAt is when a verified cosignature was made, by the witness's own clock; the zero time when it does not say.
func CosignedAt(sig note.Signature) time.Time {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) < 4+stampSize {
		return time.Time{}
	}
	seconds := binary.BigEndian.Uint64(raw[4:])
	if seconds == 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// GeneratePostQuantumKey makes an ML-DSA-44 key for a log, to sign beside its Ed25519 key, from 32 bytes of rand. The keys are
// written as GenerateKey's are, with type 06.
func GeneratePostQuantumKey(origin string, rand io.Reader) (skey, vkey string, err error) {
	if err := CheckOrigin(origin); err != nil {
		return "", "", err
	}
	seed := make([]byte, mldsa.PrivateKeySize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return "", "", fmt.Errorf("make a signing key for %s: %w", origin, err)
	}
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed)
	if err != nil {
		return "", "", fmt.Errorf("make a signing key for %s: %w", origin, err)
	}
	vkey = formatVKey(origin, algMLDSA44, key.PublicKey().Bytes())
	id := strings.Split(vkey, "+")[1]
	return "PRIVATE+KEY+" + origin + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{algMLDSA44}, seed...)), vkey, nil
}

// mldsaSigner signs checkpoints with ML-DSA-44. It states no time: that is what witnesses are for.
type mldsaSigner struct {
	name string
	hash uint32
	key  *mldsa.PrivateKey
}

func (s *mldsaSigner) Name() string    { return s.name }
func (s *mldsaSigner) KeyHash() uint32 { return s.hash }

// Sign signs the body of a checkpoint; the same body gives the same signature.
func (s *mldsaSigner) Sign(msg []byte) ([]byte, error) {
	signed, err := cosignedMessage(s.name, 0, string(msg))
	if err != nil {
		return nil, err
	}
	sig, err := s.key.SignDeterministic(signed, nil)
	if err != nil {
		return nil, err
	}
	return append(make([]byte, stampSize), sig...), nil
}

// loadMLDSA reads a signer key of type 06.
func loadMLDSA(skey string) (note.Signer, string, error) {
	parts := strings.SplitN(skey, "+", 5)
	if len(parts) != 5 || parts[0] != "PRIVATE" || parts[1] != "KEY" {
		return nil, "", errors.New("it should be PRIVATE+KEY+<origin>+<key id>+<base64>")
	}
	name := parts[2]
	if err := CheckOrigin(name); err != nil {
		return nil, "", err
	}
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+mldsa.PrivateKeySize || raw[0] != algMLDSA44 {
		return nil, "", errors.New("it is no ML-DSA-44 key")
	}
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), raw[1:])
	if err != nil {
		return nil, "", err
	}
	vkey := formatVKey(name, algMLDSA44, key.PublicKey().Bytes())
	k, err := parseVKey(vkey)
	if err != nil || parts[3] != fmt.Sprintf("%08x", k.hash) {
		return nil, "", errors.New("its key id is not that of the key: part of it was lost or changed")
	}
	return &mldsaSigner{name: name, hash: k.hash, key: key}, vkey, nil
}
