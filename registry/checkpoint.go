package registry

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// What is kept beside the entries.
const (
	checkpointKey = "checkpoint" // the last signed checkpoint
	recordedKey   = "recorded"   // that a Record has been written: from then on there must be one
)

// ErrFork is wrapped by what says that signing would make a second history.
var ErrFork = errors.New("signing would make a second history of this log")

// onwards is how a log goes on that may not sign any more.
const onwards = "Nothing was signed. Put back the newest backup, or go on with a new log that names this one's last checkpoint: tidewaiter log succeed"

// Log is a log that signs: the ledger, its keys, and the record of what they signed last.
type Log struct {
	Store  store.Ledger
	Signer *ledger.Signer
	Record Record
}

// tip is where a log stands: what was recorded as signed, and the tree that is there now.
type tip struct {
	recorded []byte             // as the record holds it; nil: nothing was signed yet
	last     *ledger.Checkpoint // what recorded says, if it is of this log
	now      ledger.Checkpoint
}

// Checkpoint signs the tree over all entries that are there now, keeps it, and returns it. Where the last one signed is over
// as many entries already, it is that one.
//
// Before it signs it proves, from the hashes that the store holds, that the tree extends the one recorded last, and records
// the new one by compare-and-swap. So a store that lost entries (a backup that was restored, say) signs nothing any more; the
// error then wraps ErrFork. A process that ends between any two of these steps leaves nothing that another could not go on from.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	for {
		t, err := l.stand(ctx)
		if err != nil {
			return nil, err
		}
		text, err := l.kept(ctx, t)
		if err != nil || text != nil {
			return text, err
		}
		err = l.record(ctx, t)
		if errors.Is(err, ErrMoved) {
			continue // and see what the other one signed
		}
		if err != nil {
			return nil, err
		}
		return l.sign(ctx, t.now)
	}
}

// Check says why the log may not sign. Whoever is about to keep something in it asks first.
func (l *Log) Check(ctx context.Context) error {
	_, err := l.stand(ctx)
	return err
}

// Missing says what the record knows to have been signed and the store does not hold; the error then wraps ErrFork. Nothing is
// missing from a store beside which there is no record, nor by the record of another log.
func (l *Log) Missing(ctx context.Context) error {
	recorded, err := l.Record.Load(ctx)
	if err != nil || recorded == nil {
		return err
	}
	c, err := ledger.ParseBody(string(recorded))
	if err != nil {
		return fmt.Errorf("the record of the last checkpoint, %s, cannot be read: %w", l.Record, err)
	}
	if c.Origin != l.Signer.Origin() {
		return nil
	}
	head, err := l.Store.Head(ctx)
	if err != nil {
		return err
	}
	r := l.Store.HashReader(ctx)
	tree, err := ledger.LoadTree(head.Size, r)
	if err != nil {
		return fmt.Errorf("compare with the record of the last checkpoint: %w", err)
	}
	return extends(r, c, ledger.Checkpoint{Origin: c.Origin, Size: head.Size, Root: tree.Root()})
}

// stand finds where the log stands, and makes sure that it may go on from there.
func (l *Log) stand(ctx context.Context) (t tip, err error) {
	// The record first: what it holds was in the store before, and so is in the head that is read after it.
	if t.recorded, err = l.Record.Load(ctx); err != nil {
		return t, err
	}
	head, err := l.Store.Head(ctx)
	if err != nil {
		return t, err
	}
	r := l.Store.HashReader(ctx)
	tree, err := ledger.LoadTree(head.Size, r)
	if err != nil {
		return t, fmt.Errorf("sign a checkpoint: %w", err)
	}
	t.now = ledger.Checkpoint{Origin: l.Signer.Origin(), Size: head.Size, Root: tree.Root()}
	if t.recorded == nil {
		if err := l.mayUseKey(ctx); err != nil {
			return t, err
		}
		return t, l.mayBegin(ctx, &t)
	}
	c, err := ledger.ParseBody(string(t.recorded))
	if err != nil {
		return t, fmt.Errorf("the record of the last checkpoint, %s, cannot be read: %w", l.Record, err)
	}
	if c.Origin != l.Signer.Origin() {
		if err := l.mayUseKey(ctx); err != nil {
			return t, err
		}
		return t, l.maySucceed(ctx, c)
	}
	t.last = &c
	// First the tree: a ledger from before its key was replaced does not know the key that it has.
	if err := extends(r, c, t.now); err != nil {
		return t, err
	}
	return t, l.mayUseKey(ctx)
}

