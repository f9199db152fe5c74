package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Case is what the scorer reads of a case, by the contract of `tidewaiter cases --json`. Other members are ignored.
type Case struct {
	ID     string       `json:"id"`
	Score  float64      `json:"score"`
	Units  []CaseUnit   `json:"units"`
	Bridge []CaseBridge `json:"bridge"` // best first; empty: no opinion
	Status string       `json:"status"`
}

// CaseUnit is a unit in a case, and when it came in.
type CaseUnit struct {
	Unit    string    `json:"unit"`
	AddedAt time.Time `json:"addedAt"`
}

// CaseBridge is a party that may be the bridge.
type CaseBridge struct {
	Party string  `json:"party"`
	Score float64 `json:"score"`
}

// ReadCases reads cases as JSON Lines.
func ReadCases(r io.Reader) ([]Case, error) {
	dec := jsontext.NewDecoder(r)
	var out []Case
	for {
		var c Case
		err := json.UnmarshalDecode(dec, &c)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read case %d: %w", len(out)+1, err)
		}
		out = append(out, c)
	}
}

// ReadTruth reads a truth file.
func ReadTruth(r io.Reader) (Truth, error) {
	var t Truth
	if err := json.UnmarshalRead(r, &t); err != nil {
		return t, fmt.Errorf("read the truth: %w", err)
	}
	if t.Units == 0 {
		return t, errors.New("read the truth: it names no units: is this the truth.json that simulate wrote?")
	}
	return t, nil
}

// Result says how well cases agree with the truth. Shares are 0–1; a share of nothing is 1.
type Result struct {
	Planted      int       `json:"planted"`
	Found        int       `json:"found"` // planted cases of which some true case holds at least half the units
	Missed       []string  `json:"missed"`
	Cases        int       `json:"cases"`
	FalseCases   int       `json:"falseCases"` // fewer than half of their units are diverted
	False        []string  `json:"false"`
	Diverted     int       `json:"diverted"`     // units
	InCases      int       `json:"inCases"`      // diverted units that are in some case
	Accused      int       `json:"accused"`      // honest units in some case
	AccusedCases int       `json:"accusedCases"` // of them, in true cases
	Recall       float64   `json:"recall"`
	Precision    float64   `json:"precision"`
	DaysMedian   float64   `json:"daysMedian"` // from a unit's divergence until it was in a case; below 0: before it left
	DaysP90      float64   `json:"daysP90"`
	BridgeHit1   int       `json:"bridgeHit1"` // of the found
	BridgeHit3   int       `json:"bridgeHit3"`
	BridgeEmpty  int       `json:"bridgeEmpty"`
	PerCase      []PerCase `json:"perCase"`
}

// PerCase is the result for one planted case.
type PerCase struct {
	ID         string  `json:"id"`
	Variant    string  `json:"variant"`
	Units      int     `json:"units"`
	Case       string  `json:"case"`       // the case that holds most of it; empty if none holds any
	InCase     int     `json:"inCase"`     // its units in that case
	Found      bool    `json:"found"`      // by that case
	BridgeRank int     `json:"bridgeRank"` // 1 is best; 0: not named
	DaysFirst  float64 `json:"daysFirst"`  // from the first divergence until a first unit was in that case
}

// Score compares cases with the truth. Cases that were withdrawn do not count.
func Score(truth Truth, cases []Case) Result {
	cases = slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return c.Status == "withdrawn" })
	k := &known{diverted: map[string]time.Time{}, owner: map[string]int{}}
	for i, planted := range truth.Cases {
		for _, u := range planted.Units {
			k.diverted[u] = planted.UnitTimes[u]
			k.owner[u] = i
		}
	}
	r := Result{Planted: len(truth.Cases), Cases: len(cases), Diverted: len(k.diverted), Missed: []string{}, False: []string{}, PerCase: []PerCase{}}
	k.units(&r, cases)
	for i := range truth.Cases {
		r.add(k.match(i, &truth.Cases[i], cases))
	}
	return r
}

