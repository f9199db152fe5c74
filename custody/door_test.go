package custody_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// The parties and the places of the tests. Every site has an operator and coordinates.
var (
	maker    = party(1)
	builder  = party(2)
	operator = party(3)
	tenant   = party(4)
	carrier  = party(5)
	office   = party(6) // an authority

	fab      = place(1) // the maker's, in Taoyuan
	works    = place(2) // the builder's, in Guadalajara
	hall     = place(3) // the operator's, in Dublin
	hall2    = place(4) // the operator's, in Osaka
	dock     = place(5) // the carrier's, in Singapore
	nowhere  = place(9) // of which nothing is known
	everyone = []string{maker, builder, operator, tenant, carrier}
)

var sites = []struct {
	id, operator, name, country string
	lat, lon                    float64
}{
	{fab, maker, "Fab", "TW", 25.0, 121.3}, {works, builder, "Works", "MX", 20.7, -103.4}, {hall, operator, "Hall", "IE", 53.3, -6.3},
	{hall2, operator, "Second Hall", "JP", 34.7, 135.5}, {dock, carrier, "Dock", "SG", 1.3, 103.8},
}

func party(n int) string { return "https://id.gs1.org/417/" + checked(fmt.Sprintf("95200%07d", n)) }
func place(n int) string { return "https://id.gs1.org/414/" + checked(fmt.Sprintf("95201%07d", n)) }
func sscc(n int) string  { return "https://id.gs1.org/00/" + checked(fmt.Sprintf("0952000%010d", n)) }

// sgtin names one of a product.
func sgtin(product int, serial string) string {
	return "https://id.gs1.org/01/" + checked(fmt.Sprintf("09520%08d", product)) + "/21/" + serial
}

// checked adds a GS1 check digit.
func checked(digits string) string {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += int(digits[i]-'0') * weight
		weight = 4 - weight
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// event is an EPCIS event in the making.
type event map[string]any

// with sets members: name, value, name, value …
func (e event) with(members ...any) event {
	out := maps.Clone(e)
	for i := 0; i < len(members); i += 2 {
		out[members[i].(string)] = members[i+1]
	}
	return out
}

func (e event) id(id string) event { return e.with("eventID", "urn:event:"+id) }
func (e event) at(site string) event {
	return e.with("readPoint", event{"id": site}, "bizLocation", event{"id": site})
}

// wrongly is the event with a declaration that it is erroneous.
func (e event) wrongly() event {
	return e.with("errorDeclaration", event{"declarationTime": "2026-01-01T00:00:00Z", "reason": "did_not_occur"})
}

var day0 = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)

// day is a time: so many days after the first, hours and minutes as fractions.
func day(n float64) time.Time { return day0.Add(time.Duration(n * float64(24*time.Hour))) }

func base(kind, action, step string, when float64) event {
	e := event{"type": kind, "eventTime": day(when).Format(time.RFC3339Nano), "eventTimeZoneOffset": "+00:00"}
	if action != "" {
		e["action"] = action
	}
	if step != "" {
		e["bizStep"] = step
	}
	return e
}

func object(action, step string, when float64, units ...string) event {
	return base("ObjectEvent", action, step, when).with("epcList", units)
}

func made(when float64, unit string, aliases ...string) event {
	e := object("ADD", "commissioning", when, unit).at(fab)
	if len(aliases) > 0 {
		e["ilmd"] = event{"tw:aliases": aliases}
	}
	return e
}

func link(kind, action, step string, when float64, parent string, children ...string) event {
	e := base(kind, action, step, when).with("parentID", parent)
	if len(children) > 0 {
		e["childEPCs"] = children
	}
	return e
}

func built(when float64, parent string, children ...string) event {
	return link("AssociationEvent", "ADD", "installing", when, parent, children...)
}

func removed(when float64, parent string, children ...string) event {
	return link("AssociationEvent", "DELETE", "removing", when, parent, children...)
}

func packed(when float64, parent string, children ...string) event {
	return link("AggregationEvent", "ADD", "packing", when, parent, children...)
}

func unpacked(when float64, parent string, children ...string) event {
	return link("AggregationEvent", "DELETE", "unpacking", when, parent, children...)
}

// between names the parties of a hand-over.
func (e event) between(from, to, toSite string) event {
	return e.with("sourceList", []event{{"type": "possessing_party", "source": from}},
		"destinationList", append([]event{{"type": "possessing_party", "destination": to}}, location(toSite)...))
}

func location(site string) []event {
	if site == "" {
		return nil
	}
	return []event{{"type": "location", "destination": site}}
}

func shipped(when float64, from, to, fromSite, toSite string, units ...string) event {
	return object("OBSERVE", "shipping", when, units...).at(fromSite).between(from, to, toSite).with("disposition", "in_transit")
}

func received(when float64, from, to, site string, units ...string) event {
	return object("OBSERVE", "receiving", when, units...).at(site).between(from, to, "")
}

func checkedIn(when float64, site string, tier int, units ...string) event {
	return object("OBSERVE", "sensor_reporting", when, units...).with("readPoint", event{"id": site}, "tw:tier", tier)
}

func seen(when float64, step, site string, units ...string) event {
	return object("OBSERVE", step, when, units...).at(site)
}

func sold(when float64, from, to string, units ...string) event {
	return base("TransactionEvent", "OBSERVE", "", when).with("epcList", units,
		"bizTransactionList", []event{{"type": "inv", "bizTransaction": "urn:invoice:1"}},
		"sourceList", []event{{"type": "owning_party", "source": from}}, "destinationList", []event{{"type": "owning_party", "destination": to}})
}

