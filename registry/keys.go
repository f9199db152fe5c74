package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// KeyInfo is a key that the log has or had.
type KeyInfo struct {
	VerifierKey string `json:"vkey"`
	From        int64  `json:"from"`           // the size of the tree from which on it signs
	Until       int64  `json:"until,omitzero"` // the size of the last tree that it could sign; 0: it signs on
}

// keyRecord is the body of an entry that replaces the log's keys.
type keyRecord struct {
	Kind    ledger.Kind `json:"kind"`
	Origin  string      `json:"origin"`
	Keys    []string    `json:"keys"`    // that sign from here on
	Retired []string    `json:"retired"` // that sign the tree with this entry as its last, and none after it
}

func keyName(origin string) string { return "https://tidewaiter.org/log-key/" + origin }

// ListKeys lists the log's keys, those that sign first and then the retired ones, the last retired first.
func (l *Log) ListKeys(ctx context.Context) ([]KeyInfo, error) {
	entries, err := l.named(ctx, keyName(l.Signer.Origin()), ledger.KindKey)
	if err != nil {
		return nil, err
	}
	var signing, retired []KeyInfo
	for _, v := range l.Signer.VerifierKeys() {
		signing = append(signing, KeyInfo{VerifierKey: v})
	}
	from := int64(0)
	for _, e := range entries {
		var r keyRecord
		if err := json.Unmarshal(e.Body, &r, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("entry %d, which replaced the log's key: %w", e.Seq, err)
		}
		var old []KeyInfo
		for _, v := range r.Retired {
			old = append(old, KeyInfo{VerifierKey: v, From: from, Until: e.Seq + 1})
		}
		retired, from, signing = slices.Concat(old, retired), e.Seq+1, nil
		for _, v := range r.Keys {
			signing = append(signing, KeyInfo{VerifierKey: v, From: from})
		}
	}
	return slices.Concat(signing, retired), nil
}

// named returns the entries of one name that are of a kind which only the log itself appends.
func (l *Log) named(ctx context.Context, name string, kind ledger.Kind) ([]ledger.Entry, error) {
	seqs, err := l.Store.Named(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []ledger.Entry
	for _, seq := range seqs {
		e, err := l.Store.Entry(ctx, seq)
		if err != nil {
			return nil, err
		}
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all, nil
}

// Keys are the log's keys, for checking what it ever signed.
func (l *Log) Keys(ctx context.Context) (*ledger.Keys, error) {
	list, err := l.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []ledger.Key
	for _, k := range list {
		v, err := ledger.LoadVerifier(k.VerifierKey)
		if err != nil {
			return nil, err
		}
		keys = append(keys, ledger.Key{Verifier: v, Until: k.Until})
	}
	return ledger.NewKeys(keys...)
}

// ErrRetired says that another key has taken the place of the one with which a process wanted to sign.
var ErrRetired = errors.New("this key of the log was retired, or is not the log's: sign with the one that replaced it")

// mayUseKey refuses a key that was retired, which a process may still hold.
func (l *Log) mayUseKey(ctx context.Context) error {
	list, err := l.ListKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range list {
		if k.VerifierKey == l.Signer.VerifierKey() && k.Until == 0 {
			return l.mayStillSign(ctx)
		}
	}
	return ErrRetired
}

// Rotate replaces the log's keys by those of next: by an entry that names both, and a checkpoint over it that both sign. From
// then on only next may sign. Where the entry is there and this did not return, Replaced says so.
func (l *Log) Rotate(ctx context.Context, next *ledger.Signer, now time.Time) ([]byte, error) {
	if next.Origin() != l.Signer.Origin() {
		return nil, fmt.Errorf("the next key is that of the log %s, and this log is %s", next.Origin(), l.Signer.Origin())
	}
	if err := l.Check(ctx); err != nil {
		return nil, err
	}
	r := keyRecord{Kind: ledger.KindKey, Origin: next.Origin(), Keys: next.VerifierKeys(), Retired: l.Signer.VerifierKeys()}
	if err := l.tell(ctx, keyName(r.Origin), r.Kind, r, now, nil); err != nil {
		return nil, fmt.Errorf("replace the log's key: %w", err)
	}
	both := &Log{Store: l.Store, Signer: next.With(l.Signer), Record: l.Record}
	return both.Checkpoint(ctx)
}

// Replaced says whether the ledger names these keys already as those that replaced others, by Rotate or by Succeed.
func (l *Log) Replaced(ctx context.Context, next *ledger.Signer) (bool, error) {
	entries, err := l.named(ctx, keyName(next.Origin()), ledger.KindKey)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		var r keyRecord
		if err := json.Unmarshal(e.Body, &r); err != nil {
			return false, fmt.Errorf("entry %d, which replaced the log's key: %w", e.Seq, err)
		}
		if slices.Equal(r.Keys, next.VerifierKeys()) {
			return true, nil
		}
	}
	began, err := l.successions(ctx)
	return slices.ContainsFunc(began, func(s Succession) bool { return s.Origin == next.Origin() }), err
}

// tell appends a record of the log about itself, and does in the same transaction what more is to be done.
func (l *Log) tell(ctx context.Context, name string, kind ledger.Kind, record any, now time.Time, more func(store.Appender) error) error {
	body, err := json.Marshal(record, json.Deterministic(true))
	if err != nil {
		return err
	}
	return l.Store.Append(ctx, func(tx store.Appender) error {
		_, err := appendAs(tx, name, kind, body, now, keyOf(string(kind), custody.Registrar, body))
		if err == nil && more != nil {
			err = more(tx)
		}
		return err
	})
}
