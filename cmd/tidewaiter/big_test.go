package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
)

// The sizes that are promised, for which the default run has no time:
//
//	go test ./cmd/tidewaiter -run Big -big -v -timeout 30m
var big = flag.Bool("big", false, "capture a gigabyte, a million events of one unit, and an event of a million units")

// most is how much memory a capture may take, whatever is captured.
const most = 300 << 20

// measured is the command, and afterwards tells how much memory it had at its peak.
func measured(args []string) int {
	code := run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return code
	}
	if m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); m != nil {
		fmt.Fprintf(os.Stderr, "peak %s kB\n", m[1])
	}
	return code
}

// capturing runs a command over what a function writes into its standard input. It must not take more memory than it may.
func capturing(t *testing.T, write func(io.Writer) error, args ...string) (r ran, peak int64) {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=measured")
	if write != nil {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cmd.Stdin = in
		go func() {
			_ = write(out) // the reader may have had enough
			out.Close()
		}()
	}
	start := time.Now()
	r = finish(t, cmd)
	took := time.Since(start)
	m := regexp.MustCompile(`peak (\d+) kB\n`).FindStringSubmatch(r.stderr)
	if m == nil {
		t.Skip("SKIPPED: this system does not say how much memory a process had at its peak (no /proc/self/status)")
	}
	r.stderr = strings.ReplaceAll(r.stderr, m[0], "")
	kB, _ := strconv.ParseInt(m[1], 10, 64)
	t.Logf("%v: %.1f s, peak %d MB", args[2:], took.Seconds(), kB/1000)
	return r, kB << 10
}

func within(t *testing.T, peak int64) {
	t.Helper()
	if peak > most {
		t.Errorf("it took %d MB of memory, and may take %d", peak>>20, most>>20)
	}
}

