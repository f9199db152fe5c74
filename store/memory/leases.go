package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// OpLease is asked before a lease is taken or given up.
const OpLease = "lease"

type lease struct {
	holder string
	until  time.Time
}

// Acquire takes or renews a lease, by this process's clock.
func (s *Store) Acquire(ctx context.Context, name, holder string, d time.Duration) error {
	if err := s.ask(ctx, OpLease); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if l := s.leases[name]; l.holder != holder && l.until.After(now) {
		return fmt.Errorf("lease %s: %w by %s", name, store.ErrHeld, l.holder)
	}
	s.leases[name] = lease{holder, now.Add(d)}
	return nil
}

// Release ends a lease early.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	if err := s.ask(ctx, OpLease); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[name].holder == holder {
		delete(s.leases, name)
	}
	return nil
}
