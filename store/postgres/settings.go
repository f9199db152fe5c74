package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/store"
)

// Settings are those of a server on which it depends whether what is acknowledged survives.
type Settings struct {
	Version           string // as the server says it
	Number            int    // 150004 for 15.4
	Fsync, FullPages  bool
	SynchronousCommit string
	Standby           bool
	Schema, Makes     int // the version of the tables, and the one that this program makes
	Connections       int // those in use
	MaxConnections    int
	Now               time.Time // by the server's clock
}

// Settings asks the server.
func (s *Store) Settings(ctx context.Context) (v Settings, err error) {
	const question = `SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('fsync') = 'on',
	current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'), pg_is_in_recovery(), (SELECT version FROM tidewaiter.version),
	(SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'), current_setting('max_connections')::int, clock_timestamp()`
	v.Makes = len(migrations)
	err = s.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, question).Scan(&v.Version, &v.Number, &v.Fsync, &v.FullPages, &v.SynchronousCommit, &v.Standby, &v.Schema,
			&v.Connections, &v.MaxConnections, &v.Now)
	})
	return v, s.failed(ctx, "settings", err)
}

// LeasesNow lists the leases.
func (s *Store) LeasesNow(ctx context.Context) (list []store.Lease, err error) {
	err = s.read(ctx, func(conn *pgx.Conn) error {
		list = nil
		rows, err := conn.Query(ctx, "SELECT name, holder, until - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM tidewaiter.leases ORDER BY name")
		if err != nil {
			return err
		}
		var name, holder []byte
		var left int64
		_, err = pgx.ForEachRow(rows, []any{&name, &holder, &left}, func() error {
			list = append(list, store.Lease{Name: string(name), Holder: string(holder), Left: time.Duration(left) * time.Microsecond})
			return nil
		})
		return err
	})
	return list, s.failed(ctx, "leases", err)
}
