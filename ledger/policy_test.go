package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// cosigner is a witness's key, which tests cosign with as tlog-cosignature says; it shares no code with what checks it.
type cosigner struct {
	name, vkey string
	key        ed25519.PrivateKey
	id         []byte
}

func newCosigner(name string, seed byte) *cosigner {
	c := &cosigner{name: name, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))}
	raw := append([]byte{4}, c.key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256([]byte(name + "\n" + string(raw)))
	c.id = sum[:4]
	c.vkey = fmt.Sprintf("%s+%x+%s", name, c.id, base64.StdEncoding.EncodeToString(raw))
	return c
}

var cosignTime = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func (c *cosigner) line(checkpoint []byte) string {
	body, _, _ := strings.Cut(string(checkpoint), "\n\n")
	at := cosignTime.Unix()
	sig := ed25519.Sign(c.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, body))
	blob := append(binary.BigEndian.AppendUint64(bytes.Clone(c.id), uint64(at)), sig...)
	return fmt.Sprintf("— %s %s\n", c.name, base64.StdEncoding.EncodeToString(blob))
}

func parsePolicy(t *testing.T, lines ...string) *ledger.Policy {
	t.Helper()
	p, err := ledger.ParsePolicy([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The example of the specification: two of three here, and one of two there.
func TestPolicyQuorum(t *testing.T) {
	var lines []string
	for i, name := range []string{"X1", "X2", "X3", "Y1", "Y2"} {
		lines = append(lines, fmt.Sprintf("\twitness %s  %s https://%s.example/ ", name, newCosigner(name, byte(i+1)).vkey, name))
	}
	lines = append(lines, "# comment", "  # another", "", "group X-witnesses 2 X1 X2 X3", "group Y-witnesses any Y1 Y2", "group X-and-Y all X-witnesses Y-witnesses", "quorum X-and-Y")
	p := parsePolicy(t, lines...)
	for names, want := range map[string]bool{
		"": false, "X1 X2": false, "X1 Y1": false, "X1 X3 Y2": true, "X1 X2 X3 Y1 Y2": true, "Y1 Y2": false, "X1 X1 Y1": false, "Z X1 Y1": false, "X-witnesses Y-witnesses": false,
	} {
		if p.Met(strings.Fields(names)) != want {
			t.Errorf("%q: want %v", names, want)
		}
	}
	if p.Witnesses[1].Name != "X2" || p.Witnesses[1].URL != "https://X2.example/" || p.String() != "2 of (2 of (X1, X2, X3), 1 of (Y1, Y2))" {
		t.Errorf("%+v, %s", p.Witnesses[1], p)
	}
	if !parsePolicy(t, "quorum none").Met(nil) {
		t.Error("quorum none is not met by nobody")
	}
}

func TestPolicyThatIsNone(t *testing.T) {
	a, b := newCosigner("a", 1).vkey, newCosigner("b", 2).vkey
	renamed := newCosigner("c", 1).vkey // a's key under another name
	for name, c := range map[string]struct{ text, want string }{
		"no quorum":       {"witness a " + a, "is missing"},
		"two quorums":     {"quorum none\nquorum none", "line 2: a second quorum"},
		"unknown quorum":  {"quorum x", "no witness or group \"x\""},
		"later quorum":    {"quorum a\nwitness a " + a, "line 1"},
		"same key":        {"witness a " + a + "\nwitness c " + renamed + "\nquorum a", "line 2: the public key of c is there already, as that of a"},
		"same name":       {"witness a " + a + "\nwitness a " + b + "\nquorum a", "is taken"},
		"named none":      {"witness none " + a + "\nquorum none", "is taken"},
		"twice a member":  {"witness a " + a + "\ngroup g any a\ngroup h any a\nquorum g", "line 3: \"a\" is a member twice"},
		"member none":     {"group g any none\nquorum g", "no witness or group \"none\""},
		"itself":          {"group g any g\nquorum g", "no witness or group \"g\""},
		"k of n":          {"witness a " + a + "\ngroup g 2 a\nquorum g", "is not all, any, or a number"},
		"k is 0":          {"witness a " + a + "\ngroup g 0 a\nquorum g", "is not all, any, or a number"},
		"k is 01":         {"witness a " + a + "\ngroup g 01 a\nquorum g", "is not all, any, or a number"},
		"no members":      {"group g all\nquorum g", "it should be: group"},
		"another word":    {"wtiness a " + a + "\nquorum none", "is not log, witness"},
		"control":         {"quorum none\r\n", "control character"},
		"a log's witness": {"witness a " + a[:10] + "\nquorum none", "witness key"},
		"log key missing": {"log\nquorum none", "it should be: log"},
		"witness no key":  {"witness a\nquorum none", "it should be: witness"},
		"too many":        {"quorum none none", "it should be: quorum"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.ParsePolicy([]byte(c.text))
			wantError(t, err, c.want)
		})
	}
}

// A log's key is no witness's key, and a cosignature is checked as what it is.
func TestPolicyTakesCosignersOnly(t *testing.T) {
	signer, _ := newKey(t, origin, 1)
	_, err := ledger.ParsePolicy([]byte("witness a " + signer.VerifierKey() + "\nquorum a"))
	wantError(t, err, "is of type 01")
	if _, err := ledger.LoadVerifier(newCosigner("a", 1).vkey); err == nil {
		t.Error("a witness's key was taken for a log's")
	}
}

// Cosignatures of both kinds count; a changed one, and one that was made for another checkpoint, do not.
func TestCosignatures(t *testing.T) {
	w := newWorld(t, 9)
	a := newCosigner("witness.example/a", 1)
	skey, vkey, err := ledger.GeneratePostQuantumKey("witness.example/b", strings.NewReader(strings.Repeat("b", 32)))
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ledger.GenerateKey("witness.example/b", strings.NewReader(strings.Repeat("b", 32)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ledger.LoadSigner(ed + "\n" + skey)
	if err != nil {
		t.Fatal(err)
	}
	p := parsePolicy(t, "log "+w.signer.VerifierKey(), "witness a "+a.vkey, "witness b "+vkey, "group both all a b", "quorum both")
	nine, six := w.checkpoint(t, 9), w.checkpoint(t, 6)
	both, err := ledger.Sign(w.signer.With(b), 9, w.roots[9])
	if err != nil {
		t.Fatal(err)
	}
	text := append(bytes.Clone(both), a.line(nine)...)
	cosigned, err := p.Witnessed(text)
	if err != nil || len(cosigned) != 2 || cosigned[0].Witness != "b" || !cosigned[0].At.IsZero() || cosigned[1].Witness != "a" || !cosigned[1].At.Equal(cosignTime) {
		t.Errorf("%+v, %v", cosigned, err)
	}
	if c, err := ledger.ParseCheckpoint(text, w.verifier); err != nil || c.Size != 9 {
		t.Errorf("cosigned, it is %+v, %v", c, err)
	}
	if _, err := p.LogKeys(origin); err != nil {
		t.Error(err)
	}
	if _, err := p.LogKeys("another"); !errors.Is(err, ledger.ErrNotProven) {
		t.Errorf("%v", err)
	}
	for name, text := range map[string][]byte{
		"nobody": nine, "a alone": append(bytes.Clone(nine), a.line(nine)...), "b alone": both,
		"a's of another size": append(bytes.Clone(both), a.line(six)...),
		"a stranger named a":  append(bytes.Clone(both), newCosigner(a.name, 7).line(nine)...),
		"another size":        bytes.Replace(text, []byte("\n9\n"), []byte("\n8\n"), 1),
	} {
		if _, err := p.Witnessed(text); !errors.Is(err, ledger.ErrNotProven) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("witness a " + newCosigner("a", 1).vkey + "\ngroup g any a\nquorum g\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ledger.ParsePolicy([]byte(text)); err == nil && p.Met(nil) && p.String() != "none" {
			t.Errorf("nobody meets %s", p)
		}
	})
}
