package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/store"
)

// Options say how a document is captured.
type Options struct {
	Name            string // of the document, for messages
	As              string // who speaks; empty: each event implies its speaker
	Proceed         bool   // keep what is good of a document of which some is not
	TrustRecordTime bool   // take recorded times from the document: only in a ledger begun for history
	OneEvent        bool   // it must be an event and no document
	Discreet        bool   // name no other speaker in a reject: whoever reads it may not know who else speaks
	SpoolDir        string // where documents are spooled; empty: the system's folder for temporary files
	MaxEventBytes   int64  // 0: the decoder's own limit
	Reject          func(Reject)
	Gone            func(Reject)            // what is sent again, and was erased: it is counted as a duplicate
	Progress        func(done, total int64) // events committed so far, of all in the document
	Kept            func(first, last int64) // entries that are durable now
}

// Reject is an event, or an element of master data, that was not kept.
type Reject struct {
	Document string
	Kind     epcis.ItemKind
	Index    int    // among those of its kind, from 0
	EventID  string // its own, or "" when it has none
	Pointer  string // JSON pointer (RFC 6901) into the document
	Reason   string
}

// Result counts what became of a document. FirstSeq and LastSeq are nil when nothing was accepted.
type Result struct {
	Accepted    int64  `json:"accepted"`
	Duplicates  int64  `json:"duplicates"`
	Rejected    int64  `json:"rejected"`
	FirstSeq    *int64 `json:"firstSeq"`
	LastSeq     *int64 `json:"lastSeq"`
	Events      int64  `json:"-"` // accepted that are events, not master data
	Name        string `json:"-"` // of the last event that was accepted or found to be a duplicate
	DuplicateOf *int64 `json:"-"` // of the last duplicate: the entry that says the same
}

// Add sums up two results.
func (r *Result) Add(o Result) {
	r.Accepted += o.Accepted
	r.Duplicates += o.Duplicates
	r.Rejected += o.Rejected
	r.Events += o.Events
	if o.Name != "" {
		r.Name, r.DuplicateOf = o.Name, o.DuplicateOf
	}
	if r.FirstSeq == nil {
		r.FirstSeq = o.FirstSeq
	}
	if o.LastSeq != nil {
		r.LastSeq = o.LastSeq
	}
}

// ErrRejected is returned (wrapped) when a document was refused as a whole because some of it is not valid.
var ErrRejected = errors.New("nothing of the document was kept")

// DocumentError says that the document is at fault and not the store: it is none, it breaks off, or some of it is not valid.
// Another document may be captured still.
type DocumentError struct{ Err error }

func (e *DocumentError) Error() string { return e.Err.Error() }

func (e *DocumentError) Unwrap() error { return e.Err }

// errRollback takes a transaction back without being an error for the caller.
var errRollback = errors.New("rollback")

// Directory is the master data by which implied speakers are found.
type Directory = custody.Directory

// Registry captures into a store. Several may call Capture at the same time (with a store.Group they share transactions) when As
// is given, or when Directory may be asked by several at the same time.
type Registry struct {
	Store     store.Ledger
	Directory Directory // as of the ledger's head
	Now       func() time.Time
}

// proceedChunk is how many items one transaction takes when a document need not be kept as a whole.
const proceedChunk = 2000

// Capture reads one EPCIS document and appends what is in it. When it returns without error, all that Result counts as
// accepted is durable. On ErrRejected, and on any other error without Proceed, nothing was kept.
func (r *Registry) Capture(ctx context.Context, src io.Reader, o Options) (Result, error) {
	sp := newSpool(o.SpoolDir)
	defer sp.close()
	result, err := r.capture(ctx, src, sp, o)
	if err == nil {
		return result, nil
	}
	var fault *DocumentError
	named := fmt.Errorf("%s: %w", o.Name, err)
	if errors.As(err, &fault) {
		return result, &DocumentError{named}
	}
	return result, named
}

