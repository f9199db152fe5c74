package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ErrMoved is what Record.Swap gives when the record is not what the caller last saw.
var ErrMoved = errors.New("another process has signed meanwhile")

// Record keeps what the log signed last, outside the store: a store that was restored from a backup does not know what it
// signed since, and this does. What is kept is a checkpoint's body; it is written before the body is signed, so nothing is ever
// signed that is not recorded. An object store with conditional writes can keep it as well as a file.
type Record interface {
	// Load returns what is recorded, or nil when nothing ever was.
	Load(ctx context.Context) ([]byte, error)
	// Swap replaces was, which Load returned, by next, and returns when that is durable. ErrMoved when the record is not was.
	Swap(ctx context.Context, was, next []byte) error
	// String names the place, for the person who must find it.
	String() string
}

// FileRecord keeps the record in a file of this name. Processes wait for each other by way of a lock file beside it; that of one
// that was killed is free.
type FileRecord string

func (f FileRecord) String() string { return string(f) }

// Load reads the file.
func (f FileRecord) Load(context.Context) ([]byte, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the record of the last checkpoint: %w", err)
	}
	return text, nil
}

// Swap replaces the file in one step.
func (f FileRecord) Swap(ctx context.Context, was, next []byte) error {
	unlock, err := lockedfile.MutexAt(string(f) + ".lock").Lock()
	if err != nil {
		return fmt.Errorf("lock the record of the last checkpoint: %w", err)
	}
	defer unlock()
	now, err := f.Load(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, was) || (now == nil) != (was == nil) {
		return ErrMoved
	}
	if err := f.replace(next); err != nil {
		return fmt.Errorf("record the next checkpoint: %w", err)
	}
	return nil
}

func (f FileRecord) replace(text []byte) error {
	dir := filepath.Dir(string(f))
	tmp := string(f) + ".new" // under the lock, nobody else writes it
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, string(f)); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
