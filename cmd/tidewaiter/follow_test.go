package main

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/publish"
)

// Somebody follows a log from outside. When the holder of its key shows another history, the follower says so, with exit code 3,
// and has the evidence.
func TestFollowALog(t *testing.T) {
	dir := t.TempDir()
	data, mirror := filepath.Join(dir, "data"), filepath.Join(dir, "mirror")
	world := filepath.Join("testdata", "world.json")
	process(t, "--data", data, "capture", world)
	key := strings.TrimSpace(process(t, "--data", data, "log", "key"))
	s := startService(t, data, "--every", "50ms")
	follow := func(url string) ran {
		return finish(t, command(t, "log", "follow", url+"/log/", "--vkey", key, "--mirror", mirror, "--once"))
	}
	if r := follow(s.url); r.code != exitDone || decode[publish.Seen](t, r.stdout).Size != 11 {
		t.Errorf("%+v", r)
	}
	process(t, "--data", data, "sweep")
	if got := process(t, "log", "follow", s.url+"/log", "--vkey", key, "--once"); !strings.Contains(got, `"from":0,`) {
		t.Errorf("without a mirror: %s", got)
	}
	s.stop()
	if r := follow(s.url); r.code != exitFailed || !strings.Contains(r.stderr, "refused") {
		t.Errorf("nobody serves: %+v", r)
	}

	other := filepath.Join(dir, "other")
	if err := os.MkdirAll(other, 0o700); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(data, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, other, keyFile, secret)
	process(t, "--data", other, "capture", world)
	fork := startService(t, other)
	r := follow(fork.url)
	if r.code != exitNo || !strings.Contains(r.stderr, "tidewaiter: no: ALARM: a split view") {
		t.Errorf("%+v", r)
	}
	shown, err := filepath.Glob(filepath.Join(mirror, "evidence", "*", "shown"))
	if err != nil || len(shown) != 1 {
		t.Fatalf("%v, %v", shown, err)
	}
	if text, err := os.ReadFile(shown[0]); err != nil || !bytes.HasPrefix(text, []byte(strings.Split(key, "+")[0]+"\n11\n")) {
		t.Errorf("%q, %v", text, err)
	}
	fork.stop()
}

// A monitor that goes on looking says what is new, waits while the log is away, and ends when it is asked to.
func TestFollowGoesOn(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	process(t, "--data", data, "capture", filepath.Join("testdata", "world.json"))
	key := strings.TrimSpace(process(t, "--data", data, "log", "key"))
	s := startService(t, data, "--every", "20ms")
	cmd := command(t, "log", "follow", s.url+"/log", "--vkey", key, "--every", "20ms")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process(t, "--data", data, "sweep")
	time.Sleep(time.Second)
	s.stop()
	time.Sleep(200 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
	if !strings.Contains(out.String(), `"size":12`) || !strings.Contains(said.String(), "asking again in 20ms") {
		t.Errorf("it printed %q, and said %q", out.String(), said.String())
	}
}

// Publishing is killed at random moments while the ledger grows. Whatever the folder shows then, a monitor that reads it through
// a plain web server finds whole; and repeated, it is complete.
func TestKilledWhilePublishing(t *testing.T) {
	dir := t.TempDir()
	data, web, mirror := filepath.Join(dir, "data"), filepath.Join(dir, "web"), filepath.Join(dir, "mirror")
	server := httptest.NewServer(http.FileServer(http.Dir(web)))
	defer server.Close()
	var key string
	var takes time.Duration
	shown := map[int64]bool{}
	for round := range *crashes {
		var b bytes.Buffer
		if err := writeDocument(&b, int64(700*(round+1)), 100); err != nil {
			t.Fatal(err)
		}
		process(t, "--data", data, "capture", writeFile(t, dir, "document.json", b.Bytes()))
		key = strings.TrimSpace(process(t, "--data", data, "log", "key"))
		cmd := command(t, "--data", data, "log", "publish", web)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if round > 0 { // the first is there to see how long it takes
			time.Sleep(rand.N(2 * takes))
			_ = cmd.Process.Kill() // unless it was quicker
		}
		_ = cmd.Wait()
		takes = max(takes, time.Since(start))
		seen := decode[publish.Seen](t, process(t, "log", "follow", server.URL, "--vkey", key, "--mirror", mirror, "--once"))
		shown[seen.Size] = true
	}
	process(t, "--data", data, "log", "publish", web)
	last := decode[publish.Seen](t, process(t, "log", "follow", server.URL, "--vkey", key, "--mirror", mirror, "--once"))
	if want := int64(700 * *crashes); last.Size < want {
		t.Errorf("in the end the folder shows %d entries, want %d", last.Size, want)
	}
	t.Logf("the folder showed %d sizes in %d rounds, each after a kill but the first", len(shown), *crashes)
}
