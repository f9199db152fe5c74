// Command make writes the documents of the cases in the folder cases, and the truth beside them.
//
// The documents are committed; this program is how they came to be, and a test holds the two together bit for bit. Each case
// is a story (a.go, b.go) told with a few verbs: build, convey, install, check in, inspect, send a parcel, repair. Chance only
// fills in minutes, weights and numbers, from a generator that is the same on every machine.
//
// The program knows the EPCIS profile (docs/design.md) and GS1 keys. It spells them itself: it must not share a mistake with
// the packages that read them, and it knows nothing of detectors.
//
//	go run ./cases/make
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// stories are the cases by their letters.
var stories = map[string]func() *world{"a": caseA, "b": caseB}

func main() {
	out := flag.String("out", "cases", "folder that holds a folder for each case")
	flag.Parse()
	for _, letter := range slices.Sorted(maps.Keys(stories)) {
		if err := write(filepath.Join(*out, letter), stories[letter]()); err != nil {
			fmt.Fprintln(os.Stderr, "make:", err)
			os.Exit(1)
		}
	}
}

// write replaces the generated files of one case; its README.md is written by hand and stays.
func write(dir string, w *world) error {
	files, err := w.files()
	if err != nil {
		return fmt.Errorf("case %s: %w", filepath.Base(dir), err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "epcis")); err != nil {
		return fmt.Errorf("remove the documents of before: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make a folder for documents: %w", err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return fmt.Errorf("write a document: %w", err)
		}
		fmt.Fprintf(os.Stderr, "%8d %s\n", len(files[name]), path)
	}
	return nil
}
