package registry

import (
	"context"
	"fmt"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// checkpointKey is where the last signed checkpoint is kept.
const checkpointKey = "checkpoint"

// Checkpoint signs the tree over all entries that are there now, keeps it, and returns it. Where the last one signed is over
// as many entries already, it is that one. A checkpoint never goes back: entries that a signed tree holds are never fewer.
func Checkpoint(ctx context.Context, st store.Ledger, signer *ledger.Signer) ([]byte, error) {
	last, text, err := LastCheckpoint(ctx, st, signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	head, err := st.Head(ctx) // after the checkpoint: others append and sign meanwhile
	switch {
	case err != nil:
		return nil, err
	case last != nil && last.Size > head.Size:
		return nil, fmt.Errorf("the last checkpoint signed is over %d entries, and the ledger holds %d: it was restored from an older backup, "+
			"and signing now would make a second history; begin a new log instead", last.Size, head.Size)
	case last != nil && last.Size == head.Size:
		return text, nil
	}
	tree, err := ledger.LoadTree(head.Size, st.HashReader(ctx))
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	text, err = ledger.Sign(signer, head.Size, tree.Root())
	if err != nil {
		return nil, err
	}
	return text, st.Append(ctx, func(tx store.Appender) error {
		kept, err := tx.Meta(checkpointKey)
		if err != nil {
			return err
		}
		if c, err := parseCheckpoint(kept, signer.VerifierKey()); err != nil || c != nil && c.Size >= head.Size {
			return err // another process was quicker
		}
		return tx.SetMeta(checkpointKey, text)
	})
}

// LastCheckpoint returns the last checkpoint that was signed, read and as it was kept, or nil when there is none.
func LastCheckpoint(ctx context.Context, st store.Ledger, vkey string) (*ledger.Checkpoint, []byte, error) {
	text, err := st.Meta(ctx, checkpointKey)
	if err != nil {
		return nil, nil, err
	}
	c, err := parseCheckpoint(text, vkey)
	return c, text, err
}

func parseCheckpoint(text []byte, vkey string) (*ledger.Checkpoint, error) {
	if text == nil {
		return nil, nil
	}
	v, err := ledger.LoadVerifier(vkey)
	if err != nil {
		return nil, err
	}
	c, err := ledger.ParseCheckpoint(text, v)
	if err != nil {
		return nil, fmt.Errorf("the last checkpoint signed cannot be read with this log's key: %w", err)
	}
	return &c, nil
}
