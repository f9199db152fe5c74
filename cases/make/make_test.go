package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The committed documents are what the stories tell, bit for bit; `go run ./cases/make` writes them anew.
func TestCommittedFilesAreWhatTheStoriesTell(t *testing.T) {
	for letter, story := range stories {
		files, err := story().files()
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range files {
			got, err := os.ReadFile(filepath.Join("..", letter, filepath.FromSlash(name)))
			if err != nil {
				t.Error(err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("case %s: %s differs from what the story tells: run go run ./cases/make", letter, name)
			}
		}
		there, err := filepath.Glob(filepath.Join("..", letter, "epcis", "*"))
		if err != nil || len(there) != len(files)-1 {
			t.Errorf("case %s: %d documents lie there, the story tells %d (%v)", letter, len(there), len(files)-1, err)
		}
	}
}

func TestWriteReplacesOnlyWhatIsGenerated(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"README.md", "epcis/0099-1999-01.json"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(dir, caseA()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || string(text) != "before" {
		t.Errorf("the README became %q (%v)", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "epcis", "0099-1999-01.json")); !os.IsNotExist(err) {
		t.Errorf("a document of before is still there (%v)", err)
	}
}

// Worked examples of GS1: a GTIN-13 and a GLN.
func TestCheckDigit(t *testing.T) {
	for _, number := range []string{"6291041500213", "9506000134352", "0614141000012"} {
		if got := checked(number[:12]); got != number {
			t.Errorf("%s becomes %s", number, got)
		}
	}
}

// The numbers of splitmix64 from seed 1234567, as its author's program prints them.
func TestDiceAreTheSameEverywhere(t *testing.T) {
	d := dice(1234567)
	want := []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}
	for i, w := range want {
		if got := d.next(); got != w {
			t.Errorf("number %d is %d, not %d", i, got, w)
		}
	}
}

func TestAWeeklyUploaderTellsOnMondays(t *testing.T) {
	w := caseB()
	told := map[string]bool{}
	for _, e := range w.events {
		if e.by != nil && e.by.weekly && e.again == nil {
			told[e.known.Weekday().String()] = true
			if e.known.Before(e.at) {
				t.Errorf("told on %v, happened on %v", e.known, e.at)
			}
		}
	}
	if days := slices.Collect(maps.Keys(told)); !slices.Equal(days, []string{"Monday"}) {
		t.Errorf("told on %v", days)
	}
}
