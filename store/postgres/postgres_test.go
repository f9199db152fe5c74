package postgres_test

import (
	"context"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

func open(t testing.TB, url string, opts postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opts)
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

func TestConformance(t *testing.T) { storetest.Run(t, opener()) }

func TestGroup(t *testing.T) { storetest.RunGroup(t, opener()) }

// opener opens an empty database for each test.
func opener() storetest.Opener {
	databases := map[string]string{}
	return func(t *testing.T) store.Store {
		url, used := databases[t.Name()]
		if used { // by the model, a hundred times: to empty it is quicker than to make another
			must(t, pgtest.Exec(t.Context(), url, "DROP SCHEMA tidewaiter CASCADE"))
		} else {
			url = pgtest.Database(t)
			databases[t.Name()] = url
		}
		return open(t, url, postgres.Options{})
	}
}

func TestTogether(t *testing.T) {
	storetest.RunTogether(t, func(t *testing.T) storetest.Opener {
		url := pgtest.Database(t)
		return func(t *testing.T) store.Store { return open(t, url, postgres.Options{}) }
	})
}

func TestCrash(t *testing.T) {
	storetest.RunCrash(t, func(t *testing.T) string { return pgtest.Database(t) }, func(ctx context.Context, url string) (store.Store, error) {
		return postgres.Open(ctx, url, postgres.Options{})
	})
}

// TestCrashGroup kills processes whose writers share transactions with others.
func TestCrashGroup(t *testing.T) {
	storetest.RunCrash(t, func(t *testing.T) string { return pgtest.Database(t) }, func(ctx context.Context, url string) (store.Store, error) {
		s, err := postgres.Open(ctx, url, postgres.Options{})
		if err != nil {
			return nil, err
		}
		return storetest.Crowd(s), nil
	})
}
