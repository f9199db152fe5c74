package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tidewaiter/tidewaiter/store"
)

// crowd is a store of which every Append shares its transaction with two others that leave nothing behind: they append, and fail. So
// the rest of the suite says what it says also of those who share.
type crowd struct {
	store.Store
	group  *store.Group
	others sync.WaitGroup
}

// Crowd puts a store's callers into a crowd.
func Crowd(s store.Store) store.Store { return &crowd{Store: s, group: store.NewGroup(s)} }

func (c *crowd) Append(ctx context.Context, fn func(store.Appender) error) error {
	release := make(chan struct{})
	c.beside(func(store.Appender) error { // holds the right to write until the others have come
		<-release
		return nil
	})
	c.beside(leaveNothing)
	c.until(1)
	c.others.Go(func() {
		c.until(2)
		c.beside(leaveNothing)
		c.until(3)
		close(release)
	})
	return c.group.Append(ctx, fn)
}

func leaveNothing(tx store.Appender) error { return errors.Join(appendSome(tx, 2), errFailed) }

// beside appends without anybody who waits for it.
func (c *crowd) beside(fn func(store.Appender) error) {
	c.others.Go(func() { _ = c.group.Append(context.Background(), fn) })
}

// until waits until so many wait; not for long, because more than one crowd may be about, and some give up.
func (c *crowd) until(n int) {
	for end := time.Now().Add(3 * time.Millisecond); c.group.Waiting() < n && time.Now().Before(end); {
		time.Sleep(20 * time.Microsecond)
	}
}

func (c *crowd) Close() error {
	c.others.Wait()
	return c.Store.Close()
}
