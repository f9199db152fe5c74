package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

func entryNamed(name string) ledger.Entry {
	return ledger.Entry{Kind: ledger.KindEvent, Recorded: noon, Name: name, Body: []byte("{}")}
}

// checkHistory proves each recorded checkpoint from the tree that is there in the end: then no two of them contradict.
func checkHistory(t *testing.T, st store.Ledger, bodies []string) {
	t.Helper()
	size := int64(0)
	for _, body := range bodies {
		c, err := ledger.ParseBody(body)
		if err != nil {
			t.Fatal(err)
		}
		root, err := tlog.TreeHash(c.Size, st.HashReader(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if c.Size < size || c.Root != root {
			t.Errorf("a fork: %d entries after %d, root %v, want %v", c.Size, size, c.Root, root)
		}
		size = c.Size
	}
}

func TestMain(m *testing.M) {
	if step := os.Getenv("TIDEWAITER_TEST_DIE_AT"); step != "" {
		if err := signAndDie(step, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// dying ends its process, as kill -9 does, before or after one of the steps in which a checkpoint is signed.
type dying struct {
	*sqlite.Store
	registry.Record
	step string
}

func (d dying) at(step string) {
	if d.step == step {
		fmt.Println("dies " + step)
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		time.Sleep(time.Minute) // the signal is on its way
	}
}

func (d dying) Swap(ctx context.Context, was, next []byte) error {
	d.at("before the record")
	err := d.Record.Swap(ctx, was, next)
	d.at("after the record")
	return err
}

func (d dying) Append(ctx context.Context, fn func(store.Appender) error) error {
	d.at("before it is kept")
	err := d.Store.Append(ctx, func(tx store.Appender) error {
		err := fn(tx)
		d.at("before the commit")
		return err
	})
	d.at("after it is kept")
	return err
}

// String is the record's.
func (d dying) String() string { return d.Record.String() }

// openFolder opens a folder with a ledger, a record and a key.
func openFolder(ctx context.Context, dir string) (*sqlite.Store, *registry.Log, error) {
	text, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return nil, nil, err
	}
	signer, err := ledger.LoadSigner(string(text))
	if err != nil {
		return nil, nil, err
	}
	st, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		return nil, nil, err
	}
	return st, &registry.Log{Store: st, Signer: signer, Record: registry.FileRecord(filepath.Join(dir, "signed"))}, nil
}

// signAndDie signs, until it dies at the step; what it lives to sign it prints.
func signAndDie(step, dir string) error {
	st, l, err := openFolder(context.Background(), dir)
	if err != nil {
		return err
	}
	d := dying{st, l.Record, step}
	l.Store, l.Record = d, d
	text, err := l.Checkpoint(context.Background())
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return errors.Join(err, st.Close())
}

// The process is killed between any two steps, over and over, while the ledger grows. Whatever was signed or recorded is of one
// history, and the log always goes on. A backup from before a step is restored as well: it signs nothing.
func TestKilledWhileSigning(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED by -short: it starts a process for each kill")
	}
	steps := []string{"before the record", "after the record", "before it is kept", "before the commit", "after it is kept"}
	dir := t.TempDir()
	skey, _, err := ledger.GenerateKey("tidewaiter.org/log/test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(skey), 0o600); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for round := range 3 * len(steps) {
		grow(t, dir, round)
		if round == len(steps) {
			copyFile(t, filepath.Join(dir, "ledger.db"), filepath.Join(dir, "backup.db"))
		}
		if out, killed := die(t, dir, steps[round%len(steps)]); !killed {
			t.Fatalf("round %d: it was not killed, and signed %s", round, out)
		}
		recorded, err := os.ReadFile(filepath.Join(dir, "signed"))
		if err != nil && round > 0 {
			t.Fatal(err)
		}
		if recorded != nil {
			bodies = append(bodies, string(recorded))
		}
	}
	st, l, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	last, _, err := l.Last(t.Context())
	if err != nil || last.Size != int64(3*len(steps)) {
		t.Errorf("in the end it signed %+v, %v", last, err)
	}
	checkHistory(t, st, append(bodies, last.Body()))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(dir, "backup.db"), filepath.Join(dir, "ledger.db"))
	if st, l, err = openFolder(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if text, err := l.Checkpoint(t.Context()); !errors.Is(err, registry.ErrFork) {
		t.Errorf("the backup signed %q, %v", text, err)
	}
}

// grow adds one entry.
func grow(t *testing.T, dir string, round int) {
	t.Helper()
	st, _, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	err = st.Append(t.Context(), func(tx store.Appender) error {
		_, err := tx.Append(entryNamed(fmt.Sprint(round)), store.Key([]byte(fmt.Sprintf("%032d", round))))
		return err
	})
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
}

// die runs this binary as a process that signs, and says whether it was killed.
func die(t *testing.T, dir, step string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_DIE_AT="+step)
	out, err := cmd.CombinedOutput()
	return string(out), err != nil && strings.HasPrefix(string(out), "dies "+step)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
