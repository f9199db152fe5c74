package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
	"github.com/tidewaiter/tidewaiter/registry"
)

type logPublishCmd struct {
	Dir string `arg:"" help:"The folder: a web server's, or a copy of one that is synchronised to an object store." type:"path"`
	witnessFlags
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
	w, err := d.witnesses(c.witnessFlags)
	if err != nil {
		return err
	}
	if err := d.advance(e.ctx, w); err != nil {
		return err
	}
	bar := e.bar("Publishing")
	bar.unit = "tiles"
	done, err := d.published(w).Folder(e.ctx, c.Dir, bar.set)
	bar.clear()
	if err != nil {
		return err
	}
	return e.printJSON(done)
}

// witnessFlags say who cosigns what is published.
type witnessFlags struct {
	Policy         string        `help:"Publish only checkpoints that a quorum of these witnesses cosigned (C2SP tlog-policy). log.policy in the data folder, if it is there, by default." type:"existingfile" placeholder:"FILE"`
	WitnessTimeout time.Duration `help:"How long one witness may take to answer; 10s by default." default:"10s" placeholder:"DURATION"`
}

// witnesses reads the policy, or returns nil where there is none.
func (d *deployment) witnesses(f witnessFlags) (*publish.Witnesses, error) {
	path := f.Policy
	if path == "" {
		path = d.env.inData(policyFile)
	}
	text, err := os.ReadFile(path)
	if f.Policy == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	policy, err := ledger.ParsePolicy(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, path, err)
	}
	return &publish.Witnesses{Policy: policy, Hashes: d.store.HashReader, Client: &http.Client{}, Timeout: f.WitnessTimeout}, nil
}

// published is the deployment's log, as it is shown to everybody: where there are witnesses, as far as they have cosigned.
func (d *deployment) published(w *publish.Witnesses) *publish.Log {
	last := d.log.Published
	if w == nil {
		last = func(ctx context.Context) ([]byte, error) {
			_, text, err := d.log.Last(ctx)
			return text, err
		}
	}
	return &publish.Log{Store: d.store, Keys: d.log.Keys, Last: last}
}

// advance signs what is there now and has it cosigned. What was published before stays published until that is done.
func (d *deployment) advance(ctx context.Context, w *publish.Witnesses) error {
	text, err := d.sign(ctx)
	if err != nil || w == nil {
		return err
	}
	before, err := d.log.Published(ctx)
	if err != nil {
		return err
	}
	keys, err := d.log.Keys(ctx)
	if err != nil {
		return err
	}
	c, err := ledger.ParseCheckpoint(text, keys)
	if err != nil {
		return err
	}
	if old, err := ledger.ParseCheckpoint(before, keys); err == nil && old == c {
		if _, err := w.Policy.Witnessed(before); err == nil {
			return nil
		}
	}
	cosigned, err := w.Cosign(ctx, text, c, before)
	if err != nil {
		return fmt.Errorf("nothing new was published: %w", err)
	}
	return d.log.KeepPublished(ctx, cosigned)
}

// sign signs a checkpoint over what is there now, if it is not signed already.
func (d *deployment) sign(ctx context.Context) (text []byte, err error) {
	err = d.withKey(ctx, func(log *registry.Log) error {
		if text, err = log.Checkpoint(ctx); err != nil {
			return fmt.Errorf("sign a checkpoint: %w", err)
		}
		return nil
	})
	return text, err
}

// maySign says why the log may not sign. Nothing is kept that could not be signed.
func (d *deployment) maySign(ctx context.Context) error {
	return d.withKey(ctx, func(log *registry.Log) error { return log.Check(ctx) })
}

// withKey does something with the log and the key that is in place now: another process may have replaced it, or be about to: the
// ledger names the new key a moment before its file has taken the old one's place.
func (d *deployment) withKey(ctx context.Context, do func(*registry.Log) error) error {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		log, err := d.current()
		if err == nil {
			err = do(log)
		}
		if wait > 2*time.Second || !errors.Is(err, registry.ErrRetired) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// current is the log with the key that is in place now.
func (d *deployment) current() (*registry.Log, error) {
	if err := d.finishKey(); err != nil {
		return nil, err
	}
	signer, err := d.key()
	if err != nil {
		return nil, err
	}
	log := *d.log
	log.Signer = signer
	return &log, nil
}
