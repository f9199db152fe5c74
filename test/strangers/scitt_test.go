package strangers

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/veraison/go-cose"
)

const issuer = "https://id.gs1.org/417/9521234500001"

// go-cose signs statements with each kind of key; they are registered, and go-cose verifies the receipt under the leaf that is computed
// here from the statement and the opening that the receipt carries.
func TestStatements(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	token := strings.TrimSpace(tidewaiter(t, "--data", data, "credential", "add", issuer))
	url := serve(t, data)
	keys := servedKeys(t, url)
	_, plain, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signers := map[cose.Algorithm]crypto.Signer{cose.AlgorithmEdDSA: plain}
	for alg, curve := range map[cose.Algorithm]elliptic.Curve{cose.AlgorithmES256: elliptic.P256(), cose.AlgorithmES384: elliptic.P384(), cose.AlgorithmES512: elliptic.P521()} {
		if signers[alg], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	for alg, key := range signers {
		statement := signStatement(t, alg, key)
		if code, _, text := register(t, url, token, statement); code != http.StatusBadRequest {
			t.Errorf("%v, before the key is trusted: %d %q", alg, code, text)
		}
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
			t.Fatal(err)
		}
		tidewaiter(t, "--data", data, "statement", "trust", issuer, file)
		code, _, receipt := register(t, url, token, statement)
		if code != http.StatusCreated {
			t.Fatalf("%v: %d %q", alg, code, receipt)
		}
		leaf, seq := openedLeaf(t, receipt, statement)
		if err := verifyCOSE(t, receipt, leaf, seq, keys); err != nil {
			t.Errorf("%v: %v", alg, err)
		}
		leaf[0] ^= 1
		if err := verifyCOSE(t, receipt, leaf, seq, keys); err == nil {
			t.Errorf("%v: the receipt proves another leaf", alg)
		}
	}
}

func signStatement(t *testing.T, alg cose.Algorithm, key crypto.Signer) []byte {
	t.Helper()
	signer, err := cose.NewSigner(alg, key)
	if err != nil {
		t.Fatal(err)
	}
	m := cose.NewSign1Message()
	m.Headers.Protected.SetAlgorithm(alg)
	m.Headers.Protected[int64(15)] = map[any]any{int64(1): issuer, int64(2): "https://id.gs1.org/01/09521234000013/21/A"}
	m.Payload = []byte("it left the factory")
	if err := m.Sign(rand.Reader, nil, signer); err != nil {
		t.Fatal(err)
	}
	text, err := m.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func register(t *testing.T, url, token string, statement []byte) (code int, location string, text []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/entries", bytes.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/cose")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), text
}

// openedLeaf computes the leaf as the documentation of the commitment says, from the statement and the receipt's opening.
func openedLeaf(t *testing.T, receipt, statement []byte) (leaf []byte, seq uint64) {
	t.Helper()
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(receipt); err != nil {
		t.Fatal(err)
	}
	text, _ := m.Headers.Unprotected["tidewaiter.org/opening"].([]byte)
	var o struct {
		Commitment, Kind, Speaker, Name, Salt, Recorded string
		ContextSHA256, BodySHA256                       string
		Seq                                             uint64
		Trusted                                         bool
	}
	if err := json.Unmarshal(text, &o, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	at, err := time.Parse(time.RFC3339Nano, o.Recorded)
	salt, bad := hex.DecodeString(o.Salt)
	if err != nil || bad != nil || o.Speaker != issuer || o.Trusted {
		t.Fatalf("%+v", o)
	}
	none, body := sha256.Sum256(nil), sha256.Sum256(statement)
	if hex.EncodeToString(body[:]) != o.BodySHA256 {
		t.Fatalf("the opening is of another statement: %+v", o)
	}
	var b []byte
	for _, field := range [][]byte{
		[]byte(o.Commitment), binary.BigEndian.AppendUint64(nil, o.Seq), []byte(o.Kind), binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())),
		{0}, []byte(o.Speaker), []byte(o.Name), none[:], body[:], salt,
	} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(field))), field...)
	}
	commitment := sha256.Sum256(b)
	return rfc6962.DefaultHasher.HashLeaf(commitment[:]), o.Seq
}
