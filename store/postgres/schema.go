package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/store"
)

// schemaLock is the advisory lock under which the schema is led forward: the letters TWtr.
const schemaLock = 0x54577472

// migrations lead the schema forward, one version each; the table version counts those that were applied. A database is never
// led back.
var migrations = []string{
	// 1. Small columns come first: a body of many megabytes then need not be read to learn when the entry was recorded.
	// key_head and name_hash are eight bytes each because the random write to an index page is what an entry costs most; who
	// finds a row by them compares all of the key, or the name.
	`
CREATE TABLE tidewaiter.entries (
	seq       bigint  PRIMARY KEY,
	recorded  bigint  NOT NULL, -- microseconds since 1970
	name_hash bigint  NOT NULL, -- first 8 bytes of the name's SHA-256
	key_head  bigint  NOT NULL, -- first 8 bytes of the key
	context   bigint,           -- contexts.id; NULL when there was none
	sum       integer NOT NULL, -- CRC-32C of all of the row
	trusted   boolean NOT NULL, -- recorded was taken from the document
	kind      bytea   NOT NULL,
	key_tail  bytea   NOT NULL, -- the key's other 24 bytes
	salt      bytea   NOT NULL,
	speaker   bytea   NOT NULL,
	name      bytea   NOT NULL,
	body      bytea   NOT NULL
);
CREATE INDEX entries_by_key ON tidewaiter.entries (key_head);
CREATE INDEX entries_by_name ON tidewaiter.entries (name_hash);

-- JSON-LD contexts. A document's entries all have the same one; it is kept once.
CREATE TABLE tidewaiter.contexts (
	id   bigint PRIMARY KEY,
	hash bytea NOT NULL UNIQUE, -- SHA-256 of body
	body bytea NOT NULL
);

-- The Merkle tree's stored hashes. A row holds neighbours, from the stored index first on, up to 62 (four rows fill a page), and
-- is never changed: a row that grew would leave a dead one behind with each append.
CREATE TABLE tidewaiter.hashes (
	block bigint NOT NULL, -- first / 4096; no row reaches into the next block
	first bigint NOT NULL,
	h     bytea  NOT NULL,
	PRIMARY KEY (block, first)
);
ALTER TABLE tidewaiter.hashes ALTER COLUMN h SET STORAGE PLAIN;

-- Where the ledger ends: one row, whose lock is the right to append. It is changed by every transaction, in its page.
CREATE TABLE tidewaiter.head (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	size     bigint  NOT NULL,
	recorded bigint  NOT NULL,
	tip      bytea   NOT NULL, -- the last leaf's hash
	token    bytea   NOT NULL, -- drawn by the last transaction that wrote to the ledger
	sum      integer NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE tidewaiter.meta (
	name  bytea PRIMARY KEY,
	value bytea NOT NULL,
	sum   integer NOT NULL
);

CREATE TABLE tidewaiter.views (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name   bytea   NOT NULL UNIQUE,
	cursor bigint  NOT NULL,
	token  bytea   NOT NULL, -- drawn by the last transaction that wrote to the view
	sum    integer NOT NULL
) WITH (fillfactor = 50);

-- Rows are written again and again: with room in its page a new version needs no new index entry, and takes an old one's place
-- (measured over a simulated world of 2,000 accelerators: three quarters of the writes, and half the disk that full pages need).
-- key ends after 1000 bytes, because an index entry has its limits; then 32 bytes of SHA-256 tell such keys apart, and long has
-- all of them.
CREATE TABLE tidewaiter.rows (
	view  bigint  NOT NULL,
	about integer NOT NULL, -- CRC-32C of what the row is about (func about): rows about one unit have one place
	sum   integer NOT NULL,
	key   bytea   NOT NULL,
	value bytea   NOT NULL,
	long  bytea,
	PRIMARY KEY (view, key, about)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE tidewaiter.leases (
	name   bytea PRIMARY KEY,
	holder bytea  NOT NULL,
	until  bigint NOT NULL, -- microseconds since 1970 by the server's clock
	sum    integer NOT NULL
) WITH (fillfactor = 10);
`,
	// 2. The entry that says why the content of this one was destroyed: then body is empty, context NULL, and salt the commitment.
	`
ALTER TABLE tidewaiter.entries ADD COLUMN erased bigint;
`,
}

// prepare makes sure that the database is ours and that its schema is this program's.
func (s *Store) prepare(ctx context.Context) error {
	return s.onConnection(ctx, func(conn *pgx.Conn) error {
		version, err := schemaVersion(ctx, conn)
		switch {
		case err != nil || version == len(migrations):
			return err
		case version == 0 && s.opts.Existing:
			return fmt.Errorf("%w: this database holds no ledger", store.ErrNotFound)
		}
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return migrate(ctx, tx) })
	})
}

// asker is what can be asked one question: a connection, or a transaction on it.
type asker interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// schemaVersion is the database's version, 0 when nothing of ours is there. It is an error when it is not ours to write.
func schemaVersion(ctx context.Context, db asker) (int, error) {
	var tables, ours int
	// Of one moment: another process may be making the schema just now.
	const question = `SELECT count(*), count(*) FILTER (WHERE c.relname = 'version' AND c.relkind = 'r')
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tidewaiter'`
	if err := db.QueryRow(ctx, question).Scan(&tables, &ours); err != nil {
		return 0, fmt.Errorf("reading the database's version: %w", err)
	}
	switch {
	case tables == 0:
		return 0, nil
	case ours == 0:
		return 0, errors.New("the schema tidewaiter in this database is not Tidewaiter's: it has no table version; nothing was changed; name another database")
	}
	var version int
	if err := db.QueryRow(ctx, "SELECT version FROM tidewaiter.version").Scan(&version); err != nil {
		return 0, fmt.Errorf("reading the database's version: %w", err)
	}
	switch {
	case version < 1:
		return 0, fmt.Errorf("%w: the database says that its schema has version %d; restore it from a backup", store.ErrDamaged, version)
	case version > len(migrations):
		return 0, fmt.Errorf("this database was written by a newer version of Tidewaiter (its schema is %d, this program knows %d); nothing was changed; run that version, or a later one", version, len(migrations))
	}
	return version, nil
}

// migrate leads the schema forward, under a lock. Another process may have done so since we looked.
func migrate(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
		return err
	}
	version, err := schemaVersion(ctx, tx)
	if err != nil || version == len(migrations) {
		return err
	}
	if version == 0 {
		if err := begin(ctx, tx); err != nil {
			return fmt.Errorf("making the schema: %w", err)
		}
	}
	for ; version < len(migrations); version++ {
		if _, err := tx.Exec(ctx, migrations[version]); err != nil {
			return fmt.Errorf("bringing the schema to version %d: %w", version+1, err)
		}
		if version == 0 {
			if err := emptyHead(ctx, tx); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, "UPDATE tidewaiter.version SET version = $1", version)
	return err
}

// begin makes the schema with its version, which is 0 until the first migration is done.
func begin(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS tidewaiter;
CREATE TABLE tidewaiter.version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL);
INSERT INTO tidewaiter.version (version) VALUES (0);`)
	return err
}

// emptyHead is the end of a ledger that has no entries.
func emptyHead(ctx context.Context, tx pgx.Tx) error {
	h := headRow{tip: []byte{}, token: []byte{}}
	_, err := tx.Exec(ctx, "INSERT INTO tidewaiter.head (size, recorded, tip, token, sum) VALUES (0, 0, $1, $2, $3)", h.tip, h.token, h.checksum())
	return err
}
