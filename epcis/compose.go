package epcis

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"sync"
)

// composer reads an event and writes a text of it whose parts are put in order after they were written: JSON leaves the order
// of members and of sets to the writer.
type composer struct {
	scanner
	ctx   *Context
	out   []byte
	parts []part // of all objects and lists that are being written, innermost last
	spare []byte
	most  int  // bytes that may be written
	full  bool // more would have been written
}

// part is a stretch of what was written, and its place among the others.
type part struct {
	rank     int32
	from, to uint32
}

// mostText bounds what may be made of n bytes: a short name can stand for a long one, a million times over.
func mostText(n int) int { return min(8*n+1<<20, math.MaxUint32) }

// errTooLong is told of an event that is not worth its length.
var errTooLong = &Error{"", "is too long when its names are written in full: write fewer of them with prefixes that stand for so much"}

var composers = sync.Pool{New: func() any { return new(composer) }}

// last is the rank of what is not the standard's: it stands behind all else, ordered by its bytes.
const last = math.MaxInt32

// newComposer begins to read an event. An event that did not come from ParseEvent is looked at first: what is no JSON has no
// one text.
func newComposer(ev *Event, ctx *Context) (*composer, error) {
	if !ev.checked {
		if err := checkJSON(ev.Raw); err != nil {
			return nil, err
		}
	}
	ctx, err := ownContext(ev.Raw, ctx)
	if err != nil {
		return nil, err
	}
	c := composers.Get().(*composer)
	c.scanner, c.ctx = scanner{src: ev.Raw}, ctx
	c.most, c.full = mostText(len(ev.Raw)), false
	return c, nil
}

// written is the text.
func (c *composer) written() ([]byte, error) {
	if c.full {
		return nil, errTooLong
	}
	return c.out, nil
}

// maxKept is how much memory a composer keeps for its next event.
const maxKept = 1 << 16

func (c *composer) release() {
	if cap(c.out) > maxKept {
		return
	}
	c.scanner, c.ctx = scanner{}, nil
	c.out, c.parts, c.spare = c.out[:0], c.parts[:0], c.spare[:0]
	composers.Put(c)
}

// end ends the part that began at from.
func (c *composer) end(rank int32, from int) {
	if len(c.out) > c.most { // there is nothing more to read, then
		c.full, c.out, c.at = true, c.out[:from], len(c.src)
	}
	c.parts = append(c.parts, part{rank, uint32(from), uint32(len(c.out))})
}

// arrange puts the parts from the given one on in order, by rank and then by their bytes, and forgets them. They are the last
// thing that was written. Where once is true, equal ones are kept once.
func (c *composer) arrange(first int, once bool) {
	parts := c.parts[first:]
	c.parts = c.parts[:first]
	if c.inOrder(parts) {
		return
	}
	c.sort(parts)
	if once {
		parts = slices.CompactFunc(parts, func(a, b part) bool { return c.compare(a, b) == 0 })
	}
	start := uint32(len(c.out))
	c.spare = c.spare[:0]
	for _, p := range parts {
		start = min(start, p.from)
	}
	for _, p := range parts {
		c.spare = append(c.spare, c.out[p.from:p.to]...)
	}
	c.out = append(c.out[:start], c.spare...)
}

// sort sorts parts: few of them, as there are nearly always, by insertion.
func (c *composer) sort(parts []part) {
	if len(parts) > 40 {
		slices.SortFunc(parts, c.compare)
		return
	}
	for i := 1; i < len(parts); i++ {
		p, j := parts[i], i
		for ; j > 0 && c.compare(p, parts[j-1]) < 0; j-- {
			parts[j] = parts[j-1]
		}
		parts[j] = p
	}
}

// inOrder says whether parts are in order already, no two of them equal.
func (c *composer) inOrder(parts []part) bool {
	for i := 1; i < len(parts); i++ {
		if c.compare(parts[i-1], parts[i]) >= 0 {
			return false
		}
	}
	return true
}

func (c *composer) compare(a, b part) int {
	if a.rank != b.rank {
		return int(a.rank - b.rank)
	}
	return bytes.Compare(c.out[a.from:a.to], c.out[b.from:b.to])
}

// normal is the normal form of what a text names, where it has one that its spelling does not show.
func (c *composer) normal(s []byte, r *rule) (string, bool) {
	switch r.reads {
	case anID:
		id, err := canonical(c.ctx.expand(s))
		return id, err == nil
	case aURI:
		return string(c.ctx.expand(s)), true
	case aWord:
		w, ok := r.words.find(s, c.ctx)
		return w.uri, ok
	}
	return "", false
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