func TestBigDocument(t *testing.T) {
	events := int64(64 << 10)
	if *big {
		events = 1 << 20
	}
	data := t.TempDir()
	write := func(w io.Writer) error { return writeDocument(w, events, 1024) }
	r, peak := capturing(t, write, "--data", data, "capture", "-")
	if got := decode[registry.Result](t, r.stdout); r.code != exitDone || got.Accepted != events {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	within(t, peak)
	sound(t, data)
}

// A document that is refused at its end, after nearly all of it was written, leaves nothing, and takes no more memory.
func TestBigDocumentThatIsRefused(t *testing.T) {
	const events = 20000
	data := t.TempDir()
	write := func(w io.Writer) error {
		var b bytes.Buffer
		err := writeDocument(&b, events, 1024)
		text := strings.Replace(b.String(), "/21/M19999\"", "/21/\"", 1)
		_, written := io.WriteString(w, text)
		return errors.Join(err, written)
	}
	r, peak := capturing(t, write, "--data", data, "capture", "-")
	if r.code != exitFailed || !strings.Contains(r.stderr, "standard input: event 20000: /epcisBody/eventList/19999/epcList/0 is") {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	within(t, peak)
	if n := sound(t, data).Entries; n != 0 {
		t.Errorf("%d entries of a document that was refused", n)
	}
}

// units writes a single event that names n units, or one unit n times.
func units(n int, same bool) func(io.Writer) error {
	return func(w io.Writer) error {
		var b bytes.Buffer
		b.WriteString(`{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"ObjectEvent","action":"OBSERVE",` +
			`"eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if same {
				i = 0
			}
			fmt.Fprintf(&b, "\"https://id.gs1.org/01/09521234000013/21/U%d\"", i)
		}
		b.WriteString("]}")
		_, err := b.WriteTo(w)
		return err
	}
}

// An event of a million units is beyond the limit, which says so; so is one that names one unit a million times.
func TestBigEventIsRefused(t *testing.T) {
	for _, same := range []bool{false, true} {
		data := t.TempDir()
		r, peak := capturing(t, units(1e6, same), "--data", data, "capture", "-")
		if r.code != exitFailed || !strings.Contains(r.stderr, "is larger than 16777216 bytes") {
			t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
		}
		within(t, peak)
		if n := sound(t, data).Entries; n != 0 {
			t.Errorf("%d entries", n)
		}
	}
}

// Where the limit is raised, all of it is kept, and each of its units is found. One unit named twice is named once too often.
func TestBigEvent(t *testing.T) {
	n := 20000
	if *big {
		n = 1e6
	}
	data := t.TempDir()
	r, _ := capturing(t, units(n, false), "--data", data, "capture", "--max-event-bytes", "100000000", "-")
	if r.code != exitDone {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r, _ = capturing(t, nil, "--data", data, "--json", "where", fmt.Sprintf("https://id.gs1.org/01/09521234000013/21/U%d", n-1))
	if r.code != exitDone {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r, _ = capturing(t, units(n, true), "--data", data, "capture", "--max-event-bytes", "100000000", "-")
	if r.code != exitFailed || !strings.Contains(r.stderr, "/epcList/1 repeats") {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	sound(t, data)
}

// One unit in very many events stays one unit: what is kept of its state does not grow with them.
func TestBigHistoryOfOneUnit(t *testing.T) {
	n := 5000
	if *big {
		n = 1e6
	}
	data := t.TempDir()
	write := func(w io.Writer) error {
		if _, err := io.WriteString(w, `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0",`+
			`"creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[`); err != nil {
			return err
		}
		for i := range n {
			comma := ","
			if i == 0 {
				comma = ""
			}
			at := time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)
			if _, err := fmt.Fprintf(w, `%s{"type":"ObjectEvent","action":"OBSERVE","bizStep":"inspecting","eventTime":"%s","eventTimeZoneOffset":"+00:00",`+
				`"epcList":["https://id.gs1.org/01/09521234000013/21/ONE"],"readPoint":{"id":"https://id.gs1.org/414/9521234500032"}}`, comma, at); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "]}}")
		return err
	}
	r, peak := capturing(t, write, "--data", data, "capture", "-")
	if r.code != exitDone {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	within(t, peak)
	r, peak = capturing(t, nil, "--data", data, "where", "ONE")
	if r.code != exitDone || !strings.Contains(r.stdout, "https://id.gs1.org/414/9521234500032") {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	within(t, peak)
}

// limited is a command whose files may not grow beyond so many blocks of 512 bytes: for a process that is what a full disk is.
func limited(t *testing.T, blocks int, args ...string) *exec.Cmd {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("SKIPPED: there is no sh to limit the size of files with")
	}
	inner := command(t, args...)
	cmd := exec.CommandContext(t.Context(), sh, append([]string{"-c", fmt.Sprintf("ulimit -f %d && exec \"$0\" \"$@\"", blocks)}, inner.Args...)...)
	cmd.Env = inner.Env
	return cmd
}

// full is how a full disk is said.
var full = regexp.MustCompile(`no room is left|no space left|file too large|the disk failed`)

// filled captures documents until there is no room, and then, with room again, all of them: nothing that was acknowledged is
// missing, nothing of what was refused is there.
func filled(t *testing.T, data string, cramped func(args ...string) *exec.Cmd, room func()) {
	t.Helper()
	inbox, kept, refused := t.TempDir(), []string{}, ""
	for n := 0; refused == "" && n < 400; n++ {
		var b bytes.Buffer
		if err := writeDocument(&b, 300, 400); err != nil {
			t.Fatal(err)
		}
		name := writeFile(t, inbox, fmt.Sprintf("%d.json", n), []byte(strings.ReplaceAll(b.String(), "/21/M", fmt.Sprintf("/21/%dM", n))))
		r := finish(t, cramped("--data", data, "capture", "--as", "https://id.gs1.org/417/9521234500001", name))
		if r.code == exitDone {
			kept = append(kept, name)
			continue
		}
		refused = name
		if r.code != exitFailed || !full.MatchString(r.stderr) || decode[registry.Result](t, r.stdout).Accepted != 0 {
			t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
		}
		t.Logf("%d documents were kept, and then: %s", len(kept), r.stderr)
	}
	if refused == "" || len(kept) == 0 {
		t.Fatalf("%d documents were kept, then %q was refused: the test shows nothing", len(kept), refused)
	}
	room()
	if n := sound(t, data).Entries; n != int64(300*len(kept)) {
		t.Errorf("%d entries after %d documents of 300", n, len(kept))
	}
	for _, name := range append(kept, refused) {
		want := registry.Result{Duplicates: 300}
		if name == refused {
			want = registry.Result{Accepted: 300}
		}
		r := decode[registry.Result](t, process(t, "--data", data, "capture", "--as", "https://id.gs1.org/417/9521234500001", name))
		if r.Accepted != want.Accepted || r.Duplicates != want.Duplicates {
			t.Errorf("%s: %+v", name, r)
		}
	}
	process(t, "--data", data, "where", "0M7")
	sound(t, data)
}

func TestFileThatMayNotGrow(t *testing.T) {
	filled(t, t.TempDir(), func(args ...string) *exec.Cmd { return limited(t, 4000, args...) }, func() {})
}
