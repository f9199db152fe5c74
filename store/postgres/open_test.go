package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// A database of every schema that was ever released opens, and what it holds is as it was.
func TestOpenDatabasesOfOldVersions(t *testing.T) {
	old, err := filepath.Glob(filepath.Join("testdata", "schema", "*.sql"))
	if err != nil || len(old) == 0 {
		t.Fatal(old, err)
	}
	for _, script := range old {
		text, err := os.ReadFile(script)
		must(t, err)
		url := pgtest.Database(t)
		must(t, pgtest.Exec(t.Context(), url, string(text)))
		s := open(t, url, postgres.Options{Existing: true})
		storetest.Found(t, s).Unchanged(t, s)
	}
}

func TestOpenRefusesWhatIsNotOurs(t *testing.T) {
	made := func(t *testing.T, url string) { storetest.Before(t, open(t, url, postgres.Options{})) }
	for _, c := range []struct {
		name string
		make func(t *testing.T, url string)
		sql  string
		says string
		is   error
	}{
		{"written by a newer version", made, "UPDATE tidewaiter.version SET version = 99", "newer version of Tidewaiter (its schema is 99", nil},
		{"a damaged version", made, "UPDATE tidewaiter.version SET version = -5", "restore it from a backup", store.ErrDamaged},
		{"no version", made, "DELETE FROM tidewaiter.version", "reading the database's version", nil},
		{"somebody else's schema", nil, "CREATE SCHEMA tidewaiter; CREATE TABLE tidewaiter.entries (seq bigint)", "not Tidewaiter's", nil},
		{"a user without rights", made, "REVOKE ALL ON SCHEMA tidewaiter FROM PUBLIC; DROP ROLE IF EXISTS nobody; CREATE ROLE nobody LOGIN", "may not do that", store.ErrReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := pgtest.Database(t)
			if c.make != nil {
				c.make(t, url)
			}
			must(t, pgtest.Exec(t.Context(), url, c.sql))
			if c.is == store.ErrReadOnly { //nolint:errorlint // it is the table's own value
				url = strings.Replace(url, "tester@", "nobody@", 1)
			}
			_, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want: %s", err, c.says)
			}
		})
	}
}

func TestOpenMakesNothingWhereALedgerIsWanted(t *testing.T) {
	url := pgtest.Database(t)
	if _, err := postgres.Open(t.Context(), url, postgres.Options{Existing: true}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an empty database: %v", err)
	}
	if err := pgtest.Exec(t.Context(), url, "CREATE SCHEMA tidewaiter"); err != nil {
		t.Errorf("something was made: %v", err)
	}
	storetest.Before(t, open(t, url, postgres.Options{})) // an empty schema that somebody made for us is used
}

func TestOpenAtTheSameTime(t *testing.T) {
	url := pgtest.Database(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.SetMeta(t.Context(), "m", []byte("x")), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A database's collation and encoding are others' choice: they change nothing.
func TestADatabaseOfAnotherEncoding(t *testing.T) {
	url := pgtest.Database(t)
	must(t, pgtest.Exec(t.Context(), url, "DROP DATABASE IF EXISTS latin", "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
		"ALTER DATABASE latin SET default_transaction_isolation = 'serializable'", "ALTER DATABASE latin SET bytea_output = 'escape'",
		"ALTER DATABASE latin SET synchronous_commit = off", "ALTER DATABASE latin SET timezone = 'Asia/Taipei'", "ALTER DATABASE latin SET search_path = pg_catalog"))
	latin := url[:strings.LastIndex(url, "/db")] + "/latin" + url[strings.Index(url, "?"):]
	before := storetest.Before(t, open(t, latin, postgres.Options{}))
	before.Unchanged(t, open(t, latin, postgres.Options{}))
}
