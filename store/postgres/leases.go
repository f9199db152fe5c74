package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/store"
)

// takeLease writes the lease unless somebody else's runs on. clock_timestamp, and not now: a statement that waited for another's
// lock would else go by the time before.
const takeLease = `INSERT INTO tidewaiter.leases AS l (name, holder, until, sum) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, sum = excluded.sum
WHERE l.holder = excluded.holder OR l.until <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

// Acquire takes or renews a lease, by the server's clock.
func (s *Store) Acquire(ctx context.Context, name, holder string, d time.Duration) error {
	if s.closed.Load() {
		return errClosed
	}
	err := s.read(ctx, func(conn *pgx.Conn) error { // to do it twice is to do it once
		var now int64
		if err := conn.QueryRow(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").Scan(&now); err != nil {
			return err
		}
		until := now + d.Microseconds()
		done, err := conn.Exec(ctx, takeLease, []byte(name), []byte(holder), until, leaseSum(name, holder, until))
		if err == nil && done.RowsAffected() == 0 {
			return s.heldBy(ctx, conn, name)
		}
		return err
	})
	return s.failed(ctx, "lease "+name, err)
}

func (s *Store) heldBy(ctx context.Context, conn *pgx.Conn, name string) error {
	var other []byte
	if err := conn.QueryRow(ctx, "SELECT holder FROM tidewaiter.leases WHERE name = $1", []byte(name)).Scan(&other); err != nil && !isNone(err) {
		return err
	}
	return fmt.Errorf("%w by %s", store.ErrHeld, other)
}

// Release ends a lease early.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	if s.closed.Load() {
		return errClosed
	}
	err := s.read(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DELETE FROM tidewaiter.leases WHERE name = $1 AND holder = $2", []byte(name), []byte(holder))
		return err
	})
	return s.failed(ctx, "lease "+name, err)
}
