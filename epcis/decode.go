package epcis

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
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
	queue   []Item   // read, and not handed out yet
	path    []*frame // the objects and arrays that are being read, outermost first
	root    *frame   // the document itself
	counts  [2]int   // items by kind
	alone   bool     // nothing yet says that it is more than a single event
	err     error    // how it ended
	pending []Item   // elements of a vocabulary whose type is not known yet
	held    int64    // bytes in pending
}

// frame is an object or an array of the document that is being read.
type frame struct {
	kind container
	seen map[string]bool // members of an object
	n    int             // elements of an array
	vtyp string          // of a vocabulary: its type
}

// container names the objects and arrays that a decoder goes into; everything else is passed over.
type container int

const (
	inDocument container = iota
	inHeader
	inMasterData
	inVocabularies
	inVocabulary
	inElements
	inBody
	inResults
	inResultsBody
	inEvents
)

// inside says what lies inside what: the members that are gone into.
var inside = map[container]map[string]container{
	inDocument:    {"epcisHeader": inHeader, "epcisBody": inBody},
	inHeader:      {"epcisMasterData": inMasterData},
	inMasterData:  {"vocabularyList": inVocabularies},
	inVocabulary:  {"vocabularyElementList": inElements},
	inBody:        {"eventList": inEvents, "queryResults": inResults},
	inResults:     {"resultsBody": inResultsBody},
	inResultsBody: {"eventList": inEvents, "vocabularyList": inVocabularies},
}

func (c container) isArray() bool { return c == inVocabularies || c == inElements || c == inEvents }

// NewDecoder reads one document from r.
func NewDecoder(r io.Reader, o Options) *Decoder {
	if o.MaxItemBytes <= 0 {
		o.MaxItemBytes = DefaultMaxItemBytes
	}
	return &Decoder{tape: &tape{r: bufio.NewReaderSize(r, 1<<16), most: int(o.MaxItemBytes)}, most: o.MaxItemBytes, alone: true}
}

// Context is the document's @context as it came, or nil when there was none. It is complete once Next has returned io.EOF,
// because JSON may have it at the end.
func (d *Decoder) Context() jsontext.Value { return d.ctx }

// Header is what the document says of itself.
func (d *Decoder) Header() Header { return d.header }

