package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// ErrRefused is wrapped by what says why something was not erased, held or released.
var ErrRefused = errors.New("refused")

// erasedKey is where the Seq of the last erasure is kept: whoever holds some of the ledger in memory asks whether it is still that.
const erasedKey = "erased"

// scrubKey is where the Seq of an erasure is kept until the store's files have nothing of it any more.
const scrubKey = "scrub"

// erasureName is the name of all erasures.
const erasureName = "https://tidewaiter.org/erasure"

// Erasure says whose content is to be destroyed, why, and by whom: two persons.
type Erasure struct {
	Entries         []int64
	Reason          string
	By, ConfirmedBy string
}

// Erased is what an erasure did.
type Erased struct {
	Seq     int64   // of the entry that says so
	Entries []int64 // whose content is gone
	Repeats []int64 // entries of the same names that have content still, and may say the same
}

// Erase destroys the content of events, master data or statements for good: all of them or none. An entry that says so, and nothing of the
// content, is appended in the same transaction. ErrRefused when one may not be erased; the message says why.
func Erase(ctx context.Context, st store.Ledger, er Erasure, now time.Time) (done Erased, err error) {
	if err := er.check(); err != nil {
		return done, err
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return done, fmt.Errorf("a key for the erasure: %w", err)
	}
	err = st.Append(ctx, func(tx store.Appender) error {
		record := ledger.NewErasing(key)
		record.Reason, record.By, record.ConfirmedBy = er.Reason, er.By, er.ConfirmedBy
		done, err = er.erase(tx, &record, now)
		return err
	})
	return done, err
}

func (er *Erasure) check() error {
	er.Entries = slices.Compact(slices.Sorted(slices.Values(er.Entries)))
	er.Reason, er.By, er.ConfirmedBy = tidy(er.Reason), tidy(er.By), tidy(er.ConfirmedBy)
	switch {
	case len(er.Entries) == 0:
		return fmt.Errorf("%w: no entry is named", ErrRefused)
	case er.Reason == "" || er.By == "" || er.ConfirmedBy == "":
		return fmt.Errorf("%w: an erasure needs a reason, the person who asks for it, and another who confirms it", ErrRefused)
	case strings.EqualFold(er.By, er.ConfirmedBy):
		return fmt.Errorf("%w: %s cannot confirm what %s asks for: it takes two persons", ErrRefused, er.ConfirmedBy, er.By)
	}
	return nil
}

// tidy makes one of all spellings that differ in spaces only.
func tidy(text string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
}

func (er *Erasure) erase(tx store.Appender, record *ledger.Erasing, now time.Time) (done Erased, err error) {
	holds, err := activeHolds(tx)
	if err != nil {
		return done, err
	}
	var names []string
	for _, seq := range er.Entries {
		e, told, err := erasable(tx, seq)
		if err != nil {
			return done, err
		}
		if h := holds.over(seq, told); h != nil {
			return done, fmt.Errorf("%w: entry %d is under the legal hold of entry %d, placed by %s: %s; when it has ended, release it first (tidewaiter entries release %d)",
				ErrRefused, seq, h.Seq, h.By, h.Reason, h.Seq)
		}
		record.Add(e, told)
		names = append(names, e.Name)
	}
	body, err := record.JSON()
	if err != nil {
		return done, err
	}
	done.Entries = er.Entries
	if done.Seq, err = appendRecord(tx, erasureName, ledger.KindErasure, body, now); err != nil {
		return done, err
	}
	for _, seq := range er.Entries {
		if err := tx.Erase(seq, done.Seq); err != nil {
			return done, err
		}
	}
	if done.Repeats, err = repeats(tx, names); err != nil {
		return done, err
	}
	if err := tx.SetMeta(scrubKey, fmt.Append(nil, done.Seq)); err != nil {
		return done, err
	}
	return done, tx.SetMeta(erasedKey, fmt.Append(nil, done.Seq))
}

// Scrub lets a store destroy what an erasure may have left in its files. Where it cannot, or was killed over it, ScrubDue says so.
func Scrub(ctx context.Context, st store.Ledger, s store.Scrubber) error {
	due, err := st.Meta(ctx, scrubKey)
	if err != nil {
		return err
	}
	if err := s.Scrub(ctx); err != nil {
		return err
	}
	return st.Append(ctx, func(tx store.Appender) error {
		now, err := tx.Meta(scrubKey)
		if err != nil || string(now) != string(due) {
			return err // something was erased meanwhile
		}
		return tx.SetMeta(scrubKey, nil)
	})
}

// ScrubDue says whether something was erased of which the store's files may have remains.
func ScrubDue(ctx context.Context, st store.Ledger) (bool, error) {
	due, err := st.Meta(ctx, scrubKey)
	return due != nil, err
}

// erasable reads an entry that may be erased, and what it names. What the log says of itself stays: its keys and its erasures prove
// everything else.
func erasable(tx store.Appender, seq int64) (e ledger.Entry, told []string, err error) {
	e, err = tx.Entry(seq)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, nil, fmt.Errorf("%w: there is no entry %d; the ledger has %d, numbered from 0", ErrRefused, seq, tx.Head().Size)
	case err != nil:
		return e, nil, err
	case e.Erased != nil:
		return e, nil, fmt.Errorf("%w: entry %d was erased before, as entry %d says", ErrRefused, seq, e.Erased.By)
	case e.Kind != ledger.KindEvent && e.Kind != ledger.KindMasterData && e.Kind != ledger.KindStatement:
		return e, nil, fmt.Errorf("%w: entry %d is a record of the ledger's own (%s); only events, master data and signed statements can be erased", ErrRefused, seq, e.Kind)
	}
	told, err = custody.Names(e)
	return e, told, err
}

// repeats are the entries of the same names whose content is there: the same told by another party, an error declaration, which
// repeats what it is about, or an earlier or later version of master data.
func repeats(tx store.Appender, names []string) (list []int64, err error) {
	for _, name := range names {
		seqs, err := tx.Named(name)
		if err != nil {
			return nil, err
		}
		for _, seq := range seqs {
			if e, err := tx.Entry(seq); err != nil {
				return nil, err
			} else if e.Erased == nil {
				list = append(list, seq)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(list))), nil
}

// appendRecord appends a record of the ledger's own. Two records that say the same are two.
func appendRecord(tx store.Appender, name string, kind ledger.Kind, body []byte, now time.Time) (int64, error) {
	key := keyOf(string(kind), custody.Registrar, fmt.Appendf(nil, "%s %d", body, tx.Head().Size))
	return appendAs(tx, name, kind, body, now, key)
}

func appendAs(tx store.Appender, name string, kind ledger.Kind, body []byte, now time.Time, key store.Key) (int64, error) {
	return appendSaid(tx, ledger.Entry{Kind: kind, Speaker: custody.Registrar, Name: name, Body: body}, now, key)
}

// appendSaid appends an entry at a time that is not before the ledger's.
func appendSaid(tx store.Appender, e ledger.Entry, now time.Time, key store.Key) (int64, error) {
	history, err := tx.Meta(historyKey)
	if err != nil {
		return 0, err
	}
	e.Recorded = notBefore(tx, now)
	if history != nil { // whose time only documents move
		e.Recorded, e.Trusted = time.UnixMicro(tx.Head().Recorded).UTC(), true
	}
	return tx.Append(e, key)
}
