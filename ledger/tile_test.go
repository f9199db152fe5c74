package ledger_test

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Paths as the specification has them, and no other spelling of them.
func TestTilePath(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"tile/0/x001/x234/067":     {H: 8, L: 0, N: 1234067, W: 256},
		"tile/0/x001/x234/067.p/8": {H: 8, L: 0, N: 1234067, W: 8},
		"tile/63/000":              {H: 8, L: 63, N: 0, W: 256},
		"tile/entries/x273/112":    {H: 8, L: -1, N: 273112, W: 256},
		"tile/entries/000.p/255":   {H: 8, L: -1, N: 0, W: 255},
	} {
		got, err := ledger.ParseTilePath(path)
		if err != nil || got != want || ledger.TilePath(want) != path {
			t.Errorf("%s: %+v, %v; %s", path, got, err, ledger.TilePath(want))
		}
	}
	for _, path := range []string{"", "tile", "tile/0", "tile/entries", "tile/64/000", "tile/0/0", "tile/0/001/002", "tile/0/000.p/256", "/tile/0/000", "tile/data/000", "tile/8/data/000", "tile/01/000"} {
		if got, err := ledger.ParseTilePath(path); err == nil {
			t.Errorf("%q was read as %+v", path, got)
		}
	}
}

func FuzzParseTilePath(f *testing.F) {
	f.Add("tile/0/x001/x234/067.p/8")
	f.Add("tile/entries/000")
	f.Fuzz(func(t *testing.T, path string) {
		if tile, err := ledger.ParseTilePath(path); err == nil && ledger.TilePath(tile) != path {
			t.Errorf("%q was read as %q", path, ledger.TilePath(tile))
		}
	})
}

// What the specification says of a tree of 70,000 entries.
func TestInTree(t *testing.T) {
	for tile, want := range map[tlog.Tile]bool{
		{H: 8, L: 0, N: 272, W: 256}: true, {H: 8, L: 0, N: 273, W: 112}: true, {H: 8, L: 0, N: 273, W: 113}: false,
		{H: 8, L: 1, N: 0, W: 256}: true, {H: 8, L: 1, N: 1, W: 17}: true, {H: 8, L: 1, N: 1, W: 18}: false,
		{H: 8, L: 2, N: 0, W: 1}: true, {H: 8, L: 2, N: 0, W: 2}: false, {H: 8, L: 3, N: 0, W: 1}: false,
		{H: 8, L: -1, N: 273, W: 112}: true, {H: 8, L: -1, N: 273, W: 113}: false, {H: 8, L: 63, N: 0, W: 1}: false,
		{H: 8, L: 0, N: 1 << 60, W: 1}: false, {H: 4, L: 0, N: 0, W: 1}: false,
	} {
		if ledger.InTree(tile, 70000) != want {
			t.Errorf("%+v: want %v", tile, want)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte("\x00\x01a\x00\x00"), 2)
	f.Fuzz(func(t *testing.T, bundle []byte, width int) {
		entries, err := ledger.ParseBundle(bundle, width)
		if err != nil {
			return
		}
		var again []byte
		for _, data := range entries {
			if again, err = ledger.AppendBundle(again, data); err != nil {
				t.Fatal(err)
			}
		}
		if len(entries) != width || string(again) != string(bundle) {
			t.Errorf("%x was read as %x", bundle, again)
		}
	})
}
