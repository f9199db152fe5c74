package custody

import (
	"slices"
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
	Again  Micros `json:"a,omitzero"` // when it was last put in once more: the parent may have been emptied in between
	To     Micros `json:"to,omitzero"`
	ToSeq  int64  `json:"ts,omitzero"`
	Forced bool   `json:"x,omitzero"` // it ended by being put elsewhere; nobody reported that it was taken out
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

// Fix is what a unit's own events say of its place at one time. Parent is set when it was taken out of something: what the
// event leaves open is then what held for the parent at that time.
type Fix struct {
	Time   Micros `json:"t"`
	Seq    int64  `json:"s"`
	Site   string `json:"site,omitzero"`
	Geo    string `json:"geo,omitzero"`
	Tier   int    `json:"tier,omitzero"`
	By     string `json:"by,omitzero"` // who handled it there, unless it was only moved, sent or received
	Parent string `json:"from,omitzero"`
}

// Base is what a unit was inside of until it left: parties that it does not name itself are those of the parent, as far as
// something was handed over while the unit was inside.
type Base struct {
	Parent string `json:"p"`
	At     Micros `json:"t"` // when it left
	From   Micros `json:"f"` // when it was put in
	Again  Micros `json:"a,omitzero"`
	What   string `json:"w,omitzero"` // the kind of link
}

// Name is another name of a unit, and on whose word.
type Name struct {
	Alias string `json:"a"` // in full, as told
	Rank  int    `json:"r,omitzero"`
	Mark  Mark   `json:"m"`
	Until Micros `json:"u,omitzero"` // when it was replaced by another
}

// The ranks of a name: what the maker told when it made the unit outranks what was bound later, and that what others claim.
const (
	rankClaim = iota
	rankBound
	rankMaker
)

// State is what a unit's own events say of it. It is extended by the next event in order, and folded anew otherwise.
type State struct {
	Unit     string  `json:"u"`
	Last     Key     `json:"last"`
	Folded   int     `json:"n"`
	Told     int     `json:"told,omitzero"`     // how many entries name it; kept by the view
	Declared int     `json:"declared,omitzero"` // how many of them are error declarations; kept by the view
	Early    []int64 `json:"early,omitzero"`    // while it is not born: the first events in which it was used
	Hearsay  bool    `json:"hearsay,omitzero"`  // so far only others spoke of it; the first word of its own custody begins anew
	Spoken   bool    `json:"spoken,omitzero"`   // somebody spoke with authority about it
	Born     *Mark   `json:"born,omitzero"`
	Ended    *Mark   `json:"ended,omitzero"`
	Fix      *Fix    `json:"fix,omitzero"` // nil: nothing is known of its place
	Holder   string  `json:"holder,omitzero"`
	HeldBy   Mark    `json:"held,omitzero"` // what says so
	Owner    string  `json:"owner,omitzero"`
	OwnedBy  Mark    `json:"owned,omitzero"`
	Bases    []Base  `json:"bases,omitzero"` // what it left since it last named holder and owner itself, oldest first
	Assoc    *Link   `json:"assoc,omitzero"` // built into
	Agg      *Link   `json:"agg,omitzero"`   // packed into
	Past     []Link  `json:"past,omitzero"`  // the last links that ended, newest last, at most keepPast
	Emptied  []Mark  `json:"emptied,omitzero"`
	Parent   bool    `json:"parent,omitzero"` // something was put into it at some time

	Transit   *Transit        `json:"transit,omitzero"`
	CheckIn   *Sight          `json:"checkin,omitzero"`
	Relayed   []Sight         `json:"relayed,omitzero"` // check-ins passed on by who may have no part in the unit: the last of each, at most keepSeen
	Sightings []Sight         `json:"seen,omitzero"`    // by third parties, the last keepSeen
	Flags     map[string]Mark `json:"flags,omitzero"`
	Names     []Name          `json:"names,omitzero"`    // at most keepNames
	Replaces  []string        `json:"replaces,omitzero"` // units that were this one, under another name
	Claims    []Mark          `json:"claims,omitzero"`   // said by others, not followed; the last keepSeen
	Wrong     *Problem        `json:"wrong,omitzero"`    // events whose time their record contradicts: they are outside the order
	Problems  []Problem       `json:"problems,omitzero"` // one of each kind, by when it first showed
	Checks    []Check         `json:"checks,omitzero"`
}

// Bounds on what a state keeps, so that a unit with a million events stays small; the events themselves are all in the ledger.
const (
	keepPast   = 16
	keepSeen   = 8
	keepEmpty  = 64
	keepSeqs   = 6
	keepChecks = 48
	keepBases  = 4
	keepNames  = 24
)

// Problem is something in a unit's own events that does not add up. Equal kinds are counted together.
type Problem struct {
	Kind  string   `json:"k"`
	Count int      `json:"n"`
	Seqs  []int64  `json:"s"` // the first keepSeqs
	Note  string   `json:"note,omitzero"`
	Other string   `json:"o,omitzero"` // the party or thing with which the note ends
	Times []Micros `json:"t,omitzero"` // of the entries, and what sets apart those of one time, where they are kept in order
	Ties  []uint32 `json:"e,omitzero"`
	First Micros   `json:"f"`
}

// Check is a question about a unit's events that only another unit, or the place's coordinates, can answer.
type Check struct {
	Kind  string  `json:"k"`
	Seqs  []int64 `json:"s"`
	Time  Micros  `json:"t"`
	Other string  `json:"o,omitzero"` // the parent, or the place before
	Place string  `json:"p,omitzero"`
	Since Micros  `json:"b,omitzero"`
	Again Micros  `json:"a,omitzero"`
	Party string  `json:"party,omitzero"`
	What  string  `json:"w,omitzero"` // the kind of link
}

// problem counts something that does not add up.
func (s *State) problem(t *Telling, kind, note, other string) {
	s.problems(At(t.Event.Time), kind, note, other, t.Seq)
}

func (s *State) problems(at Micros, kind, note, other string, seqs ...int64) {
	i := slices.IndexFunc(s.Problems, func(p Problem) bool { return p.Kind == kind })
	if i < 0 {
		seqs = slices.Compact(slices.Clone(seqs))
		s.Problems = append(s.Problems, Problem{Kind: kind, Count: 1, Seqs: seqs[:min(len(seqs), keepSeqs)], Note: note, Other: other, First: at})
		return
	}
	p := &s.Problems[i]
	p.Count++
	for _, seq := range seqs {
		if len(p.Seqs) < keepSeqs && !slices.Contains(p.Seqs, seq) {
			p.Seqs = append(p.Seqs, seq)
		}
	}
}

// check keeps a question. When there are too many, that is said too: the oldest are no longer looked at.
func (s *State) check(c Check) {
	if len(s.Checks) >= keepChecks {
		old := s.Checks[0]
		s.problems(old.Time, "more-than-is-kept", "it gave rise to more questions than are kept, and the first are no longer looked at", "", old.Seqs...)
	}
	s.Checks = lastOf(append(s.Checks, c), keepChecks)
}

// lastOf keeps the last n of a list.
func lastOf[T any](list []T, n int) []T {
	if len(list) > n {
		return slices.Delete(list, 0, len(list)-n)
	}
	return list
}

func unquote(v jsontext.Value) (string, error) {
	var s string
	err := json.Unmarshal(v, &s)
	return s, err
}
