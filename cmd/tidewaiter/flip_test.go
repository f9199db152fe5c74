package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// Two hundred flipped bytes, as the release is checked with:
//
//	go test ./cmd/tidewaiter -run Flipped -flips 200 -v
var flips = flag.Int("flips", 40, "how many bytes of the ledger's file are flipped, one at a time")

// answered runs a command line in this process.
func answered(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// keptFolder is a closed data folder with something in each table: a few dozen entries of all kinds and speakers, views that are
// caught up, a signed checkpoint.
func keptFolder(t *testing.T) string {
	t.Helper()
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for n := range 6 {
		crashDocument(t, inbox, n)
	}
	for _, args := range [][]string{{"capture", filepath.Join("testdata", "world.json")}, {"capture", inbox}, {"sweep"},
		{"capture", "--as", "https://id.gs1.org/417/9521234500063", inbox}, {"where", "G1"}} {
		if code, _, stderr := answered(t, append([]string{"--data", data}, args...)...); code != exitDone {
			t.Fatalf("%v: %s", args, stderr)
		}
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(data, ledgerFile), sqlite.Options{})
	if err == nil {
		err = errors.Join(st.Acquire(t.Context(), "views", "a node", time.Hour), st.Close()) // no command leaves one
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, ledgerFile+"-wal")); err == nil {
		t.Fatal("the folder was not closed")
	}
	if r := sound(t, data); r.Entries < 60 || r.Signed != r.Entries {
		t.Fatalf("%+v", r)
	}
	return data
}

// changedFolder is a copy of a data folder in which one file was changed.
func changedFolder(t *testing.T, data, name string, change func([]byte)) string {
	t.Helper()
	folder := t.TempDir()
	for _, file := range []string{ledgerFile, keyFile} {
		text, err := os.ReadFile(filepath.Join(data, file))
		if err != nil {
			t.Fatal(err)
		}
		if file == name {
			change(text)
		}
		writeFile(t, folder, file, text)
	}
	return folder
}

func unchanged([]byte) {}

// names is how fsck names what it finds in each table.
var names = map[string]string{
	"entries": `entr(y|ies) \d+`, "contexts": `context`, "hashes": `hash`, "meta": `meta|checkpoint|history`, "views": `view`, "rows": `row .*view|view .*row`, "leases": `lease`,
}

// TestAFlippedValueIsFound changes one byte of one value, in several rows of each column of each table, by way of SQL: SQLite's
// own structures stay whole, so what finds it is a checksum, the tree, or the signature.
func TestAFlippedValueIsFound(t *testing.T) {
	data := keptFolder(t)
	tried := map[string]int{}
	for table, columns := range tables(t, data) {
		for _, column := range columns {
			for range 4 {
				folder := changedFolder(t, data, "", unchanged)
				change, ok := flipValue(t, folder, table, column)
				if !ok {
					continue
				}
				tried[table]++
				code, stdout, stderr := answered(t, "--data", folder, "log", "fsck")
				if code != exitNo || !regexp.MustCompile(names[table]).MatchString(stdout) {
					t.Errorf("%s: exit code %d\n%s%s", change, code, stdout, stderr)
				}
			}
		}
	}
	for table := range names {
		if tried[table] < 3 {
			t.Errorf("in %s only %d values were flipped", table, tried[table])
		}
	}
	t.Logf("values flipped: %v", tried)
}

