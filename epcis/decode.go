package epcis

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrNotEPCIS is returned (wrapped) for input that is no EPCIS document, query document or event at all.
var ErrNotEPCIS = errors.New("not an EPCIS document")

// Options bound what a Decoder holds in memory.
type Options struct {
	MaxItemBytes int64 // largest event or element; 0: DefaultMaxItemBytes
}

// DefaultMaxItemBytes is the largest event or master data element that is read, unless said otherwise.
const DefaultMaxItemBytes = 16 << 20

// ItemKind tells what an Item is.
type ItemKind int

// The kinds of item.
const (
	ItemEvent ItemKind = iota
	ItemMasterData
)

// Item is one event or one master data element of a document, as it came.
type Item struct {
	Kind           ItemKind
	Index          int    // among the items of its kind, from 0
	Pointer        string // JSON pointer (RFC 6901) into the document
	VocabularyType string // of a master data element: the type of its vocabulary
	Raw            jsontext.Value
	Err            *Error // it could not be handed out: it is too large
}

// Header is what a document says of itself (EPCIS 2.0 §10.2). It is complete once Next has returned io.EOF.
type Header struct {
	Type               string // "EPCISDocument", "EPCISQueryDocument", or the type of a single event
	ID                 string
	SchemaVersion      string
	CreationDate       time.Time // zero when there is none
	Sender             string
	Receiver           string
	InstanceIdentifier string
}

// Decoder reads a document as a stream: memory is bounded by the largest item, not by the document.
type Decoder struct {
	tape    *tape
	dec     *jsontext.Decoder
	most    int64
	ctx     jsontext.Value
	header  Header
	queue   []Item          // read
	next    int             // in queue: what is handed out next
	path    []*frame        // the objects and arrays that are being read, outermost first
	root    *frame          // the document itself
	body    map[string]bool // members of its epcisBody
	counts  [2]int          // items by kind
	alone   bool            // nothing yet says that it is more than a single event
	err     error           // how it ended
	pending []Item          // elements of a vocabulary whose type is not known yet
	held    int64           // bytes in pending
}

// NewDecoder reads one document from r. It holds documents to the EPCIS 2.0 JSON Schema, but takes a single event without an
// @context of its own, and any version that begins with 2.
func NewDecoder(r io.Reader, o Options) *Decoder {
	if o.MaxItemBytes <= 0 {
		o.MaxItemBytes = DefaultMaxItemBytes
	}
	return &Decoder{tape: &tape{r: bufio.NewReaderSize(r, 1<<14), most: int(o.MaxItemBytes)}, most: o.MaxItemBytes, alone: true}
}

// Context is the document's @context as it came, or nil when there was none. It is complete once Next has returned io.EOF,
// because JSON may have it at the end.
func (d *Decoder) Context() jsontext.Value { return d.ctx }

// Header is what the document says of itself.
func (d *Decoder) Header() Header { return d.header }

// Next returns the next item, or io.EOF behind the last, once the document as a whole was found to be well-formed and
// complete. After any other error there is no next item. What is wrong with the document's own members is an *Error, and its
// pointer is one into the document.
func (d *Decoder) Next() (Item, error) {
	if d.next == len(d.queue) {
		d.queue, d.next = d.queue[:0], 0
	}
	for len(d.queue) == 0 && d.err == nil {
		if err := d.advance(); err != nil {
			d.err = d.explain(err)
		}
	}
	if d.next == len(d.queue) || !errors.Is(d.err, io.EOF) && d.err != nil {
		return Item{}, d.err
	}
	it := d.queue[d.next]
	d.queue[d.next] = Item{}
	d.next++
	return it, nil
}

// errDone says that the document is read to its end.
var errDone = fmt.Errorf("the document is read: %w", io.EOF)

// advance reads one step further: into a container, over a member, or to the end.
func (d *Decoder) advance() error {
	if d.dec == nil {
		return d.begin()
	}
	if len(d.path) == 0 {
		return d.finish()
	}
	top := d.path[len(d.path)-1]
	if !d.alone { // a single event is handed out whole, so all of it is kept
		d.tape.mark()
	}
	if top.kind.isArray() {
		return d.element(top)
	}
	return d.member(top)
}

func (d *Decoder) begin() error {
	if err := d.tape.begin(); err != nil {
		return err
	}
	// Duplicate names and broken UTF-8 are faults of the item in which they stand, and found when it is parsed.
	d.dec = jsontext.NewDecoder(d.tape, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	d.tape.dec = d.dec
	tok, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return fmt.Errorf("%w: it is %s; an EPCISDocument, an EPCISQueryDocument or a single event is an object", ErrNotEPCIS, kindName(tok.Kind()))
	}
	d.root = d.push(inDocument, "")
	return nil
}

func (d *Decoder) push(kind container, vtyp string) *frame {
	f := &frame{kind: kind, vtyp: vtyp}
	if kind.isArray() {
		f.pointer = string(d.dec.StackPointer())
	} else {
		f.seen = map[string]bool{}
	}
	d.path = append(d.path, f)
	return f
}

