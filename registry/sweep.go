package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Sweep appends an entry that says nothing but that time has passed, so that what is overdue is noticed although nothing
// arrives. Not in a ledger begun for history, whose time is the documents'.
func Sweep(ctx context.Context, st store.Ledger, now time.Time) (seq int64, err error) {
	err = st.Append(ctx, func(tx store.Appender) error {
		c := committer{}
		if err := c.begin(tx); err != nil {
			return err
		}
		t := notBefore(tx, now)
		name := "https://tidewaiter.org/sweep/" + t.Format(time.RFC3339Nano)
		e := ledger.Entry{Kind: ledger.KindSweep, Recorded: t, Speaker: custody.Registrar, Name: name, Body: []byte(`{"kind":"sweep"}`)}
		// The clock may stand still, or behind the ledger's time: then the number tells two sweeps apart.
		key := keyOf("sweep", custody.Registrar, fmt.Appendf(nil, "%s %d", name, tx.Head().Size))
		seq, err = tx.Append(e, key)
		return err
	})
	return seq, err
}
