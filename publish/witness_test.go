package publish_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
)

// witness is a witness as tlog-witness describes it, or, when answer is set, something that says it is one.
type witness struct {
	t      *testing.T
	name   string
	key    ed25519.PrivateKey
	log    *world
	answer http.HandlerFunc

	mu    sync.Mutex
	last  ledger.Checkpoint
	asked int
	url   string
}

func (w *world) witness(name string, seed byte, answer http.HandlerFunc) *witness {
	wit := &witness{t: w.t, name: "witness.example/" + name, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)), log: w, answer: answer}
	server := httptest.NewServer(wit)
	w.t.Cleanup(server.Close)
	wit.url = server.URL + "/prefix/"
	return wit
}

func (w *witness) raw() []byte { return append([]byte{4}, w.key.Public().(ed25519.PublicKey)...) }

func (w *witness) id() []byte {
	sum := sha256.Sum256([]byte(w.name + "\n" + string(w.raw())))
	return sum[:4]
}

func (w *witness) vkey() string {
	return fmt.Sprintf("%s+%x+%s", w.name, w.id(), base64.StdEncoding.EncodeToString(w.raw()))
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked++
	w.mu.Unlock()
	if r.Method != http.MethodPost || r.URL.Path != "/prefix/add-checkpoint" {
		w.t.Errorf("%s %s", r.Method, r.URL.Path)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	if w.answer != nil {
		w.answer(rw, r)
		return
	}
	code, text := w.update(string(body))
	if code == http.StatusConflict {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
	}
	rw.WriteHeader(code)
	fmt.Fprint(rw, text)
}

// update does what add-checkpoint is to do.
func (w *witness) update(request string) (int, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	head, text, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	var old int64
	if _, err := fmt.Sscanf(lines[0], "old %d", &old); err != nil {
		return http.StatusBadRequest, err.Error()
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return http.StatusBadRequest, err.Error()
		}
		proof = append(proof, h)
	}
	c, err := ledger.ParseCheckpoint([]byte(text), w.log.key)
	switch {
	case err != nil:
		return http.StatusForbidden, err.Error()
	case old > c.Size:
		return http.StatusBadRequest, "old is more than new"
	case old != w.last.Size, old == c.Size && old > 0 && c.Root != w.last.Root:
		return http.StatusConflict, fmt.Sprintf("%d\n", w.last.Size)
	}
	w.last.Origin = c.Origin
	if old == 0 {
		w.last.Root, _ = tlog.TreeHash(0, nil)
	}
	if err := ledger.CheckConsistency(proof, w.last, c); err != nil {
		return http.StatusUnprocessableEntity, err.Error()
	}
	w.last = c
	return http.StatusOK, w.cosign(text)
}

func (w *witness) cosign(text string) string {
	body, _, _ := strings.Cut(text, "\n\n")
	sig := ed25519.Sign(w.key, fmt.Appendf(nil, "cosignature/v1\ntime 1772355600\n%s\n", body))
	blob := append(binary.BigEndian.AppendUint64(w.id(), 1772355600), sig...)
	return fmt.Sprintf("— %s %s\n", w.name, base64.StdEncoding.EncodeToString(blob))
}

// asking is a policy of k of these witnesses, named a, b, c, …
func (w *world) asking(k int, all ...*witness) *publish.Witnesses {
	w.t.Helper()
	var b strings.Builder
	names := ""
	for i, wit := range all {
		name := string(rune('a' + i))
		fmt.Fprintf(&b, "witness %s %s %s\n", name, wit.vkey(), wit.url)
		names += " " + name
	}
	fmt.Fprintf(&b, "group g %d%s\nquorum g\n", k, names)
	p, err := ledger.ParsePolicy([]byte(b.String()))
	if err != nil {
		w.t.Fatal(err)
	}
	return &publish.Witnesses{Policy: p, Hashes: w.store.HashReader, Client: http.DefaultClient, Timeout: 5 * time.Second}
}

