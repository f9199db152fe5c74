package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// keptFile makes a closed file with something in every table and every column.
func keptFile(t *testing.T, entries int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	s := open(t, path, sqlite.Options{})
	ctx := t.Context()
	err := s.Append(ctx, func(tx store.Appender) error {
		for n := range entries {
			e, key := storetest.Entry(n)
			e.Trusted = n%3 == 0
			if n%4 == 1 {
				e.Context = nil
			}
			if n%4 == 2 {
				e.Context = []byte("another context")
			}
			if n == 6 {
				e.Context = []byte("a context of its own, to be erased")
			}
			if n%10 == 3 {
				e.Body = noise(17000) // a body that needs pages of its own
			}
			if _, err := tx.Append(e, key); err != nil {
				return err
			}
		}
		return nil
	})
	err = errors.Join(err, s.Append(ctx, func(tx store.Appender) error { return storetest.Erasing(tx, 6) }))
	for i, view := range []string{"v", "w"} {
		changes := map[string][]byte{"large": noise(20000), "packed": make([]byte, 2000), "empty": {}}
		for n := range entries {
			changes[fmt.Sprintf("unit/%d", n)] = fmt.Appendf(nil, `{"n":%d,"view":%q}`, n, view)
		}
		err = errors.Join(err, s.Commit(ctx, view, 0, int64(entries-i), changes))
	}
	err = errors.Join(err, s.SetMeta(ctx, "checkpoint", []byte("tidewaiter.example\n5\n")), s.SetMeta(ctx, "origin", []byte("o")), s.Close())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fsck is what `log fsck` does: both checks. It gives what they found.
func fsck(ctx context.Context, path string) (problems []string) {
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return []string{"open: " + err.Error()}
	}
	defer s.Close()
	if _, err := storetest.Whole(ctx, s); err != nil {
		problems = append(problems, "ledger: "+err.Error())
	}
	err = s.Check(ctx, func(problem string) error {
		problems = append(problems, "store: "+problem)
		return nil
	})
	if err != nil {
		problems = append(problems, "check: "+err.Error())
	}
	return problems
}

