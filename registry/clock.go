package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// ErrClock says that this machine's clock lies behind the ledger's last entry. Nothing is lost by it: recorded time stands still
// until the clock has caught up, and goes on with it then.
var ErrClock = errors.New("this machine's clock is behind the ledger")

// clockGrace is by how much the clocks of machines that share a ledger may differ.
const clockGrace = time.Minute

// CheckClock says when the clock is behind the ledger by more than clocks differ. Not in a ledger begun for history, whose time is
// the documents'.
func CheckClock(ctx context.Context, st store.Ledger, now time.Time) error {
	head, err := st.Head(ctx)
	if err != nil {
		return err
	}
	mark, err := st.Meta(ctx, historyKey)
	if err != nil {
		return err
	}
	last := time.UnixMicro(head.Recorded).UTC()
	if behind := last.Sub(now); mark == nil && head.Size > 0 && behind > clockGrace {
		return fmt.Errorf("%w, by %s: entries are recorded at the time of the last one, %s, until it has caught up; set the clock (NTP)",
			ErrClock, behind.Round(time.Second), last.Format(time.RFC3339))
	}
	return nil
}
