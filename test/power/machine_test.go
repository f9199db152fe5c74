package power

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/test/power/disk"
	"github.com/tidewaiter/tidewaiter/test/power/mount"
)

// Two hundred cuts of each kind, as the release is checked with:
//
//	cd test/power && go test -cuts 200 -timeout 120m -v .
var (
	cuts = flag.Int("cuts", 3, "how often the power goes in each test")
	seed = flag.Uint64("seed", 0, "of the first cut, as a failure names it; 0: a random one")
)

// machine is a disk, the power of which can be cut, at a path.
type machine struct {
	path  string
	disk  *disk.Disk
	mount *mount.Mount
	names disk.Names
	stale bool
	rng   *rand.Rand
	seed  uint64
}

// newMachine makes one with an empty disk and no power yet, or skips the test where none can be had.
func newMachine(t *testing.T, names disk.Names) *machine {
	t.Helper()
	if err := mount.Possible(); err != nil {
		t.Skipf("SKIPPED: a file system of our own cannot be mounted here (it takes root, Linux and /dev/fuse): %v", err)
	}
	path, err := os.MkdirTemp("/tmp", "power-") // others than root must get there
	must(t, err)
	must(t, os.Chmod(path, 0o755))
	m := &machine{path: path, names: names, stale: names == disk.Each}
	m.sow(*seed)
	m.disk = disk.New(m.habits())
	t.Cleanup(func() {
		if m.mount != nil {
			m.mount.Thaw()
			if err := m.mount.Unmount(); err != nil {
				t.Error(err)
			}
		}
		must(t, os.Remove(path))
	})
	return m
}

// sow begins with a seed of its own for one cut; 0 takes a random one.
func (m *machine) sow(s uint64) {
	if s == 0 {
		s = rand.Uint64()
	}
	m.seed = s
	m.rng = rand.New(rand.NewPCG(s, 1))
}

func (m *machine) habits() disk.Habits {
	sector := 512
	if m.rng.IntN(2) == 0 {
		sector = 4096
	}
	return disk.Habits{Sector: sector, Names: m.names, Stale: m.stale && m.rng.IntN(2) == 0}
}

// on gives the machine power.
func (m *machine) on(t *testing.T) {
	t.Helper()
	var err error
	m.mount, err = mount.At(m.path, m.disk, m.seed)
	must(t, err)
}

// arm lets the power go in a while: after few operations or many, and half of the time at a sync.
func (m *machine) arm(most int) {
	n := 1 + int(float64(most)*m.rng.Float64()*m.rng.Float64())
	kind := mount.Any
	if m.rng.IntN(2) == 0 {
		kind, n = mount.Sync, 1+n/8
	}
	m.mount.Arm(n, kind, m.habits())
}

// off takes the power, if it is not gone by itself; kill must end all that use the disk. The disk is then what the medium has.
func (m *machine) off(t *testing.T, kill func()) mount.Kind {
	t.Helper()
	at := m.mount.Cut()
	kill()
	m.mount.Thaw()
	left, err := m.mount.After()
	must(t, err)
	m.disk, m.mount = left, nil
	return at
}

// load copies a folder onto the disk, where it counts as being there for long.
func (m *machine) load(t *testing.T, from, name string) {
	t.Helper()
	folders := map[string]uint64{".": disk.Root}
	must(t, filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		place := filepath.Join(name, rel)
		owner, _ := info.Sys().(*syscall.Stat_t)
		made, errno := m.disk.Make(folders[filepath.Dir(place)], filepath.Base(place), e.IsDir(), uint32(info.Mode().Perm()), owner.Uid, owner.Gid)
		if errno != 0 {
			return fmt.Errorf("%s: %w", place, errno)
		}
		if e.IsDir() {
			folders[place] = made.Ino
			return nil
		}
		text, err := os.ReadFile(path)
		if errno := m.disk.Write(made.Ino, 0, text); errno != 0 {
			return errno
		}
		return err
	}))
	m.disk.Settle()
}

// process is a process that uses the disk. What it says, a line each, is kept.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	done   chan struct{} // closed when it has said all

	mu    sync.Mutex
	lines []string
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Stderr = &p.stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	go func() {
		defer close(p.done)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				if err != io.EOF { //nolint:errorlint // ReadString gives it bare
					t.Log(err)
				}
				return // what is not a whole line acknowledges nothing
			}
			p.mu.Lock()
			p.lines = append(p.lines, strings.TrimSuffix(line, "\n"))
			p.mu.Unlock()
		}
	}()
	return p
}

// said are the lines so far.
func (p *process) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

func (p *process) kill() { _ = p.cmd.Process.Kill() } // unless it has ended

// wait waits for the end, and gives the exit code: -1 when it was killed.
func (p *process) wait() int {
	<-p.done
	_ = p.cmd.Wait() // the exit code says it
	return p.cmd.ProcessState.ExitCode()
}

// ended waits for the process's end or for the cut, whatever is first, and says whether it was its end.
func (p *process) ended(gone <-chan struct{}, patience time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-gone:
	case <-time.After(patience):
	}
	return false
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
