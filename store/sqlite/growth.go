package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// chunkHashes is how many of the tree's stored hashes one row of the table holds.
const (
	chunkHashes = 64
	chunkBytes  = chunkHashes * tlog.HashSize
)

const selectChunk = "SELECT h FROM hashes WHERE chunk = ?"

// growth is the end of the ledger, from which it grows: the head, the tree's frontier, and the last row of stored hashes.
type growth struct {
	version int64 // PRAGMA data_version, which changes when another connection commits
	head    store.Head
	tree    *ledger.Tree
	chunk   int64  // the number of the row that tail belongs to
	tail    []byte // hashes of the last row
	dirty   bool   // tail differs from the row
	fresh   []tlog.Hash

	contexts map[[32]byte]int64
	kept     int // contexts that were new
}

// contextsHeld limits how many contexts' ids the writer remembers.
const contextsHeld = 1024

// grow returns where the ledger ends, from memory unless another process may have written.
func (w *writer) grow(ctx context.Context) (*growth, error) {
	var version int64
	if err := w.dataVersion.QueryRowContext(ctx).Scan(&version); err != nil {
		return nil, err
	}
	if g := w.growth; g != nil && g.version == version {
		return g, nil
	}
	g := &growth{version: version, contexts: map[[32]byte]int64{}}
	var err error
	if g.head, err = readHead(w.last.QueryRowContext(ctx)); err != nil {
		return nil, err
	}
	chunk := func(n int64) ([]byte, error) {
		row, err := readChunk(w.chunk.QueryRowContext(ctx, n))
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("%w: row %d of the tree's hashes is missing; run `tidewaiter log fsck`", store.ErrDamaged, n)
		}
		return row, err
	}
	if g.tree, err = ledger.LoadTree(g.head.Size, chunkReader(chunk)); err != nil {
		return nil, err
	}
	stored := tlog.StoredHashCount(g.head.Size)
	g.chunk = stored / chunkHashes
	g.tail = make([]byte, 0, chunkBytes)
	if n := stored % chunkHashes * tlog.HashSize; n > 0 {
		row, err := chunk(g.chunk)
		if err != nil {
			return nil, err
		}
		if int64(len(row)) != n {
			return nil, fmt.Errorf("%w: row %d of the tree's hashes has %d bytes and should have %d; run `tidewaiter log fsck`", store.ErrDamaged, g.chunk, len(row), n)
		}
		g.tail = append(g.tail, row...)
	}
	w.growth = g
	return g, nil
}

// add appends a leaf to the tree.
func (g *growth) add(ctx context.Context, w *writer, leaf tlog.Hash) error {
	g.fresh = g.tree.Append(g.fresh[:0], leaf)
	for _, h := range g.fresh {
		g.tail, g.dirty = append(g.tail, h[:]...), true
		if len(g.tail) == chunkBytes {
			if err := g.flush(ctx, w); err != nil {
				return err
			}
			g.chunk, g.tail = g.chunk+1, g.tail[:0]
		}
	}
	return nil
}

// flush writes the last row of hashes.
func (g *growth) flush(ctx context.Context, w *writer) error {
	if !g.dirty {
		return nil
	}
	g.dirty = false
	_, err := w.putChunk.ExecContext(ctx, g.chunk, g.tail)
	return err
}

func readChunk(row *sql.Row) ([]byte, error) {
	var h []byte
	err := row.Scan(&h)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, store.ErrNotFound
	}
	return h, err
}

// chunkReader reads the tree's stored hashes from their rows.
type chunkReader func(chunk int64) ([]byte, error)

// ReadHashes gives the hashes with these stored indexes. Callers ask for neighbours together, so the last row is at hand.
func (read chunkReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	at, row := int64(-1), []byte(nil)
	for i, index := range indexes {
		if index < 0 {
			return nil, fmt.Errorf("tree hash %d: %w", index, store.ErrNotFound)
		}
		if chunk := index / chunkHashes; chunk != at {
			var err error
			if row, err = read(chunk); err != nil {
				return nil, fmt.Errorf("tree hash %d: %w", index, err)
			}
			at = chunk
		}
		from := index % chunkHashes * tlog.HashSize
		if int64(len(row)) < from+tlog.HashSize {
			return nil, fmt.Errorf("tree hash %d: %w", index, store.ErrNotFound)
		}
		out[i] = tlog.Hash(row[from : from+tlog.HashSize])
	}
	return out, nil
}
