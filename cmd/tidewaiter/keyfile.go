package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// key reads the log's signing key, or makes one for a ledger that never signed anything.
func (d *deployment) key() (*ledger.Signer, error) {
	path := d.env.inData(keyFile)
	signer, err := loadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.firstKey(path)
	}
	return signer, err
}

func loadKey(path string) (*ledger.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the log's key: %w", err)
	}
	signer, err := ledger.LoadSigner(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return signer, nil
}

func (d *deployment) firstKey(path string) (*ledger.Signer, error) {
	head, err := d.store.Head(d.env.ctx)
	if err != nil {
		return nil, err
	}
	if head.Size > 0 {
		return nil, fmt.Errorf("the log's key %s is missing: put it back from its backup, or copy it, and log.signed, from a machine that shares the ledger. Where there is none, go on with a new log "+
			"that names this one's last checkpoint: tidewaiter log succeed", path)
	}
	origin, err := newOrigin()
	if err != nil {
		return nil, err
	}
	return makeKey(path, origin, false)
}

// newOrigin makes a name for a log that nobody else uses.
func newOrigin() (string, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("name the log: %w", err)
	}
	return "tidewaiter.org/log/" + hex.EncodeToString(id[:]), nil
}

// makeKey writes a new key, and returns it; or the one that another process was quicker to write.
func makeKey(path, origin string, postQuantum bool) (*ledger.Signer, error) {
	text, _, err := ledger.GenerateKey(origin, rand.Reader)
	if err != nil {
		return nil, err
	}
	if postQuantum {
		more, _, err := ledger.GeneratePostQuantumKey(origin, rand.Reader)
		if err != nil {
			return nil, err
		}
		text += "\n" + more
	}
	if err := writeNew(path, []byte(text+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("write the log's key: %w", err)
	}
	return loadKey(path)
}

// lockKey keeps other processes from replacing the log's key at the same time: each would take the other's next key away.
func (e *env) lockKey() (unlock func(), err error) {
	unlock, err = lockedfile.MutexAt(e.inData(keyFile + ".lock")).Lock()
	if err != nil {
		return nil, fmt.Errorf("lock the log's key: %w", err)
	}
	return unlock, nil
}

// finishKey puts the next key in place when the ledger says already that it replaced the one before: then the process that did
// so was ended before it came to it.
func (d *deployment) finishKey() error {
	next, err := loadKey(d.env.inData(nextFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	done, err := d.log.Replaced(d.env.ctx, next)
	if err != nil || !done {
		return err
	}
	return d.placeNext()
}

// placeNext puts the next key in the place of the one before, which is gone then: nobody can sign with it any more.
func (d *deployment) placeNext() error {
	err := os.Rename(d.env.inData(nextFile), d.env.inData(keyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // else another process finished it
		return fmt.Errorf("put the log's next key in place: %w", err)
	}
	return durable.SyncFolder(d.env.cli.Data)
}
