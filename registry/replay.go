package registry

import (
	"fmt"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// What was erased does not come back by being sent again: its key is kept, and tells that it was there. Whoever sends it is told.

// sayErased says so when the entry that an item repeats was erased.
func (c *committer) sayErased(tx store.Appender, p *prepared, seq int64) error {
	if !c.erased {
		return nil
	}
	e, err := tx.Entry(seq)
	if err != nil || e.Erased == nil {
		return err
	}
	if c.opts.Gone != nil {
		c.opts.Gone(Reject{Document: c.opts.Name, Kind: p.it.Kind, Index: p.it.Index, EventID: p.id, Pointer: p.it.Pointer, Reason: fmt.Sprintf(
			"is entry %d, which was erased, as entry %d says; it counts as a duplicate, and nothing of it was kept", seq, e.Erased.By)})
	}
	return nil
}

// compareErased compares an event with an erased entry of the same name. By the key that its speaker would have given it, it is the
// same or it is not.
func (c *committer) compareErased(tx store.Appender, p *prepared, old ledger.Entry) (dup bool, bad *epcis.Error, err error) {
	seq, same, err := tx.Seen(keyOf("event", old.Speaker, p.digest[:]))
	switch {
	case err != nil:
		return false, nil, err
	case same && seq == old.Seq:
		return true, nil, c.sayErased(tx, p, seq)
	case p.ev.ErrorDeclaration != nil:
		return false, &epcis.Error{Pointer: "/errorDeclaration", Reason: fmt.Sprintf(
			"is about entry %d, which was erased, as entry %d says: nothing is left of it that could be declared erroneous, and this would tell it again", old.Seq, old.Erased.By)}, nil
	case p.ev.ID == "":
		return false, nil, nil // another event, of which the computed name is the same
	}
	return false, &epcis.Error{Pointer: "/eventID", Reason: fmt.Sprintf(
		"the event id %s is taken by entry %d, told by %s, which was erased, as entry %d says, and had other content; give this event its own id", p.name, old.Seq, c.toldBy(old), old.Erased.By)}, nil
}

// toldAndErased says whether an element was told before in these words, and then erased. The number of tellings before is part of
// its key, so each of them is asked for.
func (c *committer) toldAndErased(tx store.Appender, p *prepared, seqs []int64) (bool, error) {
	if !c.erased {
		return false, nil
	}
	for n, was := range seqs {
		seq, seen, err := tx.Seen(elementKey(p.speaker, p.body, n))
		if err != nil {
			return false, err
		}
		if !seen || seq != was {
			continue
		}
		e, err := tx.Entry(seq)
		if err != nil {
			return false, err
		}
		if e.Erased != nil {
			c.result.Duplicates++
			return true, c.sayErased(tx, p, seq)
		}
	}
	return false, nil
}

// elementKey is the key of an element of master data. What was told before and is told again after a change is news: the number of
// tellings before it is part of the key.
func elementKey(speaker string, body []byte, told int) store.Key {
	return keyOf("masterdata", speaker, fmt.Appendf(nil, "%s\x00%d", body, told))
}