func (r *Registry) capture(ctx context.Context, src io.Reader, sp *spool, o Options) (Result, error) {
	dec, err := r.read(ctx, src, sp, o)
	if err != nil {
		return Result{}, err
	}
	c, err := r.newCommitter(sp, dec, o)
	if err != nil {
		return Result{}, err
	}
	if o.Proceed {
		err = c.greedy(ctx)
	} else {
		err = c.whole(ctx)
	}
	return c.result, err
}

// read spools the document.
func (r *Registry) read(ctx context.Context, src io.Reader, sp *spool, o Options) (*epcis.Decoder, error) {
	dec := epcis.NewDecoder(src, epcis.Options{MaxItemBytes: o.MaxEventBytes})
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		it, err := dec.Next()
		if errors.Is(err, io.EOF) {
			return dec, errors.Join(o.checkType(dec.Header()), sp.flush())
		}
		if err != nil {
			return nil, &DocumentError{err}
		}
		if err := sp.add(it); err != nil {
			return nil, err
		}
	}
}

// checkType refuses a document where an event is wanted.
func (o Options) checkType(h epcis.Header) error {
	if !o.OneEvent || h.Type != "EPCISDocument" && h.Type != "EPCISQueryDocument" {
		return nil
	}
	return &DocumentError{fmt.Errorf("it is an %s, and one event is wanted here, without a document around it: %w", h.Type, ErrRejected)}
}

// whole commits everything in one transaction, or nothing. After the first reject it goes on reading, to name them all.
func (c *committer) whole(ctx context.Context) error {
	ahead, early, err := c.early(ctx)
	if err != nil {
		return err
	}
	err = store.AppendAhead(ctx, c.store, ahead, func(tx store.Appender) error {
		if err := c.begin(tx); err != nil {
			return err
		}
		if err := c.takeDocument(ctx, tx, early); err != nil {
			return err
		}
		if c.result.Rejected > 0 {
			return errRollback
		}
		return nil
	})
	if errors.Is(err, errRollback) {
		rejected := c.result.Rejected
		c.result = Result{Rejected: rejected}
		return &DocumentError{fmt.Errorf("%d of %d not valid: %w (--proceed keeps the rest)", rejected, c.total, ErrRejected)}
	}
	if err != nil {
		c.result = Result{}
	}
	c.kept(Result{})
	return err
}

// takeDocument takes all items of the document, unless they were prepared early: then those.
func (c *committer) takeDocument(ctx context.Context, tx store.Appender, early *ready) error {
	if early != nil {
		return c.takeReady(tx, early)
	}
	var waiting batch
	if err := c.each(ctx, func(it epcis.Item) error { return c.add(tx, &waiting, it) }); err != nil {
		return err
	}
	return c.takeAll(tx, &waiting)
}

func (c *committer) takeItems(tx store.Appender, items []epcis.Item) error {
	var waiting batch
	for _, it := range items {
		if err := c.add(tx, &waiting, it); err != nil {
			return err
		}
	}
	return c.takeAll(tx, &waiting)
}

// kept says what a transaction kept, beyond what was there before it. Nobody else writes during one, so it has no gaps.
func (c *committer) kept(before Result) {
	if n := c.result.Accepted - before.Accepted; n > 0 && c.opts.Kept != nil {
		c.opts.Kept(*c.result.LastSeq-n+1, *c.result.LastSeq)
	}
}

// greedy commits in chunks whatever is good.
func (c *committer) greedy(ctx context.Context) error {
	var chunk []epcis.Item
	flush := func() error {
		before := c.result
		ahead, early := c.earlyOf(chunk)
		err := store.AppendAhead(ctx, c.store, ahead, func(tx store.Appender) error {
			if err := c.begin(tx); err != nil {
				return err
			}
			if early != nil {
				return c.takeReady(tx, early)
			}
			return c.takeItems(tx, chunk)
		})
		if err != nil {
			c.result = before
		}
		c.kept(before)
		chunk = chunk[:0]
		return err
	}
	err := c.each(ctx, func(it epcis.Item) error {
		chunk = append(chunk, it)
		if len(chunk) < proceedChunk {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
