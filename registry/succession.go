package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Succession is the body of the first entry that a new log adds to what it took over from another, which may not sign any more.
// The entries before it are those that the old log's ledger still had.
type Succession struct {
	Kind        ledger.Kind `json:"kind"`
	Origin      string      `json:"origin"` // of the new log
	Keys        []string    `json:"keys"`
	Predecessor Predecessor `json:"predecessor"`
}

// Predecessor is the log that ended, and the last that it signed, as far as is known.
type Predecessor struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	// Checkpoint is the signed text, where somebody still had it.
	Checkpoint string   `json:"checkpoint,omitzero"`
	Keys       []string `json:"keys,omitempty"` // verifier keys, where the log's key is still there
	Kept       int64    `json:"kept"`           // entries taken over
}

// Predecessor is what is known here of this log, for a log that is to succeed it.
func (l *Log) Predecessor(ctx context.Context) (Predecessor, error) {
	recorded, err := l.Record.Load(ctx)
	if err != nil {
		return Predecessor{}, err
	}
	p := Predecessor{}
	signed, err := l.Store.Meta(ctx, checkpointKey)
	if err != nil {
		return p, err
	}
	body := string(recorded)
	if body == "" { // the record is lost, too: then what the store knows is all there is
		body, _, _ = strings.Cut(string(signed), "\n\n")
		body += "\n"
	}
	c, err := ledger.ParseBody(body)
	if err != nil {
		return p, fmt.Errorf("neither %s nor the ledger says what the log signed last: %w", l.Record, err)
	}
	p = Predecessor{Origin: c.Origin, Size: c.Size, Root: c.Root.String()}
	if strings.HasPrefix(string(signed), body+"\n") {
		p.Checkpoint = string(signed)
	}
	return p, nil
}

const successionName = "https://tidewaiter.org/log-succession"

// successions lists the logs that succeeded others in this ledger, in order.
func (l *Log) successions(ctx context.Context) ([]Succession, error) {
	entries, err := l.named(ctx, successionName, ledger.KindSuccession)
	if err != nil {
		return nil, err
	}
	var all []Succession
	for _, e := range entries {
		var s Succession
		if err := json.Unmarshal(e.Body, &s, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("entry %d, by which a log succeeds another: %w", e.Seq, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// mayStillSign refuses a log that another one succeeded.
func (l *Log) mayStillSign(ctx context.Context) error {
	all, err := l.successions(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Predecessor.Origin == l.Signer.Origin() {
			return fmt.Errorf("the log %s has ended, and %s goes on in its place: sign with that one's key", l.Signer.Origin(), s.Origin)
		}
	}
	return nil
}

// Succeed begins the new log whose key next is, in the ledger of one that may not sign any more. old says what is known of that
// one. Where the entry is there and this did not return, Replaced says so.
func (l *Log) Succeed(ctx context.Context, old Predecessor, next *ledger.Signer, now time.Time) error {
	if next.Origin() == old.Origin {
		return fmt.Errorf("the new log needs another origin than %s: two histories of one name could not be told apart", old.Origin)
	}
	head, err := l.Store.Head(ctx)
	if err != nil {
		return err
	}
	old.Kept = head.Size
	s := Succession{Kind: ledger.KindSuccession, Origin: next.Origin(), Keys: next.VerifierKeys(), Predecessor: old}
	err = l.tell(ctx, successionName, s.Kind, s, now, func(tx store.Appender) error {
		if tx.Head().Size != head.Size+1 {
			return errors.New("somebody else is writing to this ledger; end that first")
		}
		for _, name := range []string{checkpointKey, recordedKey, publishedKey} { // they are the old log's
			if err := tx.SetMeta(name, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("begin a new log: %w", err)
	}
	return nil
}

// maySucceed lets a log begin where the record is still that of another, when its ledger says that it succeeds that one.
func (l *Log) maySucceed(ctx context.Context, recorded ledger.Checkpoint) error {
	all, err := l.successions(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if p := s.Predecessor; s.Origin == l.Signer.Origin() && p.Origin == recorded.Origin && p.Size == recorded.Size && p.Root == recorded.Root.String() {
			return nil
		}
	}
	return fmt.Errorf("%s is the record of another log's last checkpoint, %s, and this log is %s: name this log's own with --checkpoint-record",
		l.Record, recorded.Origin, l.Signer.Origin())
}
