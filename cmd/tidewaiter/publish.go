package main

import (
	"context"
	"fmt"

	"github.com/tidewaiter/tidewaiter/publish"
)

type logPublishCmd struct {
	Dir string `arg:"" help:"The folder: a web server's, or a copy of one that is synchronised to an object store." type:"path"`
}

// Help is shown by --help.
func (c *logPublishCmd) Help() string {
	return `Writes checkpoint, tile/<L>/<N> and tile/entries/<N>, of which only what is new, the checkpoint last. Entries are shown as salted
commitments: a stranger learns how many there are and when checkpoints were signed, and nothing of what they say. Safe to repeat
and to interrupt; run it from a timer. Prints {"from","size","files"}.`
}

func (c *logPublishCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.sign(e.ctx); err != nil {
		return err
	}
	bar := e.bar("Publishing")
	bar.unit = "tiles"
	done, err := d.published().Folder(e.ctx, c.Dir, bar.set)
	bar.clear()
	if err != nil {
		return err
	}
	return e.printJSON(done)
}

// published is the deployment's log, as it is shown to everybody.
func (d *deployment) published() *publish.Log {
	return &publish.Log{Store: d.store, Keys: d.log.Keys, Last: func(ctx context.Context) ([]byte, error) {
		_, text, err := d.log.Last(ctx)
		return text, err
	}}
}

// sign signs a checkpoint over what is there now, if it is not signed already, with the key that is in place now.
func (d *deployment) sign(ctx context.Context) ([]byte, error) {
	signer, err := d.key()
	if err != nil {
		return nil, err
	}
	log := *d.log
	log.Signer = signer
	text, err := log.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return text, nil
}
