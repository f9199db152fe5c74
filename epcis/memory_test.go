package epcis_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/epcis"
)

var streamed = flag.Int64("stream", 200<<20, "bytes of the documents that the test of memory reads; 1073741824 for a gigabyte")

// stream is a document that is made while it is read: the same piece again and again between a head and a tail.
type stream struct {
	left              int64
	head, piece, tail []byte
	now               []byte
}

func (s *stream) Read(b []byte) (int, error) {
	if len(s.now) == 0 {
		switch {
		case s.head != nil:
			s.now, s.head = s.head, nil
		case s.left > 0:
			s.now = s.piece
		case s.tail != nil:
			s.now, s.tail = s.tail, nil
		default:
			return 0, io.EOF
		}
	}
	n := copy(b, s.now)
	s.now = s.now[n:]
	s.left -= int64(n)
	return n, nil
}

// manyEvents is a document of events, of a size.
func manyEvents(size int64) *stream {
	head, tail, _ := strings.Cut(document(objectEvent), "]}}")
	return &stream{left: size, head: []byte(head), piece: []byte("," + shipping), tail: []byte("]}}" + tail)}
}

// oneEvent is a document of three events, of which the second one has the size.
func oneEvent(size int64) *stream {
	head, tail, _ := strings.Cut(document(objectEvent, with(objectEvent, `"tw:padding":[0]`), objectEvent), "0]}")
	return &stream{left: size, head: []byte(head + "0"), piece: bytes.Repeat([]byte(`,"01234567"`), 100), tail: []byte("]}" + tail)}
}

func TestAStreamIsADocument(t *testing.T) {
	list, _ := events(t, manyEvents(5000))
	if len(list) != 6 {
		t.Errorf("%d events", len(list))
	}
	list, _ = events(t, oneEvent(5000))
	if len(list) != 3 || len(list[1].Raw) < 4000 {
		t.Errorf("%d events", len(list))
	}
}

// Memory is bounded by the largest item, not by the document: neither many events nor one that is far too large may be held.
func TestMemoryOfALargeDocument(t *testing.T) {
	for _, test := range []struct {
		name     string
		r        io.Reader
		tooLarge int
	}{
		{"many events", manyEvents(*streamed), 0},
		{"one event", oneEvent(*streamed / 4), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			dec := epcis.NewDecoder(&watched{r: test.r, t: t}, epcis.Options{})
			tooLarge := 0
			for {
				it, err := dec.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if it.Err != nil {
					tooLarge++
				}
			}
			if tooLarge != test.tooLarge {
				t.Errorf("%d events are too large, want %d", tooLarge, test.tooLarge)
			}
		})
	}
}

// watched looks at the heap now and then, whatever the collector has or has not freed.
type watched struct {
	r    io.Reader
	t    *testing.T
	read int64
	next int64
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if w.read += int64(n); w.read >= w.next {
		w.next += 1 << 20
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > 100<<20 {
			w.t.Fatalf("%d MB of heap after %d MB of the document", m.HeapAlloc>>20, w.read>>20)
		}
	}
	return n, err
}
