package registry

import (
	"context"

	"github.com/tidewaiter/tidewaiter/store"
)

// publishedKey is where the checkpoint is kept that witnesses cosigned last.
const publishedKey = "published"

// Published returns the checkpoint that was kept with KeepPublished, or nil.
func (l *Log) Published(ctx context.Context) ([]byte, error) { return l.Store.Meta(ctx, publishedKey) }

// KeepPublished keeps a checkpoint with its cosignatures, which everybody may see now. One over fewer entries than what is kept
// is not kept.
func (l *Log) KeepPublished(ctx context.Context, text []byte) error {
	keys, err := l.Keys(ctx)
	if err != nil {
		return err
	}
	next, err := parseCheckpoint(text, keys)
	if err != nil {
		return err
	}
	return l.Store.Append(ctx, func(tx store.Appender) error {
		kept, err := tx.Meta(publishedKey)
		if err != nil {
			return err
		}
		if old, err := parseCheckpoint(kept, keys); err != nil || old != nil && next != nil && old.Size > next.Size {
			return err
		}
		return tx.SetMeta(publishedKey, text)
	})
}
