package postgres_test

import (
	"bytes"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// proxy stands between a store and its server, and loses connections when COMMIT passes.
type proxy struct {
	listener net.Listener
	direct   string       // the database's own URL
	socket   string       // of the server
	lose     atomic.Int32 // what is lost next, once
	between  func()       // called when a connection was lost, before another is made
	gate     sync.RWMutex
}

const (
	loseNothing = iota
	loseCommit  // the server does not get to see it
	loseAnswer  // the server has committed, and its answer does not arrive
	loseClient  // the client is gone as soon as the server has been told
)

var commitMessage = []byte("Q\x00\x00\x00\x0bCOMMIT\x00")

// throughProxy gives a proxy for a database and the URL by which it is reached through that.
func throughProxy(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{direct: database, socket: u.Query().Get("host") + "/.s.PGSQL.5432"}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.listener.Close() })
	go p.serve()
	return p, "postgres://tester@" + p.listener.Addr().String() + u.Path + "?sslmode=disable"
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connection(client)
	}
}

func (p *proxy) connection(client net.Conn) {
	p.gate.RLock() // whoever has it shut is done first
	server, err := net.Dial("unix", p.socket)
	p.gate.RUnlock()
	defer client.Close()
	if err != nil {
		return
	}
	defer server.Close()
	var mute atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		defer client.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			if mute.Load() {
				return
			}
			if _, failed := client.Write(b[:n]); err != nil || failed != nil {
				return
			}
		}
	}()
	b := make([]byte, 1<<16)
	for {
		n, err := client.Read(b)
		if bytes.Contains(b[:n], commitMessage) {
			if lose := p.lose.Swap(loseNothing); lose != loseNothing {
				mute.Store(true)
				p.lost(lose, client, server, b[:n], answered)
				return
			}
		}
		if _, failed := server.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}

// lost loses the connection, and lets nobody make another until all is done that is to be done before.
func (p *proxy) lost(lose int32, client, server net.Conn, commit []byte, answered chan struct{}) {
	p.gate.Lock()
	defer p.gate.Unlock()
	if lose == loseClient {
		client.Close()
	}
	if lose != loseCommit {
		_, _ = server.Write(commit)
		<-answered
	}
	client.Close()
	server.Close()
	if p.between != nil {
		p.between()
	}
}

// The outcome of a transaction whose COMMIT is lost is found out: what is said to be kept is, what is said not to be is not.
func TestACommitThatIsNotAnswered(t *testing.T) {
	writes := map[string]func(t *testing.T, s store.Store) error{
		"append": func(t *testing.T, s store.Store) error { return appendEntries(t.Context(), s, 3) },
		"many":   func(t *testing.T, s store.Store) error { return appendEntries(t.Context(), s, 3000) },
		"meta":   func(t *testing.T, s store.Store) error { return s.SetMeta(t.Context(), "m", []byte("new")) },
		"view": func(t *testing.T, s store.Store) error {
			return s.Commit(t.Context(), "v", 1, 2, map[string][]byte{"k": []byte("new")})
		},
		"drop": func(t *testing.T, s store.Store) error { return s.Drop(t.Context(), "v") },
	}
	for name, write := range writes {
		t.Run(name+", lost on the way", func(t *testing.T) {
			s, p, before := behindProxy(t)
			p.lose.Store(loseCommit)
			if err := write(t, s); !errors.Is(err, store.ErrUnreachable) {
				t.Errorf("got %v", err)
			}
			before.Unchanged(t, s)
		})
		for _, lose := range []int32{loseAnswer, loseClient} {
			t.Run(name+", kept", func(t *testing.T) {
				s, p, _ := behindProxy(t)
				p.lose.Store(lose)
				if err := write(t, s); err != nil {
					t.Errorf("it was kept, and the answer is %v", err)
				}
				if !changed(t, s) {
					t.Error("it was said to be kept, and is not there")
				}
			})
		}
	}
}

func behindProxy(t *testing.T) (*postgres.Store, *proxy, storetest.State) {
	t.Helper()
	p, through := throughProxy(t, pgtest.Database(t))
	s := open(t, through, postgres.Options{})
	return s, p, storetest.Before(t, s)
}

// changed says whether anything is other than storetest.Before left it.
func changed(t *testing.T, s store.Store) bool {
	t.Helper()
	n, err := storetest.Whole(t.Context(), s)
	meta, e1 := s.Meta(t.Context(), "m")
	at, e2 := s.Cursor(t.Context(), "v")
	if err := errors.Join(err, e1, e2); err != nil {
		t.Fatal(err)
	}
	return n != 3 || string(meta) != "old" || at != 1
}

// Where others have written before the outcome could be looked at, an entry still tells; of the rest it is said that it is not known,
// or that the view has moved on.
func TestACommitThatIsNotAnsweredAndOthersWrote(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(t *testing.T, s store.Store) error
		want  error
	}{
		{"append", func(t *testing.T, s store.Store) error { return appendEntries(t.Context(), s, 3) }, nil},
		{"meta", func(t *testing.T, s store.Store) error { return s.SetMeta(t.Context(), "m", []byte("new")) }, store.ErrUnknown},
		{"view", func(t *testing.T, s store.Store) error { return s.Commit(t.Context(), "v", 1, 2, nil) }, store.ErrConflict},
	} {
		for _, lose := range []int32{loseCommit, loseAnswer} {
			s, p, _ := behindProxy(t)
			other := open(t, p.direct, postgres.Options{})
			var size int64
			p.between = func() {
				head, err := other.Head(t.Context())
				size = head.Size
				at, e := other.Cursor(t.Context(), "v")
				err = errors.Join(err, e, appendEntries(t.Context(), other, 1), other.Commit(t.Context(), "v", at, at+1, nil))
				if err != nil {
					t.Error(err)
				}
			}
			p.lose.Store(lose)
			want := c.want
			if c.name == "append" && lose == loseCommit {
				want = store.ErrUnreachable
			}
			if err := c.write(t, s); !errors.Is(err, want) {
				t.Errorf("%s, lost %d: got %v, want %v", c.name, lose, err, want)
			} else if err != nil && (want == store.ErrUnreachable) != strings.Contains(err.Error(), "nothing of this was kept") { //nolint:errorlint // the table's own
				t.Errorf("%s, lost %d: it says: %v", c.name, lose, err)
			}
			if wantSize := map[bool]int64{true: 6, false: 3}[c.name == "append" && lose == loseAnswer]; size != wantSize {
				t.Errorf("%s, lost %d: %d entries were there, want %d", c.name, lose, size, wantSize)
			}
			if n, err := storetest.Whole(t.Context(), s); n != size+1 || err != nil {
				t.Errorf("%d entries, %v", n, err)
			}
		}
	}
}
