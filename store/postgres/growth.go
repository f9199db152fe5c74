package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

const (
	rowHashes   = 62   // in one row of the table hashes at most
	blockHashes = 4096 // stored indexes in one block
)

// growth is the end of the ledger, from which it grows: the head, the tree's frontier, and what is to be written of it.
type growth struct {
	head  store.Head
	tip   []byte // the last leaf's hash
	tree  *ledger.Tree
	first int64       // stored index of fresh[0]
	fresh []tlog.Hash // not written yet

	contexts map[[32]byte]int64
	lastID   int64 // of contexts
}

// contextsHeld limits how many contexts' ids the writer remembers.
const contextsHeld = 1024

// grow returns where the ledger ends, from memory unless another process has written.
func (s *Store) grow(tx *transaction, row *headRow) (*growth, error) {
	head, err := row.head()
	if err != nil {
		return nil, err
	}
	if g := s.growth; g != nil && g.head == head && bytes.Equal(g.tip, row.tip) {
		return g, nil
	}
	ctx, cancel := tx.patient()
	defer cancel()
	g := &growth{head: head, tip: row.tip, first: tlog.StoredHashCount(head.Size), contexts: map[[32]byte]int64{}}
	if g.tree, err = ledger.LoadTree(head.Size, hashReader(ctx, tx.conn.Conn())); err != nil {
		return nil, fmt.Errorf("%w: %w; run `tidewaiter log fsck`", store.ErrDamaged, err)
	}
	if err := tx.conn.QueryRow(ctx, "SELECT COALESCE(max(id), 0) FROM tidewaiter.contexts").Scan(&g.lastID); err != nil {
		return nil, err
	}
	return g, nil
}

// add appends a leaf to the tree.
func (g *growth) add(leaf tlog.Hash) {
	g.fresh = g.tree.Append(g.fresh, leaf)
	g.tip = leaf[:]
}

// hashRows cuts the fresh hashes into rows.
func (g *growth) hashRows() (blocks, firsts []int64, hashes [][]byte) {
	for at := 0; at < len(g.fresh); {
		first := g.first + int64(at)
		n := min(rowHashes, len(g.fresh)-at, int(blockHashes-first%blockHashes))
		h := make([]byte, 0, n*tlog.HashSize)
		for _, hash := range g.fresh[at : at+n] {
			h = append(h, hash[:]...)
		}
		blocks, firsts, hashes = append(blocks, first/blockHashes), append(firsts, first), append(hashes, h)
		at += n
	}
	return blocks, firsts, hashes
}

func (g *growth) written() {
	g.first, g.fresh = g.first+int64(len(g.fresh)), g.fresh[:0]
}

// selectHashes finds the hash at each index in the row that begins at or before it.
const selectHashes = `SELECT substr(r.h, 1 + 32 * (i.at - r.first)::int, 32)
FROM unnest($1::bigint[]) WITH ORDINALITY AS i(at, n)
LEFT JOIN LATERAL (SELECT first, h FROM tidewaiter.hashes WHERE block = i.at / 4096 AND first <= i.at ORDER BY first DESC LIMIT 1) r ON true
ORDER BY i.n`

// hashReader reads the tree's stored hashes.
func hashReader(ctx context.Context, conn *pgx.Conn) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		for _, at := range indexes {
			if at < 0 {
				return nil, fmt.Errorf("tree hash %d: %w", at, store.ErrNotFound)
			}
		}
		rows, err := conn.Query(ctx, selectHashes, indexes)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		out := make([]tlog.Hash, 0, len(indexes))
		var h []byte
		for rows.Next() {
			if err := rows.Scan(&h); err != nil {
				return nil, err
			}
			if len(h) != tlog.HashSize {
				return nil, fmt.Errorf("tree hash %d: %w", indexes[len(out)], store.ErrNotFound)
			}
			out = append(out, tlog.Hash(h))
		}
		return out, rows.Err()
	}
}
