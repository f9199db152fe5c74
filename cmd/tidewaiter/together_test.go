package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidewaiter/tidewaiter/registry"
)

// TestSeveralAtOnce lets processes begin one ledger together and capture what partly overlaps: each event is kept once, there is
// one key, and the views are what one process alone would have made of the same ledger.
func TestSeveralAtOnce(t *testing.T) {
	const processes, documents, shared = 3, 6, 4
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	answers := make(chan string)
	for p := range processes {
		args := []string{"--data", data, "capture"}
		for n := range documents {
			if n >= shared {
				n += (p + 1) * documents
			}
			args = append(args, crashDocument(t, inbox, n))
		}
		cmd := command(t, args...)
		go func() {
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v: %s", err, stderr.String())
			}
			answers <- string(out)
		}()
	}
	var total registry.Result
	for range processes {
		total.Add(decode[registry.Result](t, <-answers))
	}
	want := int64(eventsEach * (shared + processes*(documents-shared)))
	if total.Accepted != want || total.Accepted+total.Duplicates != processes*documents*eventsEach {
		t.Errorf("%+v; want %d accepted", total, want)
	}
	if n := sound(t, data).Entries; n != want {
		t.Errorf("%d entries, want %d", n, want)
	}
	digest := process(t, "--data", data, "--json", "views", "digest")
	if again := process(t, "--data", data, "--json", "views", "rebuild"); again != digest {
		t.Errorf("%s, made again %s", digest, again)
	}
	if left, err := filepath.Glob(filepath.Join(data, "*.new-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestInterrupted sends the signal of Ctrl-C: what was captured before is told, what was begun is not kept, and it says why it ended.
func TestInterrupted(t *testing.T) {
	data, inbox := t.TempDir(), t.TempDir()
	first := crashDocument(t, inbox, 0)
	endless, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer endless.Close()
	cmd := command(t, "--data", data, "capture", first, "-", first)
	cmd.Stdin = endless
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The document goes on until the signal, so that it is in the middle of it for certain.
	if _, err := io.WriteString(writing, `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","epcisBody":{"eventList":[`); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if n == 3000 {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Skipf("SKIPPED: no such signal here: %v", err)
			}
			endless.Close()
		}
		_, err := fmt.Fprintf(writing, `{"type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["https://id.gs1.org/01/09521234000013/21/I%d"]},`, n)
		if err != nil {
			break // it has ended
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(stderr.String(), "interrupt") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if r := decode[registry.Result](t, stdout.String()); r.Accepted != eventsEach || r.Duplicates != 0 {
		t.Errorf("it says %s", stdout.String())
	}
	if !strings.Contains(stderr.String(), "document 2 of 3; those before it are done") {
		t.Errorf("it says: %s", stderr.String())
	}
	if r := sound(t, data); r.Entries != eventsEach || r.Signed != eventsEach {
		t.Errorf("%+v", r)
	}
}

// Several processes replace the log's key at once, while others capture: each key that the ledger names is one after the other,
// and the last one signs.
func TestKeysReplacedTogether(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	process(t, "--data", data, "capture", filepath.Join("testdata", "world.json"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if r := finish(t, command(t, "--data", data, "log", "key", "rotate")); r.code != exitDone {
				t.Errorf("%+v", r)
			}
		})
		all.Go(func() {
			if r := finish(t, command(t, "--data", data, "log", "checkpoint")); r.code != exitDone {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	if keys := strings.Count(process(t, "--data", data, "log", "key"), "\n"); keys != 5 {
		t.Errorf("%d keys, want 5", keys)
	}
	if got := process(t, "--data", data, "log", "checkpoint"); !strings.Contains(got, "\n15\n") {
		t.Errorf("signed %q", got)
	}
	sound(t, data)
}
