package detect

import (
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/store"
)

// Micros is a time of the ledger or of an event.
type Micros = custody.Micros

// Day is the length of a day.
const Day = custody.Day

// Unit is what the detectors remember of one accelerator.
type Unit struct {
	Site      string `json:"site,omitzero"` // where it checks in, without extension
	First     Micros `json:"first,omitzero"`
	Last      Micros `json:"last,omitzero"` // its last check-in
	LastSeq   int64  `json:"seq,omitzero"`
	Count     int    `json:"n,omitzero"`
	Holder    string `json:"h,omitzero"`   // who held it then: whose feed its check-ins come by
	Lag       Micros `json:"lag,omitzero"` // how late they become known, a slowly forgetting maximum
	Path      []Hop  `json:"path,omitzero"`
	Odd       []Odd  `json:"odd,omitzero"` // seen where it should not be
	Out       *Out   `json:"out,omitzero"` // taken out of what it was built into, and not put back
	Passed    Micros `json:"passed,omitzero"`
	PassSeq   int64  `json:"passseq,omitzero"` // the inspection that it passed last
	PassBy    string `json:"passby,omitzero"`
	Word      Micros `json:"word,omitzero"` // what was done with it first after its last check-in: when, and when that was known
	WordKnown Micros `json:"wordknown,omitzero"`
}

// Hop is a party through whose hands, books or purse a unit went.
type Hop struct {
	Party string `json:"p"`
	Role  string `json:"r"` // holder, owner, payer, consignor, endUser, operator
	At    Micros `json:"t"`
	Seq   int64  `json:"s"`
}

// Odd is a sighting somewhere else than custody would have it.
type Odd struct {
	At      Micros `json:"t"`
	Known   Micros `json:"k"`
	Seq     int64  `json:"s"`
	Place   string `json:"p,omitzero"`
	Country string `json:"c,omitzero"`
	From    string `json:"f,omitzero"` // where it was last
	Kind    string `json:"kind"`       // check-in, activation, warranty, …
	Tier    int    `json:"tier"`
	By      string `json:"by,omitzero"`  // who says so, if it is no more than his word: see witness
	Gap     Micros `json:"gap,omitzero"` // since it was last seen at From
	Back    Micros `json:"b,omitzero"`   // when it next checked in at From
	Km      int    `json:"km,omitzero"`
	Unheard bool   `json:"u,omitzero"`     // it had never checked in anywhere
	Faint   bool   `json:"faint,omitzero"` // and nobody declared the place: see firm
}

// Out is a removal from what a unit was built into.
type Out struct {
	At   Micros `json:"t"`
	Seq  int64  `json:"s"`
	Site string `json:"site,omitzero"`
	By   string `json:"by,omitzero"`
}

// SiteMemory is what the detectors remember of one site.
type SiteMemory struct {
	Passed []Pass `json:"ins,omitzero"` // inspections, the last few
}

// Pass is an inspection of a site's units.
type Pass struct {
	At    Micros `json:"t"`
	Seq   int64  `json:"s"`
	By    string `json:"by,omitzero"`
	Units int    `json:"n"`
}

// PartyMemory is what the detectors remember of one party.
type PartyMemory struct {
	Units    int            `json:"u,omitzero"` // accelerators that went through it
	First    Micros         `json:"f,omitzero"` // its first of them
	FirstSeq int64          `json:"fs,omitzero"`
	Received int            `json:"r,omitzero"`   // accelerators received as their new holder
	Payers   map[string]int `json:"pay,omitzero"` // who paid for what it received
}

// Load is a consignment: units, or parcels without serials, under way with their papers.
type Load struct {
	ID       string   `json:"id"`
	Legs     []Leg    `json:"legs"`
	Receipts []Leg    `json:"rec,omitzero"` // From empty
	Units    []string `json:"u,omitzero"`   // accelerators by serial
	Handles  []string `json:"h,omitzero"`   // parcels, pallets
	Pieces   float64  `json:"q,omitzero"`   // of goods not told apart
	Classes  []string `json:"cl,omitzero"`
	Desc     string   `json:"d,omitzero"`
	HSCode   string   `json:"hs,omitzero"`
	Value    float64  `json:"v,omitzero"` // in the papers' currency
	WeightKg float64  `json:"kg,omitzero"`
	EndUser  string   `json:"eu,omitzero"`
	EndUse   string   `json:"euc,omitzero"` // country
	Payer    string   `json:"pay,omitzero"`
	RMA      bool     `json:"rma,omitzero"`
	Void     bool     `json:"void,omitzero"`
	Settled  bool     `json:"ok,omitzero"` // every unit of it has been accounted for since its last leg

	Origin     string `json:"o,omitzero"`  // who sent it first
	OriginSite string `json:"os,omitzero"` // and from where
	OriginAt   Micros `json:"ot,omitzero"`
	Final      string `json:"fin,omitzero"` // to whom it is sold or consigned, whoever carries it
}

