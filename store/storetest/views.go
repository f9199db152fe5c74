package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
)

// RunViews is the suite for the views' role.
func RunViews(t *testing.T, open Opener) {
	runRows(t, open, []row{
		{"an empty view", emptyView},
		{"rows are written, changed and deleted", changeRows},
		{"the cursor is compared and moved", cursors},
		{"keys are ordered by their bytes", byteOrder},
		{"prefixes", prefixes},
		{"long keys", longKeys},
		{"views are apart", viewsApart},
		{"drop", drop},
		{"values", rowValues},
		{"many rows", manyRows},
		{"many rows asked for together", getMany},
		{"several followers", followers},
		{"a scan is of one moment", scanMoment},
	})
}

func commit(t *testing.T, s store.Views, view string, from, to int64, changes map[string][]byte) {
	t.Helper()
	must(t, s.Commit(t.Context(), view, from, to, changes))
}

// scan gives the keys under a prefix, in the order in which they come.
func scan(t *testing.T, s store.Views, view, prefix string) (keys []string) {
	t.Helper()
	must(t, s.Rows(t.Context(), view).Scan(prefix, func(key string, _ []byte) error {
		keys = append(keys, key)
		return nil
	}))
	return keys
}

func get(t *testing.T, s store.Views, view, key string) []byte {
	t.Helper()
	value, err := s.Rows(t.Context(), view).Get(key)
	must(t, err)
	return value
}

func cursor(t *testing.T, s store.Views, view string) int64 {
	t.Helper()
	at, err := s.Cursor(t.Context(), view)
	must(t, err)
	return at
}

func emptyView(t *testing.T, s store.Store) {
	if at := cursor(t, s, "v"); at != 0 {
		t.Errorf("cursor %d", at)
	}
	if v := get(t, s, "v", "k"); v != nil {
		t.Errorf("a row: %q", v)
	}
	if keys := scan(t, s, "v", ""); len(keys) != 0 {
		t.Errorf("rows: %q", keys)
	}
	must(t, s.Drop(t.Context(), "v"))
	commit(t, s, "v", 0, 0, nil)
	whole(t, s)
}

func changeRows(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 3)...)
	rows := s.Rows(t.Context(), "v") // what was made before a change sees it too
	commit(t, s, "v", 0, 1, map[string][]byte{"a": []byte("1"), "b": []byte("2"), "none": nil})
	commit(t, s, "v", 1, 3, map[string][]byte{"a": []byte("a longer value than before"), "b": nil, "c": {}})
	if v, err := rows.Get("a"); string(v) != "a longer value than before" || err != nil {
		t.Errorf("a: %q, %v", v, err)
	}
	if v := get(t, s, "v", "b"); v != nil {
		t.Errorf("b: %q", v)
	}
	if v := get(t, s, "v", "c"); v == nil || len(v) != 0 {
		t.Errorf("an empty row is read as %#v", v)
	}
	if keys := scan(t, s, "v", ""); !slices.Equal(keys, []string{"a", "c"}) {
		t.Errorf("rows: %q", keys)
	}
	whole(t, s)
}

func cursors(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 5)...)
	commit(t, s, "v", 0, 5, map[string][]byte{"a": []byte("1")})
	for _, c := range []struct{ from, to int64 }{{0, 5}, {4, 5}, {6, 7}} {
		err := s.Commit(t.Context(), "v", c.from, c.to, map[string][]byte{"a": []byte("2"), "b": []byte("3")})
		wantErr(t, err, store.ErrConflict)
	}
	for _, c := range []struct{ from, to int64 }{{5, 4}, {-1, 5}} {
		if err := s.Commit(t.Context(), "v", c.from, c.to, nil); err == nil {
			t.Errorf("from %d to %d: no error", c.from, c.to)
		}
	}
	if at := cursor(t, s, "v"); at != 5 {
		t.Errorf("cursor %d, want 5", at)
	}
	if v := get(t, s, "v", "a"); string(v) != "1" {
		t.Errorf("a refused commit changed a row: %q", v)
	}
	commit(t, s, "v", 5, 5, map[string][]byte{"a": []byte("2")}) // rows may change while the cursor stays
	if v := get(t, s, "v", "a"); string(v) != "2" {
		t.Errorf("a: %q", v)
	}
	wantErr(t, s.Commit(t.Context(), "other", 5, 6, nil), store.ErrConflict)
	whole(t, s)
}

