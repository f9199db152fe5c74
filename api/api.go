// Package api is the way in and out over HTTP: the EPCIS 2.0 REST binding's capture interface, Tidewaiter's own calls under /v1, SCITT
// registration, and what an operator's probes ask.
//
// No rules live here. It reads requests and writes answers: who may speak is registry's part, and so is what may be captured. It knows
// no database and no command line; what it needs beyond the registry it is given as functions. The one thing that it decides is
// how much of the machine a caller may use: how large, how slow, how many at once.
package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

// API answers requests. Its fields are set before Handler is called, and not changed then.
type API struct {
	Registry    *registry.Registry
	Store       store.Store
	Credentials *registry.Credentials
	Log         Log
	SpoolDir    string        // where documents are put aside while they are read
	MaxDocument int64         // bytes of a document, unpacked
	MaxEvent    int64         // bytes of an event
	Captures    int           // at one time; of one party half as many
	Grace       time.Duration // how long a request's body may take before it must come at MinRate
	Failed      func(error)   // told what went wrong here, of which the caller learns no more than that
	Views       []string      // whose lag readiness tells

	slots slots
}

// Log is what the API needs of the log that signs.
type Log interface {
	// Check says why nothing may be captured: the log could not sign it.
	Check(ctx context.Context) error
	// Over is a signed checkpoint that covers an entry, signed now if there is none yet.
	Over(ctx context.Context, seq int64) ([]byte, error)
	// Published is the last checkpoint that everybody may see, or nil.
	Published(ctx context.Context) ([]byte, error)
	Keys(ctx context.Context) (*ledger.Keys, error)
	// Receipt makes the COSE Receipt of a proof, with the entry's opening if there is one.
	Receipt(ctx context.Context, p ledger.Proof, o *ledger.Opening) ([]byte, error)
}

// request is a request by somebody who is known.
type request struct {
	*http.Request
	w    http.ResponseWriter
	who  registry.Credential
	cbor bool // problems are written in CBOR, as SCITT Reference APIs wants it
}

// handler answers a request, or gives the error with which it is answered.
type handler func(r *request) error

// resource is what there is at a path: a handler for each method, and the scopes of which one is asked for.
type resource struct {
	methods map[string]handler
	scopes  []registry.Scope
	options http.Header // beside those of every answer
	scitt   bool        // of SCITT Reference APIs
}

// Handler serves all paths of the API. Everything beneath /epcis/ and /v1/ wants a credential, but for what everybody may see.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	told := []registry.Scope{registry.ScopeCapture}
	read := []registry.Scope{registry.ScopeCapture, registry.ScopeQuery}
	for path, res := range map[string]resource{
		"/epcis/capture":               {methods: map[string]handler{"POST": a.capture, "GET": a.listJobs}, scopes: told, options: a.limits()},
		"/epcis/capture/{id}":          {methods: map[string]handler{"GET": a.job}, scopes: told},
		"/epcis/events":                {methods: map[string]handler{"POST": a.event}, scopes: told, options: a.limits()},
		"/epcis/events/{eventID}":      {methods: map[string]handler{"GET": a.oneEvent}, scopes: read},
		"/epcis/":                      {},
		"/v1/":                         {},
		"/entries":                     {methods: map[string]handler{"POST": a.register}, scopes: told, scitt: true},
		"/entries/{id}":                {methods: map[string]handler{"GET": a.statementReceipt}, scopes: read, scitt: true},
		"/signed-statements/{id}":      {methods: map[string]handler{"GET": a.signedStatement}, scopes: read, scitt: true},
		"/transparent-statements/{id}": {methods: map[string]handler{"GET": a.transparentStatement}, scopes: read, scitt: true},
	} {
		mux.Handle(path, a.known(res))
	}
	mux.HandleFunc("GET /v1/entries/{seq}/proof", a.open(a.proof))
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", a.ready)
	return mux
}

// known answers those who show a credential that is good for the resource.
func (a *API) known(res resource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		r := &request{Request: hr, w: w, cbor: res.scitt}
		r.begin()
		err := a.admit(r, res.scopes)
		if err == nil {
			err = res.serve(r)
		}
		a.end(r, err)
	})
}

// open answers everybody. Who shows a credential is known by it, if it is good.
func (a *API) open(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, hr *http.Request) {
		r := &request{Request: hr, w: w}
		r.begin()
		if who, err := a.who(hr); err == nil {
			r.who = who
		}
		a.end(r, h(r))
	}
}

// who finds out who asks.
func (a *API) who(r *http.Request) (registry.Credential, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return registry.Credential{}, registry.ErrCredential
	}
	return a.Credentials.Check(r.Context(), strings.TrimSpace(token))
}

func (a *API) admit(r *request, scopes []registry.Scope) error {
	who, err := a.who(r.Request)
	switch {
	case errors.Is(err, registry.ErrCredential) && r.Header.Get("Authorization") == "":
		return unauthorised("this needs a credential: Authorization: Bearer TOKEN")
	case errors.Is(err, registry.ErrCredential):
		return unauthorised(err.Error())
	case err != nil:
		return err
	}
	r.who = who
	for _, s := range scopes {
		if who.May(s) {
			return nil
		}
	}
	if len(scopes) == 0 {
		return nil
	}
	return &problem{Type: typeSecurity, Title: "Not allowed", Status: http.StatusForbidden, Detail: "this credential may not do that"}
}

// serve finds the method's handler.
func (res resource) serve(r *request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h, ok := res.methods[method]
	switch {
	case ok:
		return h(r)
	case res.methods == nil:
		return notFound("there is nothing at " + r.URL.Path)
	}
	r.w.Header().Set("Allow", res.allow())
	if method != http.MethodOptions {
		return &problem{Type: typeImplementation, Title: "Method not allowed", Status: http.StatusMethodNotAllowed, Detail: "it takes " + res.allow()}
	}
	for name, values := range res.options {
		r.w.Header()[name] = values
	}
	r.discover()
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (res resource) allow() string {
	list := []string{"OPTIONS"}
	for _, m := range []string{"GET", "POST"} {
		if res.methods[m] != nil {
			list = append(list, m)
		}
	}
	return strings.Join(list, ", ")
}
