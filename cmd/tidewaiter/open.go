package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// The files of a data folder.
const (
	ledgerFile = "ledger.db"
	keyFile    = "log.key"      // the private key: whoever has it can sign as this log
	nextFile   = "log.key.next" // the one that is about to replace it
	recordFile = "log.signed"   // what was signed last; --checkpoint-record names another place
	policyFile = "log.policy"   // whose cosignatures are asked for; --policy names another
	spoolName  = "spool"
)

// keeper is a store that can look for damage in itself, as all that keep can.
type keeper interface {
	store.Store
	store.Checker
}

// deployment is a data folder, and the database beside it when one is named, open: the store, the log with its key, and the views
// behind the ledger.
type deployment struct {
	env   *env
	store keeper
	// ledger is the store for those who append: many who do so at the same time share transactions.
	ledger *store.Group
	log    *registry.Log
	views  *registry.Follower[*casework.View]
}

var errNoLedger = errors.New("there is no ledger")

// openExisting opens a deployment that holds a ledger.
func (e *env) openExisting() (*deployment, error) {
	if err := e.exists(); err != nil {
		return nil, err
	}
	return e.openStore(true)
}

// exists says when the data folder holds no ledger; a database says so when it is opened.
func (e *env) exists() error {
	if e.cli.Database != "" {
		return nil
	}
	if _, err := os.Stat(e.inData(ledgerFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s: capture something first (tidewaiter capture FILE), watch a demo (tidewaiter demo), or name another folder with --data", errNoLedger, e.cli.Data)
	}
	return nil
}

func (e *env) inData(name string) string { return filepath.Join(e.cli.Data, name) }

// open opens the deployment, and begins a ledger where there is none.
func (e *env) open() (*deployment, error) { return e.openStore(false) }

// keep opens the store: the database that is named, or else the file in the data folder.
func (e *env) keep(existing bool) (keeper, error) {
	if e.cli.Database == "" {
		return sqlite.Open(e.ctx, e.inData(ledgerFile), sqlite.Options{})
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
	d, err := e.openUnsigned(existing)
	if err != nil {
		return nil, err
	}
	if err = d.finishKey(); err == nil {
		d.log.Signer, err = d.key()
	}
	if err == nil && e.cli.Database != "" {
		err = d.claim()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// openUnsigned opens the deployment without a key to sign with.
func (e *env) openUnsigned(existing bool) (*deployment, error) {
	folder := func() error {
		if err := durable.MakeFolder(e.inData(spoolName), 0o700); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
		return nil
	}
	if e.cli.Database == "" { // which lies in the folder
		if err := folder(); err != nil {
			return nil, err
		}
	}
	st, err := e.keep(existing)
	if err != nil {
		return nil, err
	}
	if err := folder(); err != nil { // only now: a question about no ledger leaves nothing behind
		st.Close()
		return nil, err
	}
	record := e.cli.CheckpointRecord
	if record == "" {
		record = e.inData(recordFile)
	}
	d := &deployment{env: e, store: st, ledger: store.NewGroup(st)}
	d.log = &registry.Log{Store: d.ledger, Record: registry.FileRecord(record)}
	d.views = &registry.Follower[*casework.View]{Store: st, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, d.entry)
	}}
	return d, nil
}

func (d *deployment) Close() error { return d.store.Close() }

func (d *deployment) entry(seq int64) (ledger.Entry, error) { return d.store.Entry(d.env.ctx, seq) }

func (d *deployment) spoolDir() string { return filepath.Join(d.env.cli.Data, spoolName) }

// logKey is where a database that several machines may share keeps the verifier key of its log.
const logKey = "log key"

// claim sees to it that all who share a database sign as the same log: the first one's key is that of the log.
func (d *deployment) claim() error {
	mine := []byte(d.log.Signer.VerifierKey())
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
		took, err := d.tookOver()
		if err != nil {
			return err
		}
		if took {
			return d.store.SetMeta(d.env.ctx, logKey, mine)
		}
		return fmt.Errorf("this database's log is signed with another key than %s: copy log.key and log.signed from a machine that shares the ledger into the data folder (--data DIR), or name another database",
			filepath.Join(d.env.cli.Data, keyFile))
	}
	return nil
}

// tookOver says whether the ledger names the key as the one that replaced those before, and none has replaced it.
func (d *deployment) tookOver() (bool, error) {
	replaced, err := d.log.Replaced(d.env.ctx, d.log.Signer)
	if err != nil || !replaced {
		return false, err
	}
	keys, err := d.log.ListKeys(d.env.ctx)
	return slices.ContainsFunc(keys, func(k registry.KeyInfo) bool {
		return k.VerifierKey == d.log.Signer.VerifierKey() && k.Until == 0
	}), err
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
	return durable.SyncFolder(filepath.Dir(path))
}

// sayClock warns when the clock is behind the ledger, which keeps nothing from being captured.
func (d *deployment) sayClock(history bool) error {
	if history {
		return nil
	}
	err := registry.CheckClock(d.env.ctx, d.store, d.env.now())
	if errors.Is(err, registry.ErrClock) {
		d.env.say("warning: %v", err)
		return nil
	}
	return err
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