// Keys in the order of their bytes: no locale's, no case's, no number's, and not the order of UTF-16 either.
var ordered = []string{
	"", "\x00", "\x00\x00", "\x00a", "\x01", " ", "!", "/", "0", "00", "10", "9", "A", "Z", "Zz", "_", "a", "a\x00", "a\x00b", "a ", "a/",
	"aA", "aa", "az", "b", "e", "e\u0301", "z", "\x7f", "\x80", "\xc3", "ß", "é", "ﬀ", "\U0001F6A2", "\xf5", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

func byteOrder(t *testing.T, s store.Store) {
	changes := map[string][]byte{}
	for _, key := range ordered {
		changes[key] = []byte(key)
	}
	commit(t, s, "v", 0, 0, changes)
	if got := scan(t, s, "v", ""); !slices.Equal(got, ordered) {
		t.Errorf("order:\n got %q\nwant %q", got, ordered)
	}
	for _, key := range ordered {
		if v := get(t, s, "v", key); string(v) != key || v == nil {
			t.Errorf("row %q: %#v", key, v)
		}
	}
	whole(t, s)
}

func prefixes(t *testing.T, s store.Store) {
	changes := map[string][]byte{}
	for _, key := range ordered {
		changes[key] = []byte("x")
	}
	commit(t, s, "v", 0, 0, changes)
	// Neighbours on both sides, which no prefix of this view may reach.
	commit(t, s, "u", 0, 0, changes)
	commit(t, s, "w", 0, 0, changes)
	for _, prefix := range append(slices.Clone(ordered), "a\xff", "\xff\xff\xff\xff", "zz", "\xfe", "\xc3\xa9\x00") {
		var want []string
		for _, key := range ordered {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				want = append(want, key)
			}
		}
		if got := scan(t, s, "v", prefix); !slices.Equal(got, want) {
			t.Errorf("prefix %q: %q, want %q", prefix, got, want)
		}
	}
	stop := errors.New("stop")
	err := s.Rows(t.Context(), "v").Scan("a", func(key string, _ []byte) error { return stop })
	wantErr(t, err, stop)
}

// longKeys are longer than many an index can hold, and begin alike.
func longKeys(t *testing.T, s store.Store) {
	long := strings.Repeat("k", 1000)
	ordered := []string{
		"k", long[:999], long, long + "\x00", long + "A", long + "B" + strings.Repeat("z", 9000), long + "a", long + "b" + strings.Repeat("y", 100_000),
		long + "b" + strings.Repeat("z", 2000), long + "\xff", long[:999] + "l", long[:999] + "l" + long, "l",
	}
	changes := map[string][]byte{}
	for i, key := range ordered {
		changes[key] = fmt.Append(nil, i)
	}
	commit(t, s, "v", 0, 0, changes)
	for i, key := range ordered {
		if v := get(t, s, "v", key); string(v) != fmt.Sprint(i) {
			t.Errorf("row %d, whose key has %d bytes, is %q", i, len(key), v)
		}
	}
	if v := get(t, s, "v", long+"B"); v != nil {
		t.Errorf("a key of 1001 bytes that is only the beginning of another has a row: %q", v)
	}
	for _, prefix := range []string{"", "k", long[:999], long, long + "b", long + "b" + strings.Repeat("y", 50_000), long + "c"} {
		want := slices.DeleteFunc(slices.Clone(ordered), func(key string) bool { return !strings.HasPrefix(key, prefix) })
		if got := scan(t, s, "v", prefix); !slices.Equal(got, want) {
			t.Errorf("a prefix of %d bytes has %d rows, want %d, in another order or others", len(prefix), len(got), len(want))
		}
	}
	commit(t, s, "v", 0, 0, map[string][]byte{ordered[5]: nil, ordered[7]: []byte("changed")})
	if v, w := get(t, s, "v", ordered[5]), get(t, s, "v", ordered[7]); v != nil || string(w) != "changed" {
		t.Errorf("deleted: %q, changed: %q", v, w)
	}
	whole(t, s)
}

func viewsApart(t *testing.T, s store.Store) {
	for i, view := range []string{"v", "V", "", "v ", "v\x00", "é"} {
		commit(t, s, view, 0, int64(i), map[string][]byte{"k": fmt.Append(nil, i)})
	}
	must(t, s.Drop(t.Context(), "V"))
	for i, view := range []string{"v", "", "", "v ", "v\x00", "é"} {
		if i == 1 {
			continue
		}
		if v := get(t, s, view, "k"); string(v) != fmt.Sprint(i) {
			t.Errorf("view %q: %q, want %d", view, v, i)
		}
		if at := cursor(t, s, view); at != int64(i) {
			t.Errorf("view %q: cursor %d, want %d", view, at, i)
		}
	}
}

func drop(t *testing.T, s store.Store) {
	add(t, s, numbered(0, 2)...)
	commit(t, s, "v", 0, 2, map[string][]byte{"a": []byte("1"), "b": []byte("2")})
	must(t, s.Drop(t.Context(), "v"))
	if at, keys := cursor(t, s, "v"), scan(t, s, "v", ""); at != 0 || len(keys) != 0 {
		t.Errorf("cursor %d, rows %q", at, keys)
	}
	commit(t, s, "v", 0, 1, map[string][]byte{"a": []byte("3")})
	if v := get(t, s, "v", "a"); string(v) != "3" {
		t.Errorf("a: %q", v)
	}
	if n := whole(t, s); n != 2 {
		t.Errorf("dropping a view left %d entries of 2", n)
	}
}

