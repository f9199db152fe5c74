package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// problems is what is found by looking at everything.
func problems(t *testing.T, s *postgres.Store) (found []string) {
	t.Helper()
	must(t, s.Check(t.Context(), func(problem string) error {
		found = append(found, problem)
		return nil
	}))
	if _, err := storetest.Whole(t.Context(), s); err != nil {
		found = append(found, err.Error())
	}
	return found
}

// differently is a value of a column's type that it does not have now.
var differently = map[string]string{
	"bigint": "COALESCE(%[1]s, 0) + 1000", "integer": "%[1]s + 1", "boolean": "NOT %[1]s",
	"bytea": "CASE WHEN octet_length(%[1]s) > 0 THEN set_bit(%[1]s, 3, 1 - get_bit(%[1]s, 3)) ELSE '\\x00' END",
}

// Whatever column of whatever row is changed behind the store's back, it is found; and so are rows of the ledger that are gone, or
// there once more.
func TestEveryChangeIsFound(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url, postgres.Options{})
	storetest.Before(t, s)
	must(t, s.Acquire(t.Context(), "v", "a", time.Hour))
	if found := problems(t, s); len(found) != 0 {
		t.Fatal(found)
	}
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer conn.Close(context.Background())
	tried := 0
	for _, table := range []string{"entries", "contexts", "hashes", "head", "meta", "views", "rows", "leases"} {
		changes := map[string]string{}
		var column, kind, identity string
		rows, err := conn.Query(t.Context(), "SELECT column_name, data_type, is_identity FROM information_schema.columns WHERE table_schema = 'tidewaiter' AND table_name = $1", table)
		must(t, err)
		_, err = pgx.ForEachRow(rows, []any{&column, &kind, &identity}, func() error {
			if identity == "NO" && column != "one" { // the server lets nobody change these
				to := fmt.Sprintf(differently[kind], column)
				changes[column] = fmt.Sprintf("UPDATE tidewaiter.%s SET %s = %s WHERE ctid = (SELECT max(ctid) FROM tidewaiter.%[1]s)", table, column, to)
			}
			return nil
		})
		must(t, err)
		switch table {
		case "entries", "contexts", "hashes", "head", "views":
			changes["a row"] = fmt.Sprintf("DELETE FROM tidewaiter.%s WHERE ctid = (SELECT max(ctid) FROM tidewaiter.%[1]s)", table)
		}
		for what, change := range changes {
			tried++
			must(t, pgtest.Exec(t.Context(), url, "CREATE TABLE saved AS SELECT * FROM tidewaiter."+table, change))
			if found := problems(t, s); len(found) == 0 {
				t.Errorf("%s: %s was changed, and nothing is said", table, what)
			}
			must(t, pgtest.Exec(t.Context(), url, "DELETE FROM tidewaiter."+table, "INSERT INTO tidewaiter."+table+" OVERRIDING SYSTEM VALUE SELECT * FROM saved", "DROP TABLE saved"))
		}
	}
	if found := problems(t, s); len(found) != 0 || tried < 40 {
		t.Errorf("put back after %d changes: %v", tried, found)
	}
}

func TestAChangedSchemaIsFound(t *testing.T) {
	for _, change := range []string{
		"DROP INDEX tidewaiter.entries_by_key", "DROP INDEX tidewaiter.entries_by_name", "ALTER TABLE tidewaiter.rows DROP CONSTRAINT rows_pkey",
		"CREATE TRIGGER t BEFORE INSERT ON tidewaiter.entries FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
	} {
		url := pgtest.Database(t)
		s := open(t, url, postgres.Options{})
		storetest.Before(t, s)
		if err := pgtest.Exec(t.Context(), url, change); err != nil {
			must(t, pgtest.Exec(t.Context(), url, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
				"CREATE TRIGGER t BEFORE INSERT ON tidewaiter.entries FOR EACH ROW EXECUTE FUNCTION f()"))
		}
		if found := problems(t, s); len(found) == 0 {
			t.Errorf("%s: nothing is said", change)
		}
	}
}

// An entry that cannot be read is named, and a row of a view, and both are refused rather than believed.
func TestDamageIsNotBelieved(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url, postgres.Options{})
	storetest.Before(t, s)
	must(t, pgtest.Exec(t.Context(), url, "UPDATE tidewaiter.entries SET body = 'x' WHERE seq = 1", "UPDATE tidewaiter.rows SET value = 'x'",
		"UPDATE tidewaiter.meta SET value = 'x'", "UPDATE tidewaiter.views SET cursor = 3"))
	fresh := open(t, url, postgres.Options{})
	storetest.Damaged(t, fresh, 1, "v", "k", "m")
	must(t, fresh.Drop(t.Context(), "v")) // then it can be made again
	must(t, fresh.Commit(t.Context(), "v", 0, 1, map[string][]byte{"k": []byte("old")}))
}
