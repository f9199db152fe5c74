package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

// The problem types of the EPCIS 2.0 REST binding.
const (
	typeValidation     = "epcisException:ValidationException"
	typeParameter      = "epcisException:QueryParameterException"
	typeSecurity       = "epcisException:SecurityException"
	typeNoSuch         = "epcisException:NoSuchResourceException"
	typeNotAcceptable  = "epcisException:NotAcceptableException"
	typeExists         = "epcisException:ResourceAlreadyExistsException"
	typeLimit          = "epcisException:CaptureLimitExceededException"
	typeMediaType      = "epcisException:UnsupportedMediaTypeException"
	typeImplementation = "epcisException:ImplementationException"
)

// problem is why a request was not done, as its caller learns it (RFC 9457).
type problem struct {
	Type    string   `json:"type"`
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail,omitzero"`
	Rejects []reject `json:"errors,omitempty"`

	after time.Duration // when to try again; 0: nothing is said
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// reject is one event, or one element of master data, that was not kept: a problem of its own, with the place.
type reject struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Kind    string `json:"kind"`  // event or masterData
	Index   int    `json:"index"` // among those of its kind, from 0
	EventID string `json:"eventID,omitzero"`
	Pointer string `json:"pointer"` // into the document (RFC 6901)
	Reason  string `json:"reason"`
}

func rejects(list []registry.Reject) []reject {
	out := []reject{}
	for _, r := range list {
		kind := "event"
		if r.Kind == epcis.ItemMasterData {
			kind = "masterData"
		}
		out = append(out, reject{
			Type: typeValidation, Title: "Not valid", Status: http.StatusBadRequest, Detail: fmt.Sprintf("%s %d: %s %s", kind, r.Index+1, r.Pointer, r.Reason),
			Kind: kind, Index: r.Index, EventID: r.EventID, Pointer: r.Pointer, Reason: r.Reason,
		})
	}
	return out
}

func unauthorised(detail string) *problem {
	return &problem{Type: typeSecurity, Title: "Who asks is not known", Status: http.StatusUnauthorized, Detail: detail}
}

func notFound(detail string) *problem {
	return &problem{Type: typeNoSuch, Title: "Not found", Status: http.StatusNotFound, Detail: detail}
}

func invalid(format string, args ...any) *problem {
	return &problem{Type: typeValidation, Title: "Not valid", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

func busy(status int, detail string, after time.Duration) *problem {
	return &problem{Type: typeImplementation, Title: "Try again later", Status: status, Detail: detail, after: after}
}

// unavailable are the store's errors that pass, with what the caller learns of them.
var unavailable = []struct {
	err    error
	detail string
}{
	{store.ErrBusy, "the store is busy; nothing was kept"},
	{store.ErrUnreachable, "the store cannot be reached; nothing was kept"},
	{store.ErrFull, "the store has no room left; nothing was kept"},
	{store.ErrReadOnly, "the store may only be read; nothing was kept"},
	{store.ErrUnknown, "it is not known whether this was kept: send it again, what was kept is recognised"},
	{registry.ErrFork, "this log may not sign, and keeps nothing until its operator has looked after it"},
}

// keptError is an error that came after something was kept: nobody may be told that nothing was.
type keptError struct{ err error }

func (e *keptError) Error() string { return "some of what was sent is kept: " + e.err.Error() }

func (e *keptError) Unwrap() error { return e.err }

// callersView is the problem as which a caller learns of an error, and nothing of what only its operator should read: paths, hosts.
func callersView(err error) *problem {
	p, _ := asProblem(err)
	return p
}

// asProblem says what a caller may know of an error.
func asProblem(err error) (p *problem, ours bool) {
	if k := (*keptError)(nil); errors.As(err, &k) {
		if p, ours = asProblem(k.err); ours {
			p.Detail = "some of what was sent is kept; send it again: what was kept is recognised"
		}
		return p, ours
	}
	if errors.As(err, &p) {
		return p, false
	}
	if s := (*ledger.StatementError)(nil); errors.As(err, &s) {
		return &problem{Type: typeValidation, Title: s.Title, Status: http.StatusBadRequest, Detail: s.Detail}, false
	}
	for _, u := range unavailable {
		if errors.Is(err, u.err) {
			return busy(http.StatusServiceUnavailable, u.detail, 2*time.Second), true
		}
	}
	return &problem{Type: typeImplementation, Title: "An error on our side", Status: http.StatusInternalServerError,
		Detail: "what was sent may be sent again: what was kept is recognised"}, true
}

// end writes the problem that an error is, if it is one.
func (a *API) end(r *request, err error) {
	if err == nil {
		return
	}
	p, ours := asProblem(err)
	if ours && (r.Context().Err() == nil || !errors.Is(err, context.Canceled)) { // else the caller hung up
		a.say(fmt.Errorf("%s %s: %w", r.Method, r.Pattern, err))
	}
	h := r.w.Header()
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="tidewaiter"`)
	}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(p.after.Seconds())))
	}
	if r.cbor {
		r.send(p.Status, "application/concise-problem-details+cbor", ledger.ConciseProblem(p.Title, p.Detail))
		return
	}
	_ = r.write(p.Status, "application/problem+json", p)
}

// write sends a JSON body.
func (r *request) write(status int, kind string, body any) error {
	text, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	r.send(status, kind, append(text, '\n'))
	return nil
}

// send sends a body.
func (r *request) send(status int, kind string, body []byte) {
	h := r.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	r.extend()
	r.w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write(body) // whoever hung up does not want to know
	}
}