// Leg is one dispatch of a load, or one receipt.
type Leg struct {
	At      Micros `json:"t"`
	Known   Micros `json:"k"`
	Seq     int64  `json:"s"`
	From    string `json:"f,omitzero"`
	To      string `json:"to,omitzero"`
	Site    string `json:"site,omitzero"` // where it happened
	ToSite  string `json:"tos,omitzero"`
	Speaker string `json:"by,omitzero"`
}

// Inside is what was put into a unit and not yet taken out.
type Inside struct {
	Children []string `json:"c"`
}

// Clock is ledger time.
type Clock struct {
	Now   Micros `json:"now"`   // recorded time of the last entry
	Swept Micros `json:"swept"` // the last boundary at which the detectors were asked
	News  Micros `json:"news"`  // up to when we may expect to have heard what happened
}

// Memory is all that the detectors remember. It is a function of the ledger, and kept as rows.
type Memory struct {
	Custody   *custody.View
	Own       custody.Own // the units' own states, as known now
	units     *store.Table[Unit]
	sites     *store.Table[SiteMemory]
	feeds     *store.Table[Feed]
	parties   *store.Table[PartyMemory]
	loads     *store.Table[Load]
	handles   *store.Table[Handle]
	inside    *store.Table[Inside]
	oddIndex  *store.Table[Handle]
	clock     *store.Table[Clock]
	Clock     *Clock
	siteList  []string           // every site that ever had check-ins, sorted
	loadList  []string           // every load that may still matter
	partyList []string           // every party that is remembered, in no order
	odd       map[string]bool    // units with odd sightings
	at        map[string]*roster // units that check in at a site
	out       map[string]bool    // units that were taken out of what they were built into
	places    []located          // sites with coordinates, by id
	err       error
}

// Handle says in which load a parcel goes.
type Handle struct {
	Load string `json:"l"`
}

