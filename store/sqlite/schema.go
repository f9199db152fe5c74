package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// applicationID marks the file as ours (SQLite's file header has four bytes for that): the letters TWtr.
const applicationID = 0x54577472

// migrations lead the schema forward, one version each; user_version counts those that were applied. A file is never led back.
var migrations = []string{
	// 1. Small columns come first: a body of many megabytes then need not be read to learn when the entry was recorded.
	// key_head and name_hash are eight bytes each because the random write to an index page is what an entry costs most; who
	// finds a row by them compares all of the key, or the name.
	`
CREATE TABLE entries (
	seq       INTEGER PRIMARY KEY,
	recorded  INTEGER NOT NULL, -- microseconds since 1970
	trusted   INTEGER NOT NULL, -- 1: recorded was taken from the document
	kind      TEXT    NOT NULL,
	speaker   TEXT    NOT NULL,
	name      TEXT    NOT NULL,
	name_hash INTEGER NOT NULL, -- first 8 bytes of the name's SHA-256
	key_head  INTEGER NOT NULL, -- first 8 bytes of the key
	key_tail  BLOB    NOT NULL, -- the other 24
	salt      BLOB    NOT NULL,
	context   INTEGER,          -- contexts.id; NULL when there was none
	sum       INTEGER NOT NULL, -- CRC-32C of all of the row
	body      BLOB    NOT NULL
) STRICT;
CREATE INDEX entries_by_key ON entries (key_head);
CREATE INDEX entries_by_name ON entries (name_hash);

-- JSON-LD contexts. A document's entries all have the same one; it is kept once.
CREATE TABLE contexts (
	id   INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE, -- SHA-256 of body
	body BLOB NOT NULL
) STRICT;

-- The Merkle tree's stored hashes, in the order of their stored index, 64 in a row of 2 KiB; the last row grows.
CREATE TABLE hashes (
	chunk INTEGER PRIMARY KEY,
	h     BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
	name  BLOB PRIMARY KEY,
	value BLOB NOT NULL,
	sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE views (
	id     INTEGER PRIMARY KEY,
	name   BLOB NOT NULL UNIQUE,
	cursor INTEGER NOT NULL,
	sum    INTEGER NOT NULL
) STRICT;

-- Blobs, because blobs are compared byte by byte.
CREATE TABLE rows (
	view  INTEGER NOT NULL,
	key   BLOB    NOT NULL,
	value BLOB    NOT NULL,
	sum   INTEGER NOT NULL,
	PRIMARY KEY (view, key)
) STRICT, WITHOUT ROWID;
`,
	// 2. Who does what only one process should do at a time.
	`
CREATE TABLE leases (
	name   BLOB PRIMARY KEY,
	holder BLOB NOT NULL,
	until  INTEGER NOT NULL, -- microseconds since 1970
	sum    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
	// 3. The entry that says why the content of this one was destroyed: then body is empty, context NULL, and salt the commitment.
	`
ALTER TABLE entries ADD COLUMN erased INTEGER;
`,
	// 4. How a body, or a row's value, is kept: NULL as it is, 1 packed with the first dictionary.
	`
ALTER TABLE entries ADD COLUMN packing INTEGER;
ALTER TABLE rows ADD COLUMN packing INTEGER;
`,
}

// prepareFile makes sure that the file is ours and that its schema is this program's.
func prepareFile(ctx context.Context, db *sql.DB) error {
	version, err := schemaVersion(ctx, db)
	if err != nil || version == len(migrations) {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrate(ctx, conn); err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undo)
	}
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
	return err
}

// asker is what can be asked one question: a database, or one connection to it.
type asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schemaVersion is the file's version, 0 when it is empty. It is an error when the file is not ours to write.
func schemaVersion(ctx context.Context, db asker) (int, error) {
	var id, version, tables int
	// One statement, so that all three are of one moment: another process may be making the schema just now.
	const question = `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`
	if err := db.QueryRowContext(ctx, question).Scan(&id, &version, &tables); err != nil {
		return 0, fmt.Errorf("reading the file's version: %w", err)
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID:
		return 0, errors.New("this is not a Tidewaiter database but some other program's (SQLite); nothing was changed; name another file or folder")
	case version < 1:
		return 0, fmt.Errorf("%w: the file says that its schema has version %d; restore it from a backup", store.ErrDamaged, version)
	case version > len(migrations):
		return 0, fmt.Errorf("this database was written by a newer version of Tidewaiter (its schema is %d, this program knows %d); nothing was changed; run that version, or a later one", version, len(migrations))
	}
	return version, nil
}

// migrate leads the schema forward inside a write transaction. Another process may have done so since we looked.
func migrate(ctx context.Context, conn *sql.Conn) error {
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return err
	}
	for ; version < len(migrations); version++ {
		set := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version+1)
		if _, err := conn.ExecContext(ctx, migrations[version]+set); err != nil {
			return fmt.Errorf("bringing the schema to version %d: %w", version+1, err)
		}
	}
	return nil
}

// retryBusy calls fn until it does not find the file locked. Opening needs that: SQLite does not wait, as it else does, when
// the file's journal mode is being changed or its write-ahead log is being recovered.
func retryBusy(ctx context.Context, wait time.Duration, fn func() error) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		err := fn()
		if !isBusy(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
