package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

func TestCrash(t *testing.T) {
	place := func(t *testing.T) string { return filepath.Join(t.TempDir(), "crash.db") }
	storetest.RunCrash(t, place, func(ctx context.Context, path string) (store.Store, error) {
		return sqlite.Open(ctx, path, sqlite.Options{})
	})
}

// TestCrashGroup kills processes whose writers share transactions with others.
func TestCrashGroup(t *testing.T) {
	place := func(t *testing.T) string { return filepath.Join(t.TempDir(), "crash.db") }
	storetest.RunCrash(t, place, func(ctx context.Context, path string) (store.Store, error) {
		s, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			return nil, err
		}
		return storetest.Crowd(s), nil
	})
}
