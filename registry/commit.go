package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// committer turns the items of one document into entries.
type committer struct {
	store   store.Ledger
	spool   *spool
	opts    Options
	now     func() time.Time
	ctx     *epcis.Context
	rawCtx  jsontext.Value
	dir     *overlay
	first   time.Time // record time of the document's first event, where it is trusted
	erased  bool      // something in this ledger was erased
	total   int64
	done    int64
	result  Result
	history bool
}

func (r *Registry) newCommitter(sp *spool, dec *epcis.Decoder, o Options) (*committer, error) {
	ec, err := epcis.ParseContext(dec.Context())
	if err != nil {
		return nil, &DocumentError{err}
	}
	c := &committer{
		store: r.Store, spool: sp, opts: o, now: r.Now, ctx: ec, rawCtx: dec.Context(),
		dir: &overlay{under: r.Directory, told: map[string]*custody.Element{}}, total: sp.events.count + sp.master.count,
	}
	if !o.TrustRecordTime {
		return c, nil
	}
	return c, c.findFirst(dec)
}

// findFirst gives master data the time of the first event that came with it: elements have no record time of their own.
func (c *committer) findFirst(dec *epcis.Decoder) error {
	c.first = dec.Header().CreationDate
	err := c.spool.events.each(epcis.ItemEvent, func(it epcis.Item) error {
		if it.Err != nil {
			return nil //nolint:nilerr // it is named when the events are taken
		}
		if ev, err := epcis.ParseEvent(it.Raw, c.ctx); err == nil && !ev.RecordTime.IsZero() {
			c.first = ev.RecordTime
			return io.EOF
		}
		return nil
	})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (c *committer) each(ctx context.Context, fn func(epcis.Item) error) error {
	step := func(it epcis.Item) error {
		if c.done++; c.done%256 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if c.opts.Progress != nil {
				c.opts.Progress(c.done, c.total)
			}
		}
		return fn(it)
	}
	if err := c.spool.master.each(epcis.ItemMasterData, step); err != nil {
		return err
	}
	return c.spool.events.each(epcis.ItemEvent, step)
}

// historyKey marks a ledger whose recorded times come from documents.
const historyKey = "history"

// begin checks that history and live capture are not mixed.
func (c *committer) begin(tx store.Appender) error {
	mark, err := tx.Meta(historyKey)
	if err != nil {
		return err
	}
	c.history = mark != nil
	gone, err := tx.Meta(erasedKey)
	if err != nil {
		return err
	}
	c.erased = gone != nil
	switch {
	case c.opts.TrustRecordTime == c.history:
		return nil
	case c.history:
		return errors.New("this ledger was begun for history, with recorded times taken from documents; live capture needs a ledger of its own (--data DIR), more history needs --trust-record-time")
	case tx.Head().Size > 0:
		return errors.New("--trust-record-time is only for a ledger begun for history: this one already holds live entries; use an empty one (--data DIR)")
	}
	return tx.SetMeta(historyKey, []byte("1"))
}

// take appends one item, or counts it as duplicate or rejected. An error is a failure of the store.
func (c *committer) take(tx store.Appender, p *prepared) error {
	bad := p.bad
	var err error
	switch {
	case bad != nil:
	case p.el != nil:
		err = c.takeElement(tx, p)
	default:
		bad, err = c.takeEvent(tx, p)
	}
	if err != nil || bad == nil {
		return err
	}
	c.result.Rejected++
	if c.opts.Reject != nil {
		c.opts.Reject(Reject{Document: c.opts.Name, Kind: p.it.Kind, Index: p.it.Index, EventID: p.id, Pointer: p.it.Pointer + bad.Pointer, Reason: bad.Reason})
	}
	return nil
}

func (c *committer) takeEvent(tx store.Appender, p *prepared) (bad *epcis.Error, err error) {
	recorded, bad := c.recorded(tx, p.ev)
	if bad != nil {
		return bad, nil
	}
	if seq, dup, err := tx.Seen(p.key); err != nil {
		return nil, err
	} else if dup {
		c.duplicate(p, seq)
		return nil, c.sayErased(tx, p, seq)
	}
	dup, bad, err := c.compareNamed(tx, p)
	if err != nil || bad != nil {
		return bad, err
	}
	if dup {
		c.duplicate(p, p.twin)
		return nil, nil
	}
	c.result.Name = p.name
	e := ledger.Entry{Kind: ledger.KindEvent, Recorded: recorded, Trusted: c.opts.TrustRecordTime, Speaker: p.speaker, Name: p.name, Context: c.rawCtx, Body: p.it.Raw}
	return nil, c.append(tx, e, p.key)
}

// duplicate counts an event that an entry holds already.
func (c *committer) duplicate(p *prepared, seq int64) {
	c.result.Duplicates++
	c.result.Name, c.result.DuplicateOf = p.name, &seq
}

// identify names an event, by its own id or the CBV event hash, and digests its content.
func (c *committer) identify(ev *epcis.Event) (name string, digest [32]byte, err error) {
	digest, err = epcis.Digest(ev, c.ctx)
	if err != nil {
		return "", digest, err
	}
	if ev.ID != "" {
		return ev.ID, digest, nil
	}
	name, err = epcis.Hash(ev, c.ctx)
	return name, digest, err
}

