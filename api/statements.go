package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

// register takes in a signed statement (SCITT Reference APIs, "Register Signed Statement"), and answers with its receipt. The credential
// says who may send; who speaks is said by the statement's signature.
func (a *API) register(r *request) error {
	if err := errors.Join(r.sends(coseType), r.accepts(coseType, "application/cbor")); err != nil {
		return first(err)
	}
	body, err := a.body(r, ledger.MaxStatement)
	if err != nil {
		return err
	}
	leave, err := a.slots.take(r.who.Party, a.Captures)
	if err != nil {
		return err
	}
	defer leave()
	if err := a.Log.Check(r.Context()); err != nil { // nothing is kept that could not be signed
		return err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return cutOff(err, ledger.BadStatement)
	}
	seq, err := registry.Register(r.Context(), a.Store, text, a.Registry.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerTime)
	defer cancel()
	e, err := a.Store.Entry(ctx, seq)
	if err != nil {
		return &keptError{err}
	}
	if e.Erased != nil {
		return erased(e, http.StatusConflict)
	}
	receipt, err := a.receiptOf(ctx, e)
	if err != nil {
		return &keptError{fmt.Errorf("a receipt for entry %d: %w", seq, err)}
	}
	r.locate(seq)
	r.send(http.StatusCreated, coseType, receipt)
	return nil
}

// cutOff says of a body that could not be read to its end that it was that.
func cutOff(err error, title string) error {
	if p := (*problem)(nil); errors.As(err, &p) {
		return p
	}
	return &problem{Type: typeValidation, Title: title, Status: http.StatusBadRequest, Detail: "the body breaks off: nothing of it was kept"}
}

func (r *request) locate(seq int64) {
	r.w.Header().Set("Location", "/entries/"+strconv.FormatInt(seq, 10))
	r.w.Header().Set("Tidewaiter-Entry", strconv.FormatInt(seq, 10))
}

// receiptOf makes a statement's receipt. It carries the opening without the statement, which its bearer has: the leaf is salted, and
// nobody could compute it without.
func (a *API) receiptOf(ctx context.Context, e ledger.Entry) ([]byte, error) {
	p, err := a.prove(ctx, e.Seq)
	if err != nil {
		return nil, err
	}
	opening := ledger.Open(e).Redact()
	return a.Log.Receipt(ctx, p, &opening)
}

// statement finds the statement that the path names. Only its issuer, and those who may ask about everything, learn that it is there.
func (a *API) statement(r *request) (e ledger.Entry, s *ledger.Statement, err error) {
	if err := r.accepts(coseType, "application/cbor"); err != nil {
		return e, nil, err
	}
	none := &problem{Type: typeNoSuch, Title: "Not Found", Status: http.StatusNotFound, Detail: "no statement of yours has this entry id"}
	seq, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || seq < 0 {
		return e, nil, none
	}
	if e, err = a.Store.Entry(r.Context(), seq); err != nil && !errors.Is(err, store.ErrNotFound) {
		return e, nil, err
	}
	if err != nil || e.Kind != ledger.KindStatement || e.Speaker != r.who.Party && !r.who.May(registry.ScopeQuery) {
		return e, nil, none
	}
	if e.Erased != nil {
		return e, nil, erased(e, http.StatusGone)
	}
	s, err = ledger.ParseStatement(e.Body)
	return e, s, err
}

// erased says of a statement that nothing is left of it.
func erased(e ledger.Entry, status int) *problem {
	return &problem{Type: typeNoSuch, Title: "Erased", Status: status, Detail: fmt.Sprintf("the statement is entry %d, which was erased, as entry %d says", e.Seq, e.Erased.By)}
}

// statementReceipt gives a fresh receipt.
func (a *API) statementReceipt(r *request) error {
	e, _, err := a.statement(r)
	if err != nil {
		return err
	}
	receipt, err := a.receiptOf(r.Context(), e)
	if err != nil {
		return err
	}
	r.locate(e.Seq)
	r.send(http.StatusOK, coseType, receipt)
	return nil
}

// signedStatement gives the statement as it was registered.
func (a *API) signedStatement(r *request) error {
	_, s, err := a.statement(r)
	if err != nil {
		return err
	}
	r.send(http.StatusOK, coseType, s.Bytes())
	return nil
}

// transparentStatement gives the statement with a receipt in it.
func (a *API) transparentStatement(r *request) error {
	e, s, err := a.statement(r)
	if err != nil {
		return err
	}
	receipt, err := a.receiptOf(r.Context(), e)
	if err != nil {
		return err
	}
	r.send(http.StatusOK, coseType, s.Transparent(receipt))
	return nil
}
