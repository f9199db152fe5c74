package api_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/api"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

const (
	maker    = "https://id.gs1.org/417/9521234500001"
	operator = "https://id.gs1.org/417/9521234500018"
)

// door is a served API over a store in memory.
type door struct {
	t       *testing.T
	store   *memory.Store
	log     *testLog
	creds   *registry.Credentials
	now     atomic.Int64 // seconds by which the clock is ahead
	failed  []error
	url     string
	token   string // of maker, who may capture
	another string // of operator, who may too
}

// testLog signs as the service does, and is not witnessed.
type testLog struct {
	*registry.Log
	blocked error
}

func (l *testLog) Check(ctx context.Context) error {
	if l.blocked != nil {
		return l.blocked
	}
	return l.Log.Check(ctx)
}

func (l *testLog) Over(ctx context.Context, _ int64) ([]byte, error) { return l.Checkpoint(ctx) }

func (l *testLog) Published(ctx context.Context) ([]byte, error) {
	_, text, err := l.Last(ctx)
	return text, err
}

func (l *testLog) Receipt(ctx context.Context, p ledger.Proof, o *ledger.Opening) ([]byte, error) {
	keys, err := l.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if o != nil {
		return ledger.COSEReceiptOpened(l.Signer, p, keys, *o)
	}
	return ledger.COSEReceipt(l.Signer, p, keys)
}

func (d *door) clock() time.Time { return time.Now().Add(time.Duration(d.now.Load()) * time.Second) }

// open serves an API; set may change it first.
func open(t *testing.T, set ...func(*api.API)) *door {
	t.Helper()
	skey, _, err := ledger.GenerateKey("test.example/log", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.LoadSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, store: memory.New()}
	d.log = &testLog{Log: &registry.Log{Store: d.store, Signer: signer, Record: registry.FileRecord(filepath.Join(t.TempDir(), "signed"))}}
	d.creds = &registry.Credentials{Store: d.store, Now: d.clock}
	d.token, d.another = d.credential(maker, registry.ScopeCapture), d.credential(operator, registry.ScopeCapture)
	a := &api.API{
		Registry: &registry.Registry{Store: d.store, Now: d.clock}, Store: d.store, Credentials: d.creds, Log: d.log, SpoolDir: t.TempDir(),
		MaxDocument: 8 << 20, MaxEvent: 1 << 20, Captures: 8, Grace: 10 * time.Second, Views: []string{"main"},
		Failed: func(err error) { d.failed = append(d.failed, err) },
	}
	for _, fn := range set {
		fn(a)
	}
	server := httptest.NewUnstartedServer(a.Handler())
	server.Config.MaxHeaderBytes = 64 << 10
	server.Start()
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *door) credential(party string, scopes ...registry.Scope) string {
	d.t.Helper()
	token, _, err := d.creds.Add(d.t.Context(), party, scopes, time.Time{})
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

// answer is an answer that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request: METHOD PATH, headers as pairs, and a body.
func (d *door) ask(what string, body io.Reader, headers ...string) answer {
	d.t.Helper()
	a, err := d.try(what, body, headers...)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *door) try(what string, body io.Reader, headers ...string) (answer, error) {
	method, path, _ := strings.Cut(what, " ")
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// problem is what is read of a problem body.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Index   int    `json:"index"`
		EventID string `json:"eventID"`
		Pointer string `json:"pointer"`
		Reason  string `json:"reason"`
	} `json:"errors"`
}

// refused checks that an answer is a problem of a status and an EPCIS type.
func (a answer) refused(t *testing.T, status int, kind string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%d, no problem body: %q (%v)", a.status, a.body, err)
	}
	if a.status != status || p.Status != status || p.Type != "epcisException:"+kind || a.header.Get("Content-Type") != "application/problem+json" || p.Title == "" {
		t.Errorf("%d %s, want %d and epcisException:%s: %s", a.status, a.header.Get("Content-Type"), status, kind, a.body)
	}
	return p
}

