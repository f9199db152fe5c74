// These tests are in a module of their own, so that the product does not depend on what it is checked with. They know Tidewaiter
// by its command line only, as a stranger does, and check what it publishes with tools that others wrote.
package strangers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tools is where TestMain builds what the tests run.
var tools string

func TestMain(m *testing.M) {
	os.Exit(withTools(m))
}

func withTools(m *testing.M) int {
	var err error
	if tools, err = os.MkdirTemp("", "strangers"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(tools)
	for name, pkg := range map[string]string{
		"tidewaiter":  "./cmd/tidewaiter",
		"fsck":        "github.com/transparency-dev/tessera/cmd/fsck",
		"omniwitness": "github.com/transparency-dev/witness/cmd/omniwitness",
	} {
		build := exec.Command("go", "build", "-o", filepath.Join(tools, name), pkg)
		if strings.HasPrefix(pkg, "./") {
			build.Dir = filepath.Join("..", "..")
		}
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// tidewaiter runs the command, which must succeed.
func tidewaiter(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "tidewaiter"), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tidewaiter %v: %v\n%s%s", args, err, out, stderr.String())
	}
	return string(out)
}

// demoLog makes a ledger of a simulated world.
func demoLog(t *testing.T, units int) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	tidewaiter(t, "--data", data, "demo", "--no-serve", "--units", strconv.Itoa(units))
	return data
}

// sizeOf reads a checkpoint's size.
func sizeOf(t *testing.T, checkpoint string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Split(checkpoint, "\n")[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fsck runs Tessera's fsck. By its exit code it always succeeds, so what it says is read; and it gets a time limit, because it
// may wait for ever after it has found something.
func fsck(t *testing.T, url, vkey string) (ok bool, said string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "vkey")
	if err := os.WriteFile(key, []byte(vkey), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(tools, "fsck"), "-N", "4", "--ui=false", "--v=1", "--storage_url="+url, "--public_key="+key).CombinedOutput()
	said = string(out)
	return err == nil && strings.Contains(said, "Successfully fsck'd") && !strings.Contains(said, "failed"), said
}

// Tessera's fsck, whose Merkle tree is another's code, derives the published tree again: from the folder, and from the service.
func TestFsckOfADemoLog(t *testing.T) {
	data, web := demoLog(t, 600), t.TempDir()
	vkey := strings.TrimSpace(tidewaiter(t, "--data", data, "log", "key"))
	tidewaiter(t, "--data", data, "log", "publish", web)
	size := sizeOf(t, tidewaiter(t, "--data", data, "log", "checkpoint"))
	server := httptest.NewServer(http.FileServer(http.Dir(web)))
	defer server.Close()
	if ok, said := fsck(t, server.URL+"/", vkey); !ok || !strings.Contains(said, fmt.Sprintf("size %d", size)) {
		t.Errorf("a folder of %d entries:\n%s", size, said)
	}
	if ok, said := fsck(t, serve(t, data)+"/log/", vkey); !ok {
		t.Errorf("the service:\n%s", said)
	}
	t.Logf("%d entries", size)
	for _, damaged := range []string{"tile/0/000", "tile/1/000.p/*", "tile/entries/001", "checkpoint"} {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(web)); err != nil {
			t.Fatal(err)
		}
		flip(t, copied, damaged)
		if ok, said := fsck(t, "file://"+copied+"/", vkey); ok {
			t.Errorf("%s was changed, and fsck says:\n%s", damaged, said)
		}
	}
}

// After the key was replaced, the new Ed25519 key and the ML-DSA-44 key each are enough for Tessera to check the log.
func TestFsckWithEitherKey(t *testing.T) {
	data, web := filepath.Join(t.TempDir(), "data"), t.TempDir()
	world := filepath.Join("..", "..", "cmd", "tidewaiter", "testdata", "world.json")
	tidewaiter(t, "--data", data, "capture", world)
	tidewaiter(t, "--data", data, "log", "key", "rotate", "--ml-dsa")
	keys := strings.Split(tidewaiter(t, "--data", data, "log", "key"), "\n")
	for _, part := range []string{"hand-over", "after it"} {
		tidewaiter(t, "--data", data, "log", "publish", web)
		for i, vkey := range keys[:2] {
			if ok, said := fsck(t, "file://"+web+"/", vkey); !ok {
				t.Errorf("%s, key %d:\n%s", part, i, said)
			}
		}
		tidewaiter(t, "--data", data, "sweep")
	}
}

