package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// The files of a data folder.
const (
	ledgerFile = "ledger.db"
	keyFile    = "log.key" // the private key: whoever has it can sign as this log
	spoolName  = "spool"
)

// keeper is a store that can look for damage in itself, as all that keep can.
type keeper interface {
	store.Store
	store.Checker
}

// deployment is a data folder, and the database beside it when one is named, open: the store, the log's key, and the views behind
// the ledger.
type deployment struct {
	env    *env
	store  keeper
	signer *ledger.Signer
	views  *registry.Follower[*casework.View]
}

var errNoLedger = errors.New("there is no ledger")

// openExisting opens a deployment that holds a ledger.
func (e *env) openExisting() (*deployment, error) {
	if e.cli.Database != "" {
		return e.openStore(true)
	}
	if _, err := os.Stat(filepath.Join(e.cli.Data, ledgerFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s: capture something first (tidewaiter capture FILE), watch a demo (tidewaiter demo), or name another folder with --data", errNoLedger, e.cli.Data)
	}
	return e.open()
}

// open opens the deployment, and begins a ledger where there is none.
func (e *env) open() (*deployment, error) { return e.openStore(false) }

// keep opens the store: the database that is named, or else the file in the data folder.
func (e *env) keep(existing bool) (keeper, error) {
	if e.cli.Database == "" {
		return sqlite.Open(e.ctx, filepath.Join(e.cli.Data, ledgerFile), sqlite.Options{})
	}
	if !postgres.IsURL(e.cli.Database) {
		return nil, fmt.Errorf("%w: --database: a PostgreSQL database is named by a URL like postgres://user@host:5432/database", errUsage)
	}
	st, err := postgres.Open(e.ctx, e.cli.Database, postgres.Options{Existing: existing})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w there: capture something first (tidewaiter capture FILE), or name another database (%w)", errNoLedger, err)
	}
	return st, err
}

func (e *env) openStore(existing bool) (*deployment, error) {
	st, err := e.keep(existing)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(e.cli.Data, spoolName), 0o700); err != nil {
		st.Close()
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	d := &deployment{env: e, store: st}
	if d.signer, err = d.key(filepath.Join(e.cli.Data, keyFile)); err == nil && e.cli.Database != "" {
		err = d.claim()
	}
	if err != nil {
		st.Close()
		return nil, err
	}
	d.views = &registry.Follower[*casework.View]{Store: st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, d.entry)
	}}
	return d, nil
}

func (d *deployment) Close() error { return d.store.Close() }

func (d *deployment) entry(seq int64) (ledger.Entry, error) { return d.store.Entry(d.env.ctx, seq) }

func (d *deployment) spoolDir() string { return filepath.Join(d.env.cli.Data, spoolName) }

// key reads the log's signing key, or makes one for a ledger that never signed anything.
func (d *deployment) key(path string) (*ledger.Signer, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.newKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the log's key: %w", err)
	}
	signer, err := ledger.LoadSigner(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return signer, nil
}

func (d *deployment) newKey(path string) (*ledger.Signer, error) {
	head, err := d.store.Head(d.env.ctx)
	if err != nil {
		return nil, err
	}
	if head.Size > 0 {
		return nil, fmt.Errorf("the log's key %s is missing: put it back from its backup, or copy it from a machine that shares the ledger; a new key would begin a second history", path)
	}
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("make the log's key: %w", err)
	}
	skey, _, err := ledger.GenerateKey("tidewaiter.org/log/"+hex.EncodeToString(id[:]), rand.Reader)
	if err != nil {
		return nil, err
	}
	err = writeNew(path, []byte(skey+"\n"))
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return d.key(path)
	}
	if err != nil {
		return nil, fmt.Errorf("write the log's key: %w", err)
	}
	return ledger.LoadSigner(skey)
}

// logKey is where a database that several machines may share keeps the verifier key of its log.
const logKey = "log key"

// claim sees to it that all who share a database sign as the same log: the first one's key is that of the log.
func (d *deployment) claim() error {
	mine := []byte(d.signer.VerifierKey())
	known, err := d.store.Meta(d.env.ctx, logKey)
	if err != nil {
		return err
	}
	if known == nil {
		err := d.store.Append(d.env.ctx, func(tx store.Appender) error {
			if known, err = tx.Meta(logKey); err != nil || known != nil {
				return err
			}
			known = mine
			return tx.SetMeta(logKey, mine)
		})
		if err != nil {
			return err
		}
	}
	if string(known) != string(mine) {
		return fmt.Errorf("this database's log is signed with another key than %s: copy log.key from a machine that shares the ledger into the data folder (--data DIR), or name another database",
			filepath.Join(d.env.cli.Data, keyFile))
	}
	return nil
}

// writeNew writes a file that only its owner may read, durably, and whole or not at all: a process that is killed half-way
// leaves no half a key. It is an fs.ErrExist when the file is there already, and then it is left as it is.
func writeNew(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike a rename, a link replaces nothing
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in a folder durable.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// caughtUp returns the views once they have taken in the whole ledger, and shows how far they are.
func (d *deployment) caughtUp() (*casework.View, error) {
	bar := d.env.bar("Reading the ledger")
	d.views.Progress = func(done, total int64) { bar.set(done, total) }
	defer bar.clear()
	return d.views.CatchUp(d.env.ctx)
}

// asked opens the data folder for a question: the views caught up, and what is due at the head of the ledger found. What it
// finds then is not kept.
func (e *env) asked() (*deployment, *casework.View, error) {
	d, err := e.openExisting()
	if err != nil {
		return nil, nil, err
	}
	v, err := d.caughtUp()
	if err == nil {
		err = v.Settle()
	}
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return d, v, nil
}
