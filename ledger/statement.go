package ledger

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// Statement is a signed statement as SCITT has it (RFC 9943): a COSE_Sign1 whose protected header says who states what about what. The
// ledger knows nothing of what the payload means.
type Statement struct {
	Algorithm int64
	KeyID     []byte // nil when there is none
	Issuer    string // the claim iss: a party
	Subject   string // the claim sub: what it is about
	Payload   []byte

	protected, signature []byte
}

// StatementError says why a statement is not taken. Title is one of those that SCITT Reference APIs names, or as short.
type StatementError struct{ Title, Detail string }

func (e *StatementError) Error() string { return e.Title + ": " + e.Detail }

func noStatement(title, format string, args ...any) error {
	return &StatementError{title, fmt.Sprintf(format, args...)}
}

// The titles of errors.
const (
	BadStatement = "Malformed request"
	BadAlgorithm = "Bad Signature Algorithm"
	NoPayload    = "Payload Missing"
	NotTrusted   = "Rejected"
)

// MaxStatement is the size of the largest statement that is taken.
const MaxStatement = 1 << 20

// More numbers of COSE.
const (
	coseCrit, coseX5Chain, coseX5T = 2, 33, 34
	coseReceipts                   = 394
	keyEC2, keyY                   = 2, -3
)

// ParseStatement reads a signed statement. It checks its form and no signature.
func ParseStatement(text []byte) (*Statement, error) {
	if len(text) > MaxStatement {
		return nil, noStatement(BadStatement, "a statement has at most %d bytes; state a digest of what is larger", MaxStatement)
	}
	r := cborReader{rest: text}
	s, err := r.sign1()
	if err == nil && len(r.rest) > 0 {
		err = fmt.Errorf("%d bytes follow it", len(r.rest))
	}
	if err != nil {
		return nil, noStatement(BadStatement, "it is no COSE_Sign1 (RFC 9052) with tag 18: %v", err)
	}
	if err := s.readHeader(); err != nil {
		return nil, err
	}
	if s.Payload == nil {
		return nil, noStatement(NoPayload, "the payload must be there, and not detached")
	}
	if s.Issuer == "" || s.Subject == "" {
		return nil, noStatement(BadStatement, "the protected header must have CWT Claims (15) with iss (1) and sub (2)")
	}
	return s, nil
}

// sign1 reads the four parts. What the unprotected header holds does not matter: nobody signed it.
func (r *cborReader) sign1() (*Statement, error) {
	if tag, err := r.expect(majorTag); err != nil || tag != tagSign1 {
		return nil, errors.Join(err, errors.New("the tag is missing"))
	}
	if n, err := r.expect(majorArray); err != nil || n != 4 {
		return nil, errors.Join(err, errors.New("it should be an array of four"))
	}
	s := &Statement{}
	var err error
	if s.protected, err = r.bytes(); err != nil {
		return nil, fmt.Errorf("protected header: %w", err)
	}
	if err := r.each(func(int64, string) error { return r.skip(maxDepth) }); err != nil {
		return nil, fmt.Errorf("unprotected header: %w", err)
	}
	if !r.null() {
		if s.Payload, err = r.bytes(); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
	}
	if s.signature, err = r.bytes(); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return s, nil
}

// readHeader reads the protected header. What is critical to the issuer must be understood here.
func (s *Statement) readHeader() error {
	r := cborReader{rest: s.protected}
	err := r.each(func(label int64, name string) (err error) {
		switch {
		case name != "":
			return r.skip(maxDepth)
		case label == coseAlg:
			s.Algorithm, err = r.integer()
		case label == coseKid:
			s.KeyID, err = r.bytes()
		case label == coseClaims:
			err = s.readClaims(&r)
		case label == coseCrit:
			return r.eachItem(func() error {
				if n, err := r.integer(); err != nil || n != coseAlg && n != coseKid && n != coseClaims {
					return errors.New("crit names a header that is not understood here")
				}
				return nil
			})
		case label == coseX5Chain || label == coseX5T:
			return errors.New("certificates are not taken here: a key that the issuer is trusted with is")
		default:
			return r.skip(maxDepth)
		}
		return err
	})
	if err == nil && len(r.rest) > 0 {
		err = errors.New("something follows it")
	}
	if err != nil {
		return noStatement(BadStatement, "the protected header: %v", err)
	}
	if _, ok := algorithms[s.Algorithm]; !ok {
		return noStatement(BadAlgorithm, "the algorithm %d is not known here; Ed25519 (-8, -19) and ECDSA (-7, -9, -35, -51, -36, -52) are", s.Algorithm)
	}
	return nil
}

