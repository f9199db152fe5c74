package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// What a backup has beside its file.
const (
	keySuffix    = ".key"
	policySuffix = ".policy"
)

type backupCmd struct {
	File    string `arg:"" help:"The file to write; there must be none of this name yet." type:"path"`
	WithKey bool   `help:"Write the log's private key beside it (FILE.key). Whoever gets it can sign as this log."`
}

// Help is shown by --help.
func (c *backupCmd) Help() string {
	return `Writes the whole ledger and its views, as they are at one moment, while captures go on; then opens what it wrote and checks that it has the
same tree. The record of what was signed last (log.signed) is never part of it: restored with the ledger it would know no more than the
ledger does. log.policy, if there is one, is written to FILE.policy. Prints {"file","entries","root","signed","bytes"}.`
}

// backupReport is what backup prints.
type backupReport struct {
	File    string `json:"file"`
	Entries int64  `json:"entries"`
	Root    string `json:"root"`
	Signed  int64  `json:"signed"` // entries that the last checkpoint in it covers
	Bytes   int64  `json:"bytes"`
}

var errBackupPostgres = fmt.Errorf("%w: a PostgreSQL database is backed up by its own means: pg_dump --schema=tidewaiter, or pg_basebackup with archived WAL. "+
	"Keep the log's key (log.key) apart from it, and leave out the record of what was signed last (log.signed): see docs/operators.md", errUsage)

func (c *backupCmd) Run(e *env) error {
	if e.cli.Database != "" {
		return errBackupPostgres
	}
	if err := e.exists(); err != nil {
		return err
	}
	for _, name := range []string{c.File, c.File + keySuffix, c.File + policySuffix} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and a backup replaces none (%w)", name, fs.ErrExist)
		}
	}
	d, err := e.openUnsigned(true)
	if err != nil {
		return err
	}
	defer d.Close()
	report, err := c.write(d)
	if err != nil {
		return err
	}
	return e.printJSON(report)
}

func (c *backupCmd) write(d *deployment) (r backupReport, err error) {
	st, ok := d.store.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !ok {
		return r, errBackupPostgres
	}
	part := fmt.Sprintf("%s.partial-%d", c.File, os.Getpid())
	if err := st.Backup(d.env.ctx, part); err != nil {
		return r, err
	}
	defer os.Remove(part)
	if r, err = d.env.examine(part); err != nil {
		return r, fmt.Errorf("what was written is not as it should be, and was removed: %w", err)
	}
	if err := c.beside(d.env); err != nil {
		return r, err
	}
	if err := os.Link(part, c.File); err != nil { // unlike a rename, a link replaces nothing
		return r, fmt.Errorf("put the backup in place: %w", err)
	}
	r.File = c.File
	return r, durable.SyncFolder(filepath.Dir(c.File))
}

// beside writes the key and the policy.
func (c *backupCmd) beside(e *env) error {
	files := map[string]string{e.inData(policyFile): c.File + policySuffix}
	if c.WithKey {
		files[e.inData(keyFile)] = c.File + keySuffix
	}
	for from, to := range files {
		text, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) && from == e.inData(policyFile) {
			continue
		}
		if err == nil {
			err = writeNew(to, text)
		}
		if err != nil {
			return fmt.Errorf("back up %s: %w", from, err)
		}
	}
	return nil
}

// examine opens a copy of a ledger and sees that it stands: the head, the tree over it, its last entry's place in the tree, and the
// last checkpoint in it. What lies further back `log fsck` reads.
func (e *env) examine(path string) (r backupReport, err error) {
	st, err := sqlite.Open(e.ctx, path, sqlite.Options{})
	if err != nil {
		return r, err
	}
	r, err = e.stands(st)
	if err := errors.Join(err, st.Close()); err != nil {
		return r, err
	}
	info, err := os.Stat(path)
	if err == nil {
		r.Bytes = info.Size()
	}
	return r, err
}

func (e *env) stands(st store.Store) (r backupReport, err error) {
	head, err := st.Head(e.ctx)
	if err != nil {
		return r, err
	}
	hashes := st.HashReader(e.ctx)
	tree, err := ledger.LoadTree(head.Size, hashes)
	if err != nil {
		return r, err
	}
	r.Entries, r.Root = head.Size, tree.Root().String()
	if head.Size > 0 {
		last, err := st.Entry(e.ctx, head.Size-1)
		if err != nil {
			return r, err
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, last.Seq)})
		if err != nil {
			return r, err
		}
		if leaf[0] != ledger.LeafHash(last) {
			return r, fmt.Errorf("%w: entry %d is not what its tree holds", store.ErrDamaged, last.Seq)
		}
	}
	r.Signed, err = e.lastSigned(st)
	return r, err
}

// lastSigned is how many entries the last checkpoint covers; 0 when the key to check it by is not here, or has replaced it since.
func (e *env) lastSigned(st store.Store) (int64, error) {
	signer, err := loadKey(e.inData(keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	log := &registry.Log{Store: st, Signer: signer}
	last, _, err := log.Last(e.ctx)
	if errors.Is(err, ledger.ErrNotProven) || err == nil && last == nil {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return last.Size, nil
}

// copyFile copies a file to a new one that only its owner may read, durably.
func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}
