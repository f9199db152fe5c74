package custody

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Names lists all by which somebody might ask for what an event or an element tells: the units that it names, the aliases that it
// gives them, or the subject of the element. Of a signed statement it is what the statement says it is about.
func Names(e ledger.Entry) ([]string, error) {
	switch e.Kind {
	case ledger.KindMasterData:
		el, err := ReadElement(e)
		if err != nil {
			return nil, err
		}
		return []string{el.ID}, nil
	case ledger.KindStatement:
		s, err := ledger.ParseStatement(e.Body)
		if err != nil {
			return nil, err
		}
		return []string{Canonical(s.Subject)}, nil
	}
	t, err := Read(e)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range t.Units() {
		names = append(names, n.Unit)
	}
	for _, alias := range aliasesOf(t) {
		names = append(names, bareWords(alias)...)
	}
	return slices.Compact(slices.Sorted(slices.Values(names))), nil
}

// erasing is a row: an erasure, and where it stands.
type erasing struct {
	Seq    int64          `json:"seq"`
	Known  Micros         `json:"known"`
	Record ledger.Erasing `json:"record"`
}

// Tombstone stands in a unit's history where something was told whose content was destroyed. When it happened, nobody knows any
// more.
type Tombstone struct {
	Seq         int64 // the entry that was erased
	Erased      int64 // the entry that says so
	At          time.Time
	Reason      string
	By          string
	ConfirmedBy string
}

// applyErasing takes in an erasure. What it is about, the view has not: it was dropped with it, and made again without.
func (v *View) applyErasing(e ledger.Entry) error {
	r, err := ledger.ParseErasing(e)
	if err != nil {
		return err
	}
	v.erasings.Put(fmt.Sprintf("%012d", e.Seq), &erasing{Seq: e.Seq, Known: At(e.Recorded), Record: r})
	return nil
}

// Tombstones lists what was erased of what was told about a unit, by one of its names, in the order of the ledger.
func (v *View) Tombstones(names ...string) ([]Tombstone, error) {
	var out []Tombstone
	err := v.erasings.All(func(_ string, r *erasing) error {
		var seqs []int64
		for _, name := range names {
			seqs = append(seqs, r.Record.Named(name)...)
		}
		for _, seq := range slices.Compact(slices.Sorted(slices.Values(seqs))) {
			out = append(out, Tombstone{Seq: seq, Erased: r.Seq, At: r.Known.Time(), Reason: r.Record.Reason, By: r.Record.By, ConfirmedBy: r.Record.ConfirmedBy})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Tombstone) int { return int(a.Seq - b.Seq) })
	return out, err
}

// errErased says that an entry has no content any more. A view does not look for it, unless it was made before.
func errErased(e ledger.Entry) error {
	return fmt.Errorf("entry %d was erased, as entry %d says: nothing is left of it to read", e.Seq, e.Erased.By)
}
