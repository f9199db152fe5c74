// Package durable makes names outlive a loss of power: of a file that was synced the content is on the disk, but the file may still be
// gone, because its name is in the folder, and the folder's name in the one above. It knows files and folders only, and nothing of
// what is in them.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SyncFolder returns when all names in a folder are durable: those that were made there, and that others are gone.
func SyncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// MakeFolder makes a folder, with those above it, and returns when they are durable. Who asks may be going on where another process was
// killed that had made them, so those that are there are synced as well; one that this user may not open, nobody made for us.
func MakeFolder(path string, perm fs.FileMode) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(path, perm); err != nil {
		return err
	}
	for above := filepath.Dir(path); ; above = filepath.Dir(above) {
		if err := SyncFolder(above); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("make the name of a folder in %s durable: %w", above, err)
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
}
