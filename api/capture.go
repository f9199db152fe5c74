package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
)

// The media types of a document.
var documentTypes = []string{"application/json", "application/ld+json"}

// receiptHeader asks for receipts with the answer: its value is tlog-proof. They cost a signature.
const receiptHeader = "Tidewaiter-Receipt"

// captured is one capture, from the request to the answer.
type captured struct {
	job    registry.Job
	spans  []span
	gone   string // of an event that was sent again and had been erased: what is left to say
	result registry.Result
	err    error
}

// span is entries that were kept together: the first, the last and those between.
type span struct{ first, last int64 }

// take captures what a request brings. The error is about the request as a whole; what became of the document is in the capture.
func (a *API) take(r *request, o registry.Options, most int64) (*captured, error) {
	if err := errors.Join(r.speaksEPCIS(), r.sends(documentTypes...), r.accepts("application/json", "application/ld+json", "application/problem+json")); err != nil {
		return nil, first(err)
	}
	if kind := r.Header.Get(receiptHeader); kind != "" && kind != "tlog-proof" {
		return nil, invalid("%s: the kind of receipt that can be had with the answer is tlog-proof", receiptHeader)
	}
	body, err := a.body(r, most)
	if err != nil {
		return nil, err
	}
	leave, err := a.slots.take(r.who.Party, a.Captures)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := a.Log.Check(r.Context()); err != nil { // nothing is kept that could not be signed
		return nil, err
	}
	c := &captured{}
	if c.job, err = registry.NewJob(r.who.Party, a.Registry.Now()); err != nil {
		return nil, err
	}
	c.job.Proceed = o.Proceed
	o.Name, o.As, o.Discreet, o.SpoolDir, o.MaxEventBytes = "the document", r.who.Party, true, a.SpoolDir, a.MaxEvent
	o.Reject = c.job.KeepReject
	o.Gone = func(g registry.Reject) { c.gone, c.job.Erased = g.Reason, c.job.Erased+1 }
	o.Kept = func(first, last int64) { c.spans = append(c.spans, span{first, last}) }
	c.result, c.err = a.Registry.Capture(r.Context(), body, o)
	c.job.Result, c.job.Finished = c.result, a.Registry.Now().UTC()
	c.job.Erased = min(c.job.Erased, c.result.Duplicates) // none when all was taken back
	if body.failed != nil {
		c.err = cutOff(body.failed, "Not valid")
	}
	return c, nil
}

// first is the first of joined errors.
func first(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()[0]
	}
	return err
}

// capture takes in a document (EPCIS 2.0 §12.6.1, POST /capture). It answers when what was accepted is durable.
func (a *API) capture(r *request) error {
	o := registry.Options{}
	switch behaviour := r.Header.Get("GS1-Capture-Error-Behaviour"); behaviour {
	case "", "rollback":
	case "proceed":
		o.Proceed = true
	default:
		return invalid("GS1-Capture-Error-Behaviour is rollback or proceed, and not %.40q", behaviour)
	}
	c, err := a.take(r, o, a.MaxDocument)
	if err != nil {
		return err
	}
	rejected := errors.Is(c.err, registry.ErrRejected) || c.err == nil && c.result.Rejected > 0
	if c.err != nil && !rejected && c.result.Accepted == 0 {
		return refused(c.err)
	}
	if c.err != nil {
		c.job.Failure = callersView(c.failure()).Error()
	}
	// What is there is there, whether the caller still listens or not: the job says so to whoever asks later.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime)
	defer cancel()
	if err := (registry.Jobs{Store: a.Store}).Keep(ctx, c.job); err != nil {
		return c.partly(err)
	}
	r.w.Header().Set("Location", "/epcis/capture/"+c.job.ID)
	if c.err != nil {
		return c.failure()
	}
	receipts, err := a.receipts(ctx, r, c.spans)
	if err != nil {
		return c.partly(err)
	}
	return r.write(http.StatusAccepted, "application/json", jobBody(c.job, receipts))
}

// refused says why nothing of a document was taken, as its sender learns it.
func refused(err error) error {
	var fault *registry.DocumentError
	if p := (*problem)(nil); errors.As(err, &p) {
		return p
	}
	if errors.As(err, &fault) {
		return invalid("%v", fault)
	}
	return err
}

// partly is an error that came when something of the document may have been kept.
func (c *captured) partly(err error) error {
	if c.result.Accepted == 0 {
		return err
	}
	return &keptError{err}
}

