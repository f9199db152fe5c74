package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/internal/checksum"
)

// takeLease writes the lease unless somebody else's runs on.
const takeLease = `INSERT INTO leases (name, holder, until, sum) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until, sum = excluded.sum WHERE holder = excluded.holder OR until <= ?5`

func leaseSum(name, holder string, until int64) int64 {
	var s checksum.Row
	s.Text(name)
	s.Text(holder)
	s.Number(until)
	return int64(s.Value())
}

// Acquire takes or renews a lease, by this machine's clock: whoever shares the file shares it.
func (s *Store) Acquire(ctx context.Context, name, holder string, d time.Duration) error {
	err := s.write(ctx, func(inside context.Context, w *writer) error {
		now := time.Now().UnixMicro()
		until := now + d.Microseconds()
		done, err := w.conn.ExecContext(inside, takeLease, []byte(name), []byte(holder), until, leaseSum(name, holder, until), now)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); n > 0 || err != nil {
			return err
		}
		var other []byte
		if err := w.conn.QueryRowContext(inside, "SELECT holder FROM leases WHERE name = ?", []byte(name)).Scan(&other); err != nil {
			return err
		}
		return fmt.Errorf("%w by %s", store.ErrHeld, other)
	})
	return s.failed(ctx, "lease "+name, err)
}

// Release ends a lease early.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	err := s.write(ctx, func(inside context.Context, w *writer) error {
		_, err := w.conn.ExecContext(inside, "DELETE FROM leases WHERE name = ? AND holder = ?", []byte(name), []byte(holder))
		return err
	})
	return s.failed(ctx, "lease "+name, err)
}

// LeasesNow lists the leases.
func (s *Store) LeasesNow(ctx context.Context) (list []store.Lease, err error) {
	rows, err := s.readDB.QueryContext(ctx, "SELECT name, holder, until FROM leases ORDER BY name")
	if err != nil {
		return nil, s.failed(ctx, "leases", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, holder []byte
		var until int64
		if err := rows.Scan(&name, &holder, &until); err != nil {
			return nil, s.failed(ctx, "leases", err)
		}
		list = append(list, store.Lease{Name: string(name), Holder: string(holder), Left: time.Until(time.UnixMicro(until))})
	}
	return list, s.failed(ctx, "leases", rows.Err())
}
