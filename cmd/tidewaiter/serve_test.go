package main

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// service is a running `tidewaiter serve`.
type service struct {
	t   *testing.T
	cmd *exec.Cmd
	url string // without a slash at the end
}

var serving = regexp.MustCompile(`serving (https?://\S+)/log/`)

// startService starts the service on a free port and waits until it says that it listens.
func startService(t *testing.T, data string, flags ...string) *service {
	t.Helper()
	cmd := command(t, append([]string{"--data", data, "serve", "--listen", "127.0.0.1:0"}, flags...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return &service{t: t, cmd: cmd, url: m[1]}
		}
		t.Log(lines.Text())
	}
	t.Fatalf("the service did not start: %v", cmd.Wait())
	return nil
}

// get returns the answer's status and body.
func (s *service) get(path string) (int, string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// stop asks the service to end, which it must do well.
func (s *service) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the service ended with %v", err)
	}
}

// The service serves the log, signs what arrives while it runs, and ends when it is asked to.
func TestServeTheLog(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startService(t, data, "--every", "50ms")
	if code, body := s.get("/log/checkpoint"); code != http.StatusOK || !regexp.MustCompile(`^tidewaiter.org/log/\w+\n0\n`).MatchString(body) {
		t.Errorf("an empty log: %d %q", code, body)
	}
	process(t, "--data", data, "capture", filepath.Join("testdata", "world.json"))
	process(t, "--data", data, "sweep") // which signs nothing
	grown := regexp.MustCompile(`^tidewaiter.org/log/\w+\n12\n`)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, body := s.get("/log/checkpoint")
		if grown.MatchString(body) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the checkpoint is still %q", body)
		}
	}
	if code, body := s.get("/log/tile/entries/000.p/12"); code != http.StatusOK || len(body) != 12*34 {
		t.Errorf("the bundle: %d, %d bytes", code, len(body))
	}
	for _, path := range []string{"/", "/log", "/log/", "/log/tile/0/", "/log/ledger.db", "/ledger.db"} {
		if code, body := s.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	s.stop()
}
