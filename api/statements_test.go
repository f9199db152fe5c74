package api_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

// Just enough CBOR to sign a statement by hand.
func cborHead(major byte, n int) []byte {
	if n < 24 {
		return []byte{major<<5 | byte(n)}
	}
	if n < 256 {
		return []byte{major<<5 | 24, byte(n)}
	}
	return []byte{major<<5 | 25, byte(n >> 8), byte(n)}
}

func cborString(major byte, s string) []byte { return append(cborHead(major, len(s)), s...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// signed makes a statement: {1: -8, 15: {1: iss, 2: sub}}, something in the unprotected header, and a payload.
func signed(key ed25519.PrivateKey, iss, sub, payload string) []byte {
	protected := string(join([]byte{0xa2, 0x01, 0x27, 0x0f, 0xa2, 0x01}, cborString(3, iss), []byte{0x02}, cborString(3, sub)))
	message := join([]byte{0x84}, cborString(3, "Signature1"), cborString(2, protected), []byte{0x40}, cborString(2, payload))
	return join([]byte{0xd2, 0x84}, cborString(2, protected), []byte{0xa1, 0x18, 0x63, 0x01}, cborString(2, payload), cborString(2, string(ed25519.Sign(key, message))))
}

// issuer makes a key that a party is trusted with.
func (d *door) issuer(party string) (ed25519.PrivateKey, []byte) {
	d.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		d.t.Fatal(err)
	}
	der, _, err := ledger.ParseIssuerKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := registry.Trust(d.t.Context(), d.store, party, der, true, d.clock()); err != nil {
		d.t.Fatal(err)
	}
	return private, der
}

func (d *door) register(statement []byte, headers ...string) answer {
	d.t.Helper()
	return d.ask("POST /entries", bytes.NewReader(statement), append([]string{"Content-Type", "application/cose"}, headers...)...)
}

// concise checks that an answer is a problem in CBOR with this title.
func (a answer) concise(t *testing.T, status int, title string) {
	t.Helper()
	if a.status != status || a.header.Get("Content-Type") != "application/concise-problem-details+cbor" || !strings.HasPrefix(a.body, "\xa2\x20"+string(cborString(3, title))+"\x21") {
		t.Errorf("%d %s %q, want %d %q", a.status, a.header.Get("Content-Type"), a.body, status, title)
	}
}

func TestRegisterAStatement(t *testing.T) {
	d := open(t)
	key, der := d.issuer(maker)
	text := signed(key, "urn:epc:id:pgln:952123450000.", "https://id.gs1.org/01/09521234000013/21/A", "it left the factory")
	a := d.register(text)
	if a.status != http.StatusCreated || a.header.Get("Location") != "/entries/1" || a.header.Get("Content-Type") != "application/cose" || a.body[0] != 0xd2 {
		t.Fatalf("%+v", a)
	}
	e, err := d.store.Entry(t.Context(), 1)
	if err != nil || e.Kind != ledger.KindStatement || e.Speaker != maker || bytes.Contains(e.Body, []byte{0xa1, 0x18, 0x63, 0x01}) || !strings.Contains(string(e.Body), "it left the factory") {
		t.Errorf("%v: %+v", err, e)
	}
	if again := d.register(text); again.status != http.StatusCreated || again.header.Get("Location") != "/entries/1" || d.size() != 2 {
		t.Errorf("registered again: %+v", again)
	}
	if got := d.ask("GET /entries/1", nil, "Accept", "application/cose"); got.status != http.StatusOK || !strings.Contains(got.body, "tidewaiter.org/opening") || !strings.Contains(got.body, `"bodySHA256"`) {
		t.Errorf("%+v", got)
	}
	if got := d.ask("GET /signed-statements/1", nil); got.status != http.StatusOK || got.body != string(e.Body) {
		t.Errorf("%+v", got)
	}
	if got := d.ask("GET /transparent-statements/1", nil); got.status != http.StatusOK || !strings.Contains(got.body, "tidewaiter.org/opening") || !strings.Contains(got.body, "it left") {
		t.Errorf("%+v", got)
	}
	for _, path := range []string{"/entries/0", "/entries/2", "/entries/x", "/signed-statements/0", "/transparent-statements/-1"} {
		d.ask("GET "+path, nil).concise(t, http.StatusNotFound, "Not Found")
	}
	d.ask("GET /entries/1", nil, "Authorization", "Bearer "+d.another).concise(t, http.StatusNotFound, "Not Found")
	if got := d.ask("GET /entries/1", nil, "Authorization", "Bearer "+d.credential(operator, registry.ScopeQuery)); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	if _, err := registry.Trust(t.Context(), d.store, maker, der, false, d.clock()); err != nil {
		t.Fatal(err)
	}
	d.register(signed(key, maker, "a thing", "later")).concise(t, http.StatusBadRequest, "Rejected")
}

// A statement may name a person, as an event may. Erased, it is gone for all who ask, and does not come back when it is sent again.
func TestStatementErased(t *testing.T) {
	d := open(t)
	key, _ := d.issuer(maker)
	const unit = "https://id.gs1.org/01/09521234000013/21/A"
	text := signed(key, maker, unit, "A. Adams carried it")
	if a := d.register(text); a.status != http.StatusCreated {
		t.Fatalf("%+v", a)
	}
	erase := func() error {
		_, err := registry.Erase(t.Context(), d.store, registry.Erasure{Entries: []int64{1}, Reason: "it names a person", By: "Brown", ConfirmedBy: "Clark"}, d.clock())
		return err
	}
	hold, err := registry.PlaceHold(t.Context(), d.store, registry.Hold{Units: []string{unit}, Reason: "case 7", By: "Clark"}, d.clock())
	if err != nil {
		t.Fatal(err)
	}
	if err := erase(); !errors.Is(err, registry.ErrRefused) || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("under a hold over what it is about: %v", err)
	}
	if _, err := registry.ReleaseHolds(t.Context(), d.store, []int64{hold}, "closed", "Clark", d.clock()); err != nil {
		t.Fatal(err)
	}
	if err := erase(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/entries/1", "/signed-statements/1", "/transparent-statements/1"} {
		d.ask("GET "+path, nil).concise(t, http.StatusGone, "Erased")
	}
	before := d.size()
	d.register(text).concise(t, http.StatusConflict, "Erased")
	if d.size() != before {
		t.Errorf("%d entries, and before it was sent again %d", d.size(), before)
	}
	stream := func(from, to int64, fn func(ledger.Entry) error) error {
		return d.store.Entries(t.Context(), from, to, fn)
	}
	if r, err := ledger.Fsck(t.Context(), stream, d.store.HashReader(t.Context()), d.size(), nil); err != nil || !r.OK() {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestStatementsRefused(t *testing.T) {
	d := open(t)
	key, _ := d.issuer(maker)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := signed(key, maker, "a thing", "a statement")
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	changed := bytes.Replace(good, []byte("a statement"), []byte("A statement"), 1)
	detached := bytes.Replace(good, cborString(2, "a statement"), []byte{0xf6}, 1)
	algorithm := bytes.Replace(good, []byte{0xa2, 0x01, 0x27, 0x0f}, []byte{0xa2, 0x01, 0x26 + 5, 0x0f}, 1)
	for name, c := range map[string]struct {
		text  []byte
		title string
	}{
		"nothing":           {nil, "Malformed request"},
		"text":              {[]byte("a statement"), "Malformed request"},
		"cut off":           {good[:len(good)-1], "Malformed request"},
		"with more":         {append(bytes.Clone(good), 0), "Malformed request"},
		"without tag":       {good[1:], "Malformed request"},
		"deep":              {append([]byte{0xd2, 0x84, 0x40, 0xa1, 0x01}, bytes.Repeat([]byte{0x81}, 1000)...), "Malformed request"},
		"long by its word":  {[]byte{0xd2, 0x84, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "Malformed request"},
		"no subject":        {signed(key, maker, "", "a statement"), "Malformed request"},
		"no issuer":         {signed(key, "", "a thing", "a statement"), "Malformed request"},
		"another algorithm": {algorithm, "Bad Signature Algorithm"},
		"detached":          {detached, "Payload Missing"},
		"no party":          {signed(key, "Maker", "a thing", "a statement"), "Rejected"},
		"another's name":    {signed(key, operator, "a thing", "a statement"), "Rejected"},
		"another's key":     {signed(other, maker, "a thing", "a statement"), "Rejected"},
		"a bit flipped":     {flipped, "Rejected"},
		"changed":           {changed, "Rejected"},
	} {
		t.Run(name, func(t *testing.T) { d.register(c.text).concise(t, http.StatusBadRequest, c.title) })
	}
	d.register(good, "Content-Type", "application/json").concise(t, http.StatusUnsupportedMediaType, "Unsupported media type")
	d.register(good, "Accept", "text/html").concise(t, http.StatusNotAcceptable, "Not acceptable")
	d.register(good, "Authorization", "").concise(t, http.StatusUnauthorized, "Who asks is not known")
	d.register(make([]byte, ledger.MaxStatement+1)).concise(t, http.StatusRequestEntityTooLarge, "Too large")
	if d.size() != 1 {
		t.Errorf("%d entries, want the key's alone", d.size())
	}
	if a := d.register(good); a.status != http.StatusCreated {
		t.Errorf("%+v", a)
	}
}

// A key is trusted once, and distrusted once; each is an entry.
func TestTrust(t *testing.T) {
	d := open(t)
	_, der := d.issuer(maker)
	for i, want := range []struct {
		trusted, ok bool
		keys        int
	}{{true, false, 1}, {false, true, 0}, {false, false, 0}, {true, true, 1}} {
		_, err := registry.Trust(t.Context(), d.store, maker, der, want.trusted, d.clock())
		keys, listed := registry.IssuerKeys(t.Context(), d.store, maker)
		if (err == nil) != want.ok || listed != nil || len(keys) != want.keys {
			t.Errorf("%d: %v, %d keys, %v", i, err, len(keys), listed)
		}
	}
	for _, text := range []string{"", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, _, err := ledger.ParseIssuerKey([]byte(text)); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
}
