package sqlite

import (
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidewaiter/tidewaiter/store"
)

// code is SQLite's primary result code, or 0 when err is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_BUSY || c == sqlite3.SQLITE_LOCKED
}

// failure is an error of SQLite's, explained.
type failure struct {
	is   error  // the contract's error, or nil
	says string // what happened, what became of the data, and what to do
	err  error
}

func (f *failure) Error() string { return f.says + " (" + f.err.Error() + ")" }

func (f *failure) Unwrap() []error {
	if f.is == nil {
		return []error{f.err}
	}
	return []error{f.is, f.err}
}

const notSQLite = "this is not a Tidewaiter database (nor any other SQLite database), or its beginning is damaged; nothing was changed; " +
	"name another file or folder, or restore from a backup"

// explanations by SQLite's primary result code. They are for reading and writing alike: of a transaction that failed nothing
// was kept.
var explanations = map[int]failure{
	sqlite3.SQLITE_BUSY:     {is: store.ErrBusy, says: busy},
	sqlite3.SQLITE_LOCKED:   {is: store.ErrBusy, says: busy},
	sqlite3.SQLITE_PROTOCOL: {is: store.ErrBusy, says: busy},
	sqlite3.SQLITE_FULL:     {is: store.ErrFull, says: "the store is full: no room is left on the disk; nothing of this was kept, and what was kept before is whole; make room, then do it again"},
	sqlite3.SQLITE_CORRUPT:  {is: store.ErrDamaged, says: "the store is damaged: the file is not as it was written; run `tidewaiter log fsck` to see what is affected, then restore from a backup"},
	sqlite3.SQLITE_NOTADB:   {says: notSQLite},
	sqlite3.SQLITE_READONLY: {is: store.ErrReadOnly, says: readOnly},
	sqlite3.SQLITE_PERM:     {is: store.ErrReadOnly, says: readOnly},
	sqlite3.SQLITE_AUTH:     {is: store.ErrReadOnly, says: readOnly},
	sqlite3.SQLITE_CANTOPEN: {says: "the file cannot be opened; check that it is a file, that its folder is there, and that this user may write in it"},
	sqlite3.SQLITE_IOERR:    {says: "the disk failed; nothing of this was kept; check the disk, then run `tidewaiter log fsck`"},
	sqlite3.SQLITE_TOOBIG:   {says: "a value is larger than SQLite can hold (1 GB); nothing of this was kept; split it"},
	sqlite3.SQLITE_NOMEM:    {says: "there is no memory left; nothing of this was kept; give the process more, or the document in parts"},
}

const (
	busy     = "the store is busy: another process went on writing for longer than we wait; nothing of this was kept; try again when it is done"
	readOnly = "the file may not be written; nothing of this was kept; give this user the right to write the file and its folder, or look how the disk is mounted"
)

// explain says in words what SQLite says in codes, once.
func explain(err error) error {
	var done *failure
	if err == nil || errors.As(err, &done) {
		return err
	}
	if f, ok := explanations[code(err)]; ok {
		f.err = err
		return &f
	}
	return err
}

// isElsewhere: the trouble is not in what was read.
func isElsewhere(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT:
		return true
	}
	return errors.Is(err, sql.ErrConnDone)
}

// isDamage: what was read is not as it was written.
func isDamage(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.Is(err, store.ErrDamaged)
}
