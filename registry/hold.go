package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// holdName is the name of all legal holds and of their releases, by which they are found.
const holdName = "https://tidewaiter.org/hold"

// Hold is a legal hold: entries, and whatever names one of some units, now or later, may not be erased while it lasts.
type Hold struct {
	Seq     int64 // of the entry that placed it
	Entries []int64
	Units   []string // by all their names
	Reason  string
	By      string
	Since   time.Time
}

// holdRecord is the body of the entries that place holds and release them.
type holdRecord struct {
	Kind     ledger.Kind `json:"kind"`
	Entries  []int64     `json:"entries,omitempty"`
	Units    []string    `json:"units,omitempty"`
	Releases []int64     `json:"releases,omitempty"` // entries that placed holds
	Reason   string      `json:"reason"`
	By       string      `json:"by"`
}

// PlaceHold places a legal hold.
func PlaceHold(ctx context.Context, st store.Ledger, h Hold, now time.Time) (seq int64, err error) {
	h.Entries = slices.Compact(slices.Sorted(slices.Values(h.Entries)))
	if len(h.Entries)+len(h.Units) == 0 {
		return 0, fmt.Errorf("%w: a hold needs entries or a unit", ErrRefused)
	}
	r := holdRecord{Kind: ledger.KindHold, Entries: h.Entries, Units: h.Units, Reason: tidy(h.Reason), By: tidy(h.By)}
	return r.tell(ctx, st, now, func(tx store.Appender) error {
		for _, seq := range h.Entries {
			if _, _, err := erasable(tx, seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReleaseHolds ends legal holds, each named by the entry that placed it.
func ReleaseHolds(ctx context.Context, st store.Ledger, seqs []int64, reason, by string, now time.Time) (seq int64, err error) {
	r := holdRecord{Kind: ledger.KindRelease, Releases: slices.Compact(slices.Sorted(slices.Values(seqs))), Reason: tidy(reason), By: tidy(by)}
	return r.tell(ctx, st, now, func(tx store.Appender) error {
		active, err := activeHolds(tx)
		if err != nil {
			return err
		}
		for _, seq := range r.Releases {
			if !slices.ContainsFunc(active, func(h Hold) bool { return h.Seq == seq }) {
				return fmt.Errorf("%w: entry %d is no legal hold that lasts; `tidewaiter entries holds` lists them", ErrRefused, seq)
			}
		}
		return nil
	})
}

func (r *holdRecord) tell(ctx context.Context, st store.Ledger, now time.Time, check func(store.Appender) error) (seq int64, err error) {
	if r.Reason == "" || r.By == "" {
		return 0, fmt.Errorf("%w: it needs a reason and the person who decides it", ErrRefused)
	}
	body, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return 0, fmt.Errorf("encode the record: %w", err)
	}
	err = st.Append(ctx, func(tx store.Appender) error {
		if err := check(tx); err != nil {
			return err
		}
		seq, err = appendRecord(tx, holdName, r.Kind, body, now)
		return err
	})
	return seq, err
}

// holds are those that last.
type holds []Hold

// over returns a hold over an entry that names these, or nil.
func (list holds) over(seq int64, names []string) *Hold {
	for i, h := range list {
		if slices.Contains(h.Entries, seq) || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(h.Units, n) }) {
			return &list[i]
		}
	}
	return nil
}

// Holds lists the legal holds that last, in the order in which they were placed.
func Holds(ctx context.Context, st store.Ledger) ([]Hold, error) {
	seqs, err := st.Named(ctx, holdName)
	if err != nil {
		return nil, err
	}
	return readHolds(seqs, func(seq int64) (ledger.Entry, error) { return st.Entry(ctx, seq) })
}

func activeHolds(tx store.Appender) (holds, error) {
	seqs, err := tx.Named(holdName)
	if err != nil {
		return nil, err
	}
	return readHolds(seqs, tx.Entry)
}

func readHolds(seqs []int64, entry func(seq int64) (ledger.Entry, error)) (active holds, err error) {
	for _, seq := range seqs {
		e, err := entry(seq)
		if err != nil {
			return nil, err
		}
		if e.Kind != ledger.KindHold && e.Kind != ledger.KindRelease {
			continue // an event that calls itself so
		}
		var r holdRecord
		if err := json.Unmarshal(e.Body, &r, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("entry %d, a legal hold: %w", seq, err)
		}
		active = slices.DeleteFunc(active, func(h Hold) bool { return slices.Contains(r.Releases, h.Seq) })
		if e.Kind == ledger.KindHold {
			active = append(active, Hold{Seq: seq, Entries: r.Entries, Units: r.Units, Reason: r.Reason, By: r.By, Since: e.Recorded})
		}
	}
	return active, nil
}