// Next returns the next item, or io.EOF behind the last, once the document as a whole was found to be well-formed and
// complete. After any other error there is no next item.
func (d *Decoder) Next() (Item, error) {
	for len(d.queue) == 0 && d.err == nil {
		if err := d.advance(); err != nil {
			d.err = d.explain(err)
		}
	}
	if len(d.queue) == 0 || d.err != nil && !errors.Is(d.err, io.EOF) {
		return Item{}, d.err
	}
	it := d.queue[0]
	d.queue = d.queue[1:]
	return it, nil
}

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
	br := d.tape.r.(*bufio.Reader)
	head, err := br.Peek(4)
	if len(head) == 0 && err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: it is empty", ErrNotEPCIS)
		}
		return err
	}
	skip, err := encoding(head)
	if err != nil {
		return err
	}
	if _, err := br.Discard(skip); err != nil {
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
	f := &frame{kind: kind, seen: map[string]bool{}, vtyp: vtyp}
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
	if top.seen[name] {
		return d.fault(syntaxReason(jsontext.ErrDuplicateName))
	}
	top.seen[name] = true
	next, ok := inside[top.kind][name]
	if !ok {
		return d.plain(top, name)
	}
	d.alone = false
	return d.enter(next)
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

// leave goes out of a container.
func (d *Decoder) leave(top *frame) error {
	d.path = d.path[:len(d.path)-1]
	if top.kind != inVocabulary {
		return nil
	}
	if top.vtyp == "" && len(d.pending) > 0 {
		return d.fault("has elements and no type")
	}
	for _, it := range d.pending { // its type stood behind them
		it.VocabularyType = top.vtyp
		d.queue = append(d.queue, it)
	}
	d.pending, d.held = nil, 0
	return nil
}

// plain reads a member that is not gone into.
func (d *Decoder) plain(top *frame, name string) error {
	v, ok, err := d.take()
	if err != nil {
		return err
	}
	if !ok {
		return d.fault(fmt.Sprintf("is larger than %d bytes", d.most))
	}
	switch {
	case top.kind == inVocabulary && name == "type":
		return d.text(v, &top.vtyp)
	case top.kind != inDocument:
		return nil
	case name == "@context":
		d.ctx = v.Clone()
		_, err := ParseContext(d.ctx)
		return err
	}
	return d.about(name, v)
}

// about reads what a document says of itself.
func (d *Decoder) about(name string, v jsontext.Value) error {
	h := &d.header
	fields := map[string]*string{"type": &h.Type, "id": &h.ID, "schemaVersion": &h.SchemaVersion, "sender": &h.Sender, "receiver": &h.Receiver,
		"instanceIdentifier": &h.InstanceIdentifier}
	if into, ok := fields[name]; ok {
		return d.text(v, into)
	}
	if name != "creationDate" {
		return nil
	}
	var s string
	if err := d.text(v, &s); err != nil {
		return err
	}
	t, err := parseTime(s)
	if err != nil {
		return d.fault("is " + quoteShort(s) + ", which is no date and time with an offset (RFC 3339)")
	}
	h.CreationDate = t
	return nil
}

func (d *Decoder) text(v jsontext.Value, into *string) error {
	if v.Kind() != '"' {
		return d.fault("must be a string, not " + kindName(v.Kind()))
	}
	if err := json.Unmarshal(v, into); err != nil {
		return d.fault(syntaxReason(err))
	}
	return nil
}

// element reads one element of a list.
func (d *Decoder) element(top *frame) error {
	switch d.dec.PeekKind() {
	case ']':
		if _, err := d.dec.ReadToken(); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		return nil
	case '{':
		if top.kind == inVocabularies {
			if _, err := d.dec.ReadToken(); err != nil {
				return err
			}
			d.push(inVocabulary, "")
			return nil
		}
	}
	v, ok, err := d.take()
	if err != nil {
		return err
	}
	if top.kind == inVocabularies {
		return d.fault("must be an object, not " + kindName(v.Kind()))
	}
	return d.hand(top, v, ok)
}

// hand queues an item.
func (d *Decoder) hand(top *frame, v jsontext.Value, ok bool) error {
	it := Item{Pointer: string(d.dec.StackPointer()), Raw: v.Clone()}
	if top.kind == inElements {
		it.Kind, it.VocabularyType = ItemMasterData, top.vtyp
	}
	if !ok {
		it.Err = &Error{"", fmt.Sprintf("is larger than %d bytes; split it", d.most)}
	}
	it.Index = d.counts[it.Kind]
	d.counts[it.Kind]++
	if it.Kind == ItemMasterData && it.VocabularyType == "" {
		d.pending = append(d.pending, it)
		if d.held += int64(len(it.Raw)); d.held > 4*d.most {
			return d.fault("is too long to be held: write the vocabulary's type before its elements")
		}
		return nil
	}
	d.queue = append(d.queue, it)
	return nil
}

// take walks over the next value and returns its bytes, or false when it is too large to be held. The bytes are valid until
// the next mark.
func (d *Decoder) take() (jsontext.Value, bool, error) {
	start := d.dec.InputOffset()
	if err := d.dec.SkipValue(); err != nil {
		return nil, false, err
	}
	b, ok := d.tape.since(start, d.dec.InputOffset())
	return jsontext.Value(bytes.TrimLeft(b, " \t\r\n,:")), ok, nil
}

func (d *Decoder) fault(reason string) error {
	return &Error{string(d.dec.StackPointer()), reason}
}

// finish looks at what follows, and at the document as a whole.
func (d *Decoder) finish() error {
	end := d.dec.InputOffset()
	if d.dec.PeekKind() != 0 {
		return fmt.Errorf("something follows the document, at byte %d: give one document a file", end)
	}
	if _, err := d.dec.ReadToken(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !d.alone {
		return cmp.Or(d.checkDocument(), io.EOF)
	}
	if err := d.checkAlone(); err != nil {
		return err
	}
	raw, ok := d.tape.since(d.tape.from, end)
	it := Item{Raw: bytes.TrimLeft(raw, " \t\r\n")}
	if !ok {
		it.Err = &Error{"", fmt.Sprintf("is larger than %d bytes; split it", d.most)}
	}
	d.counts[ItemEvent]++
	d.queue = append(d.queue, it)
	return io.EOF
}

// explain says of an error where in the input it happened.
func (d *Decoder) explain(err error) error {
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF) && len(d.path) == 0 && d.dec != nil:
		return err
	case d.tape.err != nil:
		return fmt.Errorf("reading, after %d bytes: %w", d.tape.read, d.tape.err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("the document ends in the middle, after %d bytes and %d events: is the file complete?", d.tape.read, d.counts[ItemEvent])
	case errors.As(err, &s):
		where := string(s.JSONPointer)
		if len(d.path) == 1 && d.counts[ItemEvent] == 0 && len(d.root.seen) == 0 || len(d.path) == 0 && d.root == nil {
			return fmt.Errorf("%w: it is not JSON, at byte %d: %s", ErrNotEPCIS, s.ByteOffset, syntaxReason(err))
		}
		return fmt.Errorf("%s, at byte %d: %w", cmp.Or(where, "the document"), s.ByteOffset, &Error{Reason: syntaxReason(err)})
	}
	return err
}
