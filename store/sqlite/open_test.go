package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// raw changes a file behind the store's back.
func raw(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestOpenRefusesWhatIsNotOurs(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		says string
	}{
		{"another program's database", func(t *testing.T, path string) {
			raw(t, path, "CREATE TABLE entries (seq INTEGER PRIMARY KEY)")
		}, "not a Tidewaiter database"},
		{"another program's database, with an id", func(t *testing.T, path string) {
			raw(t, path, "PRAGMA application_id = 1", "PRAGMA user_version = 1")
		}, "not a Tidewaiter database"},
		{"written by a newer version", func(t *testing.T, path string) {
			open(t, path, sqlite.Options{}).Close()
			raw(t, path, "PRAGMA user_version = 99")
		}, "newer version of Tidewaiter"},
		{"a damaged version", func(t *testing.T, path string) {
			open(t, path, sqlite.Options{}).Close()
			raw(t, path, "PRAGMA user_version = -5")
		}, "restore it from a backup"},
		{"text", func(t *testing.T, path string) {
			write(t, path, strings.Repeat("serial,holder\n", 1000))
		}, "not a Tidewaiter database"},
		{"a short text", func(t *testing.T, path string) { write(t, path, "x") }, "not a Tidewaiter database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file.db")
			c.make(t, path)
			before := read(t, path)
			_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want the path and: %s", err, c.says)
			}
			if !bytes.Equal(read(t, path), before) {
				t.Error("the file was changed")
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenMakesTheFileForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "tidewaiter.db")
	s := open(t, path, sqlite.Options{})
	storetest.Before(t, s)
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others can read who holds what", name, info.Mode())
		}
	}
}

func TestOpenAnEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	write(t, path, "")
	storetest.Before(t, open(t, path, sqlite.Options{}))
}

func TestOpenAPathOfOddCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d&e#f%20g", "ü;'.db")
	before := storetest.Before(t, open(t, path, sqlite.Options{}))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	before.Unchanged(t, open(t, path, sqlite.Options{}))
}

func TestOpenSaysWhatIsInTheWay(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "file"), "")
	if _, err := sqlite.Open(t.Context(), filepath.Join(folder, "file", "tidewaiter.db"), sqlite.Options{}); err == nil {
		t.Error("a file as a folder: no error")
	}
	if _, err := sqlite.Open(t.Context(), folder, sqlite.Options{}); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("a folder as a file: %v", err)
	}
	if os.Geteuid() == 0 {
		t.Log("root may write everywhere: read-only folders were not tried")
		return
	}
	lock(t, folder, 0o500, 0o700)
	if _, err := sqlite.Open(t.Context(), filepath.Join(folder, "tidewaiter.db"), sqlite.Options{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a read-only folder: %v", err)
	}
	path := keptFile(t, 3)
	lock(t, path, 0o400, 0o600)
	s := open(t, path, sqlite.Options{}) // for reading
	if n, err := storetest.Whole(t.Context(), s); n != 3 || err != nil {
		t.Errorf("reading a read-only file: %d entries, %v", n, err)
	}
	if err := s.SetMeta(t.Context(), "m", nil); err == nil || !strings.Contains(err.Error(), "may not be written") {
		t.Errorf("writing a read-only file: %v", err)
	}
	path = keptFile(t, 3)
	lock(t, filepath.Dir(path), 0o500, 0o700)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil || !strings.Contains(err.Error(), "may not be written") {
		t.Errorf("a file in a read-only folder: %v", err)
	}
}

// lock changes a mode until the test ends.
func lock(t *testing.T, path string, mode, after fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, after) })
}

func TestOpenAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.SetMeta(t.Context(), "m", []byte("x")); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	s := open(t, path, sqlite.Options{})
	before := storetest.Before(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("files after Close: %v, %v", files, err)
	}
	before.Unchanged(t, open(t, path, sqlite.Options{}))
}

// Two stores on one file are what two processes are: each must notice that the other appended.
func TestTwoStoresOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	for i := range 100 {
		s := a
		if i%3 == 1 {
			s = b
		}
		appendOne(t, s)
	}
	for _, s := range []store.Store{a, b} {
		if n, err := storetest.Whole(t.Context(), s); n != 100 || err != nil {
			t.Errorf("%d entries: %v", n, err)
		}
	}
}