func (s *Statement) readClaims(r *cborReader) error {
	return r.each(func(label int64, name string) (err error) {
		switch {
		case name == "" && label == claimIss:
			s.Issuer, err = r.text()
		case name == "" && label == claimSub:
			s.Subject, err = r.text()
		default:
			err = r.skip(maxDepth)
		}
		return err
	})
}

// Bytes is the statement as it is registered: with an empty unprotected header, so that nothing goes along that nobody signed.
func (s *Statement) Bytes() []byte { return s.with(cborMap()) }

// Transparent is the statement with a receipt (RFC 9943, "Transparent Statements").
func (s *Statement) Transparent(receipt []byte) []byte {
	return s.with(cborMap(cborInt(coseReceipts), cborArray(cborBytes(receipt))))
}

func (s *Statement) with(unprotected []byte) []byte {
	return append(cborHead(majorTag, tagSign1), cborArray(cborBytes(s.protected), unprotected, cborBytes(s.Payload), cborBytes(s.signature))...)
}

// algorithm is what a signature algorithm of COSE needs: a curve and a digest, or neither for Ed25519.
type algorithm struct {
	curve  elliptic.Curve
	digest func([]byte) []byte
}

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
func sum384(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
func sum512(b []byte) []byte { s := sha512.Sum512(b); return s[:] }

// algorithms are those that are taken (RFC 9053, and fully specified RFC 9864). Each has one curve here.
var algorithms = map[int64]algorithm{
	-8: {}, -19: {},
	-7: {elliptic.P256(), sum256}, -9: {elliptic.P256(), sum256},
	-35: {elliptic.P384(), sum384}, -51: {elliptic.P384(), sum384},
	-36: {elliptic.P521(), sum512}, -52: {elliptic.P521(), sum512},
}

// Signed is what the issuer signed (RFC 9052 section 4.4): all of the statement but the signature, of which there may be several for one
// statement.
func (s *Statement) Signed() []byte {
	return cborArray(cborText("Signature1"), cborBytes(s.protected), cborBytes(nil), cborBytes(s.Payload))
}

// Verify says whether the key signed the statement. The error wraps ErrNotProven when not.
func (s *Statement) Verify(key crypto.PublicKey) error {
	signed := s.Signed()
	alg := algorithms[s.Algorithm]
	switch key := key.(type) {
	case ed25519.PublicKey:
		if alg.curve == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed, s.signature) {
			return nil
		}
	case *ecdsa.PublicKey:
		if alg.curve != nil && alg.curve == key.Curve && verifyECDSA(key, alg.digest(signed), s.signature) {
			return nil
		}
	}
	return fmt.Errorf("%w: the key did not sign this statement", ErrNotProven)
}

// verifyECDSA verifies a signature as COSE writes it: two numbers of the curve's size.
func verifyECDSA(key *ecdsa.PublicKey, digest, signature []byte) bool {
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	return ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
}

// ParseIssuerKey reads a public key with which statements are verified, from PEM (SubjectPublicKeyInfo): Ed25519, or ECDSA on P-256,
// P-384 or P-521. der is the key in one spelling, and kid its COSE Key Thumbprint (RFC 9679).
func ParseIssuerKey(text []byte) (der, kid []byte, err error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, nil, errors.New("a public key in PEM begins with -----BEGIN PUBLIC KEY-----")
	}
	key, kid, err := LoadIssuerKey(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	der, err = x509.MarshalPKIXPublicKey(key)
	return der, kid, err
}

// LoadIssuerKey reads a key from the spelling that ParseIssuerKey gave.
func LoadIssuerKey(der []byte) (key crypto.PublicKey, kid []byte, err error) {
	if key, err = x509.ParsePKIXPublicKey(der); err != nil {
		return nil, nil, fmt.Errorf("a public key: %w", err)
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return key, coseThumbprint(k), nil
	case *ecdsa.PublicKey:
		curve, ok := map[elliptic.Curve]int64{elliptic.P256(): 1, elliptic.P384(): 2, elliptic.P521(): 3}[k.Curve]
		point, err := k.Bytes()
		if !ok || err != nil {
			break
		}
		size := (len(point) - 1) / 2
		sum := sha256.Sum256(cborMap(cborInt(keyType), cborInt(keyEC2), cborInt(keyCurve), cborInt(curve), cborInt(keyX), cborBytes(point[1:1+size]), cborInt(keyY), cborBytes(point[1+size:])))
		return key, sum[:], nil
	}
	return nil, nil, errors.New("a public key: it is neither Ed25519 nor ECDSA on P-256, P-384 or P-521")
}

// ConciseProblem is a problem in CBOR (RFC 9290), as SCITT Reference APIs wants errors.
func ConciseProblem(title, detail string) []byte {
	return cborMap(cborInt(-1), cborText(title), cborInt(-2), cborText(detail))
}
