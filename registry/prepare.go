package registry

import (
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

// takeAll takes the items of a batch in turn, and empties it.
func (c *committer) takeAll(tx store.Appender, b *batch) error {
	all := make([]prepared, len(b.items))
	var keys []store.Key
	var names []string
	for i, it := range b.items {
		p := c.prepare(it)
		all[i] = p
		if p.bad != nil {
			continue
		}
		names = append(names, p.name)
		if p.ev != nil {
			keys = append(keys, p.key)
		}
	}
	clear(b.items)
	b.items, b.bytes = b.items[:0], 0
	if err := store.Foresee(tx, keys, names); err != nil {
		return err
	}
	for i := range all {
		if err := c.take(tx, &all[i]); err != nil {
			return err
		}
	}
	return nil
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
