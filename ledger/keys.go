package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Key is a key of a log, and how far it reaches.
type Key struct {
	Verifier note.Verifier
	// Until is the size of the last tree that the key may sign: the one with the entry that retired it. 0: it was not retired.
	// A size cannot be forged as a time can: whoever steals a retired key cannot continue the log with it.
	Until int64
}

// ParseKey reads a key as Text writes it.
func ParseKey(text string) (Key, error) {
	vkey, rest, retired := strings.Cut(strings.TrimSpace(text), " ")
	v, err := LoadVerifier(vkey)
	if err != nil {
		return Key{}, err
	}
	k := Key{Verifier: v}
	if retired {
		size, ok := strings.CutPrefix(rest, "until=")
		if k.Until, err = parseDecimal(size); !ok || err != nil || k.Until == 0 {
			return Key{}, fmt.Errorf("verifier key of %s: %q follows it; after a space may follow until=N, the size at which it was retired", v.Name(), rest)
		}
	}
	return k, nil
}

// KeyText writes a key for ParseKey: the verifier key, and where it ends.
func KeyText(vkey string, until int64) string {
	if until == 0 {
		return vkey
	}
	return vkey + " until=" + strconv.FormatInt(until, 10)
}

// Keys are all keys of one log, those that it had and those that it has. They are a note.Verifier, so that whatever takes a
// log's key takes them too, and then accepts a checkpoint when one of them signed it that could still sign a tree of its size.
type Keys struct {
	all []Key
}

// NewKeys puts a log's keys together.
func NewKeys(keys ...Key) (*Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("a log has at least one verifier key, and none was given")
	}
	seen := map[uint32]bool{}
	for _, k := range keys {
		switch {
		case k.Verifier.Name() != keys[0].Verifier.Name():
			return nil, fmt.Errorf("the verifier keys are of two logs, %s and %s", keys[0].Verifier.Name(), k.Verifier.Name())
		case seen[k.Verifier.KeyHash()]:
			return nil, fmt.Errorf("the verifier key %s+%08x is given twice", k.Verifier.Name(), k.Verifier.KeyHash())
		}
		seen[k.Verifier.KeyHash()] = true
	}
	return &Keys{all: keys}, nil
}

// keysOf takes a single verifier for all that there are.
func keysOf(v note.Verifier) *Keys {
	if k, ok := v.(*Keys); ok {
		return k
	}
	return &Keys{all: []Key{{Verifier: v}}}
}

// Name is the name of the log.
func (k *Keys) Name() string { return k.all[0].Verifier.Name() }

// KeyHash is that of the first key.
func (k *Keys) KeyHash() uint32 { return k.all[0].Verifier.KeyHash() }

// Verify says whether any of the keys made the signature.
func (k *Keys) Verify(msg, sig []byte) bool {
	for _, key := range k.all {
		if key.Verifier.Verify(msg, sig) {
			return true
		}
	}
	return false
}

func (k *Keys) verifiers() (all []note.Verifier) {
	for _, key := range k.all {
		all = append(all, key.Verifier)
	}
	return all
}

// accepted returns the first of the signatures, all of which were verified, whose key could sign a tree of this size.
func (k *Keys) accepted(sigs []note.Signature, size int64) (note.Signature, error) {
	var last error
	for _, sig := range sigs {
		for _, key := range k.all {
			if key.Verifier.Name() != sig.Name || key.Verifier.KeyHash() != sig.Hash {
				continue
			}
			if key.Until == 0 || size <= key.Until {
				return sig, nil
			}
			last = fmt.Errorf("%w: it is over %d entries and signed by %s+%08x, which was retired at %d", ErrNotProven, size, sig.Name, sig.Hash, key.Until)
		}
	}
	return note.Signature{}, last
}
