package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

type logKeyCmd struct {
	List   logKeyListCmd   `cmd:"" default:"1" help:"Print the verifier keys, those that sign first."`
	Rotate logKeyRotateCmd `cmd:"" help:"Replace the log's key by a new one."`
}

type logKeyListCmd struct{}

// Help is shown by --help.
func (c *logKeyListCmd) Help() string {
	return `One key a line, those that sign first, the Ed25519 key before the ML-DSA-44 key. A key that was replaced is followed by "until=N": it
signed no tree of more than N entries. 'log verify --key' takes each line as it is. With --json: {"vkey","from","until"}, in sizes
of the tree.`
}

func (c *logKeyListCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	keys, err := d.log.ListKeys(e.ctx)
	if err != nil {
		return err
	}
	return e.printKeys(keys)
}

func (e *env) printKeys(keys []registry.KeyInfo) error {
	for _, k := range keys {
		if e.cli.JSON {
			if err := e.printJSON(k); err != nil {
				return err
			}
			continue
		}
		if err := e.printf("%s\n", ledger.KeyText(k.VerifierKey, k.Until)); err != nil {
			return err
		}
	}
	return nil
}

type logKeyRotateCmd struct {
	PostQuantum bool `name:"ml-dsa" help:"Sign with ML-DSA-44 too from now on, beside Ed25519: a quantum computer cannot forge that."`
}

// Help is shown by --help.
func (c *logKeyRotateCmd) Help() string {
	return `The ledger is told, by an entry; the checkpoint over that entry is signed by both keys, every later one by the new key alone, and the
old private key is overwritten. What the old key signed stays valid. Prints the verifier keys: publish the new one where people
have the old one from.`
}

func (c *logKeyRotateCmd) Run(e *env) error {
	if err := e.exists(); err != nil {
		return err
	}
	unlock, err := e.lockKey()
	if err != nil {
		return err
	}
	defer unlock()
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	next, err := e.nextKey(d.log.Signer.Origin(), c.PostQuantum)
	if err != nil {
		return err
	}
	if _, err := d.log.Rotate(e.ctx, next, e.now()); err != nil {
		return err
	}
	if err := d.placeNext(); err != nil {
		return err
	}
	d.log.Signer = next
	keys, err := d.log.ListKeys(e.ctx)
	if err != nil {
		return err
	}
	return e.printKeys(keys)
}

// nextKey makes the key that is to replace the log's. One that was left behind, and that the ledger does not name, is made anew:
// it may be of another kind, or for another log.
func (e *env) nextKey(origin string, postQuantum bool) (*ledger.Signer, error) {
	path := e.inData(nextFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make the log's next key: %w", err)
	}
	return makeKey(path, origin, postQuantum)
}
