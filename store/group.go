package store

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// Ahead is what is known of an append before its turn comes.
type Ahead struct {
	// Long: it will append much or take long, so that nobody else's transaction should have to wait for its end.
	Long bool
	// What Seen and Named will be asked about, for Foresee.
	Keys  []Key
	Names []string
}

// AppendAhead is l.Append for somebody who can say something about it in advance.
func AppendAhead(ctx context.Context, l Ledger, a Ahead, fn func(Appender) error) error {
	if g, ok := l.(*Group); ok {
		return g.AppendAhead(ctx, a, fn)
	}
	return l.Append(ctx, func(tx Appender) error {
		if err := Foresee(tx, a.Keys, a.Names); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Group is a ledger for many who append at the same time. Making one entry durable costs a wait for the disk, and making a hundred
// durable costs the same: so those who come while somebody writes share the next transaction, each as a part of it (see Parts).
//
// Append keeps its contract. Who comes when nobody writes, or has nobody to share with, has a transaction to itself, as without a
// Group. Functions that share one run one after the other, each once, and see what those before them did; one that fails, panics or
// whose context ends is taken back alone. When the transaction fails, all who shared it get its error: also those that had failed by
// themselves, for what they judged by may never have been kept. Whoever is long (see Ahead) shares with nobody.
//
// Functions that share a transaction run in another goroutine than their caller's. Of the other methods, those that write go
// to the store itself, and wait for the transaction that is being written.
type Group struct {
	Ledger

	mu      sync.Mutex
	writing bool      // somebody holds the right to write
	waiting []*member // who has not got it yet, in the order in which they came
}

// NewGroup lets those who append to a ledger share transactions. The ledger's Appenders must be Parts, as those of all our stores are.
func NewGroup(l Ledger) *Group { return &Group{Ledger: l} }

// What one transaction takes at most. Nobody new joins it when it has so many entries, or bytes of them.
const (
	groupMembers = 256
	groupEntries = 1000
	groupBytes   = 4 << 20
)

// Append runs fn in a write transaction, which others may share.
func (g *Group) Append(ctx context.Context, fn func(Appender) error) error {
	return g.AppendAhead(ctx, Ahead{}, fn)
}

// AppendAhead is Append for somebody who can say something about it in advance.
func (g *Group) AppendAhead(ctx context.Context, a Ahead, fn func(Appender) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m := &member{ctx: ctx, ahead: a, fn: fn, turn: make(chan struct{})}
	if !g.enter(m) {
		select {
		case <-m.turn:
		case <-ctx.Done():
			if g.leave(m) {
				return context.Cause(ctx)
			}
			<-m.turn
		}
		if m.state == shared {
			return m.outcome()
		}
	}
	defer g.next()
	return AppendAhead(ctx, g.Ledger, a, fn)
}

// Waiting is how many wait for their turn.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// member is one who appends.
type member struct {
	ctx   context.Context
	ahead Ahead
	fn    func(Appender) error
	turn  chan struct{} // closed when it may write alone, or when the transaction that it shared has ended

	state    state
	with     *sharing // when its state is called
	err      error
	panicked any
	exited   bool // fn ended its goroutine
}

// state says how far a member is. It is changed by whoever holds Group.mu.
type state int

const (
	queued state = iota
	called       // belongs to a transaction that is being written, and may still leave it
	shared       // has a part in it
	alone        // has the right to write
	left
)

// enter gives the right to write to who finds nobody writing, and else a place in the queue.
func (g *Group) enter(m *member) (alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.writing {
		g.writing = true
		return true
	}
	g.waiting = append(g.waiting, m)
	return false
}

// leave takes a member out whose turn has not come.
func (g *Group) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m.state {
	case queued:
		g.waiting = slices.DeleteFunc(g.waiting, func(o *member) bool { return o == m })
	case called:
		m.with.gone()
	default:
		return false
	}
	m.state = left
	return true
}

// next hands on the right to write: to the first who waits, or to all who can share a transaction with it.
func (g *Group) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < min(len(g.waiting), groupMembers) && !g.waiting[n].ahead.Long {
		n++
	}
	switch {
	case len(g.waiting) == 0:
		g.writing = false
	case n < 2:
		m := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		m.state = alone
		close(m.turn)
	default:
		s := newSharing(g, slices.Clone(g.waiting[:n]))
		g.waiting = slices.Delete(g.waiting, 0, n)
		go s.write()
	}
}

// sharing is one transaction of several members.
type sharing struct {
	g       *Group
	ctx     context.Context // ends when all have left
	cancel  context.CancelFunc
	members []*member
	present int // of members, those that have not left

	entries, bytes int
	meta           map[string][]byte // as it was read in this transaction, or nil for what is not there
}

func newSharing(g *Group, members []*member) *sharing {
	s := &sharing{g: g, members: members, present: len(members), meta: map[string][]byte{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(members[0].ctx))
	for _, m := range members {
		m.state, m.with = called, s
	}
	return s
}

// gone counts one who left. The caller holds Group.mu.
func (s *sharing) gone() {
	if s.present--; s.present == 0 {
		s.cancel()
	}
}

var errExited = errors.New("a function that shared the transaction ended its goroutine; nothing of the transaction was kept")

// write writes the transaction, and tells those who shared it.
func (s *sharing) write() {
	err := errExited
	defer func() {
		s.cancel()
		s.tell(err)
		s.g.next()
	}()
	err = s.g.Ledger.Append(s.ctx, s.parts)
}

// part runs fn as a part of the transaction.
func part(tx Appender, fn func() error) error {
	p, ok := tx.(Parts)
	if !ok {
		return errors.New("this store cannot take back a part of a transaction, so that nobody can share one")
	}
	return p.Part(fn)
}

// parts lets one member after the other do its part. Those for whom there is no room any more wait for the next transaction.
func (s *sharing) parts(tx Appender) error {
	if err := s.foresee(tx); err != nil {
		return err
	}
	for i, m := range s.members {
		if s.entries >= groupEntries || s.bytes >= groupBytes {
			s.g.putBack(s, i)
			return nil
		}
		if !s.g.begin(m) {
			continue
		}
		if m.err = part(tx, func() error { return m.run(s, tx) }); m.err != nil {
			clear(s.meta)
		}
	}
	return nil
}

// foresee asks in advance what all of them will ask.
func (s *sharing) foresee(tx Appender) error {
	var keys []Key
	var names []string
	for _, m := range s.members {
		keys, names = append(keys, m.ahead.Keys...), append(names, m.ahead.Names...)
	}
	return Foresee(tx, keys, names)
}

// begin says whether a member is there still. From now on it waits for the end.
func (g *Group) begin(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.state != called {
		return false
	}
	m.state = shared
	return true
}

// putBack puts the members from i on at the head of the queue.
func (g *Group) putBack(s *sharing, i int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var back []*member
	for _, m := range s.members[i:] {
		if m.state == called {
			m.state, m.with = queued, nil
			back = append(back, m)
		}
	}
	s.members = s.members[:i]
	g.waiting = slices.Concat(back, g.waiting)
}

// tell ends the waiting of all who had a part in the transaction, or were called to it.
func (s *sharing) tell(err error) {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	for _, m := range s.members {
		if m.state == left {
			continue
		}
		if err != nil {
			m.err = err
		}
		m.state = shared
		close(m.turn)
	}
}

// outcome is what became of a member's part, in the goroutine of its caller.
func (m *member) outcome() error {
	switch {
	case m.panicked != nil:
		panic(m.panicked) // it is fn's own, and goes on where fn's caller can see it
	case m.exited:
		runtime.Goexit()
	}
	return m.err
}

var errPanicked = errors.New("the function panicked")

// run runs the member's function.
func (m *member) run(s *sharing, tx Appender) (err error) {
	p := &place{s: s, m: m, tx: tx}
	ended := false
	defer func() {
		p.over = true
		if ended {
			return
		}
		if m.panicked = recover(); m.panicked == nil {
			m.exited = true
		}
		err = errPanicked
	}()
	err = m.fn(p)
	ended = true
	if err == nil && m.ctx.Err() != nil {
		err = context.Cause(m.ctx)
	}
	return err
}
