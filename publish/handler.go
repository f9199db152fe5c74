package publish

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// Handler serves the log beneath its prefix, which is to be stripped before: /checkpoint, /tile/<L>/<N>[.p/<W>] and
// /tile/entries/<N>[.p/<W>], the same bytes as Folder writes. Nothing beyond the published checkpoint is shown. failed, which
// may be nil, is told why a request could not be answered; the asker learns only that it was not.
func (l *Log) Handler(failed func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the log is read with GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		err := l.serve(w, r)
		switch {
		case err == nil:
		case errors.Is(err, errNothing):
			w.Header().Set("Cache-Control", "no-store") // it may be there soon
			http.Error(w, errNothing.Error(), http.StatusNotFound)
		default:
			if failed != nil && r.Context().Err() == nil {
				failed(err)
			}
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "the log cannot be read at the moment", http.StatusInternalServerError)
		}
	})
}

func (l *Log) serve(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/")
	t, err := ledger.ParseTilePath(name)
	if name != checkpointName && err != nil {
		return errNothing
	}
	text, c, err := l.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	if name == checkpointName {
		answer(w, r, text, "text/plain; charset=utf-8", "no-cache")
		return nil
	}
	return l.serveTile(w, r, t, c)
}

func (l *Log) serveTile(w http.ResponseWriter, r *http.Request, t tlog.Tile, c ledger.Checkpoint) error {
	if !ledger.InTree(t, c.Size) {
		return errNothing
	}
	data, err := l.Tile(r.Context(), t)
	if err != nil {
		return err
	}
	answer(w, r, data, "application/octet-stream", "public, max-age=31536000, immutable")
	return nil
}

// answer sends data, or for HEAD what would be said of it.
func answer(w http.ResponseWriter, r *http.Request, data []byte, kind, cache string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(data) // whoever hung up does not want to know
}
