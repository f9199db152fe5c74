package ledger_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

func TestGenerateKeyMakesAPair(t *testing.T) {
	signer, verifier := newKey(t, origin, 1)
	if signer.Origin() != origin || verifier.Name() != origin {
		t.Errorf("keys of %q and %q, want %q", signer.Origin(), verifier.Name(), origin)
	}
	if !strings.HasPrefix(signer.VerifierKey(), fmt.Sprintf("%s+%08x+", origin, verifier.KeyHash())) {
		t.Errorf("verifier key %q is not that of %08x", signer.VerifierKey(), verifier.KeyHash())
	}
	again, err := ledger.LoadVerifier(signer.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	text, err := ledger.Sign(signer, 1, leafOf(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ParseCheckpoint(text, again); err != nil {
		t.Errorf("what the signer signed, its own verifier key refuses: %v", err)
	}
	if _, _, err := ledger.GenerateKey(origin, strings.NewReader("too short")); err == nil {
		t.Error("a key was made from nine bytes")
	}
}

func TestCheckOrigin(t *testing.T) {
	for _, good := range []string{"tidewaiter.example/log", "a", "例え.example/log", "example.com:8470/log?x=%2B"} {
		if err := ledger.CheckOrigin(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2028b", "a\x01", "a\x7f", "\xff", "https://tidewaiter.example/log"} {
		if err := ledger.CheckOrigin(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
		if _, _, err := ledger.GenerateKey(bad, strings.NewReader(strings.Repeat("x", 32))); err == nil {
			t.Errorf("a key was made for %q", bad)
		}
	}
}

func TestLoadKeysSaysWhatIsWrong(t *testing.T) {
	skey, vkey, err := ledger.GenerateKey(origin, strings.NewReader(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	secret := skey[strings.LastIndex(skey, "+")+1:]
	for _, bad := range []string{"", vkey, skey[:len(skey)-4], strings.Replace(skey, "tests", "others", 1), strings.ToLower(skey)} {
		_, err := ledger.LoadSigner(bad)
		wantError(t, err, "signer key")
		if err != nil && strings.Contains(err.Error(), secret[:20]) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
	for _, bad := range []string{"", skey, vkey[:len(vkey)-4], strings.Replace(vkey, "tests", "others", 1)} {
		_, err := ledger.LoadVerifier(bad)
		wantError(t, err, "verifier key")
	}
}

func TestSignRefusesWhatCannotBe(t *testing.T) {
	signer, _ := newKey(t, origin, 1)
	_, err := ledger.Sign(signer, -1, tlog.Hash{})
	wantError(t, err, "size -1")
	_, err = ledger.Sign(signer, 1<<61, tlog.Hash{})
	wantError(t, err, "2^60")
	_, err = ledger.Sign(signer, 0, leafOf(0))
	wantError(t, err, "the empty tree has one root")
}

// sign signs any text at all, as a log with a fault or a liar would.
func sign(t testing.TB, text, key string, seed byte) []byte {
	t.Helper()
	skey, _, err := ledger.GenerateKey(key, strings.NewReader(strings.Repeat(string(rune(seed)), 32)))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestParseCheckpointReadsOneSpelling(t *testing.T) {
	_, verifier := newKey(t, origin, 1)
	root := leafOf(0)
	b64 := root.String()
	empty := new(ledger.Tree).Root().String()
	for _, c := range []struct{ about, text, want string }{
		{"two lines", origin + "\n5\n", "three"},
		{"leading zero", origin + "\n05\n" + b64 + "\n", "leading zeroes"},
		{"two zeroes", origin + "\n00\n" + empty + "\n", "leading zeroes"},
		{"plus sign", origin + "\n+5\n" + b64 + "\n", "without sign"},
		{"negative", origin + "\n-5\n" + b64 + "\n", "without sign"},
		{"negative zero", origin + "\n-0\n" + empty + "\n", "without sign"},
		{"space", origin + "\n5 \n" + b64 + "\n", "decimal"},
		{"hexadecimal", origin + "\n0x5\n" + b64 + "\n", "decimal"},
		{"64 bits", origin + "\n18446744073709551615\n" + b64 + "\n", "63 bits"},
		{"absurd", origin + "\n9223372036854775807\n" + b64 + "\n", "2^60"},
		{"no base64", origin + "\n5\n!" + b64[1:] + "\n", "not base64"},
		{"no padding", origin + "\n5\n" + b64[:43] + "\n", "not base64"},
		{"URL alphabet", origin + "\n5\n" + strings.Repeat("-_", 21) + "A=\n", "not base64"},
		{"stray bits", origin + "\n5\n" + strings.Repeat("A", 42) + "B=\n", "not base64"},
		{"short root", origin + "\n5\n" + base64.StdEncoding.EncodeToString(root[:31]) + "\n", "31 bytes"},
		{"long root", origin + "\n5\n" + base64.StdEncoding.EncodeToString(append(root[:], 0)) + "\n", "33 bytes"},
		{"empty line", origin + "\n5\n" + b64 + "\n\nmore\n", "empty"},
		{"empty last line", origin + "\n5\n" + b64 + "\n\n", "empty"},
		{"no origin", "\n5\n" + b64 + "\n", "line 1 is empty"},
		{"empty tree with a root", origin + "\n0\n" + b64 + "\n", "the empty tree has one root"},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := ledger.ParseCheckpoint(sign(t, c.text, origin, 1), verifier)
			wantError(t, err, c.want)
			if errors.Is(err, ledger.ErrNotProven) {
				t.Errorf("%v: it is malformed, not unproven", err)
			}
		})
	}
}

func TestParseCheckpointIgnoresWhatIsNotItsOwn(t *testing.T) {
	_, verifier := newKey(t, origin, 1)
	root := leafOf(0)
	want := ledger.Checkpoint{Origin: origin, Size: 5, Root: root}

	extended := sign(t, want.Body()+"an extension line\n— another\n", origin, 1)
	cosigned := append(sign(t, want.Body(), origin, 1), []byte("— witness.example/w "+base64.StdEncoding.EncodeToString(make([]byte, 76))+"\n")...)
	sameName := append(sign(t, want.Body(), origin, 1), []byte("— "+origin+" "+base64.StdEncoding.EncodeToString(make([]byte, 68))+"\n")...)
	for about, text := range map[string][]byte{"extension lines": extended, "a witness": cosigned, "another key of this name": sameName} {
		if got, err := ledger.ParseCheckpoint(text, verifier); err != nil || got != want {
			t.Errorf("with %s: %+v, %v", about, got, err)
		}
	}
}

func TestParseCheckpointRefusesWhatTheKeyDidNotSign(t *testing.T) {
	w := newWorld(t, 5)
	good := w.checkpoint(t, 5)
	body := ledger.Checkpoint{Origin: origin, Size: 5, Root: w.roots[5]}.Body()
	_, otherLog := newKey(t, "others.tidewaiter.example/log", 1)
	_, otherKey := newKey(t, origin, 2)
	for _, c := range []struct {
		about string
		text  []byte
		key   note.Verifier
		want  string
	}{
		{"another log's key", good, otherLog, "not signed by others"},
		{"another key of the log", good, otherKey, "not signed by"},
		{"another size", bytes.Replace(good, []byte("\n5\n"), []byte("\n6\n"), 1), w.verifier, "changed after it was signed"},
		{"another origin", bytes.Replace(good, []byte(origin+"\n5"), []byte("x.example\n5"), 1), w.verifier, "changed after it was signed"},
		{"signed for another origin", sign(t, strings.Replace(body, origin, "x.example", 1), origin, 1), w.verifier, `of log "x.example"`},
	} {
		_, err := ledger.ParseCheckpoint(c.text, c.key)
		wantError(t, err, c.want)
		if !errors.Is(err, ledger.ErrNotProven) {
			t.Errorf("%s: %v does not wrap ErrNotProven", c.about, err)
		}
	}
	for about, text := range map[string][]byte{
		"unsigned": []byte(body), "unsigned, with the empty line": []byte(body + "\n"), "nothing": nil,
		"cut off": good[:len(good)-1], "carriage returns": bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")),
	} {
		_, err := ledger.ParseCheckpoint(text, w.verifier)
		if err == nil {
			t.Errorf("%s: no error", about)
			continue
		}
		wantError(t, err, "no signed note")
	}
	_, err := ledger.ParseCheckpoint(good, nil)
	wantError(t, err, "verifier key")
}

// anyKey takes every signature for its own and for valid, so that fuzzing gets to the text behind it.
type anyKey struct{ name string }

func (k anyKey) Name() string                { return k.name }
func (k anyKey) KeyHash() uint32             { return 0 }
func (k anyKey) Verify(msg, sig []byte) bool { return true }

func FuzzParseCheckpoint(f *testing.F) {
	for _, name := range []string{"checkpoint-0.txt", "checkpoint-6.txt", "checkpoint-13.txt"} {
		body, _, _ := bytes.Cut(vector(f, name), []byte("\n\n"))
		f.Add(append(body, '\n'))
	}
	f.Add([]byte("x\n5\n" + leafOf(0).String() + "\nextension\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		name, _, _ := strings.Cut(string(body), "\n")
		signature := "\n— " + name + " " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
		c, err := ledger.ParseCheckpoint(append(body, signature...), anyKey{name})
		if err != nil {
			return
		}
		if !strings.HasPrefix(string(body), c.Body()) {
			t.Errorf("read from %q, but written as %q", body, c.Body())
		}
		again, err := ledger.ParseCheckpoint(append([]byte(c.Body()), signature...), anyKey{name})
		if err != nil || again != c {
			t.Errorf("read again: %+v, %v; want %+v", again, err, c)
		}
	})
}
