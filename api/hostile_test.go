package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/api"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

func packed(t *testing.T, text io.Reader) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// What is sent packed is unpacked, and bounded when it is.
func TestPackedBodies(t *testing.T) {
	d := open(t)
	if a := d.ask("POST /epcis/capture", packed(t, strings.NewReader(document(event("A")))), "Content-Encoding", "gzip"); a.status != http.StatusAccepted {
		t.Errorf("%+v", a)
	}
	whole := packed(t, strings.NewReader(document(event("B")))).Bytes()
	bomb := packed(t, io.LimitReader(zeros{}, 6<<20))
	for name, c := range map[string]struct {
		body io.Reader
		code int
		kind string
	}{
		"not packed":      {strings.NewReader(document(event("B"))), http.StatusBadRequest, "ValidationException"},
		"cut off":         {bytes.NewReader(whole[:len(whole)/2]), http.StatusBadRequest, "ValidationException"},
		"empty":           {strings.NewReader(""), http.StatusBadRequest, "ValidationException"},
		"damaged":         {bytes.NewReader(append(append([]byte{}, whole[:20]...), bytes.Repeat([]byte{0xff}, 60)...)), http.StatusBadRequest, "ValidationException"},
		"a bomb":          {bomb, http.StatusBadRequest, "ValidationException"},
		"a bomb of bombs": {packed(t, many(9<<20)), http.StatusRequestEntityTooLarge, "CaptureLimitExceededException"},
	} {
		t.Run(name, func(t *testing.T) {
			d.ask("POST /epcis/capture", c.body, "Content-Encoding", "gzip").refused(t, c.code, c.kind)
		})
	}
	d.ask("POST /epcis/capture", strings.NewReader(document(event("B"))), "Content-Encoding", "br").refused(t, http.StatusUnsupportedMediaType, "UnsupportedMediaTypeException")
	if d.size() != 1 {
		t.Errorf("%d entries", d.size())
	}
}

// zeros is a document that goes on: of white space, which packs well.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// many is a document of so many bytes that packs as documents do.
func many(size int) io.Reader {
	var events []string
	for n := 0; n < size; n += len(events[len(events)-1]) {
		sum := sha256.Sum256(fmt.Append(nil, n))
		events = append(events, event(fmt.Sprintf("%X", sum[:8])))
	}
	return strings.NewReader(document(events...))
}

func TestTooLarge(t *testing.T) {
	d := open(t, func(a *api.API) { a.MaxDocument = 2000 })
	large := document(event("A", `,"example:x":"`+strings.Repeat("x", 2000)+`"`))
	d.ask("POST /epcis/capture", strings.NewReader(large)).refused(t, http.StatusRequestEntityTooLarge, "CaptureLimitExceededException")
	unsaid := io.MultiReader(strings.NewReader(large[:1000]), strings.NewReader(large[1000:])) // then it is chunked
	d.ask("POST /epcis/capture", unsaid).refused(t, http.StatusRequestEntityTooLarge, "CaptureLimitExceededException")
	d.ask("POST /epcis/events", strings.NewReader(event("A", `,"example:x":"`+strings.Repeat("x", 2<<20)+`"`))).refused(t, http.StatusRequestEntityTooLarge, "CaptureLimitExceededException")
	if d.size() != 0 {
		t.Errorf("%d entries", d.size())
	}
}