// job is what is read of a capture job.
type job struct {
	ID         string `json:"captureID"`
	Running    bool   `json:"running"`
	Success    bool   `json:"success"`
	Behaviour  string `json:"captureErrorBehaviour"`
	Finished   string `json:"finishedAt"`
	Accepted   int64  `json:"accepted"`
	Duplicates int64  `json:"duplicates"`
	Rejected   int64  `json:"rejected"`
	Errors     []problem
	Receipts   []struct {
		Entry int64  `json:"entry"`
		Proof string `json:"proof"`
	} `json:"receipts"`
}

func read[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// event is the JSON of an event about one unit.
func event(serial string, more ...string) string {
	return fmt.Sprintf(`{"type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["https://id.gs1.org/01/09521234000013/21/%s"]%s}`,
		serial, strings.Join(more, ""))
}

func document(events ...string) string {
	return `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0",` +
		`"creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[` + strings.Join(events, ",") + `]}}`
}

func (d *door) size() int64 {
	d.t.Helper()
	head, err := d.store.Head(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return head.Size
}

// A document is answered for when it is kept, and what became of it can be looked up.
func TestCaptureADocument(t *testing.T) {
	d := open(t)
	a := d.ask("POST /epcis/capture", strings.NewReader(document(event("A"), event("B"))), "GS1-EPCIS-Version", "2.0", "GS1-Capture-Error-Behaviour", "rollback")
	if a.status != http.StatusAccepted || a.header.Get("GS1-EPCIS-Version") != "2.0.0" || a.header.Get("GS1-CBV-Version") != "2.0.0" {
		t.Fatalf("%+v", a)
	}
	if d.size() != 2 {
		t.Errorf("%d entries", d.size())
	}
	said := d.ask("GET "+a.header.Get("Location"), nil)
	j := read[job](t, said.body)
	if said.status != http.StatusOK || j.ID == "" || j.Running || !j.Success || j.Behaviour != "rollback" || j.Accepted != 2 || j.Finished == "" {
		t.Errorf("%+v", said)
	}
	e, err := d.store.Entry(t.Context(), 0)
	if err != nil || e.Speaker != maker {
		t.Errorf("%s says it (%v); the credential is %s's", e.Speaker, err, maker)
	}
	again := read[job](t, d.ask("POST /epcis/capture", strings.NewReader(document(event("A"), event("B"), event("C")))).body)
	if again.Accepted != 1 || again.Duplicates != 2 {
		t.Errorf("sent again: %+v", again)
	}
}

// One bad event: nothing is kept, or the others, as was asked for; and the reject names event, pointer and reason.
func TestRejects(t *testing.T) {
	d := open(t)
	text := document(event("A"), event("B", `,"eventID":"urn:uuid:1","bizStep":5`))
	a := d.ask("POST /epcis/capture", strings.NewReader(text))
	p := a.refused(t, http.StatusBadRequest, "ValidationException")
	if d.size() != 0 || len(p.Errors) != 1 || p.Errors[0].Index != 1 || p.Errors[0].EventID != "urn:uuid:1" || p.Errors[0].Pointer != "/epcisBody/eventList/1/bizStep" || p.Errors[0].Reason == "" {
		t.Errorf("%d entries, %s", d.size(), a.body)
	}
	if j := read[job](t, d.ask("GET "+a.header.Get("Location"), nil).body); j.Success || j.Running || j.Accepted != 0 || j.Rejected != 1 || len(j.Errors) != 1 {
		t.Errorf("the job: %+v", j)
	}
	a = d.ask("POST /epcis/capture", strings.NewReader(text), "GS1-Capture-Error-Behaviour", "proceed")
	if j := read[job](t, a.body); a.status != http.StatusAccepted || j.Success || j.Behaviour != "proceed" || j.Accepted != 1 || len(j.Errors) != 1 || d.size() != 1 {
		t.Errorf("%d entries, %+v", d.size(), a)
	}
	d.ask("POST /epcis/capture", strings.NewReader(text), "GS1-Capture-Error-Behaviour", "all").refused(t, http.StatusBadRequest, "ValidationException")
}

// One event is answered with where it is, and a second time with the same place.
func TestCaptureAnEvent(t *testing.T) {
	d := open(t)
	a := d.ask("POST /epcis/events", strings.NewReader(event("A")))
	where := a.header.Get("Location")
	if a.status != http.StatusCreated || where == "" || a.header.Get("Tidewaiter-Entry") != "0" || d.size() != 1 {
		t.Fatalf("%+v", a)
	}
	got := d.ask("GET "+where, nil)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"type":"EPCISQueryDocument"`) || !strings.Contains(got.body, `"eventID":"ni:///sha-256;`) || !strings.Contains(got.body, "/21/A") {
		t.Errorf("%+v", got)
	}
	again := d.ask("POST /epcis/events", strings.NewReader(event("A")))
	again.refused(t, http.StatusConflict, "ResourceAlreadyExistsException")
	if again.header.Get("Location") != where || d.size() != 1 {
		t.Errorf("%+v", again)
	}
	d.ask("GET "+where, nil, "Authorization", "Bearer "+d.another).refused(t, http.StatusNotFound, "NoSuchResourceException")
	d.ask("POST /epcis/events", strings.NewReader(event("B", `,"action":"SEE"`))).refused(t, http.StatusBadRequest, "ValidationException")
	d.ask("POST /epcis/events", strings.NewReader(document(event("B")))).refused(t, http.StatusBadRequest, "ValidationException")
}

// An id that somebody else took is refused, without a word of who it was.
func TestTakenID(t *testing.T) {
	d := open(t)
	d.ask("POST /epcis/events", strings.NewReader(event("A", `,"eventID":"urn:uuid:1"`)), "Authorization", "Bearer "+d.another)
	a := d.ask("POST /epcis/events", strings.NewReader(event("B", `,"eventID":"urn:uuid:1"`)))
	a.refused(t, http.StatusConflict, "ResourceAlreadyExistsException")
	if strings.Contains(a.body, operator) {
		t.Errorf("it says who else speaks: %s", a.body)
	}
}

// Receipts come with the answer when they are asked for, and by number later; anybody checks them offline.
// Who sends again what was erased is told that it was, and not that nothing is lost.
func TestErased(t *testing.T) {
	d := open(t)
	if a := d.ask("POST /epcis/events", strings.NewReader(event("A"))); a.status != http.StatusCreated {
		t.Fatalf("%+v", a)
	}
	if _, err := registry.Erase(t.Context(), d.store, registry.Erasure{Entries: []int64{0}, Reason: "it names a person", By: "Adams", ConfirmedBy: "Brown"}, d.clock()); err != nil {
		t.Fatal(err)
	}
	a := d.ask("POST /epcis/events", strings.NewReader(event("A")))
	if p := a.refused(t, http.StatusConflict, "ResourceAlreadyExistsException"); p.Title != "Erased" || !strings.Contains(p.Detail, "entry 0, which was erased") || a.header.Get("Location") != "" {
		t.Errorf("%+v", a)
	}
	sent := d.ask("POST /epcis/capture", strings.NewReader(document(event("A"), event("B"), event("B"))))
	if sent.status != http.StatusAccepted || !strings.Contains(sent.body, `"erased":1`) || !strings.Contains(sent.body, `"duplicates":2`) {
		t.Errorf("%+v", sent)
	}
	if later := d.ask("GET "+sent.header.Get("Location"), nil); later.body != sent.body {
		t.Errorf("%s, and later %s", sent.body, later.body)
	}
}

func TestReceipts(t *testing.T) {
	d := open(t)
	a := d.ask("POST /epcis/events", strings.NewReader(event("A")), "Tidewaiter-Receipt", "tlog-proof")
	verify := func(text string, seq int64) {
		t.Helper()
		p, err := ledger.ParseProof([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		e, err := d.store.Entry(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := d.log.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(ledger.LeafHash(e), keys); err != nil || p.Index != seq {
			t.Errorf("%v: %s", err, text)
		}
	}
	verify(a.body, 0)
	j := read[job](t, d.ask("POST /epcis/capture", strings.NewReader(document(event("B"), event("C"))), "Tidewaiter-Receipt", "tlog-proof").body)
	if len(j.Receipts) != 2 || j.Receipts[1].Entry != 2 {
		t.Fatalf("%+v", j)
	}
	verify(j.Receipts[1].Proof, 2)
	verify(d.ask("GET /v1/entries/1/proof", nil, "Authorization", "").body, 1)
	d.ask("POST /epcis/events", strings.NewReader(event("D")))
	d.ask("GET /v1/entries/3/proof", nil, "Authorization", "").refused(t, http.StatusNotFound, "NoSuchResourceException")
	verify(d.ask("GET /v1/entries/3/proof", nil).body, 3) // signed for whoever may capture
	verify(d.ask("GET /v1/entries/3/proof", nil, "Authorization", "").body, 3)
	if cose := d.ask("GET /v1/entries/3/proof", nil, "Accept", "application/cose"); cose.header.Get("Content-Type") != "application/cose" || cose.body[0] != 0xd2 {
		t.Errorf("%+v", cose)
	}
	d.ask("GET /v1/entries/99/proof", nil).refused(t, http.StatusNotFound, "NoSuchResourceException")
	d.ask("GET /v1/entries/x/proof", nil).refused(t, http.StatusNotFound, "NoSuchResourceException")
	d.ask("POST /epcis/events", strings.NewReader(event("E")), "Tidewaiter-Receipt", "wax").refused(t, http.StatusBadRequest, "ValidationException")
}

// A speaker sees its own jobs and nobody else's, the newest first, page by page.
func TestJobsArePrivate(t *testing.T) {
	d := open(t)
	var mine []string
	for i := range 5 {
		mine = append(mine, read[job](t, d.ask("POST /epcis/capture", strings.NewReader(document(event(fmt.Sprint("S", i))))).body).ID)
		time.Sleep(time.Millisecond) // the order of jobs of one moment is not said
	}
	theirs := d.ask("POST /epcis/capture", strings.NewReader(document(event("T"))), "Authorization", "Bearer "+d.another).header.Get("Location")
	d.ask("GET "+theirs, nil).refused(t, http.StatusNotFound, "NoSuchResourceException")
	var seen []string
	for next, pages := "/epcis/capture?perPage=2", 0; next != ""; pages++ {
		a := d.ask("GET "+next, nil)
		for _, j := range read[[]job](t, a.body) {
			seen = append(seen, j.ID)
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		if pages > 5 {
			t.Fatal("pages without end")
		}
	}
	if len(seen) != 5 || seen[0] != mine[4] || seen[4] != mine[0] {
		t.Errorf("%v, captured in the order %v", seen, mine)
	}
	d.ask("GET /epcis/capture?perPage=none", nil).refused(t, http.StatusBadRequest, "QueryParameterException")
}

func TestCredentialsAtTheDoor(t *testing.T) {
	d := open(t)
	revoked := d.credential(maker, registry.ScopeCapture)
	query := d.credential(maker, registry.ScopeQuery)
	brief, _, err := d.creds.Add(t.Context(), maker, []registry.Scope{registry.ScopeAdmin}, d.clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	send := func(authorization string) answer {
		return d.ask("POST /epcis/events", strings.NewReader(event("A")), "Authorization", authorization)
	}
	for _, bad := range []string{"", "Bearer", "Bearer ", "Basic dHc6dHc=", "Bearer tw_aaaaaaaa_bbbb", "Bearer " + d.token + "a", "Bearer " + d.token[:len(d.token)-1], "Bearer " + strings.ToUpper(d.token)} {
		a := send(bad)
		a.refused(t, http.StatusUnauthorized, "SecurityException")
		if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: %+v", bad, a.header)
		}
	}
	send("Bearer "+query).refused(t, http.StatusForbidden, "SecurityException")
	if a := send("Bearer " + revoked); a.status != http.StatusCreated {
		t.Errorf("%+v", a)
	}
	list, err := d.creds.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := &registry.Credentials{Store: d.store, Now: d.clock} // another process
	if _, err := other.Revoke(t.Context(), list[2].ID); err != nil {
		t.Fatal(err)
	}
	d.now.Add(2)
	send("Bearer "+revoked).refused(t, http.StatusUnauthorized, "SecurityException")
	if a := d.ask("POST /epcis/events", strings.NewReader(event("B")), "Authorization", "bearer "+brief); a.status != http.StatusCreated {
		t.Errorf("%+v", a)
	}
	d.now.Add(3600)
	send("Bearer "+brief).refused(t, http.StatusUnauthorized, "SecurityException")
	if text, err := d.store.Meta(t.Context(), "credentials"); err != nil || strings.Contains(string(text), strings.Split(d.token, "_")[2]) {
		t.Error("the store holds a token")
	}
	if _, err := other.Revoke(t.Context(), "nobody"); !errors.Is(err, registry.ErrNoCredential) {
		t.Error(err)
	}
	for _, party := range []string{"", "maker", "https://id.gs1.org/414/9521234500025", "https://id.gs1.org/417/9521234500002"} {
		if _, _, err := d.creds.Add(t.Context(), party, []registry.Scope{registry.ScopeCapture}, time.Time{}); err == nil {
			t.Errorf("%q names a party", party)
		}
	}
}

func TestDiscovery(t *testing.T) {
	d := open(t)
	a := d.ask("OPTIONS /epcis/capture", nil)
	if a.status != http.StatusNoContent || a.header.Get("GS1-EPCIS-Capture-File-Size-Limit") != "8388608" || a.header.Get("GS1-Capture-Error-Behaviour") != "all" ||
		a.header.Get("Allow") != "OPTIONS, GET, POST" || a.header.Get("GS1-EPCIS-Max") != "2.0.0" {
		t.Errorf("%+v", a)
	}
	a = d.ask("DELETE /epcis/capture", nil)
	if a.refused(t, http.StatusMethodNotAllowed, "ImplementationException"); a.header.Get("Allow") == "" {
		t.Errorf("%+v", a.header)
	}
	d.ask("GET /epcis/elsewhere", nil).refused(t, http.StatusNotFound, "NoSuchResourceException")
	for _, path := range []string{"/epcis/", "/epcis/elsewhere", "/v1/entries", "/epcis/capture"} {
		d.ask("GET "+path, nil, "Authorization", "").refused(t, http.StatusUnauthorized, "SecurityException")
	}
	for _, headers := range [][]string{{"GS1-EPCIS-Version", "1.2"}, {"GS1-CBV-Version", "3"}, {"GS1-EPCIS-Min", "2.0.1"}, {"GS1-EPCIS-Max", "1.9"}, {"Accept", "application/xml"}, {"Accept", "application/json;q=0"}} {
		d.ask("POST /epcis/events", strings.NewReader(event("A")), headers...).refused(t, http.StatusNotAcceptable, "NotAcceptableException")
	}
	for _, headers := range [][]string{{"GS1-EPCIS-Version", "2.0.1"}, {"GS1-EPCIS-Min", "1.2"}, {"Accept", "text/html, application/*;q=0.5"}, {"Accept", "*/*"}} {
		if a := d.ask("POST /epcis/events", strings.NewReader(event(strings.Join(headers, ""))), headers...); a.status >= 500 || a.status == http.StatusNotAcceptable {
			t.Errorf("%v: %+v", headers, a)
		}
	}
}

func TestHealth(t *testing.T) {
	d := open(t)
	d.ask("POST /epcis/events", strings.NewReader(event("A")))
	if a := d.ask("GET /healthz", nil, "Authorization", ""); a.status != http.StatusOK {
		t.Errorf("%+v", a)
	}
	a := d.ask("GET /readyz", nil, "Authorization", "")
	if a.status != http.StatusOK || a.body != `{"ready":true,"entries":1,"published":0,"views":[{"view":"main","behind":1}]}`+"\n" {
		t.Errorf("%+v", a)
	}
	d.log.blocked = registry.ErrFork
	if a := d.ask("GET /readyz", nil, "Authorization", ""); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "may not sign") {
		t.Errorf("%+v", a)
	}
	a = d.ask("POST /epcis/events", strings.NewReader(event("B")))
	if a.refused(t, http.StatusServiceUnavailable, "ImplementationException"); a.header.Get("Retry-After") == "" || d.size() != 1 {
		t.Errorf("%+v", a)
	}
	if len(d.failed) != 1 || strings.Contains(fmt.Sprint(d.failed), "tw_") {
		t.Errorf("said: %v", d.failed)
	}
}
