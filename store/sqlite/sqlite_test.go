package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

func open(t testing.TB, path string, opts sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) { storetest.Run(t, openNew) }

func TestGroup(t *testing.T) { storetest.RunGroup(t, openNew) }

func openNew(t *testing.T) store.Store {
	return open(t, filepath.Join(t.TempDir(), "tidewaiter.db"), sqlite.Options{})
}

func TestTogether(t *testing.T) {
	storetest.RunTogether(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "tidewaiter.db")
		return func(t *testing.T) store.Store { return open(t, path, sqlite.Options{}) }
	})
}

// TestTogetherGroup is the same with callers in each process who share transactions.
func TestTogetherGroup(t *testing.T) {
	storetest.RunTogether(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "tidewaiter.db")
		return func(t *testing.T) store.Store { return storetest.Crowd(open(t, path, sqlite.Options{})) }
	})
}
