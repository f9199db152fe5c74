package epcis

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// tape hands out what it reads and keeps the bytes from a mark on, so that a value can be walked token by token without
// holding it, and had as bytes when it turns out to be small enough.
type tape struct {
	r    *bufio.Reader
	dec  *jsontext.Decoder // that reads from the tape
	buf  []byte
	from int64 // offset of buf[0]
	most int   // bytes of one item that are kept at most
	lost bool  // more were read since the mark: buf is empty
	read int64 // bytes read in all
	err  error // of r, other than its end
}

// readAtOnce bounds how far the decoder reads beyond what it was asked for.
const readAtOnce = 1 << 16

func (t *tape) Read(b []byte) (int, error) {
	if t.dec != nil && t.read-t.dec.InputOffset() > int64(t.most)+readAtOnce {
		t.err = fmt.Errorf("a single value is larger than %d bytes", t.most)
		return 0, t.err
	}
	n, err := t.r.Read(b[:min(len(b), readAtOnce)])
	t.keep(b[:n])
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

func (t *tape) keep(b []byte) {
	t.read += int64(len(b))
	switch {
	case t.lost:
	case len(t.buf)+len(b) > t.most+2*readAtOnce:
		t.lost, t.buf = true, nil
	default:
		t.buf = append(t.buf, b...)
	}
}

// mark forgets what lies before the place that the decoder has reached.
func (t *tape) mark() {
	at := t.dec.InputOffset()
	if t.lost {
		t.lost, t.from, t.buf = false, at, append([]byte(nil), t.dec.UnreadBuffer()...)
		return
	}
	// Moving the rest to the front each time would cost as much as reading; so only when half of it is of no use.
	if n := int(at - t.from); n > len(t.buf)/2 {
		t.buf = t.buf[:copy(t.buf, t.buf[n:])]
		t.from = at
	}
}

// since returns the bytes between two offsets, or false when they are too many.
func (t *tape) since(from, to int64) ([]byte, bool) {
	if t.lost || from < t.from || to-from > int64(t.most) {
		return nil, false
	}
	return t.buf[from-t.from : to-t.from], true
}

// begin passes over a byte order mark and says of a document's first bytes why they cannot be EPCIS in JSON.
func (t *tape) begin() error {
	head, err := t.r.Peek(64)
	if len(head) == 0 && err != nil && err != io.EOF {
		t.err = err
		return err
	}
	starts := func(mark string) bool { return bytes.HasPrefix(head, []byte(mark)) }
	switch {
	case starts("\xef\xbb\xbf"):
		_, err := t.r.Discard(3)
		return err
	case starts("\xff\xfe"), starts("\xfe\xff"), len(head) > 1 && (head[0] == 0 || head[1] == 0):
		return fmt.Errorf("%w: it is UTF-16 or UTF-32 text; save it as UTF-8", ErrNotEPCIS)
	case starts("\x1f\x8b"):
		return fmt.Errorf("%w: it is compressed; decompress it first (gunzip)", ErrNotEPCIS)
	case starts("PK\x03\x04"):
		return fmt.Errorf("%w: it is a ZIP archive (or a spreadsheet); unpack it first", ErrNotEPCIS)
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<")):
		return fmt.Errorf("%w in JSON: it looks like XML, which is not read yet", ErrNotEPCIS)
	}
	return nil
}
