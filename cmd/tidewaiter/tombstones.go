package main

import (
	"errors"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
)

// tombstone is the line that trace prints with --json for an entry of which the content was destroyed.
type tombstone struct {
	Unit        string `json:"unit"`
	Seq         int64  `json:"seq"`
	Erased      bool   `json:"erased"`
	ErasedBy    int64  `json:"erasedBy"` // the entry that says so
	ErasedAt    string `json:"erasedAt"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
	ConfirmedBy string `json:"confirmedBy"`
}

// findTold lists the units that a word names, and what was erased of what was told about them. A unit of which all was erased is
// named by no event any more.
func (e *env) findTold(v *casework.View, word string, asked custody.Asked) ([]string, []custody.Tombstone, error) {
	units, no := e.find(v, word)
	if no != nil && !errors.Is(no, errNo) {
		return nil, nil, no
	}
	all, err := v.Custody.Tombstones(append([]string{word, custody.Canonical(word)}, units...)...)
	if err != nil {
		return nil, nil, err
	}
	var gone []custody.Tombstone
	for _, t := range all {
		if asked.Known.IsZero() || !t.At.After(asked.Known) {
			gone = append(gone, t)
		}
	}
	if len(gone) == 0 {
		return units, nil, no
	}
	return units, gone, nil
}

// printTombstones comes after what is told still: when it happened, nobody knows any more.
func (e *env) printTombstones(unit string, gone []custody.Tombstone) error {
	for _, t := range gone {
		var err error
		if e.cli.JSON {
			err = e.printJSON(tombstone{Unit: unit, Seq: t.Seq, Erased: true, ErasedBy: t.Erased, ErasedAt: stamp(t.At), Reason: t.Reason, By: t.By, ConfirmedBy: t.ConfirmedBy})
		} else {
			err = e.printf("  erased            entry %d, on %s, by %s and %s: %s  [%d]\n", t.Seq, t.At.UTC().Format("2006-01-02 15:04"), t.By, t.ConfirmedBy, t.Reason, t.Erased)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
