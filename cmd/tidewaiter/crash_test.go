package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var crashes = flag.Int("crashes", 6, "how often the capturing process is killed")

// document is one event of a unit that no other document names.
func document(round, n int) []byte {
	return fmt.Appendf(nil, `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"ObjectEvent","action":"ADD",
"bizStep":"commissioning","eventTime":"2026-03-01T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["https://id.gs1.org/01/09521234000013/21/R%dN%d"]}`, round, n)
}

// run runs the command as a process of its own and returns what it printed on stdout.
func process(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// TestKilledWhileCapturing kills the process at random moments: whatever was acknowledged is there afterwards, every byte is as
// it was written, and the views made anew are those that were there.
func TestKilledWhileCapturing(t *testing.T) {
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	acknowledged := map[string]bool{}
	for round := range *crashes {
		// A shell that captures one document after the other, and notes each that was acknowledged.
		var script strings.Builder
		for n := range 40 {
			name := filepath.Join(inbox, fmt.Sprintf("r%dn%d.json", round, n))
			if err := os.WriteFile(name, document(round, n), 0o644); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&script, "'%s' --data '%s' capture '%s' >/dev/null 2>&1 && echo R%dN%d\n", os.Args[0], data, name, round, n)
			if n%7 == 3 {
				fmt.Fprintf(&script, "'%s' --data '%s' cases >/dev/null 2>&1\n", os.Args[0], data)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+rand.IntN(900))*time.Millisecond)
		cmd := exec.CommandContext(ctx, "sh", "-c", script.String())
		cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=1")
		killGroup(cmd)
		var out bytes.Buffer
		cmd.Stdout = &out
		_ = cmd.Run() // it was killed
		cancel()
		for _, unit := range strings.Fields(out.String()) {
			acknowledged[unit] = true
		}
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was ever acknowledged: the test shows nothing")
	}
	for unit := range acknowledged {
		if out := process(t, "--data", data, "--json", "where", unit); !strings.Contains(out, "/21/"+unit+`"`) {
			t.Errorf("%s was acknowledged and is not there: %s", unit, out)
		}
	}
	process(t, "--data", data, "log", "fsck")
	before := process(t, "--data", data, "--json", "views", "digest")
	if after := process(t, "--data", data, "--json", "views", "rebuild", "--batch", "7"); after != before {
		t.Errorf("views made anew differ:\n%s%s", before, after)
	}
	t.Logf("%d kills, %d acknowledged", *crashes, len(acknowledged))
}
