package power

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// binary is the command that TestMain builds.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv(roleVar) != "" {
		os.Exit(m.Run())
	}
	os.Exit(withBinary(m))
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "power-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "tidewaiter")
	build := exec.Command("go", "build", "-o", binary, "./cmd/tidewaiter")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// deployment is the whole product on a machine, and what it has told the world outside.
type deployment struct {
	*engine
	database string // a URL, or nothing
	inbox    string // documents, on another machine
	failing  bool   // syncs fail now and then

	mu        sync.Mutex
	documents []string        // handed in
	kept      map[string]bool // acknowledged
	signed    []ledger.Checkpoint
	shown     int64           // size that was said to be published
	backups   map[string]bool // names; true when it was acknowledged
	begun     int             // backups
	erased    []string        // serial numbers of which it was said that no byte is left
	keys      int             // how many keys the log has had, as far as was said
	secrets   int
}

func newDeployment(t *testing.T, e *engine) *deployment {
	d := &deployment{engine: e, inbox: t.TempDir(), kept: map[string]bool{}, backups: map[string]bool{}, keys: 1}
	if strings.HasPrefix(e.place, "postgres:") {
		d.database = e.place
	}
	return d
}

func (d *deployment) data() string { return filepath.Join(d.path, "home", "tw", "data") }
func (d *deployment) web() string  { return filepath.Join(d.path, "www", "log") }

// command is a command on this deployment.
func (d *deployment) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"--data", d.data()}, args...)...)
	cmd.Env = append(os.Environ(), "TIDEWAITER_DATABASE="+d.database)
	return cmd
}

const eventsEach = 5