// failure is why a document was not kept, or not all of it.
func (c *captured) failure() error {
	if !errors.Is(c.err, registry.ErrRejected) {
		return c.partly(refused(c.err))
	}
	n := c.result.Rejected
	return &problem{Type: typeValidation, Title: "Not valid", Status: http.StatusBadRequest, Rejects: rejects(c.job.Rejects),
		Detail: fmt.Sprintf("%d of what it holds is not valid, as listed, and nothing of the document was kept; GS1-Capture-Error-Behaviour: proceed keeps the rest", n)}
}

// event takes in one event (EPCIS 2.0 §12.6.2, POST /events).
func (a *API) event(r *request) error {
	c, err := a.take(r, registry.Options{OneEvent: true}, a.MaxEvent+1<<16)
	switch {
	case err != nil:
		return err
	case c.err == nil && c.result.Accepted == 1:
		return a.created(r, c)
	case c.err == nil && c.gone != "":
		return &problem{Type: typeExists, Title: "Erased", Status: http.StatusConflict, Detail: "the event " + c.gone}
	case c.err == nil && c.result.DuplicateOf != nil:
		r.locateEvent(c.result.Name)
		return &problem{Type: typeExists, Title: "Kept already", Status: http.StatusConflict,
			Detail: fmt.Sprintf("entry %d says the same: nothing is lost, and nothing was added", *c.result.DuplicateOf)}
	case errors.Is(c.err, registry.ErrRejected) && len(c.job.Rejects) == 1:
		return a.badEvent(r.Context(), c.job.Rejects[0])
	case c.err == nil:
		return invalid("there is no event in it")
	}
	return refused(c.err)
}

// badEvent is the problem of an event that was refused: it is not valid, or its id is another's.
func (a *API) badEvent(ctx context.Context, bad registry.Reject) error {
	p := &problem{Type: typeValidation, Title: "Not valid", Status: http.StatusBadRequest, Detail: bad.Pointer + " " + bad.Reason, Rejects: rejects([]registry.Reject{bad})}
	if bad.Pointer != "/eventID" || bad.EventID == "" {
		return p
	}
	taken, err := a.Store.Named(ctx, bad.EventID)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		p.Type, p.Title, p.Status = typeExists, "The event id is taken", http.StatusConflict
	}
	return p
}

// longestPath is what proxies and clients take of a header without complaint. A longer one could cost the caller the answer.
const longestPath = 2000

// locateEvent says where an event can be looked up, unless its name is too long for that.
func (r *request) locateEvent(name string) {
	if path := "/epcis/events/" + url.PathEscape(name); len(path) <= longestPath {
		r.w.Header().Set("Location", path)
	}
}

// created answers for an event that is kept now.
func (a *API) created(r *request, c *captured) error {
	seq := *c.result.FirstSeq
	h := r.w.Header()
	r.locateEvent(c.result.Name)
	h.Set("Tidewaiter-Entry", strconv.FormatInt(seq, 10))
	if r.Header.Get(receiptHeader) == "" {
		r.extend()
		r.w.WriteHeader(http.StatusCreated)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime)
	defer cancel()
	proof, err := a.prove(ctx, seq)
	if err != nil { // the event is kept, and that is what is answered
		a.say(fmt.Errorf("a receipt for entry %d: %w", seq, err))
		h.Set(receiptHeader, "none")
		r.w.WriteHeader(http.StatusCreated)
		return nil
	}
	h.Set(receiptHeader, "tlog-proof")
	r.send(http.StatusCreated, proofType, proof.Text())
	return nil
}

// mostReceipts come with one answer. The others can be had one by one.
const mostReceipts = 1000

// receiptBody is a receipt that came with the answer.
type receiptBody struct {
	Entry int64  `json:"entry"`
	Proof string `json:"proof"` // C2SP tlog-proof
}

// receipts makes those that were asked for. None is no failure: what is kept is kept, and they can be had later.
func (a *API) receipts(ctx context.Context, r *request, spans []span) (list []receiptBody, err error) {
	if r.Header.Get(receiptHeader) == "" || len(spans) == 0 {
		return nil, nil
	}
	checkpoint, err := a.Log.Over(ctx, spans[len(spans)-1].last)
	if err != nil {
		a.say(fmt.Errorf("receipts for a document: %w", err))
		r.w.Header().Set(receiptHeader, "none")
		return nil, nil
	}
	for _, s := range spans {
		for seq := s.first; seq <= s.last && len(list) < mostReceipts; seq++ {
			proof, err := a.proveUnder(ctx, seq, checkpoint)
			if err != nil {
				return nil, err
			}
			list = append(list, receiptBody{seq, string(proof.Text())})
		}
	}
	r.w.Header().Set(receiptHeader, "tlog-proof")
	return list, nil
}

func (a *API) say(err error) {
	if a.Failed != nil {
		a.Failed(err)
	}
}

// stamp is a time as EPCIS writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
