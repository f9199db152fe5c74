package strangers

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/veraison/go-cose"
)

// inclusion is a proof of inclusion as RFC 9942 has it.
type inclusion struct {
	_     struct{} `cbor:",toarray"`
	Size  uint64
	Index uint64
	Path  [][]byte
}

// go-cose verifies the COSE Receipt of each entry with the keys that the service serves, under the root that another's Merkle
// tree computes from the published leaf and the receipt's path.
func TestCOSEReceipts(t *testing.T) {
	data, web, out := filepath.Join(t.TempDir(), "data"), t.TempDir(), t.TempDir()
	tidewaiter(t, "--data", data, "capture", filepath.Join("..", "..", "cmd", "tidewaiter", "testdata", "world.json"))
	tidewaiter(t, "--data", data, "log", "key", "rotate", "--ml-dsa")
	tidewaiter(t, "--data", data, "log", "publish", web)
	leaves, keys := leavesOf(t, web, 12), servedKeys(t, serve(t, data))
	if len(keys) != 2 {
		t.Fatalf("%d keys", len(keys))
	}
	for _, seq := range []uint64{0, 6, 11} {
		name := strconv.FormatUint(seq, 10)
		tidewaiter(t, "--data", data, "log", "proof", "--out", out, name)
		text := mustRead(t, filepath.Join(out, "entry-"+name+".receipt.cose"))
		if err := verifyCOSE(t, text, leaves[seq][:], seq, keys); err != nil {
			t.Errorf("entry %d: %v", seq, err)
		}
		if err := verifyCOSE(t, text, leaves[(seq+1)%12][:], seq, keys); err == nil {
			t.Errorf("the receipt of entry %d proves another", seq)
		}
		text[len(text)-1] ^= 1
		if err := verifyCOSE(t, text, leaves[seq][:], seq, keys); err == nil {
			t.Errorf("entry %d: a changed signature is accepted", seq)
		}
	}
}

// servedKeys reads the service's COSE_KeySet, by key id.
func servedKeys(t *testing.T, url string) map[string]cose.Key {
	t.Helper()
	resp, err := http.Get(url + "/.well-known/scitt-keys")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/cbor" {
		t.Fatalf("%v, %v", resp.Status, err)
	}
	var set []cose.Key
	if err := cbor.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	keys := map[string]cose.Key{}
	for _, k := range set {
		keys[string(k.ID)] = k
		x, _ := k.Params[cose.KeyLabelOKPX].([]byte)
		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		required, err := mode.Marshal(map[int]any{1: 1, -1: 6, -2: x})
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(required); !bytes.Equal(k.ID, sum[:]) {
			t.Errorf("the key id %x is not the key's thumbprint, %x", k.ID, sum)
		}
	}
	return keys
}

// verifyCOSE is RFC 9942's verification of a receipt with a proof of inclusion.
func verifyCOSE(t *testing.T, text, leaf []byte, index uint64, keys map[string]cose.Key) error {
	t.Helper()
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(text); err != nil {
		t.Fatal(err)
	}
	if vds := m.Headers.Protected[int64(395)]; vds != int64(1) || m.Payload != nil {
		t.Errorf("vds %v, payload %x", vds, m.Payload)
	}
	vdp, _ := m.Headers.Unprotected[int64(396)].(map[any]any)
	proofs, _ := vdp[int64(-1)].([]any)
	if len(proofs) != 1 {
		t.Fatalf("proofs: %v", m.Headers.Unprotected)
	}
	var p inclusion
	if err := cbor.Unmarshal(proofs[0].([]byte), &p); err != nil || p.Index != index {
		t.Fatalf("%+v, %v", p, err)
	}
	root, err := proof.RootFromInclusionProof(rfc6962.DefaultHasher, p.Index, p.Size, leaf, p.Path)
	if err != nil {
		return err
	}
	kid, _ := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	key, ok := keys[string(kid)]
	if !ok {
		t.Fatalf("the service does not serve the key %x", kid)
	}
	v, err := key.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	m.Payload = root
	return m.Verify(nil, v)
}
