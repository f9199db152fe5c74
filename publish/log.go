package publish

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Store is what is read of the ledger.
type Store interface {
	Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error
	HashReader(ctx context.Context) tlog.HashReader
}

// Log is a log that is published. Safe for concurrent use.
type Log struct {
	Store Store
	// Keys returns the keys with which the log signs or signed.
	Keys func(ctx context.Context) (*ledger.Keys, error)
	// Last returns the checkpoint that is published, as it was signed, or nil before the first one.
	Last func(ctx context.Context) ([]byte, error)
}

// errNothing says that nothing is published by this name.
var errNothing = errors.New("nothing is published there")

// Checkpoint is the published checkpoint: its text, and what it says.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, ledger.Checkpoint, error) {
	text, err := l.Last(ctx)
	if err != nil {
		return nil, ledger.Checkpoint{}, fmt.Errorf("the published checkpoint: %w", err)
	}
	if text == nil {
		return nil, ledger.Checkpoint{}, fmt.Errorf("checkpoint: %w: none was signed yet", errNothing)
	}
	c, err := l.parse(ctx, text)
	return text, c, err
}

func (l *Log) parse(ctx context.Context, text []byte) (ledger.Checkpoint, error) {
	keys, err := l.Keys(ctx)
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("the log's keys: %w", err)
	}
	return ledger.ParseCheckpoint(text, keys)
}

// Tile is a tile or a bundle as it is published.
func (l *Log) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	if ledger.IsBundle(t) {
		return l.bundle(ctx, t)
	}
	data, err := tlog.ReadTileData(t, l.Store.HashReader(ctx))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ledger.TilePath(t), err)
	}
	return data, nil
}

// bundle computes the commitments of a bundle's entries, and holds each of them against the leaf that was stored with its
// entry: what is published always belongs to the tree.
func (l *Log) bundle(ctx context.Context, t tlog.Tile) ([]byte, error) {
	path, first := ledger.TilePath(t), t.N*ledger.TileWidth
	leaves := t
	leaves.L = 0
	stored, err := tlog.ReadTileData(leaves, l.Store.HashReader(ctx))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var bundle []byte
	next := first
	err = l.Store.Entries(ctx, first, first+int64(t.W), func(e ledger.Entry) error {
		at := (e.Seq - first) * tlog.HashSize
		if e.Seq != next || ledger.LeafHash(e) != tlog.Hash(stored[at:at+tlog.HashSize]) {
			return fmt.Errorf("entry %d is not what was recorded; run `tidewaiter log fsck`", next)
		}
		next++
		data := ledger.Commitment(e)
		bundle, err = ledger.AppendBundle(bundle, data[:])
		return err
	})
	if err == nil && next != first+int64(t.W) {
		err = fmt.Errorf("entry %d is missing; run `tidewaiter log fsck`", next)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return bundle, nil
}