// member reads one member of an object that is being read.
func (d *Decoder) member(top *frame) error {
	tok, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == '}' {
		return d.leave(top)
	}
	name := tok.String()
	switch {
	case top.seen[name]:
		return d.fault(syntaxReason(jsontext.ErrDuplicateName))
	case !top.kind.mayHold(name):
		return d.fault("is not known here, and bears no prefix that says whose it is")
	}
	top.seen[name] = true
	if next, ok := inside[top.kind][name]; ok {
		d.alone = false
		return d.enter(next)
	}
	if top.kind == inDocument && aboutDocument[name] || top.kind == inVocabulary && name == "type" {
		return d.about(top, name)
	}
	return d.dec.SkipValue()
}

// enter goes into a container.
func (d *Decoder) enter(next container) error {
	want := jsontext.Kind('{')
	if next.isArray() {
		want = '['
	}
	tok, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != want {
		return d.fault("must be " + kindName(want) + ", not " + kindName(tok.Kind()))
	}
	vtyp := ""
	if next == inElements {
		vtyp = d.path[len(d.path)-1].vtyp
	}
	d.push(next, vtyp)
	return nil
}

// leave goes out of an object.
func (d *Decoder) leave(top *frame) error {
	for _, name := range needed[top.kind] {
		if !top.seen[name] {
			return &Error{string(d.dec.StackPointer()) + "/" + name, "is missing"}
		}
	}
	d.path = d.path[:len(d.path)-1]
	switch top.kind {
	case inBody:
		d.body = top.seen
	case inVocabulary:
		for _, it := range d.pending { // its type stood behind them
			it.VocabularyType = top.vtyp
			d.queue = append(d.queue, it)
		}
		d.pending, d.held = nil, 0
	}
	return nil
}

// element reads one element of a list.
func (d *Decoder) element(top *frame) error {
	kind := d.dec.PeekKind()
	if kind == ']' {
		d.path = d.path[:len(d.path)-1]
		_, err := d.dec.ReadToken()
		return err
	}
	if top.kind == inVocabularies {
		return d.enter(inVocabulary)
	}
	start := d.dec.InputOffset()
	if err := d.dec.SkipValue(); err != nil {
		return err
	}
	return d.hand(top, start)
}

// hand queues the item that was passed over.
func (d *Decoder) hand(top *frame, start int64) error {
	it := Item{Pointer: top.pointer + "/" + strconv.Itoa(top.n)}
	top.n++
	it.Raw, it.Err = d.cut(start, d.dec.InputOffset())
	if top.kind == inElements {
		it.Kind, it.VocabularyType = ItemMasterData, top.vtyp
	}
	it.Index = d.counts[it.Kind]
	d.counts[it.Kind]++
	if it.Kind == ItemEvent || it.VocabularyType != "" {
		d.queue = append(d.queue, it)
		return nil
	}
	d.pending = append(d.pending, it)
	if d.held += int64(len(it.Raw)); d.held > 4*d.most {
		return d.fault("is too far behind its vocabulary's first element to be held: write the vocabulary's type before its elements")
	}
	return nil
}

// cut returns a copy of what stands between two offsets, or says that it is too large to be held.
func (d *Decoder) cut(from, to int64) (jsontext.Value, *Error) {
	b, ok := d.tape.since(from, to)
	if !ok {
		return nil, &Error{"", fmt.Sprintf("is larger than %d bytes; split it", d.most)}
	}
	return bytes.Clone(bytes.Trim(b, " \t\r\n,:")), nil
}

func (d *Decoder) fault(reason string) error {
	return &Error{string(d.dec.StackPointer()), reason}
}

// finish looks at what follows, and at the document as a whole.
func (d *Decoder) finish() error {
	end := d.dec.InputOffset()
	switch _, err := d.dec.ReadToken(); {
	case err == nil, d.tape.err == nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("something follows the document, at byte %d: give one document a file", end)
	case d.tape.err != nil:
		return err
	case !d.alone:
		return cmp.Or(d.checkDocument(), errDone)
	}
	if err := d.checkAlone(); err != nil {
		return err
	}
	it := Item{}
	it.Raw, it.Err = d.cut(0, end)
	d.counts[ItemEvent]++
	d.queue = append(d.queue, it)
	return errDone
}

// explain says of an error where in the input it happened.
func (d *Decoder) explain(err error) error {
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, errDone):
		return io.EOF
	case d.tape.err != nil:
		return fmt.Errorf("reading, after %d bytes: %w", d.tape.read, d.tape.err)
	case errors.Is(err, io.EOF) && d.root == nil:
		return fmt.Errorf("%w: it is empty", ErrNotEPCIS)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("the document ends in the middle, after %d bytes and %d events: is the file complete?", d.tape.read, d.counts[ItemEvent])
	case !errors.As(err, &s):
		return err
	case d.root == nil || len(d.path) == 1 && len(d.root.seen) == 0:
		return fmt.Errorf("%w: it is not JSON, at byte %d: %s", ErrNotEPCIS, s.ByteOffset, syntaxReason(err))
	}
	return fmt.Errorf("at byte %d: %w", s.ByteOffset, &Error{shorten(s.JSONPointer), syntaxReason(err)})
}
