package api

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// MinRate is how many bytes a second a body must come at, once its grace is over: whoever is slower takes a place from others.
const MinRate = 16 << 10

// maxRatio is by how much a packed body may grow when it is unpacked, beyond the first megabyte. EPCIS in JSON grows up to some
// fifty times; a bomb grows a thousand times.
const (
	maxRatio   = 100
	freeGrowth = 1 << 20
)

// body reads what a caller sends, as long as it is not too much and not too slow. What was wrong with it is kept in failed: whoever
// reads may wrap the error, or take it for the end.
type body struct {
	from    io.Reader
	control *http.ResponseController
	began   time.Time
	grace   time.Duration
	raw     int64 // bytes as they came
	checked int64 // raw when the deadline was set
	most    int64
	plain   int64 // bytes unpacked
	packed  bool
	unpack  io.Reader
	failed  error
}

// body prepares to read the request's body, and refuses what can be refused before any of it was sent.
func (a *API) body(r *request, most int64) (*body, error) {
	b := &body{from: r.Body, control: http.NewResponseController(r.w), began: time.Now(), grace: a.Grace, most: most}
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip":
		b.packed = true
	default:
		r.w.Header().Set("Accept-Encoding", "gzip")
		return nil, &problem{Type: typeMediaType, Title: "Unsupported content coding", Status: http.StatusUnsupportedMediaType,
			Detail: fmt.Sprintf("the content coding %.40q is not known here; gzip is", coding)}
	}
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	return b, nil
}

func tooLarge(most int64) *problem {
	return &problem{Type: typeLimit, Title: "Too large", Status: http.StatusRequestEntityTooLarge,
		Detail: fmt.Sprintf("at most %d bytes are taken at once, unpacked; send it in parts", most)}
}

// Read reads, unpacked.
func (b *body) Read(p []byte) (n int, err error) {
	if b.failed != nil {
		return 0, b.failed
	}
	if b.packed {
		n, err = b.readPacked(p)
	} else {
		n, err = b.readRaw(p)
	}
	b.plain += int64(n)
	switch {
	case b.plain > b.most:
		n, err = 0, tooLarge(b.most)
	case b.packed && b.plain > freeGrowth+maxRatio*b.raw:
		n, err = 0, invalid("the body grows to more than %d times its size when it is unpacked: nothing of it was kept", maxRatio)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &problem{Type: typeImplementation, Title: "Too slow", Status: http.StatusRequestTimeout,
			Detail: fmt.Sprintf("after %s a body must come at %d bytes a second: nothing of it was kept", b.grace, MinRate)}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = err
	}
	return n, err
}

// pace is how often the deadline is moved on.
const pace = 64 << 10

// readRaw reads the bytes as they come, while they come fast enough.
func (b *body) readRaw(p []byte) (int, error) {
	if b.raw == 0 || b.raw-b.checked >= pace {
		b.checked = b.raw
		due := b.began.Add(b.grace + time.Duration(b.raw+pace)*time.Second/MinRate)
		_ = b.control.SetReadDeadline(due) // what cannot do that is no connection
	}
	n, err := b.from.Read(p)
	b.raw += int64(n)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{}) // else its passing would end the request while it is being kept
	}
	return n, err
}

// rawReader is the body as it comes.
type rawReader struct{ b *body }

func (r rawReader) Read(p []byte) (int, error) { return r.b.readRaw(p) }

func (b *body) readPacked(p []byte) (int, error) {
	if b.unpack == nil {
		z, err := gzip.NewReader(rawReader{b})
		if err != nil {
			return 0, unpacking(err)
		}
		b.unpack = z
	}
	n, err := b.unpack.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unpacking(err)
	}
	return n, err
}

// unpacking says what is wrong with a packed body.
func unpacking(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("the body is said to be gzip, and cannot be unpacked: %v", err)
	}
	return err
}
