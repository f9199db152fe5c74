package epcis

import (
	"errors"
	"hash/maphash"
	"sync/atomic"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// spelling is an identifier as somebody wrote it, and its canonical form.
type spelling struct{ written, canonical string }

// spellings remembers the latest identifiers. An event is validated, compared and named within microseconds, so each of its
// identifiers is asked for three times in a row, and those of sites and parties return with every event: taking them apart
// anew would cost as much as all the rest. It also lets events share the memory of the identifiers that they share.
var (
	spellings    [1 << 12]atomic.Pointer[spelling]
	spellingSeed = maphash.MakeSeed()
)

// fullName is the name of a field in a context, its full form, and whether that is a URI.
type fullName struct {
	ctx        *Context
	name, full string
	isURI      bool
}

// fullNames remembers the latest names of fields: events of one sender have the same few, again and again.
var fullNames [1 << 10]atomic.Pointer[fullName]

// full is Expand for the name of a field.
func (c *Context) full(name []byte) (full string, uri bool) {
	slot := &fullNames[maphash.Bytes(spellingSeed, name)%uint64(len(fullNames))]
	if n := slot.Load(); n != nil && n.ctx == c && n.name == string(name) {
		return n.full, n.isURI
	}
	n := &fullName{ctx: c, name: string(name)}
	n.full = c.Expand(n.name)
	n.isURI = isURI(n.full)
	if len(n.full) <= maxSpelling {
		slot.Store(n)
	}
	return n.full, n.isURI
}

// maxSpelling is the length of the longest identifier that is remembered.
const maxSpelling = 256

// canonical is gs1.Canonical, whose error it gives without the identifier, for messages that quote it themselves.
func canonical(id []byte) (string, error) {
	slot := &spellings[maphash.Bytes(spellingSeed, id)%uint64(len(spellings))]
	if s := slot.Load(); s != nil && s.written == string(id) {
		return s.canonical, nil
	}
	s := &spelling{written: string(id)}
	var err error
	if s.canonical, err = gs1.Canonical(s.written); err != nil {
		if reason := errors.Unwrap(err); reason != nil {
			err = reason
		}
		return "", err
	}
	if len(id) <= maxSpelling {
		slot.Store(s)
	}
	return s.canonical, nil
}
