// Package sqlite keeps everything in one SQLite file: the ledger and the views, each change in one durable transaction.
// It knows the store's contract, SQL and how SQLite behaves when disks fill, processes die and others write at the same time;
// it knows nothing of what entries and rows mean.
//
// # The file
//
// Write-ahead log (so readers and the one writer do not wait for each other), synchronous=FULL (so what was acknowledged
// survives a loss of power). Several processes may open one file; a writer waits for the other's transaction to end.
//
// # Trust
//
// Every value is bound to something that Check can compute again: an entry to the Merkle tree and to a checksum of its row,
// a tree hash to the entries, an index row to the entry that it points to, a view's row and all else to a checksum. Checksums
// are CRC-32C: they find accidents, every flipped byte for certain. Against intent there are the tree and signed checkpoints,
// and for views, of which a whole row could be taken away unseen, the rebuild, which gives the same rows or shows that it did not.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/store"
)

// Options tune a store. The zero value is right for production.
type Options struct {
	// Wait is how long a writer waits for another process before it gives up with store.ErrBusy. 0: one minute.
	Wait time.Duration
	// MaxPages stops the file from growing beyond so many pages of PageSize bytes, as a full disk would. 0: the disk decides.
	MaxPages int64
}

// PageSize is SQLite's unit of reading and writing, in bytes.
const PageSize = 4096

// Store is one open file. Safe for concurrent use.
type Store struct {
	path    string
	writeDB *sql.DB // one connection, that of w
	readDB  *sql.DB
	w       *writer
	reads   reads
	writing chan struct{} // holds a token while nobody writes; unlike a mutex it can be waited for with a context
	closed  atomic.Bool
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Checker  = (*Store)(nil)
	_ store.Scrubber = (*Store)(nil)
)

// Open opens the file at path, and makes it, with its folder, where there is none.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	s, err := open(ctx, path, opts)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, explain(orReadOnly(path, err)))
	}
	return s, nil
}

// orReadOnly names the reason when a file cannot be opened because its disk may only be read: to open it, SQLite must write beside it,
// and says no more than that it could not.
func orReadOnly(path string, err error) error {
	if code(err) != sqlite3.SQLITE_CANTOPEN {
		return err
	}
	f, probe := os.CreateTemp(filepath.Dir(path), ".writable-*")
	if probe == nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if errors.Is(probe, syscall.EROFS) || errors.Is(probe, fs.ErrPermission) {
		return &failure{is: store.ErrReadOnly, says: readOnly, err: probe}
	}
	return err
}

func open(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if opts.Wait <= 0 {
		opts.Wait = time.Minute
	}
	if err := create(path); err != nil {
		return nil, err
	}
	// fdatasync is as durable as fsync and waits for half as much: it leaves the file's timestamps to later. Where it is not
	// to be had, fsync stays in use.
	_, _ = sqlite.Fdatasync(true)
	s := &Store{path: path, writing: make(chan struct{}, 1)}
	s.writing <- struct{}{}
	if err := s.connect(ctx, opts); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// create makes an empty file that only its owner may read: a ledger names who holds what.
func create(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	// SQLite makes the names in the folder durable, and not that of the folder.
	if err := durable.MakeFolder(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// Never open a file that is there: closing it again would take this process's SQLite locks from it (POSIX).
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) connect(ctx context.Context, opts Options) (err error) {
	if err := retryBusy(ctx, opts.Wait, func() error { return look(ctx, s.path, opts) }); err != nil {
		return err
	}
	if s.writeDB, err = sql.Open("sqlite", writeDSN(s.path, opts)); err != nil {
		return err
	}
	s.writeDB.SetMaxOpenConns(1)
	if err := retryBusy(ctx, opts.Wait, func() error { return prepareFile(ctx, s.writeDB) }); err != nil {
		return err
	}
	if err := checkJournal(ctx, s.writeDB); err != nil {
		return err
	}
	if s.w, err = newWriter(ctx, s.writeDB); err != nil {
		return err
	}
	if s.readDB, err = sql.Open("sqlite", readDSN(s.path, opts)); err != nil {
		return err
	}
	// No upper limit: whoever reads inside a Scan needs a second connection, and would wait for ever at a limit.
	s.readDB.SetMaxIdleConns(8)
	return s.reads.prepare(ctx, s.readDB)
}

// look says why the file is not ours, before anything is written to it.
func look(ctx context.Context, path string, opts Options) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if n := info.Size(); n > 0 && n < 512 && info.Mode().IsRegular() {
		return errors.New(notSQLite) // SQLite takes a file that is shorter than its smallest page for an empty one
	}
	db, err := sql.Open("sqlite", dsn(path, []string{busyTimeout(opts), "query_only(1)"}))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = schemaVersion(ctx, db)
	return err
}

// checkJournal sees to it that the journal mode asked for was to be had: SQLite keeps another one without an error.
func checkJournal(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("SQLite cannot keep a write-ahead log here (its journal mode stays %s): the file must lie on a local disk, not in a network folder", mode)
	}
	return nil
}

// Close ends the store, after the transaction that is being written. The last process to close the file leaves one file behind.
func (s *Store) Close() error {
	<-s.writing
	defer func() { s.writing <- struct{}{} }()
	if s.closed.Swap(true) {
		return nil
	}
	var errs []error
	if s.readDB != nil {
		errs = append(errs, s.readDB.Close())
	}
	if s.w != nil {
		errs = append(errs, s.w.close())
	}
	if s.writeDB != nil {
		errs = append(errs, s.writeDB.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing %s: %w", s.path, err)
	}
	return nil
}

// dsn names the file to the driver as a URI, so that no character of the path is taken for something else.
func dsn(path string, pragmas []string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a Windows drive
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: p, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	return u.String()
}

// writeDSN is how the writer's connection is opened.
//
// Measured on two cores, 1,000 entries of 1 KB a transaction: a checkpoint at 4 MiB costs a third more system time than one at
// 64 MiB, and at 256 MiB nothing is gained; pages of 8 and 16 KiB are no faster in a small ledger and slower by a tenth at
// 800,000 entries, because random writes to the indexes cost a page each. Mapping the file into memory gained nothing, and a
// page that cannot be read would end the process instead of being an error.
func writeDSN(path string, opts Options) string {
	pragmas := []string{
		busyTimeout(opts),
		fmt.Sprintf("page_size(%d)", PageSize),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"cache_size(-65536)", // 64 MiB: a document of a gigabyte in one transaction stays under 300 MB of memory, and is no slower for it
		fmt.Sprintf("wal_autocheckpoint(%d)", walLimit/PageSize),
		fmt.Sprintf("journal_size_limit(%d)", walLimit),
		"temp_store(MEMORY)",
		"secure_delete(FAST)", // what is deleted is overwritten where its page is written anyway; Scrub sees to the rest
	}
	if opts.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", opts.MaxPages))
	}
	return dsn(path, pragmas)
}

// walLimit is the size, in bytes, at which the write-ahead log is written back into the file.
const walLimit = 64 << 20

func readDSN(path string, opts Options) string {
	return dsn(path, []string{
		busyTimeout(opts),
		"query_only(1)",
		"cache_size(-32768)", // 32 MiB for each reader
		"temp_store(MEMORY)",
	})
}

func busyTimeout(opts Options) string {
	return fmt.Sprintf("busy_timeout(%d)", opts.Wait.Milliseconds())
}