func appendOne(t testing.TB, s store.Ledger) {
	t.Helper()
	err := s.Append(t.Context(), func(tx store.Appender) error {
		e, key := storetest.Entry(int(tx.Head().Size))
		_, err := tx.Append(e, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASecondWriterWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	done := make(chan error)
	err := a.Append(t.Context(), func(store.Appender) error {
		go func() { done <- b.SetMeta(t.Context(), "m", []byte("b")) }()
		select {
		case err := <-done:
			t.Fatalf("the second writer did not wait: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		return nil
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Error(err)
	}
}

func TestASecondWriterGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{Wait: 100 * time.Millisecond})
	before := storetest.Before(t, a)
	inside := func(fn func()) {
		t.Helper()
		if err := a.Append(t.Context(), func(store.Appender) error { fn(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	inside(func() {
		err := b.SetMeta(t.Context(), "m", []byte("b"))
		if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), "try again") {
			t.Errorf("after a while: %v", err)
		}
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Wait: 100 * time.Millisecond}); err != nil {
			t.Errorf("reading is always possible: %v", err)
		}
	})
	before.Unchanged(t, b)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	before := storetest.Before(t, a)
	err := a.Append(t.Context(), func(store.Appender) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begun := time.Now()
		err := b.SetMeta(ctx, "m", []byte("b"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before.Unchanged(t, b) // the connection that waited is whole
}

// A context may end just when the transaction has begun. Then too nothing stays locked.
func TestCancellingAtAnyMomentLeavesNoLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	a, b := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{Wait: time.Second})
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Duration(i) * time.Microsecond)
			cancel()
		}()
		err := a.SetMeta(ctx, "m", []byte("a"))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := b.SetMeta(t.Context(), "m", []byte("b")); err != nil {
			t.Fatalf("after %v: %v", err, err)
		}
		cancel()
	}
}

func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	before := storetest.Before(t, open(t, path, sqlite.Options{}))
	s := open(t, path, sqlite.Options{MaxPages: 100})
	large := make([]byte, 4<<20) // and of nothing that could be packed
	rand.Read(large)
	for name, fill := range map[string]func() error{
		"one large entry": func() error {
			return s.Append(t.Context(), func(tx store.Appender) error {
				e, key := storetest.Entry(10)
				e.Body = large
				_, err := tx.Append(e, key)
				return err
			})
		},
		"many entries": func() error {
			return s.Append(t.Context(), func(tx store.Appender) error {
				for n := range 20000 {
					e, key := storetest.Entry(10 + n)
					if _, err := tx.Append(e, key); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"many entries, and the failure ignored": func() error {
			return s.Append(t.Context(), func(tx store.Appender) error {
				for n := range 20000 {
					e, key := storetest.Entry(10 + n)
					_, _ = tx.Append(e, key)
				}
				return nil
			})
		},
		"a view": func() error {
			return s.Commit(t.Context(), "v", 1, 2, map[string][]byte{"k": []byte("new"), "l": large})
		},
		"meta": func() error { return s.SetMeta(t.Context(), "m", make([]byte, 4<<20)) },
	} {
		err := fill()
		if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "nothing of this was kept") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Count(err.Error(), "the store is full") != 1 || strings.Count(err.Error(), path) != 1) {
			t.Errorf("%s: said more than once: %v", name, err)
		}
	}
	before.Unchanged(t, s)
}

// A database of every schema that was ever released opens, and what it holds is as it was.
func TestOpenDatabasesOfOldVersions(t *testing.T) {
	old, err := filepath.Glob(filepath.Join("testdata", "schema", "*.sql"))
	if err != nil || len(old) == 0 {
		t.Fatal(old, err)
	}
	for _, script := range old {
		path := filepath.Join(t.TempDir(), "old.db")
		raw(t, path, string(read(t, script)))
		s := open(t, path, sqlite.Options{})
		storetest.Found(t, s).Unchanged(t, s)
		if err := s.Acquire(t.Context(), "v", "a", time.Hour); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}