// compareNamed looks at the entries that have the same name. The same content is a duplicate, unless it was said by another voice.
// Other content under the same event id is refused, except where an error declaration makes the difference; under a computed name
// it is an event of its own (the CBV hash does not tell all events apart).
func (c *committer) compareNamed(tx store.Appender, p *prepared) (dup bool, bad *epcis.Error, err error) {
	ev, name, digest := p.ev, p.name, p.digest
	seqs, err := tx.Named(name)
	if err != nil {
		return false, nil, err
	}
	for _, seq := range seqs {
		p.twin = seq
		old, err := tx.Entry(seq)
		if err != nil {
			return false, nil, err
		}
		if old.Kind != ledger.KindEvent {
			continue
		}
		if old.Erased != nil {
			if dup, bad, err := c.compareErased(tx, p, old); dup || bad != nil || err != nil {
				return dup, bad, err
			}
			continue
		}
		t, err := custody.Read(old)
		if err != nil {
			return false, nil, err
		}
		oldCtx, err := epcis.ParseContext(old.Context)
		if err != nil {
			return false, nil, err
		}
		oldDigest, err := epcis.Digest(t.Event, oldCtx)
		if err != nil {
			return false, nil, err
		}
		switch {
		case oldDigest == digest:
			if c.opts.As == "" && c.onceImplied(old.Speaker, ev) {
				return true, nil, nil
			}
		case ev.ID == "" || ev.ErrorDeclaration != nil || t.Event.ErrorDeclaration != nil:
		default:
			return false, &epcis.Error{Pointer: "/eventID", Reason: fmt.Sprintf(
				"the event id %s is taken by entry %d, told by %s, with other content; give this event its own id, or declare the other erroneous", name, seq, c.toldBy(old))}, nil
		}
	}
	return false, nil, nil
}

// toldBy names who told an entry, if the one who asks may know.
func (c *committer) toldBy(e ledger.Entry) string {
	if c.opts.Discreet && e.Speaker != c.opts.As {
		return "somebody else"
	}
	return e.Speaker
}

// onceImplied says whether an event may have implied this speaker at some time. Master data that says who operates a place comes
// and changes, and then the same document, sent again, implies another speaker; the parties that an event names itself stay.
// Whoever else said the same before is another voice, and does not silence the one that the event implies.
func (c *committer) onceImplied(speaker string, ev *epcis.Event) bool {
	if custody.Implied(&overlay{}, &custody.Telling{Event: ev}) != custody.Registrar {
		return false // then it has one speaker always, whose telling the key has found
	}
	if speaker == custody.Registrar {
		return true
	}
	for _, place := range []string{ev.BizLocation, ev.ReadPoint, ev.ParentID} {
		site := custody.Site(c.dir, place)
		if site != nil && slices.ContainsFunc(site.Versions, func(v custody.Version) bool {
			return custody.Canonical(v.Attrs["tw:operator"]) == speaker
		}) {
			return true
		}
	}
	return false
}

// recorded is when we knew: now, or in a ledger begun for history what the document says; never before the entry before.
func (c *committer) recorded(tx store.Appender, ev *epcis.Event) (time.Time, *epcis.Error) {
	t := c.now()
	if c.opts.TrustRecordTime {
		if ev.RecordTime.IsZero() {
			return t, &epcis.Error{Pointer: "/recordTime", Reason: "is missing; --trust-record-time needs one on every event"}
		}
		if ev.RecordTime.After(t.Add(24 * time.Hour)) {
			return t, &epcis.Error{Pointer: "/recordTime", Reason: "lies in the future; nothing can have been recorded then"}
		}
		t = ev.RecordTime
	}
	return notBefore(tx, t), nil
}

func notBefore(tx store.Appender, t time.Time) time.Time {
	if h := tx.Head(); h.Size > 0 && t.UnixMicro() < h.Recorded {
		return time.UnixMicro(h.Recorded).UTC()
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func (c *committer) takeElement(tx store.Appender, p *prepared) error {
	seqs, err := tx.Named(p.name)
	if err != nil {
		return err
	}
	if gone, err := c.toldAndErased(tx, p, seqs); gone || err != nil {
		return err
	}
	if n := len(seqs); n > 0 {
		last, err := tx.Entry(seqs[n-1])
		if err != nil {
			return err
		}
		if last.Kind == ledger.KindMasterData && last.Speaker == p.speaker && string(last.Body) == string(p.body) {
			c.result.Duplicates++
			return nil
		}
	}
	t := c.now()
	if c.opts.TrustRecordTime && !c.first.IsZero() && c.first.Before(t) {
		t = c.first
	}
	e := ledger.Entry{Kind: ledger.KindMasterData, Recorded: notBefore(tx, t), Trusted: c.opts.TrustRecordTime, Speaker: p.speaker, Name: p.name, Context: c.rawCtx, Body: p.body}
	c.dir.tell(e, p.el)
	return c.append(tx, e, elementKey(p.speaker, p.body, len(seqs)))
}

func (c *committer) append(tx store.Appender, e ledger.Entry, key store.Key) error {
	seq, err := tx.Append(e, key)
	if err != nil {
		return err
	}
	if c.result.FirstSeq == nil {
		c.result.FirstSeq = &seq
	}
	c.result.LastSeq = &seq
	c.result.Accepted++
	if e.Kind == ledger.KindEvent {
		c.result.Events++
	}
	return nil
}

func keyOf(kind, speaker string, content []byte) store.Key {
	h := sha256.New()
	fmt.Fprintf(h, "tidewaiter/key/v1\x00%s\x00%d\x00%s\x00", kind, len(speaker), speaker)
	h.Write(content)
	return store.Key(h.Sum(nil))
}

// idOf finds the id of an event that could not be read, so that the reject can name it.
func idOf(raw jsontext.Value) string {
	var probe struct {
		ID string `json:"eventID"`
	}
	if unmarshalLoose(raw, &probe) != nil {
		return ""
	}
	return probe.ID
}