func TestCheckFindsNothingInAWholeFile(t *testing.T) {
	if problems := fsck(t.Context(), keptFile(t, 150)); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// In every table and column a value is changed by one bit, as a statement would change it: indexes follow, pages are whole.
// What finds it is a checksum or the tree.
func TestCheckFindsAChangedValue(t *testing.T) {
	whole := read(t, keptFile(t, 60))
	for _, table := range []string{"entries", "contexts", "hashes", "meta", "views", "rows"} {
		t.Run(table, func(t *testing.T) {
			tried := 0
			for range 3 {
				for column := range columns(t, whole, table) {
					changeOne(t, whole, table, column)
					tried++
				}
			}
			if tried < 2*3 {
				t.Errorf("only %d values were changed", tried)
			}
		})
	}
}

// columns gives the names of a table's columns.
func columns(t *testing.T, whole []byte, table string) map[string]bool {
	t.Helper()
	_, db := copied(t, whole)
	rows, err := db.Query("SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func copied(t *testing.T, whole []byte) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "copy.db")
	write(t, path, string(whole))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return path, db
}

// changeOne flips one bit of one value in a copy of the file, and looks whether that is found.
func changeOne(t *testing.T, whole []byte, table, column string) {
	t.Helper()
	path, db := copied(t, whole)
	var value any
	pick := fmt.Sprintf("SELECT %s FROM %s WHERE length(%s) > 0 ORDER BY random() LIMIT 1", column, table, column)
	if err := db.QueryRow(pick).Scan(&value); err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	changed := flipped(value)
	// Several rows may have the same value: change one of them.
	update := fmt.Sprintf("UPDATE OR IGNORE %s SET %s = ? WHERE (%s) = (SELECT %s FROM %s WHERE %s = ? LIMIT 1)",
		table, column, primary[table], primary[table], table, column)
	result, err := db.Exec(update, changed, value)
	if err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return // another row has that key
	}
	db.Close()
	if problems := fsck(t.Context(), path); len(problems) == 0 {
		t.Errorf("%s.%s was changed from %.40v to %.40v, and nobody noticed", table, column, value, changed)
	}
}

var primary = map[string]string{"entries": "seq", "contexts": "id", "hashes": "chunk", "meta": "name", "views": "id", "rows": "view, key"}

func flipped(value any) any {
	switch v := value.(type) {
	case int64:
		return v ^ 1<<rand.IntN(40)
	case string:
		b := []byte(v)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(7)
		return string(b)
	case []byte:
		b := append([]byte(nil), v...)
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
		return b
	}
	return value
}

func TestCheckFindsOtherChanges(t *testing.T) {
	for name, statements := range map[string][]string{
		"an entry deleted":            {"DELETE FROM entries WHERE seq = 70"},
		"the first entry deleted":     {"DELETE FROM entries WHERE seq = 0"},
		"the last entry deleted":      {"DELETE FROM entries WHERE seq = 149"},
		"a context deleted":           {"DELETE FROM contexts WHERE id = 1"},
		"a context that nobody needs": {"INSERT INTO contexts (hash, body) SELECT x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x''"},
		"a context taken away":        {"UPDATE entries SET context = NULL WHERE seq = 0"},
		"a context given":             {"UPDATE entries SET context = 1 WHERE seq = 1"},
		"contexts swapped":            {"UPDATE entries SET context = 2 WHERE seq = 0"},
		"hashes deleted":              {"DELETE FROM hashes WHERE chunk = 1"},
		"hashes too many":             {"INSERT INTO hashes (chunk, h) VALUES (77, zeroblob(2048))"},
		"hashes too short":            {"UPDATE hashes SET h = substr(h, 1, 2016) WHERE chunk = 0"},
		"hashes too long":             {"UPDATE hashes SET h = CAST(h || h AS BLOB) WHERE chunk = (SELECT max(chunk) FROM hashes)"},
		"one key twice":               {"UPDATE entries SET (key_head, key_tail) = (SELECT key_head, key_tail FROM entries WHERE seq = 5) WHERE seq = 6"},
		"a row of another view":       {"UPDATE rows SET view = 77 WHERE view = 2 AND key = CAST('large' AS BLOB)"},
		"a view deleted":              {"DELETE FROM views WHERE name = CAST('v' AS BLOB)"},
		"values of two rows swapped":  {"UPDATE rows SET (value, sum) = (SELECT value, sum FROM rows WHERE view = 1 AND key = CAST('unit/2' AS BLOB)) WHERE view = 1 AND key = CAST('unit/3' AS BLOB)"},
		"an index dropped":            {"DROP INDEX entries_by_key"},
		"a trigger":                   {"CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM meta; END"},
	} {
		t.Run(name, func(t *testing.T) {
			path := keptFile(t, 150)
			raw(t, path, statements...)
			problems := fsck(t.Context(), path)
			if len(problems) == 0 {
				t.Error("nobody noticed")
			}
			t.Logf("%.300q", problems)
		})
	}
}

// noise is bytes that cannot be packed.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// Bytes of the file itself are changed, wherever they are: SQLite's own structures, values, space that nobody uses. Either the
// check finds it, or everything still reads as it was written.
func TestCheckFindsAFlippedByte(t *testing.T) {
	path := keptFile(t, 60)
	whole := read(t, path)
	want := dump(t, path)
	harmless := 0
	const tries = 300
	for i := range tries {
		at := rand.IntN(len(whole))
		if i < 100 {
			at = i // SQLite's header, byte by byte
		}
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= byte(1 + rand.IntN(255))
		copied := filepath.Join(t.TempDir(), "damaged.db")
		if err := os.WriteFile(copied, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if problems := fsck(t.Context(), copied); len(problems) > 0 {
			continue
		}
		harmless++
		if got := dump(t, copied); got != want {
			t.Errorf("byte %d: %#x became %#x; nobody noticed, and it reads differently", at, whole[at], damaged[at])
		}
	}
	t.Logf("%d of %d flipped bytes meant nothing, in a file of %d", harmless, tries, len(whole))
	if harmless > tries/2 {
		t.Error("most bytes meant nothing: does the check look at all?")
	}
}

// dump reads everything by way of the contract.
func dump(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Entries(t.Context(), 0, 1<<62, func(e ledger.Entry) error {
		named, err := s.Named(t.Context(), e.Name)
		fmt.Fprintf(&b, "%+v %v\n", e, named)
		return err
	})
	err = errors.Join(err, s.Append(t.Context(), func(tx store.Appender) error {
		for n := range int(tx.Head().Size) {
			_, key := storetest.Entry(n)
			seq, ok, err := tx.Seen(key)
			fmt.Fprintln(&b, n, seq, ok, err)
		}
		return nil
	}))
	for _, view := range []string{"v", "w"} {
		at, e := s.Cursor(t.Context(), view)
		fmt.Fprintln(&b, view, at)
		err = errors.Join(err, e, s.Rows(t.Context(), view).Scan("", func(key string, value []byte) error {
			fmt.Fprintf(&b, "%s %q\n", key, value)
			return nil
		}))
	}
	for _, name := range []string{"checkpoint", "origin"} {
		value, e := s.Meta(t.Context(), name)
		fmt.Fprintf(&b, "%s %q\n", name, value)
		err = errors.Join(err, e)
	}
	if err != nil {
		t.Errorf("a file without a problem: %v", err)
	}
	return b.String()
}

func TestADamagedEntryIsNamed(t *testing.T) {
	for column, change := range map[string]string{
		"body": "x'00'", "salt": "x'00'", "speaker": "'somebody else'", "recorded": "0", "context": "99", "sum": "0",
	} {
		t.Run(column, func(t *testing.T) {
			path := keptFile(t, 20)
			raw(t, path, "UPDATE entries SET "+column+" = "+change+" WHERE seq = 7")
			s := open(t, path, sqlite.Options{})
			wantDamaged(t, s, 7)
		})
	}
	t.Run("missing", func(t *testing.T) {
		path := keptFile(t, 20)
		raw(t, path, "DELETE FROM entries WHERE seq = 7")
		wantMissing(t, open(t, path, sqlite.Options{}), 7)
	})
}

// wantDamaged: the entries before it are given, then it is named, and by itself too.
func wantDamaged(t *testing.T, s *sqlite.Store, seq int64) {
	t.Helper()
	wantMissing(t, s, seq)
	var damaged *ledger.DamagedError
	if _, err := s.Entry(t.Context(), seq); !errors.As(err, &damaged) || damaged.Seq != seq {
		t.Errorf("entry %d: %v", seq, err)
	}
}

func wantMissing(t *testing.T, s *sqlite.Store, seq int64) {
	t.Helper()
	var given int64
	err := s.Entries(t.Context(), 0, 1<<62, func(ledger.Entry) error { given++; return nil })
	var damaged *ledger.DamagedError
	if !errors.As(err, &damaged) || damaged.Seq != seq || given != seq {
		t.Errorf("%d entries, then %v; want entry %d named", given, err, seq)
	}
}

func TestADamagedRowIsRefused(t *testing.T) {
	path := keptFile(t, 20)
	raw(t, path, "UPDATE rows SET value = x'00' WHERE key = CAST('unit/7' AS BLOB)", "UPDATE meta SET value = x'00'", "UPDATE views SET cursor = 3 WHERE name = CAST('w' AS BLOB)")
	s := open(t, path, sqlite.Options{})
	_, get := s.Rows(t.Context(), "v").Get("unit/7")
	scan := s.Rows(t.Context(), "v").Scan("unit/", func(string, []byte) error { return nil })
	_, meta := s.Meta(t.Context(), "origin")
	_, cursor := s.Cursor(t.Context(), "w")
	for what, err := range map[string]error{"get": get, "scan": scan, "meta": meta, "cursor": cursor} {
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, view := range []string{"v", "w"} { // a view is repaired by making it again
		if err := s.Drop(t.Context(), view); err != nil {
			t.Error(err)
		}
		if at, err := s.Cursor(t.Context(), view); at != 0 || err != nil {
			t.Errorf("view %s after it was dropped: %d, %v", view, at, err)
		}
	}
}

func TestCheckWhileOthersWrite(t *testing.T) {
	path := keptFile(t, 50)
	s := open(t, path, sqlite.Options{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		for n := int64(50); ctx.Err() == nil; n++ {
			if err := s.Append(t.Context(), func(tx store.Appender) error {
				e, key := storetest.Entry(int(tx.Head().Size))
				_, err := tx.Append(e, key)
				return err
			}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 20 {
		if err := s.Check(t.Context(), func(problem string) error { return errors.New(problem) }); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCheckEndsWhenTold(t *testing.T) {
	path := keptFile(t, 50)
	raw(t, path, "UPDATE rows SET sum = 0")
	s := open(t, path, sqlite.Options{})
	enough := errors.New("enough")
	told := 0
	err := s.Check(t.Context(), func(string) error { told++; return enough })
	if !errors.Is(err, enough) || told != 1 {
		t.Errorf("told %d times: %v", told, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ctx, func(string) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A process that is cut off leaves a write-ahead log that may end anywhere. Whatever its end, the file opens as it was after
// some transaction, and goes on from there.
func TestATornWriteAheadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidewaiter.db")
	s := open(t, path, sqlite.Options{})
	for range 40 {
		appendOne(t, s)
	}
	db, wal := read(t, path), read(t, path+"-wal")
	sizes := map[int64]bool{}
	for range 60 {
		torn := filepath.Join(t.TempDir(), "torn.db")
		write(t, torn, string(db))
		write(t, torn+"-wal", string(wal[:rand.IntN(len(wal)+1)]))
		if problems := fsck(t.Context(), torn); len(problems) > 0 {
			t.Fatalf("%q", problems)
		}
		again := open(t, torn, sqlite.Options{})
		head, err := again.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes[head.Size] = true
		appendOne(t, again)
		if n, err := storetest.Whole(t.Context(), again); n != head.Size+1 || err != nil {
			t.Fatalf("%d entries: %v", n, err)
		}
	}
	if len(sizes) < 10 {
		t.Errorf("only %d different ends", len(sizes))
	}
}
