package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// receiptsFile begins the file for receipts before anything is kept, so that nothing is kept for which it cannot be written.
func (c *captureCmd) receiptsFile() (*os.File, error) {
	if c.Receipts == "" {
		return nil, nil
	}
	f, err := os.Create(c.Receipts)
	if err != nil {
		return nil, fmt.Errorf("the file for receipts: %w", err)
	}
	return f, nil
}

// issue writes the receipt of each entry, and makes the file durable.
func (d *deployment) issue(f *os.File, spans []span, checkpoint []byte) error {
	ctx := context.WithoutCancel(d.env.ctx)
	keys, err := d.log.Keys(ctx)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w, hashes := bufio.NewWriter(f), d.store.HashReader(ctx)
	for _, s := range spans {
		err = errors.Join(err, d.store.Entries(ctx, s.first, s.last+1, func(e ledger.Entry) error {
			receipt, err := ledger.Issue(hashes, e, checkpoint, keys)
			if err != nil {
				return err
			}
			line, err := json.Marshal(receipt)
			if err != nil {
				return fmt.Errorf("encode the receipt: %w", err)
			}
			_, err = w.Write(append(line, '\n'))
			return err
		}))
	}
	if err := errors.Join(err, w.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	return nil
}
