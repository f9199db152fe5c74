package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// healthy says that the process is alive.
func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n")) // whoever hung up does not want to know
}

// readiness is what /readyz says: where the ledger is, and how far what follows it is behind.
type readiness struct {
	Ready     bool   `json:"ready"`
	Entries   int64  `json:"entries"`
	Published int64  `json:"published"` // entries that the published checkpoint covers
	Views     []lag  `json:"views"`
	Reason    string `json:"reason,omitzero"`
}

type lag struct {
	View   string `json:"view"`
	Behind int64  `json:"behind"` // entries
}

// patience is how long the store may take to answer somebody who asks whether it does.
const patience = 2 * time.Second

// ready says whether requests make sense. A view that is behind does not keep a node from capturing, and is told.
func (a *API) ready(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, w: w}
	r.begin()
	ctx, cancel := context.WithTimeout(hr.Context(), patience)
	defer cancel()
	state, err := a.readiness(ctx)
	if err != nil {
		state.Reason = "the store does not answer"
		a.say(err)
	} else if err := a.Log.Check(ctx); err != nil {
		state.Reason = "the log may not sign, so nothing is captured"
	}
	status := http.StatusOK
	if state.Ready = state.Reason == ""; !state.Ready {
		status = http.StatusServiceUnavailable
	}
	a.end(r, r.write(status, "application/json", state))
}

func (a *API) readiness(ctx context.Context) (state readiness, err error) {
	state.Views = []lag{}
	for _, name := range a.Views { // before the head, which only grows
		at, err := a.Store.Cursor(ctx, name)
		if err != nil {
			return state, err
		}
		state.Views = append(state.Views, lag{name, at})
	}
	head, err := a.Store.Head(ctx)
	if err != nil {
		return state, err
	}
	state.Entries = head.Size
	for i := range state.Views {
		state.Views[i].Behind = head.Size - state.Views[i].Behind
	}
	text, err := a.Log.Published(ctx)
	if err != nil || text == nil {
		return state, err
	}
	keys, err := a.Log.Keys(ctx)
	if err != nil {
		return state, err
	}
	if c, err := ledger.ParseCheckpoint(text, keys); err == nil {
		state.Published = c.Size
	}
	return state, nil
}