func openSQL(t *testing.T, folder string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(folder, ledgerFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// tables lists the columns of each table.
func tables(t *testing.T, folder string) map[string][]string {
	t.Helper()
	db := openSQL(t, folder)
	defer db.Close()
	found := map[string][]string{}
	rows, err := db.QueryContext(t.Context(), "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		found[table] = append(found[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(names))) {
		t.Fatalf("the tables are %v; say in names how fsck names what is wrong in each", found)
	}
	return found
}

// primary is what tells a table's rows apart.
var primary = map[string]string{"entries": "seq", "contexts": "id", "hashes": "chunk", "meta": "name", "views": "id", "rows": "view, key", "leases": "name"}

// flipValue flips one bit of a random row's value in a column. Not where another row has the value already, or it has no bits.
func flipValue(t *testing.T, folder, table, column string) (change string, ok bool) {
	t.Helper()
	db := openSQL(t, folder)
	defer db.Close()
	var value any
	pick := fmt.Sprintf("SELECT %s FROM %s WHERE length(%s) > 0 ORDER BY random() LIMIT 1", column, table, column)
	if err := db.QueryRowContext(t.Context(), pick).Scan(&value); err != nil {
		return "", false // all of them are empty
	}
	flipped := flipBit(value)
	update := fmt.Sprintf("UPDATE OR IGNORE %s SET %s = ? WHERE (%s) = (SELECT %s FROM %s WHERE %s = ? LIMIT 1)", table, column,
		primary[table], primary[table], table, column)
	done, err := db.ExecContext(t.Context(), update, flipped, value)
	if err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	n, _ := done.RowsAffected()
	return fmt.Sprintf("%s.%s from %.60v to %.60v", table, column, value, flipped), n == 1
}

func flipBit(value any) any {
	switch v := value.(type) {
	case int64:
		return v ^ 1<<rand.IntN(40)
	case string:
		b := []byte(v)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(7)
		return string(b)
	case []byte:
		b := bytes.Clone(v)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
		return b
	}
	return value
}

// TestAFlippedByteIsFound changes one byte of the file itself, wherever it lies. Either fsck says so, or everything in the file
// reads as it was written: then the byte lies in space that nobody uses.
func TestAFlippedByteIsFound(t *testing.T) {
	data := keptFolder(t)
	want, unused := dump(t, data), 0
	for i := range *flips {
		var change string
		folder := changedFolder(t, data, ledgerFile, func(file []byte) {
			at := rand.IntN(len(file))
			if i < *flips/8 {
				at = rand.IntN(100) // the file's own header
			}
			was := file[at]
			file[at] ^= byte(1 + rand.IntN(255))
			change = fmt.Sprintf("byte %d from %#x to %#x", at, was, file[at])
		})
		switch code, stdout, stderr := answered(t, "--data", folder, "log", "fsck"); {
		case code == exitNo && strings.Contains(stdout, "damaged: "):
		case code == exitFailed && strings.Contains(stderr, "if it did before, it is damaged"):
		case code == exitDone && dump(t, folder) == want:
			unused++
		default:
			t.Errorf("%s: exit code %d\n%s%s", change, code, stdout, stderr)
		}
	}
	t.Logf("%d of %d flipped bytes lie where nothing is kept", unused, *flips)
	if unused > *flips*3/4 {
		t.Error("most flipped bytes meant nothing: does fsck look at all?")
	}
}

// dump is everything that the file says, by way of SQL.
func dump(t *testing.T, folder string) string {
	t.Helper()
	db := openSQL(t, folder)
	defer db.Close()
	var b strings.Builder
	for _, query := range []string{"PRAGMA application_id", "PRAGMA user_version", "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
		"SELECT * FROM entries ORDER BY seq", "SELECT * FROM contexts ORDER BY id", "SELECT * FROM hashes ORDER BY chunk", "SELECT * FROM meta ORDER BY name",
		"SELECT * FROM views ORDER BY id", "SELECT * FROM rows ORDER BY view, key", "SELECT * FROM leases ORDER BY name"} {
		if err := dumpQuery(t.Context(), db, &b, query); err != nil {
			fmt.Fprintf(&b, "%s: %v\n", query, err)
		}
	}
	return b.String()
}

func dumpQuery(ctx context.Context, db *sql.DB, b *strings.Builder, query string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		fmt.Fprintf(b, "%q\n", values)
	}
	return rows.Err()
}

// TestAFlippedByteOfTheKeyIsFound changes the log's key, byte by byte: what was signed then no longer fits it. (That a letter of
// its hexadecimal part becomes a capital changes nothing: it is the same key.)
func TestAFlippedByteOfTheKeyIsFound(t *testing.T) {
	data := keptFolder(t)
	key, err := os.ReadFile(filepath.Join(data, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	_, vkey, _ := answered(t, "--data", data, "log", "key")
	for at := range bytes.TrimSpace(key) {
		folder := changedFolder(t, data, keyFile, func(file []byte) { file[at] ^= 1 << rand.IntN(7) })
		code, stdout, stderr := answered(t, "--data", folder, "log", "fsck")
		if _, same, _ := answered(t, "--data", folder, "log", "key"); code == exitDone && same == vkey {
			continue
		}
		if code == exitDone || !strings.Contains(stdout+stderr, "key") {
			t.Errorf("byte %d, %q: exit code %d\n%s%s", at, key[at], code, stdout, stderr)
		}
	}
}
