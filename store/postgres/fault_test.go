package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// appendEntries appends n entries after the head in one transaction.
func appendEntries(ctx context.Context, s store.Ledger, n int) error {
	return s.Append(ctx, func(tx store.Appender) error {
		for range n {
			e, key := storetest.Entry(int(tx.Head().Size))
			if _, err := tx.Append(e, key); err != nil {
				return err
			}
		}
		return nil
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// endSessions ends all sessions of the store, as an administrator would.
const endSessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidewaiter' AND datname = current_database()"

func TestTheConnectionIsLost(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url, postgres.Options{})
	before := storetest.Before(t, s)
	lose := func() { must(t, pgtest.Exec(t.Context(), url, endSessions)) }

	lose() // while nobody uses it: nobody notices
	if head, err := s.Head(t.Context()); head.Size != 3 || err != nil {
		t.Errorf("%+v, %v", head, err)
	}
	lose()
	must(t, s.SetMeta(t.Context(), "m", []byte("old")))
	lose()
	if v, err := s.Rows(t.Context(), "v").Get("k"); string(v) != "old" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	lose()
	must(t, s.Rows(t.Context(), "v").Scan("", func(string, []byte) error { return nil }))
	for _, n := range []int{0, 1, 3000} { // inside a transaction
		err := s.Append(t.Context(), func(tx store.Appender) error {
			for range n {
				e, key := storetest.Entry(int(tx.Head().Size))
				if _, err := tx.Append(e, key); err != nil {
					return err
				}
			}
			must(t, tx.SetMeta("m", []byte("new")))
			lose()
			return nil
		})
		if !errors.Is(err, store.ErrUnreachable) || !strings.Contains(err.Error(), "nothing of this was kept") {
			t.Errorf("after %d entries: %v", n, err)
		}
	}
	before.Unchanged(t, s)
}

func TestTheServerIsDown(t *testing.T) {
	server := pgtest.New(t)
	url := server.Database(t)
	s := open(t, url, postgres.Options{Wait: 2 * time.Second})
	before := storetest.Before(t, s)
	must(t, server.Kill())
	_, err := s.Head(t.Context())
	for what, err := range map[string]error{
		"head": err, "append": appendEntries(t.Context(), s, 1), "commit": s.Commit(t.Context(), "v", 1, 2, nil),
		"lease": s.Acquire(t.Context(), "v", "a", time.Hour), "entries": s.Entries(t.Context(), 0, 3, func(ledger.Entry) error { return nil }),
	} {
		var damaged *ledger.DamagedError
		if !errors.Is(err, store.ErrUnreachable) || errors.As(err, &damaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := postgres.Open(t.Context(), url, postgres.Options{Wait: time.Second}); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("open: %v", err)
	}
	must(t, server.Start())
	before.Unchanged(t, s) // the same store goes on by itself
}

func TestAServerThatMayOnlyBeRead(t *testing.T) {
	url := pgtest.Database(t)
	storetest.Before(t, open(t, url, postgres.Options{}))
	must(t, pgtest.Exec(t.Context(), url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"))
	s := open(t, url, postgres.Options{})
	if n, err := storetest.Whole(t.Context(), s); n != 3 || err != nil {
		t.Errorf("reading: %d entries, %v", n, err)
	}
	for what, err := range map[string]error{
		"append": appendEntries(t.Context(), s, 1), "commit": s.Commit(t.Context(), "v", 1, 2, nil), "a new view": s.Commit(t.Context(), "w", 0, 0, nil),
		"meta": s.SetMeta(t.Context(), "m", nil), "drop": s.Drop(t.Context(), "v"), "lease": s.Acquire(t.Context(), "v", "a", time.Hour),
	} {
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if changed(t, s) {
		t.Error("something was changed")
	}
}

func TestASecondWriterGivesUp(t *testing.T) {
	url := pgtest.Database(t)
	a, b := open(t, url, postgres.Options{}), open(t, url, postgres.Options{Wait: 100 * time.Millisecond})
	before := storetest.Before(t, a)
	must(t, a.Append(t.Context(), func(store.Appender) error {
		err := appendEntries(t.Context(), b, 1)
		if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), "try again") {
			t.Errorf("after a while: %v", err)
		}
		must(t, b.Commit(t.Context(), "w", 0, 1, nil)) // views do not wait for writers of the ledger
		return nil
	}))
	before.Unchanged(t, b)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	url := pgtest.Database(t)
	a, b := open(t, url, postgres.Options{}), open(t, url, postgres.Options{})
	before := storetest.Before(t, a)
	must(t, a.Append(t.Context(), func(store.Appender) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if err := appendEntries(ctx, b, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		return nil
	}))
	before.Unchanged(t, b)
}

// A context may end at any moment of a transaction. Nothing stays locked, and what is told about it is true.
func TestCancellingAtAnyMoment(t *testing.T) {
	url := pgtest.Database(t)
	a, b := open(t, url, postgres.Options{}), open(t, url, postgres.Options{Wait: 10 * time.Second})
	for i := range 150 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Duration(i) * 20 * time.Microsecond)
			cancel()
		}()
		before, err := b.Head(t.Context())
		must(t, err)
		err = appendEntries(ctx, a, 2)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		after, failed := b.Head(t.Context())
		must(t, failed)
		if kept := after.Size == before.Size+2; kept != (err == nil) {
			t.Fatalf("%v, and there were %d entries and are %d", err, before.Size, after.Size)
		}
		must(t, b.SetMeta(t.Context(), "m", []byte("b")))
		cancel()
	}
}

// outcomes is what a writer was told of each entry that it wanted to append, by the entry's name.
type outcomes struct {
	mu                    sync.Mutex
	kept, refused, unsure map[string]bool
}

// insist appends entries one after the other, each under a name of its own, until the context ends.
func (o *outcomes) insist(ctx context.Context, s store.Store, who int) {
	for i := 0; ctx.Err() == nil; i++ {
		n := 1 + i%3*rand.IntN(60)
		var names []string
		err := s.Append(ctx, func(tx store.Appender) error {
			names = nil
			for j := range n {
				e, _ := storetest.Entry(int(tx.Head().Size))
				e.Name = fmt.Sprintf("%d/%d/%d", who, i, j)
				names = append(names, e.Name)
				if _, err := tx.Append(e, storetest.KeyOf(e)); err != nil {
					return err
				}
			}
			return nil
		})
		o.note(names, err)
		if err != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (o *outcomes) note(names []string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range names {
		switch {
		case err == nil:
			o.kept[name] = true
		case errors.Is(err, store.ErrUnknown):
			o.unsure[name] = true
		default:
			o.refused[name] = true
		}
	}
}

// compare holds what was told against what is there.
func (o *outcomes) compare(t *testing.T, s store.Store) {
	t.Helper()
	there := map[string]int{}
	must(t, s.Entries(t.Context(), 0, 1<<62, func(e ledger.Entry) error {
		there[e.Name]++
		return nil
	}))
	for name := range o.kept {
		if there[name] != 1 {
			t.Errorf("%s was acknowledged, and is there %d times", name, there[name])
		}
	}
	for name := range o.refused {
		if there[name] != 0 {
			t.Errorf("%s was said not to be kept, and is there", name)
		}
	}
	for name, n := range there {
		if !o.kept[name] && !o.unsure[name] || n != 1 {
			t.Errorf("%s is there %d times, and nobody was told", name, n)
		}
	}
	_, err := storetest.Whole(t.Context(), s)
	must(t, err)
	must(t, s.(store.Checker).Check(t.Context(), func(problem string) error { t.Error(problem); return nil }))
	if len(o.kept) == 0 || len(o.refused) == 0 {
		t.Errorf("%d kept and %d refused: the test shows nothing", len(o.kept), len(o.refused))
	}
	t.Logf("%d entries kept, %d refused, of %d nothing is known", len(o.kept), len(o.refused), len(o.unsure))
}

// Sessions are ended and killed, and the whole server is killed and started again, while two stores append. All that was
// acknowledged is there, nothing that was refused is, and the tree is the entries'.
func TestTheServerIsKilled(t *testing.T) {
	server := pgtest.New(t)
	url := server.Database(t)
	o := &outcomes{kept: map[string]bool{}, refused: map[string]bool{}, unsure: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for who := range 4 {
		s := open(t, url, postgres.Options{Wait: 5 * time.Second})
		wg.Go(func() { o.insist(ctx, s, who) })
	}
	for i := range 12 {
		time.Sleep(time.Duration(100+rand.IntN(150)) * time.Millisecond)
		switch i % 3 {
		case 0:
			must(t, pgtest.Exec(t.Context(), url, endSessions))
		case 1:
			must(t, server.KillSession(url)) // then the server ends all others, and recovers
		case 2:
			must(t, server.Kill())
			must(t, server.Start())
		}
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	wg.Wait()
	o.compare(t, open(t, url, postgres.Options{}))
}

func TestAFullDisk(t *testing.T) {
	server := pgtest.New(t)
	url, grow := server.SmallDatabase(t, 24<<20)
	s := open(t, url, postgres.Options{})
	before := storetest.Before(t, s)
	value := make([]byte, 1<<20)
	for i := range value {
		value[i] = byte(rand.Uint32()) // else it is compressed
	}
	for name, fill := range map[string]func() error{
		"entries": func() error {
			return s.Append(t.Context(), func(tx store.Appender) error {
				for n := range 64 {
					e, key := storetest.Entry(10 + n)
					e.Body = value
					if _, err := tx.Append(e, key); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"entries, and the failure ignored": func() error {
			return s.Append(t.Context(), func(tx store.Appender) error {
				for n := range 64 {
					e, key := storetest.Entry(10 + n)
					e.Body = value
					_, _ = tx.Append(e, key)
				}
				return nil
			})
		},
		"a view": func() error {
			changes := map[string][]byte{"k": []byte("new")}
			for n := range 64 {
				changes[fmt.Sprint(n)] = value
			}
			return s.Commit(t.Context(), "v", 1, 2, changes)
		},
	} {
		err := fill()
		if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "nothing of this was kept") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Count(err.Error(), "the store is full") != 1 {
			t.Errorf("%s: said more than once: %v", name, err)
		}
	}
	if changed(t, s) {
		t.Error("something was kept")
	}
	grow()
	before.Unchanged(t, s)
}

func TestMessagesHaveNoPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://me:hunter2@127.0.0.1:1/ledger", "postgres://127.0.0.1:1/ledger?user=me&password=hunter2", "postgres://me:hunter2@/ledger?host=/nowhere",
		"postgres://me:hunter2@127.0.0.1:port/ledger", "postgres://me:hunter2@127.0.0.1/ledger?sslmode=hunter2", "postgresql://me:hunter2%zz@h/ledger",
		"hunter2", "mysql://me:hunter2@localhost/ledger",
	} {
		_, err := postgres.Open(t.Context(), url, postgres.Options{Wait: time.Second})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
