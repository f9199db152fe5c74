package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
)

// command is the real command as a process of its own: this test binary, which TestMain turns into it.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=tidewaiter")
	return cmd
}

// ran is what a process left behind.
type ran struct {
	code           int
	stdout, stderr string
	state          *os.ProcessState
}

// finish runs a command to its end, whatever that is.
func finish(t *testing.T, cmd *exec.Cmd) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args[1:], err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), cmd.ProcessState}
}

// process runs the command, which must succeed, and returns what it printed on stdout.
func process(t *testing.T, args ...string) string {
	t.Helper()
	r := finish(t, command(t, args...))
	if r.code != exitDone {
		t.Fatalf("tidewaiter %v: exit code %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// decode reads one line of JSON that a command printed.
func decode[T any](t *testing.T, line string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return v
}

// sound runs fsck over a data folder, which must find nothing, and returns what it says.
func sound(t *testing.T, data string) fsckResult {
	t.Helper()
	r := decode[fsckResult](t, process(t, "--data", data, "--json", "log", "fsck"))
	if !r.OK || r.Signed > r.Size || r.Entries != r.Size {
		t.Fatalf("fsck: %+v", r)
	}
	return r
}

// writeFile writes a file into a folder and returns its path.
func writeFile(t *testing.T, folder, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
