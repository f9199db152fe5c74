package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidewaiter/tidewaiter/internal/durable"
)

// Backup writes everything as it is at one moment into a new file, while others go on reading and writing, and returns when that
// is durable. The file is a database of ours like any other, without the bytes of what was deleted. What is at path already is
// left as it is, and is an fs.ErrExist.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return s.failed(ctx, "backup to "+path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite writes into an empty file, and would not make it private
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path) // it is not whole
		}
	}()
	db, err := sql.Open("sqlite", dsn(s.path, []string{"busy_timeout(60000)", "temp_store(FILE)"}))
	if err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", path)
	if err := errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close(), durable.SyncFolder(filepath.Dir(path)))
}

// Version says which version the schema of the file has, and which one this program makes; a file of no version is a new one. It
// changes nothing.
func Version(ctx context.Context, path string) (has, makes int, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, err
	}
	db, err := sql.Open("sqlite", dsn(path, []string{"busy_timeout(5000)", "query_only(1)"}))
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	has, err = schemaVersion(ctx, db)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", path, explain(err))
	}
	return has, len(migrations), err
}