// NewMemory reads the memory's rows.
func NewMemory(rows store.Rows, view *custody.View) (*Memory, error) {
	m := &Memory{
		Custody:  view,
		Own:      view.Own(custody.Asked{}),
		units:    store.NewTable[Unit](rows, "watch/unit/"),
		sites:    store.NewTable[SiteMemory](rows, "watch/site/"),
		feeds:    store.NewTable[Feed](rows, "watch/feed/"),
		parties:  store.NewTable[PartyMemory](rows, "watch/party/"),
		loads:    store.NewTable[Load](rows, "watch/load/"),
		handles:  store.NewTable[Handle](rows, "watch/handle/"),
		inside:   store.NewTable[Inside](rows, "watch/inside/"),
		oddIndex: store.NewTable[Handle](rows, "watch/odd/"),
		clock:    store.NewTable[Clock](rows, "watch/clock"),
	}
	err := m.sites.All(func(key string, _ *SiteMemory) error { m.siteList = append(m.siteList, key); return nil })
	if err != nil {
		return nil, err
	}
	err = m.loads.All(func(key string, l *Load) error { m.loadList = append(m.loadList, key); return nil })
	if err != nil {
		return nil, err
	}
	err = m.parties.All(func(key string, _ *PartyMemory) error { m.partyList = append(m.partyList, key); return nil })
	if err != nil {
		return nil, err
	}
	m.odd = map[string]bool{}
	err = m.oddIndex.All(func(unit string, _ *Handle) error { m.odd[unit] = true; return nil })
	if err != nil {
		return nil, err
	}
	m.at = map[string]*roster{}
	m.out = map[string]bool{}
	err = m.units.All(func(unit string, u *Unit) error {
		m.place(unit, u)
		if u.Out != nil {
			m.out[unit] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(m.siteList)
	slices.Sort(m.loadList)
	m.Clock, err = m.clock.Get("")
	if m.Clock == nil {
		m.Clock = &Clock{}
	}
	return m, err
}

func (m *Memory) flush(changes map[string][]byte) error {
	m.clock.Put("", m.Clock)
	for _, t := range []interface{ Flush(map[string][]byte) error }{m.units, m.sites, m.feeds, m.parties, m.loads, m.handles, m.inside, m.oddIndex, m.clock} {
		if err := t.Flush(changes); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) dirty() int { return m.units.Dirty() + m.inside.Dirty() + m.loads.Dirty() }

// keepUnits bounds the units held between batches.
const keepUnits = 400000

func (m *Memory) trim() {
	m.units.Trim(keepUnits)
	m.inside.Trim(keepUnits)
	m.handles.Trim(keepUnits)
}

// get reads a row; the first error is kept and reported by whoever drives the memory.
func get[T any](m *Memory, t *store.Table[T], key string) *T {
	v, err := t.Get(key)
	if err != nil && m.err == nil {
		m.err = err
	}
	return v
}

func have[T any](m *Memory, t *store.Table[T], key string) *T {
	v := get(m, t, key)
	if v == nil {
		v = new(T)
	}
	t.Put(key, v)
	return v
}

// Unit returns what is remembered of an accelerator, or nil.
func (m *Memory) Unit(unit string) *Unit { return get(m, m.units, unit) }

// Site returns what is remembered of a site, or nil.
func (m *Memory) Site(site string) *SiteMemory { return get(m, m.sites, site) }

// Party returns what is remembered of a party; never nil.
func (m *Memory) Party(party string) *PartyMemory {
	if p := get(m, m.parties, party); p != nil {
		return p
	}
	return &PartyMemory{}
}

// change returns what is remembered of a party, to be changed.
func (m *Memory) change(party string) *PartyMemory {
	if get(m, m.parties, party) == nil {
		m.partyList = append(m.partyList, party)
	}
	return have(m, m.parties, party)
}

// Sites calls fn for each site that has check-ins, in order.
func (m *Memory) Sites(fn func(site string, s *SiteMemory)) {
	for _, site := range m.siteList {
		if s := m.Site(site); s != nil {
			fn(site, s)
		}
	}
}

// Loads calls fn for each load that is remembered, in order.
func (m *Memory) Loads(fn func(l *Load)) {
	for _, id := range m.loadList {
		if l := get(m, m.loads, id); l != nil {
			fn(l)
		}
	}
}

// Standing resolves where a unit stands now; nil when nothing is known.
func (m *Memory) Standing(unit string) *custody.Standing {
	st, err := m.Custody.Standing(unit)
	if err != nil && m.err == nil {
		m.err = err
	}
	return st
}

// Name is what people call a party or a place.
func (m *Memory) Name(id string) string { return custody.NameOf(m.Custody, id) }

// Country is the country of a place, or of a party by its master data.
func (m *Memory) Country(id string) string {
	if c := custody.Country(m.Custody, id); c != "" {
		return c
	}
	return ""
}

// Attr is an attribute of a subject's master data.
func (m *Memory) Attr(id, name string) string { return m.Custody.Element(id).Attr(name) }

// Accelerators lists the accelerators that a unit is or holds.
func (m *Memory) Accelerators(unit string) []string {
	var out []string
	m.expand(unit, 0, &out)
	return out
}

// maxInside is how many levels of contents are looked into.
const maxInside = 8

func (m *Memory) expand(unit string, depth int, out *[]string) {
	in := get(m, m.inside, unit)
	if in != nil && len(in.Children) > 0 && depth < maxInside {
		for _, c := range in.Children {
			m.expand(c, depth+1, out)
		}
		return
	}
	if m.IsAccelerator(unit) {
		*out = append(*out, unit)
	}
}

// IsAccelerator says whether a unit is an accelerator. Where no master data says what it is, a unit that is not a parcel and
// holds nothing counts as one: better to watch a cable than to overlook a chip.
func (m *Memory) IsAccelerator(unit string) bool {
	switch kind := m.Custody.Kind(unit); kind {
	case "accelerator":
		return true
	case "":
	default:
		return false
	}
	if isHandle(unit) {
		return false
	}
	return get(m, m.inside, unit) == nil // a row, even one that was emptied: something was in it
}

// oddUnits lists the accelerators that were seen where they should not be, sorted.
func (m *Memory) oddUnits() []string {
	var out []string
	for id := range m.odd {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
