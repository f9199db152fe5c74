package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/store"
)

// prepared is an item of which everything is known that can be known without asking the store.
type prepared struct {
	it      epcis.Item
	id      string       // the event id that it gives itself
	bad     *epcis.Error // why it is not valid
	speaker string
	name    string

	ev     *epcis.Event
	digest [32]byte
	key    store.Key
	twin   int64 // the entry that it was last compared with

	el   *epcis.Element
	body []byte // of an element's entry
}

// Items are prepared so many, or so many bytes, at a time, so that the store can be told what it will be asked.
const (
	preparedItems = 1000
	preparedBytes = 2 << 20
)

// batch gathers items of one kind: master data decides who speaks, so an event is prepared when all of it was taken.
type batch struct {
	items []epcis.Item
	bytes int
}

// fits says whether one more item may join.
func (b *batch) fits(it epcis.Item) bool {
	return len(b.items) == 0 || len(b.items) < preparedItems && b.bytes+len(it.Raw) <= preparedBytes && b.items[0].Kind == it.Kind
}

func (b *batch) add(it epcis.Item) {
	b.items, b.bytes = append(b.items, it), b.bytes+len(it.Raw)
}

// add lets an item wait in the batch, and takes those that wait when it does not fit.
func (c *committer) add(tx store.Appender, b *batch, it epcis.Item) error {
	if !b.fits(it) {
		if err := c.takeAll(tx, b); err != nil {
			return err
		}
	}
	b.add(it)
	return nil
}

// ready is items that are prepared, and what the store is going to be asked about them.
type ready struct {
	all   []prepared
	keys  []store.Key
	names []string
}

func (c *committer) prepareAll(items []epcis.Item) *ready {
	r := &ready{all: make([]prepared, len(items))}
	for i, it := range items {
		p := c.prepare(it)
		r.all[i] = p
		if p.bad != nil {
			continue
		}
		r.names = append(r.names, p.name)
		if p.ev != nil {
			r.keys = append(r.keys, p.key)
		}
	}
	return r
}

// takeAll takes the items of a batch in turn, and empties it.
func (c *committer) takeAll(tx store.Appender, b *batch) error {
	r := c.prepareAll(b.items)
	clear(b.items)
	b.items, b.bytes = b.items[:0], 0
	if err := store.Foresee(tx, r.keys, r.names); err != nil {
		return err
	}
	return c.takeReady(tx, r)
}

// takeReady takes items in turn, of which the store was told.
func (c *committer) takeReady(tx store.Appender, r *ready) error {
	for i := range r.all {
		if err := c.take(tx, &r.all[i]); err != nil {
			return err
		}
	}
	return nil
}

// earlyItems is how many items a document has at most that is prepared before its turn to be kept comes. With more, or with more
// bytes than are spooled in memory, nobody should have to share a transaction with it.
const earlyItems = 100

// early prepares a small document while others are being kept; nil: it is prepared when its turn has come. Only the turn is what all
// wait for, so that what is not done in it is done on all processors.
func (c *committer) early(ctx context.Context) (store.Ahead, *ready, error) {
	if !c.mayPrepareEarly() {
		return store.Ahead{Long: c.isLong()}, nil, nil
	}
	var items []epcis.Item
	err := c.each(ctx, func(it epcis.Item) error {
		items = append(items, it)
		return nil
	})
	a, r := c.earlyOf(items)
	return a, r, err
}

// earlyOf is early for items that are in memory already.
func (c *committer) earlyOf(items []epcis.Item) (store.Ahead, *ready) {
	if !c.mayPrepareEarly() {
		return store.Ahead{Long: c.isLong()}, nil
	}
	r := c.prepareAll(items)
	return store.Ahead{Keys: r.keys, Names: r.names}, r
}

func (c *committer) isLong() bool { return c.total > earlyItems || !c.spool.small() }

// mayPrepareEarly: master data decides who speaks, and is told in its turn; the directory is asked in turn, too.
func (c *committer) mayPrepareEarly() bool {
	return !c.isLong() && c.opts.As != "" && c.spool.master.count == 0
}

func (c *committer) prepare(it epcis.Item) prepared {
	p := prepared{it: it, bad: it.Err}
	switch {
	case p.bad != nil:
	case it.Kind == epcis.ItemMasterData:
		p.bad = c.prepareElement(&p)
	default:
		p.bad = c.prepareEvent(&p)
	}
	return p
}

func (c *committer) prepareEvent(p *prepared) (bad *epcis.Error) {
	ev, err := epcis.ParseEvent(p.it.Raw, c.ctx)
	if errors.As(err, &bad) {
		p.id = idOf(p.it.Raw)
		return bad
	} else if err != nil {
		return &epcis.Error{Reason: err.Error()}
	}
	p.ev, p.id = ev, ev.ID
	if p.name, p.digest, err = c.identify(ev); err != nil {
		return &epcis.Error{Reason: err.Error()}
	}
	if p.speaker = c.opts.As; p.speaker == "" {
		p.speaker = custody.Implied(c.dir, &custody.Telling{Event: ev})
	}
	p.key = keyOf("event", p.speaker, p.digest[:])
	return nil
}

func (c *committer) prepareElement(p *prepared) (bad *epcis.Error) {
	el, err := epcis.ParseMasterData(p.it.Raw, p.it.VocabularyType, c.ctx)
	if errors.As(err, &bad) {
		return bad
	} else if err != nil {
		return &epcis.Error{Reason: err.Error()}
	}
	quoted, err := jsontext.AppendQuote(nil, p.it.VocabularyType)
	if err != nil {
		return &epcis.Error{Reason: err.Error()}
	}
	p.el, p.name = el, el.ID
	if p.speaker = c.opts.As; p.speaker == "" {
		p.speaker = custody.Registrar
	}
	p.body = fmt.Appendf(nil, `{"type":%s,"element":%s}`, quoted, p.it.Raw)
	return nil
}
