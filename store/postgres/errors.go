package postgres

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tidewaiter/tidewaiter/store"
)

// state is the server's SQLSTATE, or empty when err is not the server's.
func state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isLost: the connection is gone, or there never was one. Of a transaction nothing was kept, unless its COMMIT had been sent.
func isLost(err error) bool {
	if err == nil {
		return false
	}
	switch code := state(err); {
	case code == "57P01", code == "57P02", code == "57P03", code == "57P05", code == "25P03": // shut down, crashed, starting up, idle for too long
		return true
	case code != "":
		return code[:2] == "08"
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || err.Error() == "conn closed"
}

// failure is an error of PostgreSQL's, explained.
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

const (
	busy = "the store is busy: another process went on writing for longer than we wait; nothing of this was kept; try again when it is done"
	full = "the store is full: no room is left on the database server's disk; nothing of this was kept, and what was kept before is whole; make room, then do it again"
	only = "the database may only be read: it is a standby, or was set so; nothing of this was kept; name the primary server, or make this one writable"
	deny = "this database user may not do that; nothing of this was kept; the user needs to own the schema tidewaiter, or the right to create one in the database"
	gone = "the database cannot be reached, or the connection to it was lost; nothing of this was kept; see that the server runs and try again"
	hurt = "the store is damaged: the server cannot read back what was written; run `tidewaiter log fsck` to see what is affected, then restore from a backup"
)

// explanations by SQLSTATE. They are for reading and writing alike: of a transaction that failed nothing was kept.
var explanations = map[string]failure{
	"55P03": {is: store.ErrBusy, says: busy},
	"40001": {is: store.ErrBusy, says: busy},
	"40P01": {is: store.ErrBusy, says: busy},
	"53300": {is: store.ErrBusy, says: "the database server has no connection left for us; nothing of this was kept; try again, or raise max_connections"},
	"53100": {is: store.ErrFull, says: full},
	"53200": {says: "the database server has no memory left; nothing of this was kept; give it more, or the document in parts"},
	"54000": {says: "a value is larger than PostgreSQL can hold; nothing of this was kept; split it"},
	"25006": {is: store.ErrReadOnly, says: only},
	"42501": {is: store.ErrReadOnly, says: deny},
	"28P01": {says: "the database server refuses the user or the password; correct the URL, or the server's pg_hba.conf"},
	"28000": {says: "the database server refuses the user or the password; correct the URL, or the server's pg_hba.conf"},
	"3D000": {says: "there is no such database; create it first (createdb NAME); the tables are made by tidewaiter"},
	"58030": {says: "the database server's disk failed; nothing of this was kept; check the disk, then run `tidewaiter log fsck`"},
	"XX001": {is: store.ErrDamaged, says: hurt},
	"XX002": {is: store.ErrDamaged, says: hurt},
}

// explain says in words what PostgreSQL says in codes, once.
func explain(err error) error {
	var done *failure
	if err == nil || errors.As(err, &done) || errors.Is(err, context.Canceled) {
		return err
	}
	if f, ok := explanations[state(err)]; ok {
		f.err = err
		return &f
	}
	if isLost(err) {
		return &failure{is: store.ErrUnreachable, says: gone, err: err}
	}
	return err
}

// isElsewhere: the trouble is not in what was read.
func isElsewhere(err error) bool {
	return isLost(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		state(err) != "" && !isDamage(err)
}

// isDamage: what was read is not as it was written.
func isDamage(err error) bool {
	switch state(err) {
	case "XX001", "XX002":
		return true
	}
	return errors.Is(err, store.ErrDamaged)
}

func isNone(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// withoutCause is what the driver says of a URL that it cannot read, without the errors below: they repeat parts of the URL.
func withoutCause(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("it is not a URL, or has a parameter that is not known")
	}
	return errors.New("one of its parameters cannot be read")
}