func TestWrongBodies(t *testing.T) {
	d := open(t)
	for _, kind := range []string{"", "text/plain", "application/xml", "application/json; charset=latin1", "application/x-www-form-urlencoded", "a/b/c"} {
		d.ask("POST /epcis/capture", strings.NewReader(document(event("A"))), "Content-Type", kind).refused(t, http.StatusUnsupportedMediaType, "UnsupportedMediaTypeException")
	}
	if a := d.ask("POST /epcis/capture", strings.NewReader(document(event("A"))), "Content-Type", `application/ld+json; charset="UTF-8"`); a.status != http.StatusAccepted {
		t.Errorf("%+v", a)
	}
	whole := document(event("B"), event("C"))
	for _, body := range []string{"", "{", "[]", "null", `"x"`, "<xml/>", whole[:len(whole)-3], whole + whole, `{"type":"EPCISDocument"}`, "\xff\xfe{", strings.Repeat("[", 100000)} {
		d.ask("POST /epcis/capture", strings.NewReader(body)).refused(t, http.StatusBadRequest, "ValidationException")
		d.ask("POST /epcis/events", strings.NewReader(body)).refused(t, http.StatusBadRequest, "ValidationException")
	}
	d.ask("POST /epcis/events", strings.NewReader(event("\xff"))).refused(t, http.StatusBadRequest, "ValidationException")
	if d.size() != 1 {
		t.Errorf("%d entries", d.size())
	}
}

// dial opens a connection on which a test speaks HTTP by hand.
func (d *door) dial() net.Conn {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	return conn
}

func (d *door) head(length int) string {
	return fmt.Sprintf("POST /epcis/capture HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", d.token, length)
}

// A body that stops coming is answered, and its place given to others. One that is cut off leaves nothing.
func TestSlowAndCutBodies(t *testing.T) {
	d := open(t, func(a *api.API) { a.Grace = -3800 * time.Millisecond; a.Captures = 2 }) // so that 64 KiB must be there in 200 ms
	text := document(event("A"), event("B"))
	slow := d.dial()
	if _, err := io.WriteString(slow, d.head(len(text))+text[:100]); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(slow)
	if err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 408 ") || !strings.Contains(string(said), "Too slow") {
		t.Errorf("%v %s", err, said)
	}
	cut := d.dial()
	if _, err := io.WriteString(cut, d.head(len(text))+text[:len(text)-10]); err != nil {
		t.Fatal(err)
	}
	if err := cut.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(cut); err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 400 ") || !strings.Contains(string(said), "breaks off") {
		t.Errorf("%v %s", err, said)
	}
	if len(d.failed) != 0 { // a caller who hangs up is no failure of ours, and must not fill the operator's log
		t.Errorf("%v", d.failed)
	}
	deadline := time.Now().Add(10 * time.Second)
	for { // both places are free again
		a := d.ask("POST /epcis/capture", strings.NewReader(document(event("C"))))
		if a.status == http.StatusAccepted {
			break
		}
		if a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("%+v", a)
		}
	}
	if d.size() != 1 {
		t.Errorf("%d entries", d.size())
	}
}

func TestHugeHeaders(t *testing.T) {
	d := open(t)
	a, err := d.try("POST /epcis/events", strings.NewReader(event("A")), "X-Much", strings.Repeat("x", 1<<20))
	if err == nil && a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%+v", a)
	}
	if d.size() != 0 {
		t.Errorf("%d entries", d.size())
	}
}

// An event whose id is too long for a header is kept and answered for like any other.
func TestLongEventID(t *testing.T) {
	d := open(t)
	text := event("A", `,"eventID":"urn:long:`+strings.Repeat("x", 70_000)+`"`)
	for _, status := range []int{http.StatusCreated, http.StatusConflict} {
		if a := d.ask("POST /epcis/events", strings.NewReader(text)); a.status != status || a.header.Get("Location") != "" {
			t.Errorf("want %d: %d, %d bytes of Location", status, a.status, len(a.header.Get("Location")))
		}
	}
	if d.size() != 1 {
		t.Errorf("%d entries", d.size())
	}
}

// stuck is a store whose transactions wait for a test.
type stuck struct {
	*memory.Store
	gate chan struct{}
}

func (s stuck) Append(ctx context.Context, fn func(store.Appender) error) error {
	<-s.gate
	return s.Store.Append(ctx, fn)
}

// filling is a store that has room for some transactions.
type filling struct {
	*memory.Store
	room *int
}

func (s filling) Append(ctx context.Context, fn func(store.Appender) error) error {
	if *s.room--; *s.room < 0 {
		return fmt.Errorf("/srv/secret/ledger.db: %w", store.ErrFull)
	}
	return s.Store.Append(ctx, fn)
}

