package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

type logSucceedCmd struct {
	Checkpoint string `help:"The old log's last signed checkpoint, as it was published or as somebody kept it." type:"existingfile" placeholder:"FILE"`
	Origin     string `help:"The new log's name. A new one under tidewaiter.org/log/ by default." placeholder:"ORIGIN"`
}

// Help is shown by --help.
func (c *logSucceedCmd) Help() string {
	return `For a log whose ledger was restored from an older backup, or whose key is lost: it may never sign again, because what it signed before
could not be joined with what it would sign now. The ledger stays; a new log, with an origin and a key of its own, begins in it
with an entry that names the old log's last checkpoint. Old proofs stay valid under the old verifier key, which should be
published with that checkpoint as its last. Capture again what came after the backup: what is still there is recognised.
Prints the new log's verifier key.`
}

func (c *logSucceedCmd) Run(e *env) error {
	if err := e.exists(); err != nil {
		return err
	}
	unlock, err := e.lockKey()
	if err != nil {
		return err
	}
	defer unlock()
	d, err := e.openUnsigned(true)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.finishKey(); err != nil {
		return err
	}
	keys, err := c.blocked(d)
	if err != nil {
		return err
	}
	if err := c.succeed(d, keys); err != nil {
		return err
	}
	if d.log.Signer, err = d.key(); err != nil {
		return err
	}
	if _, err := d.log.Checkpoint(e.ctx); err != nil {
		return err
	}
	return e.print([]byte(d.log.Signer.VerifierKey() + "\n"))
}

// blocked makes sure that the log may not sign any more, and returns its verifier keys where they are known.
func (c *logSucceedCmd) blocked(d *deployment) ([]string, error) {
	signer, err := loadKey(d.env.inData(keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.log.Signer = signer
	err = d.log.Check(d.env.ctx)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%w: nothing keeps this log from signing on; for a new key see 'tidewaiter log key rotate'", errNo)
	case !errors.Is(err, registry.ErrFork):
		return nil, err
	}
	d.env.say("%v", err)
	return signer.VerifierKeys(), nil
}

func (c *logSucceedCmd) succeed(d *deployment, keys []string) error {
	old, err := d.log.Predecessor(d.env.ctx)
	if err != nil {
		return err
	}
	old.Keys = keys
	if c.Checkpoint != "" {
		if err := c.learn(d, &old); err != nil {
			return err
		}
	}
	origin := c.Origin
	if origin == "" {
		if origin, err = newOrigin(); err != nil {
			return err
		}
	}
	next, err := d.env.nextKey(origin, false)
	if err != nil {
		return err
	}
	if err := d.log.Succeed(d.env.ctx, old, next, d.env.now()); err != nil {
		return err
	}
	return d.placeNext()
}

// learn takes the signed text from the file, which must be that of the recorded checkpoint; where the record is lost, of any
// that is no older than the one in the ledger.
func (c *logSucceedCmd) learn(d *deployment, old *registry.Predecessor) error {
	text, err := os.ReadFile(c.Checkpoint)
	if err != nil {
		return fmt.Errorf("read the old log's checkpoint: %w", err)
	}
	if len(old.Keys) == 0 {
		return fmt.Errorf("%w: --checkpoint: the old log's key is missing, so its checkpoint cannot be checked", errUsage)
	}
	v, err := ledger.LoadVerifier(old.Keys[0])
	if err != nil {
		return err
	}
	signed, err := ledger.ParseCheckpoint(text, v)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Checkpoint, err)
	}
	recorded, err := d.log.Record.Load(d.env.ctx)
	if err != nil {
		return err
	}
	if recorded == nil && signed.Size >= old.Size { // then this is the best that anybody knows
		old.Size, old.Root, old.Checkpoint = signed.Size, signed.Root.String(), string(text)
		return nil
	}
	if signed.Size != old.Size || signed.Root.String() != old.Root {
		return fmt.Errorf("%w: %s is over %d entries, root %v, and the last that was signed, by its record, over %d, root %s", errNo,
			c.Checkpoint, signed.Size, signed.Root, old.Size, old.Root)
	}
	old.Checkpoint = string(text)
	return nil
}
