package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// The numbers of COSE that are used here (RFC 9052, RFC 9053, RFC 9597, RFC 9942).
const (
	coseAlg, coseKid, coseClaims = 1, 4, 15
	coseVDS, coseVDP             = 395, 396
	algEdDSA                     = -8
	vdsRFC9162                   = 1  // the tree of RFC 9162, with SHA-256, which is that of RFC 6962
	vdpInclusion                 = -1 // proofs of inclusion
	claimIss, claimSub           = 1, 2
	tagSign1                     = 18
	keyType, keyOKP              = 1, 1
	keyID, keyAlg                = 2, 3
	keyCurve, keyX, curveEd25519 = -1, -2, 6
)

// COSEReceipt makes a COSE Receipt (RFC 9942) of a proof: the same path to the same root, signed by the log's Ed25519 key. The
// root is that of the proof's checkpoint, which v accepts: nothing is signed here that was not signed before. iss is the log's
// origin and sub the entry's index; the leaf is the entry's, and the payload, the root, is computed by whoever verifies it.
func COSEReceipt(s *Signer, p Proof, v note.Verifier) ([]byte, error) {
	return coseReceipt(s, p, v)
}

// openingLabel is the header in which a receipt carries its entry's opening. Nobody signed it: whoever computes the leaf from it
// sees by the root whether it is right.
const openingLabel = "tidewaiter.org/opening"

// COSEReceiptOpened makes a COSE Receipt that carries its entry's opening, as JSON, in the unprotected header
// "tidewaiter.org/opening": whoever holds the entry's content then computes the leaf from both, and needs nothing else.
func COSEReceiptOpened(s *Signer, p Proof, v note.Verifier, o Opening) ([]byte, error) {
	text, err := o.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return coseReceipt(s, p, v, cborText(openingLabel), cborBytes(text))
}

// coseReceipt makes a receipt with more in its unprotected header, behind the proof.
func coseReceipt(s *Signer, p Proof, v note.Verifier, more ...[]byte) ([]byte, error) {
	c, err := p.Signed(v)
	if err != nil {
		return nil, fmt.Errorf("COSE receipt of entry %d: %w", p.Index, err)
	}
	if c.Origin != s.Origin() {
		return nil, fmt.Errorf("COSE receipt of entry %d: the proof is of the log %s, and the key that of %s", p.Index, c.Origin, s.Origin())
	}
	protected := cborMap(
		cborInt(coseAlg), cborInt(algEdDSA),
		cborInt(coseKid), cborBytes(coseThumbprint(s.public())),
		cborInt(coseClaims), cborMap(cborInt(claimIss), cborText(c.Origin), cborInt(claimSub), cborText(fmt.Sprintf("entry/%d", p.Index))),
		cborInt(coseVDS), cborInt(vdsRFC9162),
	)
	signed := cborArray(cborText("Signature1"), cborBytes(protected), cborBytes(nil), cborBytes(c.Root[:]))
	var path [][]byte
	for _, h := range p.Hashes {
		path = append(path, cborBytes(h[:]))
	}
	proof := cborArray(cborInt(c.Size), cborInt(p.Index), cborArray(path...))
	unprotected := cborMap(append([][]byte{cborInt(coseVDP), cborMap(cborInt(vdpInclusion), cborArray(cborBytes(proof)))}, more...)...)
	sign1 := cborArray(cborBytes(protected), unprotected, cborNull, cborBytes(ed25519.Sign(s.plain, signed)))
	return append(cborHead(6, tagSign1), sign1...), nil
}

func (s *Signer) public() []byte { return s.plain[ed25519.SeedSize:] }

// COSEKeySet writes the Ed25519 keys among these verifier keys as a COSE_KeySet, each with its thumbprint (RFC 9679) as its id:
// with them COSE Receipts are verified.
func COSEKeySet(vkeys []string) ([]byte, error) {
	var all [][]byte
	for _, vkey := range vkeys {
		k, err := parseVKey(vkey)
		if err != nil {
			return nil, err
		}
		if k.algorithm == algMLDSA44 {
			continue // which receipts are not signed with
		}
		all = append(all, cborMap(
			cborInt(keyType), cborInt(keyOKP), cborInt(keyID), cborBytes(coseThumbprint(k.key)), cborInt(keyAlg), cborInt(algEdDSA),
			cborInt(keyCurve), cborInt(curveEd25519), cborInt(keyX), cborBytes(k.key),
		))
	}
	return cborArray(all...), nil
}

// COSEKeyOf is the COSE_KeySet of the one among these verifier keys whose thumbprint this is, or nil.
func COSEKeyOf(vkeys []string, kid []byte) ([]byte, error) {
	for _, vkey := range vkeys {
		k, err := parseVKey(vkey)
		if err != nil {
			return nil, err
		}
		if k.algorithm != algMLDSA44 && bytes.Equal(coseThumbprint(k.key), kid) {
			return COSEKeySet([]string{vkey})
		}
	}
	return nil, nil
}

// coseThumbprint is SHA-256 over what a key must have (RFC 9679 section 3).
func coseThumbprint(public []byte) []byte {
	sum := sha256.Sum256(cborMap(cborInt(keyType), cborInt(keyOKP), cborInt(keyCurve), cborInt(curveEd25519), cborInt(keyX), cborBytes(public)))
	return sum[:]
}

// What little CBOR is written here (RFC 8949, deterministically encoded: maps are given in the order of their encoded keys).

var cborNull = []byte{0xf6}

// cborHead is a major type with its argument in the fewest bytes.
func cborHead(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
}

func cborInt(n int64) []byte {
	if n < 0 {
		return cborHead(1, uint64(-1-n))
	}
	return cborHead(0, uint64(n))
}

func cborBytes(b []byte) []byte { return append(cborHead(2, uint64(len(b))), b...) }

func cborText(s string) []byte { return append(cborHead(3, uint64(len(s))), s...) }

func cborArray(items ...[]byte) []byte { return cborItems(cborHead(4, uint64(len(items))), items) }

func cborMap(pairs ...[]byte) []byte { return cborItems(cborHead(5, uint64(len(pairs)/2)), pairs) }

func cborItems(b []byte, items [][]byte) []byte {
	for _, item := range items {
		b = append(b, item...)
	}
	return b
}
