package ledger

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is the height of a tile: 256 hashes wide (C2SP tlog-tiles, "Merkle Tree").
const TileHeight = 8

// TileWidth is the width of a full tile, and the number of entries of a full bundle.
const TileWidth = 1 << TileHeight

// bundleLevel is how golang.org/x/mod counts the level of the entries beneath the leaf hashes.
const bundleLevel = -1

// BundleOf names the bundle of entries that lies beneath a tile of leaf hashes.
func BundleOf(t tlog.Tile) tlog.Tile {
	t.L = bundleLevel
	return t
}

// IsBundle tells a bundle of entries from a tile of hashes.
func IsBundle(t tlog.Tile) bool { return t.L == bundleLevel }

// The two spellings of one path: that of golang.org/x/mod, which says the height, and that of tlog-tiles, which does not.
const (
	modData, modTile   = "tile/8/data/", "tile/8/"
	c2spData, c2spTile = "tile/entries/", "tile/"
)

// TilePath is where a tile or a bundle is published, beneath the log's prefix: tile/<L>/<N>[.p/<W>] or
// tile/entries/<N>[.p/<W>].
func TilePath(t tlog.Tile) string {
	path := t.Path()
	if rest, ok := strings.CutPrefix(path, modData); ok {
		return c2spData + rest
	}
	return c2spTile + strings.TrimPrefix(path, modTile)
}

// ParseTilePath reads what TilePath writes, and no other spelling of it.
func ParseTilePath(path string) (tlog.Tile, error) {
	mod := ""
	if rest, ok := strings.CutPrefix(path, c2spData); ok {
		mod = modData + rest
	} else if rest, ok := strings.CutPrefix(path, c2spTile); ok {
		mod = modTile + rest
	}
	t, err := tlog.ParseTilePath(mod)
	if err != nil || t.L > 63 || TilePath(t) != path {
		return tlog.Tile{}, fmt.Errorf("%.80q is no path of a tile: it looks like tile/0/x001/234.p/56 or tile/entries/000", path)
	}
	return t, nil
}

// InTree says whether a tree of this size has the tile, at this width or wider.
func InTree(t tlog.Tile, size int64) bool {
	level := max(t.L, 0)
	if t.H != TileHeight || level*TileHeight > 62 || t.N < 0 || t.N > maxSize>>TileHeight {
		return false
	}
	return t.N<<TileHeight+int64(t.W) <= size>>(level*TileHeight)
}

// maxEntryBytes is what a bundle can say the length of.
const maxEntryBytes = 1<<16 - 1

// AppendBundle adds an entry's published data to a bundle: its length in two bytes, big-endian, and the data itself.
func AppendBundle(bundle, data []byte) ([]byte, error) {
	if len(data) > maxEntryBytes {
		return nil, fmt.Errorf("an entry of %d bytes cannot be published: a bundle holds up to %d", len(data), maxEntryBytes)
	}
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(data))), data...), nil
}

// ParseBundle reads a bundle of so many entries.
func ParseBundle(bundle []byte, width int) ([][]byte, error) {
	var all [][]byte
	for rest := bundle; len(rest) > 0; {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("the bundle ends inside entry %d", len(all))
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		all, rest = append(all, rest[2:n]), rest[n:]
	}
	if len(all) != width {
		return nil, fmt.Errorf("the bundle has %d entries, and should have %d", len(all), width)
	}
	return all, nil
}
