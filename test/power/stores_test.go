// These tests take the power from machines that keep a ledger, and look at what their disks are left with. They are in a module of their
// own, so that the product does not depend on what it is checked with.
package power

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
	"github.com/tidewaiter/tidewaiter/test/power/disk"
	"github.com/tidewaiter/tidewaiter/test/power/mount"
)

// What a process of this test binary is told by its environment.
const (
	roleVar  = "TIDEWAITER_POWER_ROLE" // what it is to do
	placeVar = "TIDEWAITER_POWER_PLACE"
	ackedVar = "TIDEWAITER_POWER_ACKED"
)

// TestInside is what happens in the processes that the other tests start: they write to a store, or look at what is left of one.
func TestInside(t *testing.T) {
	place := os.Getenv(placeVar)
	switch os.Getenv(roleVar) {
	case "write":
		storetest.WriteUntilKilled(t, openAndCheckpoint, place)
	case "look":
		acked, err := strconv.ParseInt(os.Getenv(ackedVar), 10, 64)
		must(t, err)
		fmt.Printf("survived %d\n", storetest.Survived(t, open, place, acked))
	}
}

// inside starts such a process.
func inside(t *testing.T, role, place string, acked int64) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInside$")
	cmd.Env = append(os.Environ(), roleVar+"="+role, placeVar+"="+place, ackedVar+"="+strconv.FormatInt(acked, 10))
	return start(t, cmd)
}

func open(ctx context.Context, place string) (store.Store, error) {
	if postgres.IsURL(place) {
		return postgres.Open(ctx, place, postgres.Options{})
	}
	return sqlite.Open(ctx, place, sqlite.Options{})
}

var checkpoints sync.Once

// openAndCheckpoint opens the store, and lets its engine write its log back at random moments from then on: what happens every 64 MB,
// or every five minutes, is what a short test would not see.
func openAndCheckpoint(ctx context.Context, place string) (store.Store, error) {
	st, err := open(ctx, place)
	if err == nil {
		checkpoints.Do(func() { go checkpointUntilKilled(place) })
	}
	return st, err
}

func checkpointUntilKilled(place string) {
	for {
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		if postgres.IsURL(place) {
			_ = pgtest.Exec(context.Background(), place, "CHECKPOINT") // the server may be gone
			continue
		}
		db, err := sql.Open("sqlite", place)
		if err != nil {
			return
		}
		mode := [...]string{"PASSIVE", "RESTART", "TRUNCATE"}[rand.IntN(3)]
		_, _ = db.ExecContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")") // it may be busy
		_ = db.Close()
	}
}

// engine is a store on a machine.
type engine struct {
	*machine
	place string
	boot  func() error // after the power is back
	kill  func()       // with the power gone
	acked int64
	lies  bool // its disk says that what it was asked to make durable is, and does nothing
}

func onSQLite(t *testing.T) *engine {
	m := newMachine(t, disk.Each)
	return &engine{machine: m, place: filepath.Join(m.path, "data", "ledger.db"), boot: func() error { return nil }, kill: func() {}}
}