// Where some was kept before the store failed, nobody is told that nothing was, and the sender learns nothing of where things are kept.
func TestKeptInPart(t *testing.T) {
	room := 1
	d := open(t, func(a *api.API) { a.Registry.Store = filling{a.Store.(*memory.Store), &room} })
	var events []string
	for i := range 2001 { // of which one transaction takes 2,000
		events = append(events, event(fmt.Sprint("P", i)))
	}
	text := document(events...)
	a := d.ask("POST /epcis/capture", strings.NewReader(text), "GS1-Capture-Error-Behaviour", "proceed")
	if p := a.refused(t, http.StatusServiceUnavailable, "ImplementationException"); !strings.Contains(p.Detail, "some of what was sent is kept") || a.header.Get("Retry-After") == "" || d.size() != 2000 {
		t.Errorf("%d entries, %+v", d.size(), a)
	}
	told := d.ask("GET "+a.header.Get("Location"), nil)
	j := read[job](t, told.body)
	if j.Success || j.Accepted != 2000 || len(j.Errors) != 1 || strings.Contains(told.body+a.body, "secret") {
		t.Errorf("%s", told.body)
	}
	if len(d.failed) != 1 || !strings.Contains(d.failed[0].Error(), "/srv/secret/ledger.db") {
		t.Errorf("the operator is told %v", d.failed)
	}
	room = 2
	if again := d.ask("POST /epcis/capture", strings.NewReader(text), "GS1-Capture-Error-Behaviour", "proceed"); again.status != http.StatusAccepted || d.size() != 2001 {
		t.Errorf("%d entries, %+v", d.size(), again)
	}
}

// broken is a store that keeps entries and no capture jobs.
type broken struct{ *memory.Store }

func (broken) Commit(context.Context, string, int64, int64, map[string][]byte) error {
	return store.ErrBusy
}

func TestJobNotKept(t *testing.T) {
	d := open(t, func(a *api.API) { a.Store = broken{a.Store.(*memory.Store)} })
	a := d.ask("POST /epcis/capture", strings.NewReader(document(event("A"))))
	if p := a.refused(t, http.StatusServiceUnavailable, "ImplementationException"); strings.Contains(p.Detail, "nothing was kept") || d.size() != 1 {
		t.Errorf("%d entries, %+v", d.size(), a)
	}
}

// No more is captured at once than the node can do, and one party does not take every place.
func TestNoMorePlaces(t *testing.T) {
	gate := make(chan struct{})
	d := open(t, func(a *api.API) {
		a.Captures = 4
		a.Registry.Store = stuck{a.Store.(*memory.Store), gate}
	})
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	send := func(serial, token string) {
		all.Go(func() {
			a, err := d.try("POST /epcis/events", strings.NewReader(event(serial)), "Authorization", "Bearer "+token)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			codes[a.status]++
			if a.status != http.StatusCreated && a.header.Get("Retry-After") == "" {
				t.Errorf("%+v", a)
			}
		})
	}
	answered := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			mu.Lock()
			sum := 0
			for _, k := range codes {
				sum += k
			}
			mu.Unlock()
			if sum == n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d were answered", sum, n)
			}
		}
	}
	for i := range 5 {
		send(fmt.Sprint("M", i), d.token)
	}
	answered(3) // of maker's five
	for i := range 3 {
		send(fmt.Sprint("O", i), d.another)
	}
	answered(4) // of operator's three: the node is full
	close(gate)
	all.Wait()
	if codes[http.StatusCreated] != 4 || codes[http.StatusTooManyRequests] != 3 || codes[http.StatusServiceUnavailable] != 1 {
		t.Errorf("%v", codes)
	}
	if a := d.ask("POST /epcis/events", strings.NewReader(event("Z"))); a.status != http.StatusCreated {
		t.Errorf("afterwards: %+v", a)
	}
}
