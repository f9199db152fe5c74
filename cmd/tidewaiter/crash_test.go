package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
)

// Fifty kills, as the release is checked with:
//
//	go test ./cmd/tidewaiter -run Killed -crashes 50 -timeout 60m -v
var crashes = flag.Int("crashes", 10, "how often the capturing process is killed")

// sender captures one document after the other, each with a command line of its own, and says on stdout which were acknowledged:
// what runs beside a scanner or a file drop all day. Between them it asks a question, so that the views are written too.
func sender(args []string) int {
	data, documents := args[0], args[1:]
	for i, name := range documents {
		var answer bytes.Buffer
		code := run(context.Background(), []string{"--data", data, "capture", "--trust-record-time", name}, nil, &answer, os.Stderr)
		if code != exitDone {
			return code
		}
		fmt.Printf("%s %s", name, answer.Bytes())
		if i%3 == 2 {
			if code := run(context.Background(), []string{"--data", data, "where", "C0E0"}, nil, &answer, os.Stderr); code != exitDone {
				return code
			}
		}
	}
	return exitDone
}

// eventsEach is how many events a document of the crash test has: all of them are kept, or none.
const eventsEach = 5

func crashDocument(t *testing.T, folder string, n int) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0",` +
		`"creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[`)
	at := time.Date(2026, 3, 1, 0, n, 0, 0, time.UTC).Format(time.RFC3339)
	for i := range eventsEach {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"ObjectEvent","action":"ADD","bizStep":"commissioning","eventTime":%q,"recordTime":%q,"eventTimeZoneOffset":"+00:00",`+
			`"epcList":["https://id.gs1.org/01/09521234000013/21/C%dE%d"],"readPoint":{"id":"https://id.gs1.org/414/9521234500032"}}`, at, at, n, i)
	}
	b.WriteString("]}}")
	return writeFile(t, folder, fmt.Sprintf("%04d.json", n), b.Bytes())
}

// TestKilledWhileCapturing kills the sender with SIGKILL at random moments, and starts it again from its first document, as
// somebody who knows only what was acknowledged would. Nothing that was acknowledged is missing, no document is there in part,
// every byte is as it was written, and the views are those of a ledger that was never killed.
func TestKilledWhileCapturing(t *testing.T) {
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	var documents []string
	acknowledged := map[string]bool{}
	for range *crashes {
		for range 12 {
			documents = append(documents, crashDocument(t, inbox, len(documents)))
		}
		killSender(t, data, documents, acknowledged)
		if len(acknowledged) == 0 {
			continue // it may have been killed before there was a ledger
		}
		if entries := sound(t, data).Entries; entries%eventsEach != 0 || entries < int64(eventsEach*len(acknowledged)) {
			t.Fatalf("%d entries of documents of %d events, of which %d were acknowledged", entries, eventsEach, len(acknowledged))
		}
	}
	for name := range acknowledged {
		r := decode[registry.Result](t, process(t, "--data", data, "capture", "--trust-record-time", name))
		if r.Accepted != 0 || r.Duplicates != eventsEach {
			t.Errorf("%s was acknowledged, and of its events were missing: %+v", filepath.Base(name), r)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged before a kill: the test shows nothing")
	}
	sameAsNeverKilled(t, data, documents)
	t.Logf("%d kills; %d of %d documents were acknowledged before one", *crashes, len(acknowledged), len(documents))
}

// killSender runs the sender until it has acknowledged some documents that are new, and a random moment longer.
func killSender(t *testing.T, data string, documents []string, acknowledged map[string]bool) {
	t.Helper()
	cmd := command(t, append([]string{data}, documents...)...)
	cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=sender")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fresh := rand.IntN(12)
	lines := bufio.NewScanner(out)
	for fresh > 0 && lines.Scan() {
		if takeDown(lines.Text(), acknowledged) {
			fresh--
		}
	}
	time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // acknowledged before the kill, and not read yet
		takeDown(lines.Text(), acknowledged)
	}
	_ = cmd.Wait() // it was killed
}

// takeDown notes an acknowledgement, and says whether it is one of a document that was not acknowledged before.
func takeDown(line string, acknowledged map[string]bool) bool {
	name, answer, ok := strings.Cut(line, " ")
	if !ok || !strings.HasSuffix(answer, "}") || acknowledged[name] {
		return false // a line that was cut off acknowledges nothing
	}
	acknowledged[name] = true
	return true
}

// sameAsNeverKilled sends the rest and compares with a ledger that was sent the same without a kill.
func sameAsNeverKilled(t *testing.T, data string, documents []string) {
	t.Helper()
	for _, folder := range []string{data, data + "-calm"} {
		process(t, append([]string{"--data", folder, "capture", "--trust-record-time"}, documents...)...)
	}
	killed, calm := sound(t, data), sound(t, data+"-calm")
	if want := int64(eventsEach * len(documents)); killed.Entries != want || calm.Entries != want {
		t.Errorf("%d and %d entries, want %d", killed.Entries, calm.Entries, want)
	}
	want := process(t, "--data", data+"-calm", "--json", "views", "digest")
	for _, args := range [][]string{{"digest"}, {"rebuild"}, {"rebuild", "--batch", "7"}} {
		if got := process(t, append([]string{"--data", data, "--json", "views"}, args...)...); got != want {
			t.Errorf("views %v: %s, and of a ledger that was never killed: %s", args, got, want)
		}
	}
}

// TestKilledInsideADocument kills captures of one long document: as a whole it is there or not at all; with --proceed what is
// there is sound, and sending it again adds the rest.
func TestKilledInsideADocument(t *testing.T) {
	const events = 10000
	var b bytes.Buffer
	if err := writeDocument(&b, events, 400); err != nil {
		t.Fatal(err)
	}
	document := writeFile(t, t.TempDir(), "long.json", b.Bytes())
	for name, flags := range map[string][]string{"whole": {"capture", document}, "proceed": {"capture", "--proceed", document}} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			process(t, append([]string{"--data", t.TempDir()}, flags...)...)
			takes, sizes := time.Since(start), []int64{}
			for range (*crashes + 1) / 2 {
				args := append([]string{"--data", t.TempDir()}, flags...)
				cmd := command(t, args...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rand.N(takes))
				_ = cmd.Process.Kill() // unless it was quicker
				_ = cmd.Wait()
				r := decode[registry.Result](t, process(t, args...))
				if r.Accepted+r.Duplicates != events || name == "whole" && r.Accepted != 0 && r.Accepted != events {
					t.Errorf("captured again after a kill: %+v", r)
				}
				if n := sound(t, args[1]).Entries; n != events {
					t.Errorf("%d of %d events are there after all", n, events)
				}
				sizes = append(sizes, r.Duplicates)
			}
			t.Logf("of %d events so many were there after each kill: %v", events, sizes)
		})
	}
}
