package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

const (
	proofType = "text/plain; charset=utf-8"
	coseType  = "application/cose"
)

// prove makes the proof of an entry, under a new checkpoint if there is none that covers it.
func (a *API) prove(ctx context.Context, seq int64) (ledger.Proof, error) {
	checkpoint, err := a.Log.Over(ctx, seq)
	if err != nil {
		return ledger.Proof{}, err
	}
	return a.proveUnder(ctx, seq, checkpoint)
}

func (a *API) proveUnder(ctx context.Context, seq int64, checkpoint []byte) (ledger.Proof, error) {
	keys, err := a.Log.Keys(ctx)
	if err != nil {
		return ledger.Proof{}, err
	}
	return ledger.Prove(a.Store.HashReader(ctx), seq, checkpoint, keys)
}

// proof gives the proof that an entry is in the log, as C2SP tlog-proof or as COSE Receipt. It says nothing of what the entry holds, and
// so everybody may have it who may see the log: under the published checkpoint. For those who may capture one is signed at once.
func (a *API) proof(r *request) error {
	if err := r.accepts("text/plain", coseType, "application/problem+json"); err != nil {
		return err
	}
	p, err := a.proofFor(r)
	if err != nil {
		return err
	}
	if r.accepts("text/plain") == nil {
		r.send(http.StatusOK, proofType, p.Text())
		return nil
	}
	receipt, err := a.Log.Receipt(r.Context(), p, nil)
	if err != nil {
		return err
	}
	r.send(http.StatusOK, coseType, receipt)
	return nil
}

// proofFor proves the entry that the path names.
func (a *API) proofFor(r *request) (p ledger.Proof, err error) {
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil || seq < 0 {
		return p, notFound("an entry is named by its number")
	}
	e, err := a.Store.Entry(r.Context(), seq)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return p, notFound(fmt.Sprintf("the ledger has no entry %d", seq))
	case err != nil:
		return p, err
	case e.Erased != nil:
		return p, &problem{Type: typeNoSuch, Title: "Erased", Status: http.StatusGone, Detail: fmt.Sprintf("entry %d was erased: nothing is left to prove but that it was there", seq)}
	}
	if r.who.May(registry.ScopeCapture) {
		return a.prove(r.Context(), seq)
	}
	checkpoint, err := a.Log.Published(r.Context())
	if err != nil {
		return p, err
	}
	keys, err := a.Log.Keys(r.Context())
	if err != nil {
		return p, err
	}
	if c, err := ledger.ParseCheckpoint(checkpoint, keys); checkpoint == nil || err == nil && seq >= c.Size {
		return p, &problem{Type: typeNoSuch, Title: "Not published yet", Status: http.StatusNotFound, Detail: "no published checkpoint covers this entry yet", after: 5 * time.Second}
	}
	return a.proveUnder(r.Context(), seq, checkpoint)
}

// oneEvent gives an event that the caller's party told, as an EPCISQueryDocument.
func (a *API) oneEvent(r *request) error {
	if err := errors.Join(r.speaksEPCIS(), r.accepts("application/json", "application/ld+json")); err != nil {
		return first(err)
	}
	name := r.PathValue("eventID")
	seqs, err := a.Store.Named(r.Context(), name)
	if err != nil {
		return err
	}
	for i := len(seqs) - 1; i >= 0; i-- {
		e, err := a.Store.Entry(r.Context(), seqs[i])
		if err != nil {
			return err
		}
		if e.Kind == ledger.KindEvent && e.Speaker == r.who.Party && e.Erased == nil {
			r.w.Header().Set("Tidewaiter-Entry", strconv.FormatInt(e.Seq, 10))
			return r.write(http.StatusOK, "application/json", queryDocument(e))
		}
	}
	return notFound("you told no event with this id")
}

// defaultContext reads an event that came without one.
const defaultContext = `"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"`

// queryDocument wraps one event in the document in which EPCIS answers.
func queryDocument(e ledger.Entry) map[string]any {
	context := jsontext.Value(defaultContext)
	if len(e.Context) > 0 {
		context = jsontext.Value(e.Context)
	}
	return map[string]any{
		"@context": context, "type": "EPCISQueryDocument", "schemaVersion": "2.0", "creationDate": stamp(e.Recorded),
		"epcisBody": map[string]any{"queryResults": map[string]any{
			"queryName": "SimpleEventQuery", "resultsBody": map[string]any{"eventList": []any{named(e)}},
		}},
	}
}

// named is the event as it came, with its name where it came without, and without the context, which is the document's now.
func named(e ledger.Entry) any {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(e.Body, &members); err != nil {
		return jsontext.Value(e.Body)
	}
	delete(members, "@context")
	if members["eventID"] == nil {
		if id, err := jsontext.AppendQuote(nil, e.Name); err == nil {
			members["eventID"] = id
		}
	}
	if at, err := jsontext.AppendQuote(nil, stamp(e.Recorded)); err == nil {
		members["recordTime"] = at
	}
	return members
}
