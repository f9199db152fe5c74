package main

import (
	"context"
	"fmt"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
	"github.com/tidewaiter/tidewaiter/registry"
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
	if err := d.sign(); err != nil {
		return err
	}
	log, err := d.log()
	if err != nil {
		return err
	}
	bar := e.bar("Publishing")
	bar.unit = "tiles"
	done, err := log.Folder(e.ctx, c.Dir, bar.set)
	bar.clear()
	if err != nil {
		return err
	}
	return e.printJSON(done)
}

// log is the deployment's log, as it is shown to everybody.
func (d *deployment) log() (*publish.Log, error) {
	v, err := ledger.LoadVerifier(d.signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	return &publish.Log{Store: d.store, Key: v, Last: func(ctx context.Context) ([]byte, error) {
		_, text, err := registry.LastCheckpoint(ctx, d.store, d.signer.VerifierKey())
		return text, err
	}}, nil
}

// sign signs a checkpoint over what is there now, if it is not signed already.
func (d *deployment) sign() error {
	if _, err := registry.Checkpoint(d.env.ctx, d.store, d.signer); err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	return nil
}
