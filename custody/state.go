package custody

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Micros is a time in microseconds since 1970, UTC: exact, ordered, and the same on every machine.
type Micros int64

// At converts a time.
func At(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time converts back.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Day is the length of a day.
const Day = Micros(24 * time.Hour / time.Microsecond)

// Key orders the events of a unit: by event time, ties by name, never by arrival.
type Key struct {
	Time Micros `json:"t"`
	Name string `json:"n"`
}

func (k Key) compare(o Key) int {
	switch {
	case k.Time < o.Time:
		return -1
	case k.Time > o.Time:
		return 1
	}
	return strings.Compare(k.Name, o.Name)
}

// Mark is a fact: when it happened and which entry says so.
type Mark struct {
	Time Micros `json:"t"`
	Seq  int64  `json:"s"`
	By   string `json:"by,omitzero"`   // who said it
	What string `json:"what,omitzero"` // the business step, or a word
}

// Link is being inside something. To is 0 while open; how it ended is then in the parent's or the child's own events.
type Link struct {
	Parent string `json:"p"`
	From   Micros `json:"f"`
	Seq    int64  `json:"s"`
	To     Micros `json:"to,omitzero"`
	ToSeq  int64  `json:"ts,omitzero"`
}

// Transit is being under way between two parties.
type Transit struct {
	Consignment string `json:"c,omitzero"`
	From        string `json:"f,omitzero"`
	To          string `json:"to,omitzero"`
	FromSite    string `json:"fs,omitzero"`
	ToSite      string `json:"tos,omitzero"`
	Since       Micros `json:"t"`
	Seq         int64  `json:"s"`
}

// Sight is a unit's having been seen somewhere: by itself (a check-in) or by a third party.
type Sight struct {
	Time  Micros `json:"t"`
	Seq   int64  `json:"s"`
	Place string `json:"p,omitzero"`
	Geo   string `json:"g,omitzero"`
	Tier  int    `json:"tier,omitzero"`
	By    string `json:"by,omitzero"`
	Kind  string `json:"k,omitzero"` // customs, warranty, marketplace, inspector, activation; empty for a check-in
}

// Fix is what a unit's own events say of its place and holder at one time. From is set when it was taken out of a parent:
// what the events leave open is then what held for the parent at that time.
type Fix struct {
	Time   Micros `json:"t"`
	Seq    int64  `json:"s"`
	Site   string `json:"site,omitzero"`
	Geo    string `json:"geo,omitzero"`
	Tier   int    `json:"tier,omitzero"`
	Parent string `json:"from,omitzero"`
}

// Base is something else's custody at a time.
type Base struct {
	Parent string `json:"p"`
	At     Micros `json:"t"`
}

// State is what a unit's own events say of it. It is extended by the next event in order, and folded anew otherwise.
type State struct {
	Unit    string `json:"u"`
	Last    Key    `json:"last"`
	Folded  int    `json:"n"`
	Told    int    `json:"told,omitzero"` // how many entries name it; kept by the view
	Born    *Mark  `json:"born,omitzero"`
	Ended   *Mark  `json:"ended,omitzero"`
	Fix     *Fix   `json:"fix,omitzero"` // nil: nothing is known of its place
	Holder  string `json:"holder,omitzero"`
	HeldBy  Mark   `json:"held,omitzero"` // what says so
	Base    *Base  `json:"base,omitzero"` // until its own events name a holder: the parent's, as it was then
	Owner   string `json:"owner,omitzero"`
	OwnedBy Mark   `json:"owned,omitzero"`
	Assoc   *Link  `json:"assoc,omitzero"` // built into
	Agg     *Link  `json:"agg,omitzero"`   // packed into
	Past    []Link `json:"past,omitzero"`  // the last links that ended, newest last, at most keepPast
	Emptied []Mark `json:"emptied,omitzero"`
	Parent  bool   `json:"parent,omitzero"` // something was put into it at some time

	Transit   *Transit        `json:"transit,omitzero"`
	CheckIn   *Sight          `json:"checkin,omitzero"`
	Sightings []Sight         `json:"seen,omitzero"` // by third parties, the last keepSeen
	Flags     map[string]Mark `json:"flags,omitzero"`
	Claims    []Mark          `json:"claims,omitzero"` // said by others, not followed; the last keepSeen
	Problems  []Problem       `json:"problems,omitzero"`
	Checks    []Check         `json:"checks,omitzero"`
}

// Bounds on what a state keeps, so that a unit with a million events stays small; the events themselves are all in the ledger.
const (
	keepPast   = 16
	keepSeen   = 8
	keepEmpty  = 64
	keepSeqs   = 6
	keepChecks = 48
)

// Problem is something in a unit's own events that does not add up. Equal kinds are counted together.
type Problem struct {
	Kind  string  `json:"k"`
	Count int     `json:"n"`
	Seqs  []int64 `json:"s"`
	Note  string  `json:"note,omitzero"`
	First Micros  `json:"f"`
}

// Check is a question about a unit's events that only another unit, or the place's coordinates, can answer.
type Check struct {
	Kind  string  `json:"k"`
	Seqs  []int64 `json:"s"`
	Time  Micros  `json:"t"`
	Other string  `json:"o,omitzero"` // the parent, or the place before
	Place string  `json:"p,omitzero"`
	Since Micros  `json:"b,omitzero"`
	Party string  `json:"party,omitzero"`
}

func unquote(v jsontext.Value) (string, error) {
	var s string
	err := json.Unmarshal(v, &s)
	return s, err
}
