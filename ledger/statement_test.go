package ledger_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// The keys of RFC 9679's example, whose thumbprint stands in its section 5.6: an EC2 key on P-256.
func TestIssuerKeyThumbprint(t *testing.T) {
	point, err := hex.DecodeString("04" + "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d" + "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	_, kid, err := ledger.LoadIssuerKey(der)
	if want := "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"; err != nil || hex.EncodeToString(kid) != want {
		t.Errorf("%x, %v, want %s", kid, err, want)
	}
}

func TestIssuerKeyKinds(t *testing.T) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key any
		ok  bool
	}{{public, true}, {p224.Public(), false}} {
		text, err := x509.MarshalPKIXPublicKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		der, kid, err := ledger.ParseIssuerKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
		if (err == nil) != c.ok || c.ok && (!bytes.Equal(der, text) || len(kid) != 32) {
			t.Errorf("%T: %v", c.key, err)
		}
	}
}

// FuzzStatement: what can be read can be written, and is read again as the same; what cannot says why.
func FuzzStatement(f *testing.F) {
	for _, seed := range []string{"d28440a04040", "d28449a201270fa201616102616240f640", "d28449a201270fa201616102616" + "2a0416a4140", "d284582fa3012604" + "41610fa2016161026162a041784178"} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ledger.ParseStatement(text)
		if err != nil {
			if bad := (*ledger.StatementError)(nil); !errors.As(err, &bad) || bad.Title == "" || bad.Detail == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := ledger.ParseStatement(s.Bytes())
		if err != nil || again.Issuer != s.Issuer || again.Subject != s.Subject || !bytes.Equal(again.Payload, s.Payload) || !bytes.Equal(again.Bytes(), s.Bytes()) || !bytes.Equal(again.Signed(), s.Signed()) {
			t.Fatalf("%+v, read again %+v, %v", s, again, err)
		}
		if with, err := ledger.ParseStatement(s.Transparent([]byte{1})); err != nil || !bytes.Equal(with.Bytes(), s.Bytes()) {
			t.Fatalf("with a receipt: %v", err)
		}
		public := ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))
		if err := s.Verify(public); err != nil && !errors.Is(err, ledger.ErrNotProven) {
			t.Fatal(err)
		}
	})
}
