package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/registry"
)

type restoreCmd struct {
	File string `arg:"" help:"A file that 'backup' wrote." type:"existingfile"`
}

// Help is shown by --help.
func (c *restoreCmd) Help() string {
	return `Puts a backup into the data folder (--data), which must hold no ledger: move what is left of an old one away first, and leave log.key and
log.signed where they are. FILE.key and FILE.policy are put back too, where the folder has none. Says then whether the log may sign on:
it may not where more was signed than the backup holds. Prints {"entries","root","signing"}: signing is "may", "blocked" or "no key".`
}

// restoreReport is what restore prints.
type restoreReport struct {
	Entries int64  `json:"entries"`
	Root    string `json:"root"`
	Signing string `json:"signing"`
}

func (c *restoreCmd) Run(e *env) error {
	if e.cli.Database != "" {
		return fmt.Errorf("%w: a PostgreSQL database is restored by its own means (pg_restore, or a base backup and its WAL): see docs/operators.md", errUsage)
	}
	for _, name := range []string{ledgerFile, ledgerFile + "-wal", ledgerFile + "-journal"} {
		if _, err := os.Lstat(e.inData(name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and restoring replaces nothing: move it away, or name another folder with --data (%w)", e.inData(name), fs.ErrExist)
		}
	}
	if err := durable.MakeFolder(e.cli.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := c.beside(e); err != nil {
		return err
	}
	report, err := c.place(e)
	if err != nil {
		return err
	}
	out := restoreReport{Entries: report.Entries, Root: report.Root}
	if out.Signing, err = e.maySign(); err != nil {
		return err
	}
	return e.printJSON(out)
}

// beside puts back the key and the policy, and replaces none.
func (c *restoreCmd) beside(e *env) error {
	for from, to := range map[string]string{c.File + keySuffix: e.inData(keyFile), c.File + policySuffix: e.inData(policyFile)} {
		text, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		kept, err := os.ReadFile(to)
		switch {
		case err == nil && string(kept) == string(text):
		case err == nil:
			return fmt.Errorf("%s is another than %s, and restoring replaces nothing: move one of them away", to, from)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("restore: %w", err)
		default:
			if err := writeNew(to, text); err != nil {
				return fmt.Errorf("restore %s: %w", to, err)
			}
		}
	}
	return nil
}

// place copies the ledger, examines the copy, and only then gives it its name.
func (c *restoreCmd) place(e *env) (backupReport, error) {
	part := e.inData(fmt.Sprintf("%s.restoring-%d", ledgerFile, os.Getpid()))
	defer os.Remove(part)
	if err := copyFile(part, c.File); err != nil {
		return backupReport{}, fmt.Errorf("restore: %w", err)
	}
	report, err := e.examine(part)
	if err != nil {
		return report, fmt.Errorf("this backup cannot be restored, and nothing was: %w", err)
	}
	if report.Entries == 0 {
		return report, fmt.Errorf("%s holds no entries; nothing was restored", c.File)
	}
	if err := os.Link(part, e.inData(ledgerFile)); err != nil {
		return report, fmt.Errorf("put the ledger in place: %w", err)
	}
	return report, durable.SyncFolder(filepath.Dir(part))
}

// maySign says whether the restored log may go on, and says on stderr what to do where it may not.
func (e *env) maySign() (string, error) {
	d, err := e.openUnsigned(true)
	if err != nil {
		return "", err
	}
	defer d.Close()
	d.log.Signer, err = loadKey(e.inData(keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		e.say("the ledger is restored, and the log's key %s is missing: put it back from where it was kept; it is in a backup only with --with-key", e.inData(keyFile))
		return "no key", nil
	}
	if err != nil {
		return "", err
	}
	err = d.log.Check(e.ctx)
	switch {
	case errors.Is(err, registry.ErrFork), errors.Is(err, registry.ErrRetired):
		e.say("the ledger is restored and can be asked. %v", err)
		return "blocked", nil
	case err != nil:
		return "", err
	}
	return "may", nil
}