func rowValues(t *testing.T, s store.Store) {
	large := make([]byte, 5<<20)
	for i := range large {
		large[i] = byte(i * 7)
	}
	values := map[string][]byte{"empty": {}, "nul": {0}, "large": large, "binary": []byte("\xff\x00\xfe"), "number": []byte("1e3"), "text": []byte("NULL")}
	commit(t, s, "v", 0, 0, values)
	for key, want := range values {
		if got := get(t, s, "v", key); string(got) != string(want) || got == nil {
			t.Errorf("%s: %d bytes, want %d", key, len(got), len(want))
		}
	}
	got := get(t, s, "v", "binary")
	clear(got) // what Get gave is the caller's
	if again := get(t, s, "v", "binary"); string(again) != "\xff\x00\xfe" {
		t.Errorf("a caller changed the store: %q", again)
	}
	whole(t, s)
}

func manyRows(t *testing.T, s store.Store) {
	const n = 3000
	changes := map[string][]byte{}
	for i := range n {
		changes[fmt.Sprintf("unit/%06d", i)] = fmt.Append(nil, i)
	}
	commit(t, s, "v", 0, 0, changes)
	for i := 0; i < n; i += 2 {
		changes[fmt.Sprintf("unit/%06d", i)] = nil
	}
	commit(t, s, "v", 0, 0, changes)
	keys := scan(t, s, "v", "unit/")
	if len(keys) != n/2 || !slices.IsSorted(keys) {
		t.Errorf("%d rows, want %d", len(keys), n/2)
	}
	whole(t, s)
}

// getMany answers as so many calls of Get would: rows that are there, rows that are not, and one asked for twice.
func getMany(t *testing.T, s store.Store) {
	rows := s.Rows(t.Context(), "v")
	if found, err := rows.GetMany([]string{"a", ""}); err != nil || len(found) != 0 {
		t.Errorf("of an empty view: %q, %v", found, err)
	}
	long := strings.Repeat("k", 1000)
	changes := map[string][]byte{long: []byte("1"), long + "a": []byte("2"), "empty": {}}
	asked := []string{long, long, long + "a", long + "b", "empty", "unit/none"}
	for _, key := range ordered {
		changes[key], asked = []byte(key), append(asked, key)
	}
	for i := range 10000 {
		key := fmt.Sprintf("unit/%06d", i)
		if asked = append(asked, key); i%3 == 0 {
			changes[key] = fmt.Append(nil, i)
		}
	}
	commit(t, s, "v", 0, 0, changes)
	commit(t, s, "w", 0, 0, map[string][]byte{"unit/none": []byte("another view's")})
	for _, n := range []int{0, 1, 2, 63, 64, 65, 4096, len(asked)} {
		found, err := rows.GetMany(asked[:n])
		must(t, err)
		want := map[string][]byte{}
		for _, key := range asked[:n] {
			if value, ok := changes[key]; ok {
				want[key] = value
			}
		}
		if !maps.EqualFunc(found, want, func(a, b []byte) bool { return a != nil && string(a) == string(b) }) {
			t.Errorf("of %d keys %d rows were found, want %d, or they are others", n, len(found), len(want))
		}
	}
	commit(t, s, "v", 0, 0, map[string][]byte{"empty": nil, long: []byte("3")})
	found, err := rows.GetMany([]string{"empty", long})
	if must(t, err); len(found) != 1 || string(found[long]) != "3" {
		t.Errorf("afterwards: %q", found)
	}
	whole(t, s)
}

// followers of one view race; each step is taken by exactly one of them.
func followers(t *testing.T, s store.Store) {
	const steps, n = 30, 4
	add(t, s, numbered(0, steps)...)
	won := make([]int, n)
	var wg sync.WaitGroup
	for who := range n {
		wg.Go(func() {
			for at := int64(0); at < steps; {
				err := s.Commit(t.Context(), "v", at, at+1, map[string][]byte{fmt.Sprint(at): fmt.Append(nil, who)})
				if err == nil {
					won[who]++
				} else if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
					return
				}
				at = cursor(t, s, "v")
			}
		})
	}
	wg.Wait()
	total := 0
	for _, w := range won {
		total += w
	}
	if rows := scan(t, s, "v", ""); total != steps || len(rows) != steps {
		t.Errorf("%d steps won, %d rows, want %d", total, len(rows), steps)
	}
	whole(t, s)
}

func scanMoment(t *testing.T, s store.Store) {
	commit(t, s, "v", 0, 0, map[string][]byte{"a": []byte("1"), "b": []byte("1"), "c": []byte("1")})
	var got string
	must(t, s.Rows(t.Context(), "v").Scan("", func(key string, value []byte) error {
		if key == "a" {
			commit(t, s, "v", 0, 0, map[string][]byte{"a": []byte("2"), "b": nil, "c": []byte("2"), "d": []byte("2")})
		}
		got += key + string(value)
		return nil
	}))
	if got != "a1b1c1" {
		t.Errorf("a scan saw %q of two moments, want a1b1c1", got)
	}
	if got := scan(t, s, "v", ""); !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("afterwards: %q", got)
	}
}
