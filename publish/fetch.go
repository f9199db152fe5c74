package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// fetchError says that something could not be fetched: a matter of the network or of the log's web server, and no proof of
// anything.
type fetchError struct {
	name string
	code int // of the answer; 0: there was none
	err  error
}

func (e *fetchError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("fetch %s: %v", e.name, e.err)
	}
	return fmt.Sprintf("fetch %s: the log answers %d", e.name, e.code)
}

func (e *fetchError) Unwrap() error { return e.err }

// maxBundle is the size of the largest bundle that there can be.
const maxBundle = ledger.TileWidth * (2 + 1<<16)

// remote is a log as it is served to us. Nothing that it returns is believed yet.
type remote struct {
	ctx    context.Context
	client *http.Client
	url    string

	mu   sync.Mutex
	high map[tlog.Tile][]byte // tiles above the leaves, which are few and asked for often
}

func (r *remote) fetch(name string, limit int64) ([]byte, error) {
	address, err := url.JoinPath(r.url, name)
	if err != nil {
		return nil, &fetchError{name: name, err: err}
	}
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &fetchError{name: name, err: err}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, &fetchError{name: name, err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &fetchError{name: name, code: resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, &fetchError{name: name, err: err}
	}
	if int64(len(body)) > limit {
		return nil, &fetchError{name: name, err: fmt.Errorf("it is longer than %d bytes", limit)}
	}
	return body, nil
}

// tile fetches a tile or a bundle. A partial one may be gone once the full one is there; cut takes from that as much as was asked
// for.
func (r *remote) tile(t tlog.Tile, limit int64, cut func([]byte) []byte) ([]byte, error) {
	data, err := r.fetch(ledger.TilePath(t), limit)
	gone, ok := errors.AsType[*fetchError](err)
	if !ok || t.W == ledger.TileWidth || gone.code != http.StatusNotFound && gone.code != http.StatusGone {
		return data, err
	}
	full := t
	full.W = ledger.TileWidth
	data, fullErr := r.fetch(ledger.TilePath(full), limit)
	if fullErr != nil {
		return nil, err // the partial one is what should be there
	}
	return cut(data), nil
}

func (r *remote) hashes(t tlog.Tile) ([]byte, error) {
	r.mu.Lock()
	data, ok := r.high[t]
	r.mu.Unlock()
	if ok {
		return data, nil
	}
	size := t.W * tlog.HashSize
	data, err := r.tile(t, ledger.TileWidth*tlog.HashSize, func(full []byte) []byte { return full[:min(size, len(full))] })
	if err != nil {
		return nil, err
	}
	if len(data) != size {
		return nil, fmt.Errorf("%s has %d bytes, and should have %d", ledger.TilePath(t), len(data), size)
	}
	if t.L > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.high[t] = data
	}
	return data, nil
}

// bundle fetches the entries beneath a tile of leaves.
func (r *remote) bundle(t tlog.Tile) ([]byte, error) {
	return r.tile(ledger.BundleOf(t), maxBundle, func(full []byte) []byte {
		entries, err := ledger.ParseBundle(full, ledger.TileWidth)
		if err != nil {
			return full // which is then seen not to fit
		}
		var part []byte
		for _, data := range entries[:t.W] {
			part, _ = ledger.AppendBundle(part, data) // it was in a bundle before
		}
		return part
	})
}

// fetchers is how many requests are under way at once.
const fetchers = 8

// each runs fn for 0 to n-1, several at once, and returns the first error by number.
func each(n int, fn func(i int) error) error {
	errs, next := make([]error, n), make(chan int)
	var all sync.WaitGroup
	for range min(n, fetchers) {
		all.Go(func() {
			for i := range next {
				errs[i] = fn(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// tiles is the remote log as a tlog.TileReader; save, which may be nil, is given what was verified.
type tiles struct {
	*remote
	save func(t tlog.Tile, data []byte)
}

func (r tiles) Height() int { return ledger.TileHeight }

func (r tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(list))
	err := each(len(list), func(i int) (err error) {
		data[i], err = r.hashes(list[i])
		return err
	})
	return data, err
}

func (r tiles) SaveTiles(list []tlog.Tile, data [][]byte) {
	if r.save == nil {
		return
	}
	for i, t := range list {
		r.save(t, data[i])
	}
}
