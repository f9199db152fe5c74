package sim

import (
	"os"
	"testing"
)

func TestFirst(t *testing.T) {
	w, err := Generate(DefaultConfig(1, 5000))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(w.Summary())
	if d := os.Getenv("SIMOUT"); d != "" {
		if err := w.WriteDocuments(d, nil); err != nil {
			t.Fatal(err)
		}
	}
}
