package epcis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/epcis"
)

func TestEveryGS1ExampleIsAccepted(t *testing.T) {
	for _, name := range documents(t, "epcis/json") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			list, ctx := eventsIn(t, name)
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
	for _, name := range documents(t, "epcis/hash") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := os.ReadFile(strings.TrimSuffix(name, ".jsonld") + ".hashes")
			if err != nil {
				t.Fatal(err)
			}
			list, ctx := eventsIn(t, name)
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
