package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// Parties and places of the tests.
const (
	maker    = "https://id.gs1.org/417/9521234500001"
	operator = "https://id.gs1.org/417/9521234500018"
	stranger = "https://id.gs1.org/417/9521234500063"
	factory  = "https://id.gs1.org/414/9521234500025"
	hall     = "https://id.gs1.org/414/9521234500032"
)

// noon is when the tests begin.
var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// node is a deployment: a store, a clock, and the views, from which capture has its directory.
type node struct {
	t       *testing.T
	store   *memory.Store
	now     time.Time
	rejects []registry.Reject
	record  string // where the log's record is
	views   *registry.Follower[*casework.View]
}

func newNode(t *testing.T) *node {
	n := &node{t: t, store: memory.New(), now: noon}
	n.views = &registry.Follower[*casework.View]{Store: n.store, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return n.store.Entry(context.Background(), seq) })
	}}
	return n
}

// capture takes in a document as the command does.
func (n *node) capture(document string, o registry.Options) (registry.Result, error) {
	n.t.Helper()
	view, err := n.views.CatchUp(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	n.rejects = nil
	if o.Name == "" {
		o.Name = "test.json"
	}
	o.SpoolDir = n.t.TempDir()
	o.Reject = func(r registry.Reject) { n.rejects = append(n.rejects, r) }
	reg := registry.Registry{Store: n.store, Directory: view.Custody, Now: func() time.Time { return n.now }}
	return reg.Capture(n.t.Context(), strings.NewReader(document), o)
}

// take captures a document of which nothing may be rejected, and says what became of it: accepted, duplicates.
func (n *node) take(document string, o registry.Options) (accepted, duplicates int64) {
	n.t.Helper()
	r, err := n.capture(document, o)
	if err != nil || r.Rejected != 0 {
		n.t.Fatalf("%+v, %v, %+v", r, err, n.rejects)
	}
	return r.Accepted, r.Duplicates
}

func (n *node) entries() (list []ledger.Entry) {
	n.t.Helper()
	err := n.store.Entries(context.Background(), 0, 1<<40, func(e ledger.Entry) error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return list
}

// last is the entry that was appended last.
func (n *node) last() ledger.Entry {
	n.t.Helper()
	list := n.entries()
	if len(list) == 0 {
		n.t.Fatal("the ledger is empty")
	}
	return list[len(list)-1]
}

const atContext = `"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}]`

// document puts events into a document, and in front of them or behind them master data.
func document(events ...string) string {
	return `{` + atContext + `,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[` +
		strings.Join(events, ",\n") + `]}}`
}

func withMaster(doc string, elements ...string) string {
	header := `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":[` +
		strings.Join(elements, ",") + `]}]}}`
	return doc[:len(doc)-1] + "," + header + "}"
}

// place is master data: who operates a site.
func place(id, name, operator string) string {
	return fmt.Sprintf(`{"id":%q,"attributes":[{"id":"cbvmda:name","attribute":%q},{"id":"tw:operator","attribute":%q}]}`, id, name, operator)
}

// seen is an event: a unit was inspected somewhere. More members can be added.
func seen(unit, where string, members ...string) string {
	return fmt.Sprintf(`{"type":"ObjectEvent","action":"OBSERVE","bizStep":"inspecting","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00",`+
		`"epcList":["https://id.gs1.org/01/09521234000013/21/%s"],"bizLocation":{"id":%q}%s}`, unit, where, strings.Join(append([]string{""}, members...), ","))
}

// shipped is an event that names its parties.
func shipped(unit, from, to string, members ...string) string {
	return fmt.Sprintf(`{"type":"ObjectEvent","action":"OBSERVE","bizStep":"shipping","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00",`+
		`"epcList":["https://id.gs1.org/01/09521234000013/21/%s"],"sourceList":[{"type":"possessing_party","source":%q}],`+
		`"destinationList":[{"type":"possessing_party","destination":%q}]%s}`, unit, from, to, strings.Join(append([]string{""}, members...), ","))
}

const (
	idOne     = `"eventID":"urn:uuid:00000000-0000-4000-8000-000000000001"`
	erroneous = `"errorDeclaration":{"declarationTime":"2026-03-15T00:00:00Z","reason":"did_not_occur"}`
)

// recorded is the member that says when an event was recorded.
func recorded(at string) string { return fmt.Sprintf(`"recordTime":%q`, at) }

// failing makes the store fail once, the next time that it is asked to do op.
func (n *node) failing(op string, err error) {
	done := false
	n.store.Fail = func(o string) error {
		if o != op || done {
			return nil
		}
		done = true
		return err
	}
}

var errDisk = errors.New("the disk is on fire")