func onPostgres(t *testing.T) *engine {
	m := newMachine(t, disk.InOrder)
	server := pgtest.On(t, func(cluster string) (string, error) {
		m.load(t, cluster, "pg")
		m.on(t)
		return filepath.Join(m.path, "pg"), nil
	})
	e := &engine{machine: m, place: server.Database(t)}
	e.boot = func() error {
		// It holds the number of a process that nobody else has after a boot, and that here may still be somebody's.
		if err := os.Remove(filepath.Join(m.path, "pg", "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return server.Start()
	}
	e.kill = func() {
		if err := server.KillAnd(m.mount.Thaw); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		if m.mount != nil {
			e.off(t, e.kill)
		}
	})
	return e
}

// round lets processes write until the power goes, and then looks at what is there, of which the power may go, too.
func (e *engine) round(t *testing.T, i, most int) error {
	t.Helper()
	if err := e.powered(t); err != nil {
		return err
	}
	e.arm(most)
	e.mount.Fail(mount.Faults{Lies: e.lies})
	var writers []*process
	for range 1 + i%2 {
		writers = append(writers, inside(t, "write", e.place, 0))
	}
	for _, w := range writers {
		w.ended(e.mount.Gone(), 20*time.Second)
	}
	at := e.off(t, func() {
		for _, w := range writers {
			w.kill()
		}
		e.kill()
	})
	before := e.acked
	for _, w := range writers {
		if code := w.wait(); code >= 0 && at == mount.Any {
			return fmt.Errorf("a writer ended by itself, with %d: %s%s", code, strings.Join(w.said(), "\n"), w.stderr.String())
		}
		e.acked = max(e.acked, last(w.said(), "kept"))
	}
	size, tries, err := e.look(t)
	t.Logf("seed %d: the power went at a %s; %d entries acknowledged, %d of them new; %d kept, looked at %d times",
		e.seed, at, e.acked, e.acked-before, size, tries)
	e.acked = max(e.acked, size)
	return err
}

// powered gives the machine power and boots what runs on it.
func (e *engine) powered(t *testing.T) error {
	if e.mount == nil {
		e.on(t)
		return e.boot()
	}
	return nil
}

// look sees what is left. While it does, the power goes again, up to two times.
func (e *engine) look(t *testing.T) (size int64, tries int, err error) {
	t.Helper()
	again := e.rng.IntN(3)
	for tries = 1; ; tries++ {
		e.on(t)
		if tries <= again {
			e.arm(200)
		}
		size, err := e.lookOnce(t)
		select {
		case <-e.mount.Gone():
			e.off(t, e.kill)
		default:
			return size, tries, err
		}
	}
}

func (e *engine) lookOnce(t *testing.T) (int64, error) {
	t.Helper()
	booted := make(chan error, 1)
	go func() { booted <- e.boot() }()
	select {
	case <-e.mount.Gone():
		e.kill() // who boots waits for the disk
		e.mount.Thaw()
		<-booted
		return 0, nil
	case err := <-booted:
		if err != nil {
			return 0, fmt.Errorf("what is left cannot be started: %w", err)
		}
	}
	looking := inside(t, "look", e.place, e.acked)
	whole := looking.ended(e.mount.Gone(), 5*time.Minute)
	looking.kill()
	if !whole {
		e.mount.Thaw() // it may wait for the disk
	}
	if looking.wait() != 0 {
		return 0, fmt.Errorf("what is left is not whole: %s%s", strings.Join(looking.said(), "\n"), looking.stderr.String())
	}
	return last(looking.said(), "survived"), nil
}

// last is the number in the last line that begins with a word.
func last(lines []string, word string) (n int64) {
	for _, line := range lines {
		if w, number, _ := strings.Cut(line, " "); w == word {
			if v, err := strconv.ParseInt(number, 10, 64); err == nil {
				n = v
			}
		}
	}
	return n
}

// each is after how many cuts a machine is thrown away: what is kept grows, and looking at it takes longer.
const each = 20

// run is so many rounds, on a new machine every now and then, each with a seed of its own.
func run(t *testing.T, most int, engineOf func(t *testing.T) *engine) {
	t.Helper()
	for from := 0; from < *cuts; from += each {
		t.Run(fmt.Sprintf("machine%d", from/each), func(t *testing.T) {
			e := engineOf(t)
			for i := from; i < min(from+each, *cuts); i++ {
				e.sow(seedOf(i))
				if err := e.round(t, i, most); err != nil {
					t.Fatalf("cut %d, seed %d: %v", i+1, e.seed, err)
				}
			}
			if e.acked == 0 {
				t.Error("nothing was acknowledged before a cut: the test shows nothing")
			}
		})
	}
	t.Logf("the power went %d times", *cuts)
}

// seedOf is the seed of the cut that is counted so, from 0.
func seedOf(i int) uint64 {
	if *seed == 0 {
		return 0
	}
	return *seed + uint64(i)
}

// caught sees that these tests would notice: on a disk that lies about syncs, which is the same as a store that does not ask for them,
// something acknowledged is lost before long.
func caught(t *testing.T, engineOf func(t *testing.T) *engine) {
	t.Helper()
	var found error
	for i := 0; i < 8 && found == nil; i++ {
		t.Run(fmt.Sprintf("machine%d", i), func(t *testing.T) {
			e := engineOf(t)
			e.lies = true
			for k := 0; k < 4 && found == nil; k++ {
				e.sow(0)
				found = e.round(t, 1, 3000)
			}
		})
	}
	if found == nil {
		t.Fatal("no loss was seen on a disk that makes nothing durable: these tests show nothing")
	}
	t.Logf("as it should be, this was seen: %v", found)
}

func TestLyingDiskIsNoticedSQLite(t *testing.T)   { caught(t, onSQLite) }
func TestLyingDiskIsNoticedPostgres(t *testing.T) { caught(t, onPostgres) }

func TestPowerCutSQLite(t *testing.T)   { run(t, 3000, onSQLite) }
func TestPowerCutPostgres(t *testing.T) { run(t, 3000, onPostgres) }