// flip changes one bit in the middle of a file.
func flip(t *testing.T, dir, pattern string) {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	path := filepath.Join(dir, names[0])
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts the service and returns its address.
func serve(t *testing.T, data string, flags ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "tidewaiter"), append([]string{"--data", data, "serve", "--listen", "127.0.0.1:0"}, flags...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	buf := make([]byte, 4096)
	n, err := stderr.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_, url, ok := strings.Cut(string(buf[:n]), "serving ")
	if !ok {
		t.Fatalf("the service says %q", buf[:n])
	}
	return strings.TrimSuffix(strings.TrimSpace(url), "/log/")
}

// leavesOf reads the leaf hashes from published bundles, as RFC 6962 hashes them.
func leavesOf(t *testing.T, web string, size int64) []tlog.Hash {
	t.Helper()
	var leaves []tlog.Hash
	for n := int64(0); n*256 < size; n++ {
		name := fmt.Sprintf("tile/entries/%03d", n)
		if w := size - n*256; w < 256 {
			name += fmt.Sprintf(".p/%d", w)
		}
		bundle, err := os.ReadFile(filepath.Join(web, name))
		if err != nil {
			t.Fatal(err)
		}
		for len(bundle) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, sha256.Sum256(append([]byte{0}, bundle[2:end]...)))
			bundle = bundle[end:]
		}
	}
	return leaves
}

// torchwood accepts the proof of every entry, which capture gave, under the leaves that were published; and it refuses each of
// them for another entry, and once anything in it was changed.
func TestTorchwoodVerifiesProofs(t *testing.T) {
	dir, web := t.TempDir(), t.TempDir()
	data, world, receipts := filepath.Join(dir, "data"), filepath.Join(dir, "world"), filepath.Join(dir, "receipts")
	tidewaiter(t, "simulate", "--units", "200", "--out", world)
	tidewaiter(t, "--data", data, "capture", "--trust-record-time", "--receipts", receipts, filepath.Join(world, "epcis"))
	vkey := strings.TrimSpace(tidewaiter(t, "--data", data, "log", "key"))
	tidewaiter(t, "--data", data, "log", "publish", web)
	size := sizeOf(t, tidewaiter(t, "--data", data, "log", "checkpoint"))
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(v.Name()), torchwood.SingleVerifierPolicy(v))
	leaves := leavesOf(t, web, size)
	proofs := proofsIn(t, receipts)
	if int64(len(proofs)) != size || size < 1000 {
		t.Fatalf("%d proofs of %d entries", len(proofs), size)
	}
	for seq, proof := range proofs {
		if err := torchwood.VerifyProof(policy, leaves[seq], proof); err != nil {
			t.Errorf("entry %d: %v\n%s", seq, err, proof)
		}
		if err := torchwood.VerifyProof(policy, leaves[(seq+1)%len(leaves)], proof); err == nil {
			t.Errorf("the proof of entry %d proves another", seq)
		}
		if seq%50 == 0 {
			refusesMutants(t, policy, leaves[seq], proof)
		}
	}
	t.Logf("%d proofs", size)
}

// proofsIn reads the tlog-proofs from receipts, one a line.
func proofsIn(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	for line := range strings.Lines(string(mustRead(t, path))) {
		var r struct {
			Proof string `json:"proof"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, []byte(r.Proof))
	}
	return all
}

// refusesMutants changes every number and hash of a proof, bit by bit. The signature lines are base64 of a key id and the
// signature; a changed key id is another key's signature, which leaves none of this key.
func refusesMutants(t *testing.T, policy torchwood.Policy, leaf tlog.Hash, proof []byte) {
	t.Helper()
	lines := strings.Split(string(proof), "\n")
	for i, line := range lines {
		for _, mutant := range mutants(line) {
			lines[i] = mutant
			if err := torchwood.VerifyProof(policy, leaf, []byte(strings.Join(lines, "\n"))); err == nil {
				t.Errorf("line %d was %q; accepted as %q", i+1, line, mutant)
			}
		}
		lines[i] = line
	}
}

// mutants are what a line may be changed to.
func mutants(line string) (all []string) {
	before, last := "", line
	if i := strings.LastIndexByte(line, ' '); i >= 0 {
		before, last = line[:i+1], line[i+1:]
	}
	if n, err := strconv.Atoi(last); err == nil {
		return []string{before + strconv.Itoa(n+1), before + strconv.Itoa(n+256)}
	}
	raw, err := base64.StdEncoding.DecodeString(last)
	if err != nil || len(raw) < 32 {
		return nil
	}
	for i := range raw {
		flipped := bytes.Clone(raw)
		flipped[i] ^= 1 << (i % 8)
		all = append(all, before+base64.StdEncoding.EncodeToString(flipped))
	}
	return all
}