func (w *world) cosign(ws *publish.Witnesses, before []byte) ([]byte, error) {
	w.t.Helper()
	c, err := ledger.ParseCheckpoint(w.signed, w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return ws.Cosign(w.t.Context(), w.signed, c, before)
}

// All witnesses cosign as the log grows; one that was asked before is not asked from where on it wants the proof.
func TestWitnessesCosign(t *testing.T) {
	w := newWorld(t)
	a, b := w.witness("a", 1, nil), w.witness("b", 2, nil)
	ws := w.asking(2, a, b)
	var before []byte
	for i, n := range []int64{0, 1, 5, 5, 300} {
		w.grow(n)
		text, err := w.cosign(ws, before)
		if err != nil {
			t.Fatal(err)
		}
		if cosigned, err := ws.Policy.Witnessed(text); err != nil || len(cosigned) != 2 || !bytes.HasPrefix(text, w.signed) {
			t.Errorf("%+v, %v", cosigned, err)
		}
		if a.asked != i+1 || b.asked != i+1 {
			t.Errorf("at size %d they were asked %d and %d times, want %d", n, a.asked, b.asked, i+1)
		}
		before = text
	}
	// Without what was cosigned before, the witness says what it has seen.
	w.grow(301)
	if _, err := w.cosign(ws, nil); err != nil || a.asked != 7 {
		t.Errorf("%v; asked %d times", err, a.asked)
	}
}

// A quorum is enough; what keeps the others is said when it is not.
func TestWitnessesThatDoNot(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"context deadline exceeded": func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
		"does not know the log tidewaiter.org/log/test": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNotFound) },
		"but not the key that signed":                   func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) },
		"does not extend":                               func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusUnprocessableEntity) },
		"it answers 500":                                func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) },
		"does not say how many entries it has seen":     func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusConflict) },
		"no cosignature of its key":                     func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "thank you") },
		"it has seen 9 entries of this log, and here 3": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/x.tlog.size")
			rw.WriteHeader(http.StatusConflict)
			fmt.Fprint(rw, "9\n")
		},
	} {
		t.Run(want, func(t *testing.T) {
			w := newWorld(t)
			w.grow(3)
			good, bad := w.witness("good", 1, nil), w.witness("bad", 2, answer)
			one := w.asking(1, good, bad)
			one.Timeout = 200 * time.Millisecond
			text, err := w.cosign(one, nil)
			if err != nil {
				t.Fatal(err)
			}
			if cosigned, err := one.Policy.Witnessed(text); err != nil || len(cosigned) != 1 || cosigned[0].Witness != "a" {
				t.Errorf("%+v, %v", cosigned, err)
			}
			both := w.asking(2, good, bad)
			both.Timeout = 200 * time.Millisecond
			_, err = w.cosign(both, nil)
			if !errors.Is(err, publish.ErrNoQuorum) || !strings.Contains(err.Error(), "b: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a: ") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A cosignature that another key made, or that was made for another tree, is none.
func TestForgedCosignature(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	thief := w.witness("bad", 9, nil)
	bad := w.witness("bad", 2, nil)
	bad.answer = func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, thief.cosign(string(w.signed))) }
	if _, err := w.cosign(w.asking(1, bad), nil); !errors.Is(err, publish.ErrNoQuorum) {
		t.Errorf("another key: %v", err)
	}
	old := string(w.signed)
	bad.answer = func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, bad.cosign(old)) }
	w.grow(4)
	if _, err := w.cosign(w.asking(1, bad), nil); !errors.Is(err, publish.ErrNoQuorum) {
		t.Errorf("another tree: %v", err)
	}
}

// A witness that saw one history does not cosign another, and the error says so.
func TestWitnessSeesAFork(t *testing.T) {
	w := newWorld(t)
	a := w.witness("a", 1, nil)
	ws := w.asking(1, a)
	w.grow(5)
	if _, err := w.cosign(ws, nil); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int64]string{5: "another tree of 5 entries", 7: "does not extend that of 5", 3: "it has seen 5 entries of this log, and here 3"} {
		other := newWorld(t)
		other.signer, other.key = w.signer, w.key
		other.grow(n)
		ws.Hashes = other.store.HashReader
		if _, err := other.cosign(ws, nil); !errors.Is(err, publish.ErrNoQuorum) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d entries: %v", n, err)
		}
	}
}