// document writes the next document. Its events are of units that no other one names.
func (d *deployment) document(t *testing.T, events int, serial string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.documents)
	if serial == "" {
		serial = fmt.Sprintf("C%d", n)
	}
	var b bytes.Buffer
	b.WriteString(`{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0",` +
		`"creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[`)
	at := time.Date(2026, 3, 1, 0, n, 0, 0, time.UTC).Format(time.RFC3339)
	for i := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"ObjectEvent","action":"ADD","bizStep":"commissioning","eventTime":%q,"eventTimeZoneOffset":"+00:00",`+
			`"epcList":["https://id.gs1.org/01/09521234000013/21/%sE%d"],"readPoint":{"id":"https://id.gs1.org/414/9521234500032"}}`, at, serial, i)
	}
	b.WriteString("]}}")
	path := filepath.Join(d.inbox, fmt.Sprintf("%05d.json", n))
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	d.documents = append(d.documents, path)
	return path
}

// hand does one thing after the other on the machine, until the power goes or something fails.
type hand struct {
	d    *deployment
	left *process // what it was doing when the power went
	args []string
	err  error
}

// do runs a command. Not when it failed, or the power went meanwhile.
func (h *hand) do(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	select {
	case <-h.d.mount.Gone():
		return "", false
	default:
	}
	p := start(t, h.d.command(t, args...))
	if !p.ended(h.d.mount.Gone(), 2*time.Minute) {
		h.left, h.args = p, args
		return "", false
	}
	if code := p.wait(); code != 0 {
		select {
		case <-h.d.mount.Gone(): // it was told so by a disk without power
		case <-time.After(50 * time.Millisecond):
			if h.d.failing {
				return "", false // as it should, when it was told so by the disk
			}
			h.err = fmt.Errorf("tidewaiter %v: exit code %d: %s", args, code, p.stderr.String())
		}
		return "", false
	}
	return strings.Join(p.said(), "\n") + "\n", true
}

// note takes down what a command has acknowledged by its exit code.
func (d *deployment) note(t *testing.T, args []string, out string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch strings.Join(args[:min(2, len(args))], " ") {
	case "log checkpoint":
		body, _, _ := strings.Cut(out, "\n\n")
		c, err := ledger.ParseBody(body + "\n")
		must(t, err)
		d.signed = append(d.signed, c)
	case "log publish":
		d.shown = max(d.shown, decode[struct{ Size int64 }](t, out).Size)
	case "log key":
		d.keys = max(d.keys, strings.Count(out, "\n"))
	}
	switch args[0] {
	case "capture":
		d.kept[args[1]] = true
	case "backup":
		d.backups[args[1]] = true
	}
}

// work is what the hands do: one captures, the other all else.
func (d *deployment) work(t *testing.T) []*hand {
	t.Helper()
	captures, rest := &hand{d: d}, &hand{d: d}
	var both sync.WaitGroup
	both.Go(func() {
		for {
			args := []string{"capture", d.document(t, eventsEach, "")}
			out, ok := captures.do(t, args...)
			if !ok {
				return
			}
			d.note(t, args, out)
		}
	})
	first := d.rng.IntN(14)
	both.Go(func() {
		ok := d.done(t, rest, "capture", d.document(t, eventsEach, "")) // so that there is a ledger
		for i := first; ok; i++ {
			ok = d.chore(t, rest, i)
		}
	})
	both.Wait()
	return []*hand{captures, rest}
}

// chore is one of the things that are done beside capturing.
func (d *deployment) chore(t *testing.T, h *hand, i int) bool {
	t.Helper()
	switch i % 7 {
	case 1:
		return d.done(t, h, "log", "publish", d.web())
	case 2:
		return d.backup(t, h)
	case 3:
		return d.done(t, h, "where", "C0E0")
	case 4:
		return d.erase(t, h)
	case 5:
		return i%2 == 0 || d.done(t, h, "log", "key", "rotate")
	case 6:
		return d.killed(t, h)
	}
	return d.done(t, h, "log", "checkpoint")
}

func (d *deployment) done(t *testing.T, h *hand, args ...string) bool {
	t.Helper()
	out, ok := h.do(t, args...)
	if ok {
		d.note(t, args, out)
	}
	return ok
}

func (d *deployment) backup(t *testing.T, h *hand) bool {
	t.Helper()
	if d.database != "" {
		return true
	}
	d.mu.Lock()
	d.begun++
	name := filepath.Join(d.path, fmt.Sprintf("backup%d", d.begun))
	d.backups[name] = false
	d.mu.Unlock()
	return d.done(t, h, "backup", name, "--with-key")
}

// killed kills a command at a random moment: what it leaves, the others go on from, before the power goes.
func (d *deployment) killed(t *testing.T, h *hand) bool {
	t.Helper()
	commands := [][]string{{"log", "checkpoint"}, {"log", "publish", d.web()}, {"capture", d.document(t, eventsEach, "")}, {"log", "key", "rotate"}}
	p := start(t, d.command(t, commands[rand.IntN(len(commands))]...))
	p.ended(d.mount.Gone(), rand.N(60*time.Millisecond))
	p.kill()
	select {
	case <-p.done:
		p.wait()
		return true
	case <-d.mount.Gone():
		h.left, h.args = p, []string{"(killed)"} // it waits for the disk
		return false
	}
}

// erase captures an event and erases it.
func (d *deployment) erase(t *testing.T, h *hand) bool {
	t.Helper()
	d.mu.Lock()
	d.secrets++
	serial := fmt.Sprintf("SECRET%dX", d.secrets)
	d.mu.Unlock()
	args := []string{"capture", d.document(t, 1, serial)}
	if !d.done(t, h, args...) {
		return false
	}
	out, ok := h.do(t, "trace", serial+"E0")
	if !ok {
		return false
	}
	_, seq, _ := strings.Cut(out, "[")
	seq, _, _ = strings.Cut(seq, ",")
	if _, ok = h.do(t, "entries", "erase", seq, "--reason", "r", "--by", "a", "--confirmed-by", "b"); ok {
		d.mu.Lock()
		d.erased = append(d.erased, serial)
		d.mu.Unlock()
	}
	return ok
}

func decode[T any](t *testing.T, line string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return v
}
