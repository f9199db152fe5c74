package epcis_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// shared finds a folder of the public test data, or skips.
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: the public test data is not here: %v", err)
	}
	return dir
}

// events decodes a document to its events.
func events(t testing.TB, r io.Reader) (list []*epcis.Event, ctx *epcis.Context) {
	t.Helper()
	dec := epcis.NewDecoder(r, epcis.Options{})
	var items []epcis.Item
	for {
		it, err := dec.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	ctx, err := epcis.ParseContext(dec.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Kind != epcis.ItemEvent {
			continue
		}
		ev, err := epcis.ParseEvent(it.Raw, ctx)
		if err != nil {
			t.Fatalf("%s%v", it.Pointer, err)
		}
		list = append(list, ev)
	}
	return list, ctx
}

func TestEveryGS1ExampleIsAccepted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "epcis/json"), "*.jsonld"))
	if err != nil || len(files) == 0 {
		t.Fatal("no documents: ", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			list, ctx := events(t, f)
			if len(list) == 0 {
				t.Error("no events")
			}
			for _, ev := range list {
				if _, err := epcis.Digest(ev, ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestEventHashVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "epcis/hash"), "*.jsonld"))
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors: ", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := os.ReadFile(strings.TrimSuffix(name, ".jsonld") + ".hashes")
			if err != nil {
				t.Fatal(err)
			}
			list, ctx := events(t, f)
			lines := strings.Fields(string(want))
			if len(lines) != len(list) {
				t.Fatalf("%d hashes for %d events", len(lines), len(list))
			}
			for i, ev := range list {
				got, err := epcis.Hash(ev, ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got != lines[i] {
					pre, _ := epcis.PreHash(ev, ctx)
					t.Errorf("event %d:\n got %s\nwant %s\n%s", i, got, lines[i], pre)
				}
			}
		})
	}
}
