package strangers

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// startWitness starts an omniwitness that knows the log, and returns the witness's verifier key and address.
func startWitness(t *testing.T, name, logKey string, postQuantum bool) (vkey, url string) {
	t.Helper()
	dir := t.TempDir()
	skey, plain, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	if postQuantum {
		if skey, vkey, err = f_note.GenerateMLDSAKey(name); err != nil {
			t.Fatal(err)
		}
	} else if vkey, err = f_note.VKeyToCosignatureV1(plain); err != nil {
		t.Fatal(err)
	}
	origin, _, _ := strings.Cut(logKey, "+")
	logs := fmt.Sprintf("Logs:\n  - Origin: %s\n    PublicKey: %s\n    URL: http://127.0.0.1:1/\n    Feeder: none\n", origin, logKey)
	for file, text := range map[string]string{"key": skey, "logs.yaml": logs} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "omniwitness"), "--listen="+address, "--metrics_listen=", "--private_key_path="+filepath.Join(dir, "key"),
		"--additional_logs="+filepath.Join(dir, "logs.yaml"), "--db_file="+filepath.Join(dir, "witness.db"))
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(said.Name()); err == nil && t.Failed() {
			t.Logf("%s said:\n%.4000s", name, text)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return vkey, "http://" + address + "/"
		}
		if time.Now().After(deadline) {
			t.Fatal("the witness does not listen")
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// fails runs the command, which must fail, and returns what it says.
func fails(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(tools, "tidewaiter"), args...).CombinedOutput()
	if err == nil {
		t.Errorf("tidewaiter %v succeeded: %s", args, out)
	}
	return string(out)
}

// Two omniwitnesses, one of each kind of key, cosign what is published; torchwood, with the same policy, accepts the proofs. The
// witnesses then refuse a second history of the log.
func TestOmniwitnessCosigns(t *testing.T) {
	data, web := filepath.Join(t.TempDir(), "data"), t.TempDir()
	world := filepath.Join("..", "..", "cmd", "tidewaiter", "testdata", "world.json")
	tidewaiter(t, "--data", data, "capture", world)
	logKey := strings.TrimSpace(tidewaiter(t, "--data", data, "log", "key"))
	one, oneURL := startWitness(t, "witness.example/one", logKey, false)
	two, twoURL := startWitness(t, "witness.example/two", logKey, true)
	policy := filepath.Join(t.TempDir(), "policy")
	text := fmt.Sprintf("log %s\nwitness one %s %s\nwitness two %s %s\ngroup both all one two\nquorum both\n", logKey, one, oneURL, two, twoURL)
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for size := int64(11); size < 14; size++ {
		tidewaiter(t, "--data", data, "log", "publish", web, "--policy", policy)
		checkpoint, err := os.ReadFile(filepath.Join(web, "checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		if sizeOf(t, string(checkpoint)) != size || strings.Count(string(checkpoint), "\n— ") != 3 {
			t.Errorf("published:\n%s", checkpoint)
		}
		tidewaiter(t, "--data", data, "sweep")
	}
	verifyWitnessed(t, data, web, policy, one)
	tidewaiter(t, "--data", data, "log", "verify", "--policy", policy, writeReceipts(t, data, "3"))

	stolen := filepath.Join(t.TempDir(), "stolen") // somebody with the log's key writes another history
	if err := os.MkdirAll(stolen, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stolen, "log.key"), mustRead(t, filepath.Join(data, "log.key")), 0o600); err != nil {
		t.Fatal(err)
	}
	tidewaiter(t, "--data", stolen, "capture", world)
	for _, want := range []string{"it has seen 13 entries of this log, and here 11", "it has seen 13 entries of this log, and here 12", "the tree of 13 entries does not extend that of 13", "does not extend that of 13"} {
		said := fails(t, "--data", stolen, "log", "publish", t.TempDir(), "--policy", policy)
		if strings.Count(said, want) != 2 || !strings.Contains(said, "no quorum of witnesses") {
			t.Errorf("want %q of both witnesses:\n%s", want, said)
		}
		tidewaiter(t, "--data", stolen, "sweep")
	}
}

// writeReceipts writes the receipts of an entry to a file.
func writeReceipts(t *testing.T, data, what string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.json")
	if err := os.WriteFile(path, []byte(tidewaiter(t, "--data", data, "--json", "log", "proof", what)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// verifyWitnessed has torchwood check a proof under the log's key and the Ed25519 witness's. (It knows no ML-DSA-44.)
func verifyWitnessed(t *testing.T, data, web, policy, witness string) {
	t.Helper()
	logLine, _, _ := strings.Cut(string(mustRead(t, policy)), "\n")
	p, err := torchwood.ParsePolicy([]byte(logLine + "\nwitness one " + witness + "\nquorum one\n"))
	if err != nil {
		t.Fatal(err)
	}
	leaves := leavesOf(t, web, 13)
	proof := []byte(tidewaiter(t, "--data", data, "log", "proof", "3"))
	if err := torchwood.VerifyProof(p, leaves[3], proof); err != nil {
		t.Errorf("%v\n%s", err, proof)
	}
	refusesMutants(t, p, leaves[3], []byte(withoutMLDSA(string(proof))))
}

// withoutMLDSA leaves out the signature that torchwood does not read: it accepts any change there.
func withoutMLDSA(proof string) string {
	var kept []string
	for _, line := range strings.Split(proof, "\n") {
		if len(line) < 1000 {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