const context1 = `["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}]`

// document wraps events and master data as EPCIS documents are.
func document(t testing.TB, elements []event, events ...event) []byte {
	t.Helper()
	list, err := json.Marshal(events, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	header := ""
	if len(elements) > 0 {
		vocabulary, err := json.Marshal(elements, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		header = fmt.Sprintf(`"epcisHeader":{"epcisMasterData":{"vocabularyList":%s}},`, vocabulary)
	}
	return fmt.Appendf(nil, `{"@context":%s,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2025-01-01T00:00:00Z",%s"epcisBody":{"eventList":%s}}`, context1, header, list)
}

func vocabulary(kind, id string, attributes ...string) event {
	var list []event
	for i := 0; i < len(attributes); i += 2 {
		name := attributes[i]
		if name[:3] != "tw:" {
			name = "https://ref.gs1.org/cbv/mda#" + name
		}
		list = append(list, event{"id": name, "attribute": attributes[i+1]})
	}
	return event{"type": kind, "vocabularyElementList": []event{{"id": id, "attributes": list}}}
}

// masterData describes the sites and the authority, one element each.
func masterData() (list []event) {
	for _, s := range sites {
		list = append(list, vocabulary("urn:epcglobal:epcis:vtype:BusinessLocation", s.id, "name", s.name, "countryCode", s.country, "tw:operator", s.operator,
			"latitude", fmt.Sprint(s.lat), "longitude", fmt.Sprint(s.lon)))
	}
	return append(list, vocabulary("urn:tidewaiter:vtype:Party", office, "name", "Office", "tw:role", "authority"))
}

// door is a registry over a store in memory, and the custody view behind it, as a deployment has them.
type door struct {
	t     testing.TB
	store *memory.Store
	view  *custody.View
	clock time.Time

	at, committed int64 // entries that the view has taken in, and of those the ones committed
}

const viewName = "custody"

func openDoor(t testing.TB) *door {
	d := &door{t: t, store: memory.New(), clock: day(400)}
	d.view = d.freshView(viewName)
	return d
}

func (d *door) freshView(name string) *custody.View {
	ctx := context.Background()
	return custody.NewView(d.store.Rows(ctx, name), func(seq int64) (ledger.Entry, error) { return d.store.Entry(ctx, seq) })
}

// describe captures the master data.
func (d *door) describe() *door {
	d.capture("", document(d.t, masterData()))
	return d
}

// tell captures events, one document each, and takes them into the view.
func (d *door) tell(events ...event) *door {
	for _, e := range events {
		d.tellAs("", e)
	}
	return d
}

func (d *door) tellAs(speaker string, events ...event) *door {
	d.t.Helper()
	for _, e := range events {
		d.capture(speaker, document(d.t, nil, e))
	}
	return d
}

// capture takes a document in, and the view after it.
func (d *door) capture(speaker string, doc []byte) registry.Result {
	d.t.Helper()
	r := d.captureOnly(speaker, doc)
	d.at = d.apply(d.view, d.at, 1<<62)
	d.commitAll()
	return r
}

// captureOnly takes a document in a second after the one before.
func (d *door) captureOnly(speaker string, doc []byte) registry.Result {
	d.t.Helper()
	d.clock = d.clock.Add(time.Second)
	reg := registry.Registry{Store: d.store, Directory: d.view, Now: func() time.Time { return d.clock }}
	r, err := reg.Capture(context.Background(), bytes.NewReader(doc), registry.Options{As: speaker, Name: "test",
		Reject: func(r registry.Reject) { d.t.Errorf("%s%s: %s\n%s", r.EventID, r.Pointer, r.Reason, doc) }})
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// commitAll commits what the view has taken in.
func (d *door) commitAll() {
	d.t.Helper()
	d.commit(viewName, d.view, d.committed, d.at)
	d.committed = d.at
}

func (d *door) apply(v *custody.View, from, to int64) (head int64) {
	d.t.Helper()
	head = from
	err := d.store.Entries(context.Background(), from, to, func(e ledger.Entry) error {
		head = e.Seq + 1
		_, err := v.Apply(e)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return head
}

func (d *door) commit(name string, v *custody.View, from, to int64) {
	d.t.Helper()
	changes := map[string][]byte{}
	if err := v.Flush(changes); err != nil {
		d.t.Fatal(err)
	}
	if err := d.store.Commit(context.Background(), name, from, to, changes); err != nil {
		d.t.Fatal(err)
	}
	v.Trim()
}

func (d *door) where(unit string, a custody.Asked) *custody.Where {
	d.t.Helper()
	w, err := d.view.Where(unit, a)
	if err != nil {
		d.t.Fatal(err)
	}
	if w == nil {
		return &custody.Where{Unit: unit}
	}
	return w
}

func (d *door) now(unit string) *custody.Where { return d.where(unit, custody.Asked{}) }

func (d *door) exceptions() []custody.Exception {
	d.t.Helper()
	list, err := d.view.ExceptionsAt(custody.Asked{})
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

// kinds lists the kinds of exception that one unit has.
func (d *door) kinds(unit string) (out []string) {
	for _, x := range d.exceptions() {
		if slices.Contains(x.Units, unit) {
			out = append(out, x.Kind)
		}
	}
	slices.Sort(out)
	return out
}