// AtLeast are the cases with a score of at least a threshold.
func AtLeast(cases []Case, threshold float64) []Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return c.Score < threshold })
}

// known is the truth by unit.
type known struct {
	diverted map[string]time.Time
	owner    map[string]int
}

// truly says whether at least half of a case's units are diverted.
func (k *known) truly(c *Case) bool {
	n := 0
	for _, u := range c.Units {
		if _, ok := k.diverted[u.Unit]; ok {
			n++
		}
	}
	return n > 0 && 2*n >= len(c.Units)
}

// units fills in what is counted by unit.
func (k *known) units(r *Result, cases []Case) {
	first := map[string]time.Time{}
	accused, beside := map[string]bool{}, map[string]bool{}
	for i := range cases {
		c := &cases[i]
		truly := k.truly(c)
		if !truly {
			r.FalseCases++
			r.False = append(r.False, c.ID)
		}
		for _, u := range c.Units {
			if _, ok := k.diverted[u.Unit]; !ok {
				accused[u.Unit] = true
				if truly {
					beside[u.Unit] = true
				}
			} else if t, ok := first[u.Unit]; !ok || u.AddedAt.Before(t) {
				first[u.Unit] = u.AddedAt
			}
		}
	}
	r.InCases, r.Accused, r.AccusedCases = len(first), len(accused), len(beside)
	r.Recall, r.Precision = share(r.InCases, r.Diverted), share(r.InCases, r.InCases+r.Accused)
	days := make([]float64, 0, len(first))
	for u, t := range first {
		days = append(days, t.Sub(k.diverted[u]).Hours()/24)
	}
	slices.Sort(days)
	r.DaysMedian, r.DaysP90 = quantile(days, 0.5), quantile(days, 0.9)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// match finds the case that holds most of a planted case, true cases first.
func (k *known) match(index int, planted *TruthCase, cases []Case) PerCase {
	p := PerCase{ID: planted.ID, Variant: planted.Variant, Units: len(planted.Units), BridgeRank: -1}
	var best *Case
	for i := range cases {
		c := &cases[i]
		n := 0
		for _, u := range c.Units {
			if owner, ok := k.owner[u.Unit]; ok && owner == index {
				n++
			}
		}
		found := k.truly(c) && 2*n >= p.Units
		if n > 0 && (found && !p.Found || found == p.Found && n > p.InCase) {
			best, p.InCase, p.Found, p.Case = c, n, found, c.ID
		}
	}
	if best != nil {
		p.BridgeRank = rank(best.Bridge, planted.Bridge)
		p.DaysFirst = k.firstDays(index, planted, best)
	}
	return p
}

// rank is the place of a party among bridges from 1; 0 if others are named, -1 if nobody is.
func rank(bridges []CaseBridge, party string) int {
	if len(bridges) == 0 {
		return -1
	}
	return 1 + slices.IndexFunc(bridges, func(b CaseBridge) bool { return b.Party == party })
}

func (k *known) firstDays(index int, planted *TruthCase, c *Case) float64 {
	first := time.Time{}
	for _, u := range c.Units {
		if owner, ok := k.owner[u.Unit]; ok && owner == index && (first.IsZero() || u.AddedAt.Before(first)) {
			first = u.AddedAt
		}
	}
	return first.Sub(planted.DivergedAt).Hours() / 24
}

func (r *Result) add(p PerCase) {
	if !p.Found {
		r.Missed = append(r.Missed, p.ID)
		p.BridgeRank = max(p.BridgeRank, 0)
		r.PerCase = append(r.PerCase, p)
		return
	}
	r.Found++
	switch {
	case p.BridgeRank < 0:
		r.BridgeEmpty++
		p.BridgeRank = 0
	case p.BridgeRank == 1:
		r.BridgeHit1++
		r.BridgeHit3++
	case 2 <= p.BridgeRank && p.BridgeRank <= 3:
		r.BridgeHit3++
	}
	r.PerCase = append(r.PerCase, p)
}