// mayBegin decides about a log without a record: it is new, or older than records are, or its record was lost.
func (l *Log) mayBegin(ctx context.Context, t *tip) error {
	mark, err := l.Store.Meta(ctx, recordedKey)
	if err != nil {
		return err
	}
	if mark != nil {
		return fmt.Errorf("%w: %s, the record of the last checkpoint, is missing, and without it nobody knows whether more was signed than "+
			"this ledger holds. Put it back, name it (--checkpoint-record), or copy it from a machine that shares the ledger. %s", ErrFork, l.Record, onwards)
	}
	last, _, err := l.Last(ctx)
	if err != nil || last == nil {
		return err
	}
	t.last = last
	return extends(l.Store.HashReader(ctx), *last, t.now)
}

// extends proves that the tree that is there has the recorded one in it.
func extends(r tlog.HashReader, last, now ledger.Checkpoint) error {
	if last.Size > now.Size {
		return fmt.Errorf("%w: its last checkpoint is over %d entries, root %v, and the ledger holds %d, root %v: it was restored from an older backup. %s",
			ErrFork, last.Size, last.Root, now.Size, now.Root, onwards)
	}
	proof, err := ledger.ProveConsistency(r, last.Size, now.Size)
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	err = ledger.CheckConsistency(proof, last, now)
	if errors.Is(err, ledger.ErrNotProven) {
		return fmt.Errorf("%w: its last checkpoint is over %d entries, root %v, and the first %d entries of the %d here, root %v, are not those: it was "+
			"restored from an older backup and written to since, or it is damaged (tidewaiter log fsck). %s", ErrFork, last.Size, last.Root, last.Size, now.Size, now.Root, onwards)
	}
	return err
}

// kept returns the checkpoint that was signed over this tree, or nil.
func (l *Log) kept(ctx context.Context, t tip) ([]byte, error) {
	last, text, err := l.Last(ctx)
	if err != nil {
		return nil, err
	}
	if last == nil || *last != t.now || t.recorded == nil {
		return nil, nil
	}
	return text, nil
}

// record swaps the record, also when it is there already: then a process ended before it signed, and perhaps before what it recorded
// was durable.
func (l *Log) record(ctx context.Context, t tip) error {
	return l.Record.Swap(ctx, t.recorded, []byte(t.now.Body()))
}

// sign signs what is recorded, and keeps it unless a later one is there by now.
func (l *Log) sign(ctx context.Context, c ledger.Checkpoint) ([]byte, error) {
	keys, err := l.Keys(ctx)
	if err != nil {
		return nil, err
	}
	text, err := ledger.Sign(l.Signer, c.Size, c.Root)
	if err != nil {
		return nil, err
	}
	return text, l.Store.Append(ctx, func(tx store.Appender) error {
		kept, err := tx.Meta(checkpointKey)
		if err != nil {
			return err
		}
		if old, err := parseCheckpoint(kept, keys); err != nil || old != nil && old.Size > c.Size {
			return err // another process was quicker
		}
		if err := tx.SetMeta(recordedKey, []byte("1")); err != nil {
			return err
		}
		return tx.SetMeta(checkpointKey, text)
	})
}

// Last returns the last checkpoint that was signed, read and as it was kept, or nil when there is none.
func (l *Log) Last(ctx context.Context) (*ledger.Checkpoint, []byte, error) {
	keys, err := l.Keys(ctx)
	if err != nil {
		return nil, nil, err
	}
	text, err := l.Store.Meta(ctx, checkpointKey)
	if err != nil {
		return nil, nil, err
	}
	c, err := parseCheckpoint(text, keys)
	return c, text, err
}

func parseCheckpoint(text []byte, keys *ledger.Keys) (*ledger.Checkpoint, error) {
	if text == nil {
		return nil, nil
	}
	c, err := ledger.ParseCheckpoint(text, keys)
	if err != nil {
		return nil, fmt.Errorf("the last checkpoint signed cannot be read with this log's key: %w", err)
	}
	return &c, nil
}
