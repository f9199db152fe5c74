package sqlite_test

import (
	"context"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

func TestCrash(t *testing.T) {
	storetest.RunCrash(t, func(ctx context.Context, path string) (store.Store, error) {
		return sqlite.Open(ctx, path, sqlite.Options{})
	})
}
