package registry_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidewaiter/tidewaiter/registry"
)

// A disk that lost power may have kept that a spool was made and not that it was removed.
func TestSpoolThatCameBackIsCleared(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"spool-123", "somebody-elses"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("a document"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := registry.ClearSpool(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "somebody-elses" {
		t.Errorf("left are %v, %v", left, err)
	}
}
