package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// thing is a row's value.
type thing struct {
	Name  string         `json:"name"`
	Count map[string]int `json:"count,omitzero"`
}

const view = "things"

// kept gives what the table's flush leaves in the store.
func kept(t *testing.T, s *memory.Store, table *store.Table[thing]) map[string]string {
	t.Helper()
	changes := map[string][]byte{}
	must(t, table.Flush(changes))
	must(t, s.Commit(t.Context(), view, 0, 0, changes))
	rows := map[string]string{}
	must(t, s.Rows(t.Context(), view).Scan("", func(key string, value []byte) error {
		rows[key] = string(value)
		return nil
	}))
	return rows
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, table *store.Table[thing], key string) *thing {
	t.Helper()
	v, err := table.Get(key)
	must(t, err)
	return v
}

func TestTableKeepsUnderItsPrefix(t *testing.T) {
	s := memory.New()
	table := store.NewTable[thing](s.Rows(t.Context(), view), "a/")
	table.Put("1", &thing{Name: "one", Count: map[string]int{"z": 1, "a": 2}})
	table.Put("2", &thing{Name: "two"})
	want := map[string]string{"a/1": `{"name":"one","count":{"a":2,"z":1}}`, "a/2": `{"name":"two"}`}
	if got := kept(t, s, table); !maps.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	table.Put("1", nil)
	if got := kept(t, s, table); len(got) != 1 {
		t.Errorf("after deleting one: %v", got)
	}
	// Another table of the same view neither sees nor changes these.
	other := store.NewTable[thing](s.Rows(t.Context(), view), "b/")
	if v := get(t, other, "2"); v != nil {
		t.Errorf("another prefix has %+v", v)
	}
	again := store.NewTable[thing](s.Rows(t.Context(), view), "a/")
	if v := get(t, again, "2"); v == nil || v.Name != "two" {
		t.Errorf("read again: %+v", v)
	}
}

func TestTableHoldsWhatItRead(t *testing.T) {
	s := memory.New()
	table := store.NewTable[thing](s.Rows(t.Context(), view), "")
	if table.Dirty() != 0 || get(t, table, "1") != nil {
		t.Error("an empty table has something")
	}
	table.Put("1", &thing{Name: "one"})
	if v := get(t, table, "1"); v == nil || v.Name != "one" || table.Dirty() != 1 {
		t.Errorf("what was put is %+v, dirty %d", v, table.Dirty())
	}
	table.Trim(0)
	if v := get(t, table, "1"); v == nil || v.Name != "one" {
		t.Errorf("Trim lost what was not flushed: %+v", v)
	}
	kept(t, s, table)
	if table.Dirty() != 0 {
		t.Errorf("dirty after Flush: %d", table.Dirty())
	}
	must(t, s.Commit(t.Context(), view, 0, 0, map[string][]byte{"1": []byte(`{"name":"changed behind its back"}`)}))
	table.Trim(1)
	if v := get(t, table, "1"); v.Name != "one" {
		t.Errorf("Trim forgot one value of one: %+v", v)
	}
	table.Trim(0)
	if v := get(t, table, "1"); v.Name != "one" {
		t.Errorf("Trim forgot what was asked for since: %+v", v)
	}
	table.Trim(0)
	get(t, table, "2")
	table.Trim(0)
	if v := get(t, table, "1"); v.Name != "changed behind its back" {
		t.Errorf("after Trim it is not read again: %+v", v)
	}
}

func TestTableNamesTheRowThatCannotBeRead(t *testing.T) {
	s := memory.New()
	must(t, s.Commit(t.Context(), view, 0, 0, map[string][]byte{"a/1": []byte(`{"name":"one","name":"two"}`)}))
	table := store.NewTable[thing](s.Rows(t.Context(), view), "a/")
	_, err := table.Get("1")
	all := table.All(func(string, *thing) error { return nil })
	for _, err := range []error{err, all} {
		if err == nil || !strings.Contains(err.Error(), "a/1") {
			t.Errorf("got %v, want the row's key", err)
		}
	}
	broken := errors.New("broken")
	s.Fail = func(string) error { return broken }
	_, err = table.Get("2")
	if all := table.All(func(string, *thing) error { return nil }); !errors.Is(err, broken) || !errors.Is(all, broken) {
		t.Errorf("Get: %v, All: %v", err, all)
	}
}

func TestTableAllEndsWhenTold(t *testing.T) {
	s := memory.New()
	table := store.NewTable[thing](s.Rows(t.Context(), view), "")
	table.Put("kept", &thing{})
	kept(t, s, table)
	enough := errors.New("enough")
	stop := func(string, *thing) error { return enough }
	if err := table.All(stop); !errors.Is(err, enough) {
		t.Errorf("at a kept one: %v", err)
	}
	table.Put("kept", &thing{Name: "changed"})
	if err := table.All(stop); !errors.Is(err, enough) {
		t.Errorf("at a changed one: %v", err)
	}
}

// Whatever is put, read, flushed and trimmed, and in whichever order, a table answers as a map does.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := memory.New()
		table := store.NewTable[thing](s.Rows(t.Context(), view), "p/")
		model := map[string]string{}
		keys := rapid.SampledFrom([]string{"", "a", "b", "é"})
		r.Repeat(map[string]func(*rapid.T){
			"put": func(r *rapid.T) {
				key, name := keys.Draw(r, "key"), rapid.StringN(0, 3, -1).Draw(r, "name")
				table.Put(key, &thing{Name: name})
				model[key] = name
			},
			"delete": func(r *rapid.T) {
				key := keys.Draw(r, "key")
				table.Put(key, nil)
				delete(model, key)
			},
			"change": func(r *rapid.T) {
				key := keys.Draw(r, "key")
				if v := get(t, table, key); v != nil {
					v.Name += "!"
					table.Put(key, v)
					model[key] += "!"
				}
			},
			"flush": func(*rapid.T) { kept(t, s, table) },
			"trim":  func(*rapid.T) { table.Trim(0) },
			"": func(r *rapid.T) {
				for key := range maps.Keys(model) {
					if v := get(t, table, key); v == nil || v.Name != model[key] {
						r.Fatalf("%q is %+v, want %q", key, v, model[key])
					}
				}
				var got, want []string
				must(t, table.All(func(key string, v *thing) error {
					got = append(got, fmt.Sprintf("%q %q", key, v.Name))
					return nil
				}))
				for key, name := range model {
					want = append(want, fmt.Sprintf("%q %q", key, name))
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					r.Fatalf("All gives %q, want %q", got, want)
				}
			},
		})
	})
}
