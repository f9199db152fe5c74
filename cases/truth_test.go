package cases_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// truth is what these tests read of a truth file.
type truth struct {
	Units int `json:"units"`
	Cases []struct {
		Units       []string             `json:"units"`
		Bridge      string               `json:"bridge"`
		Front       string               `json:"front"`
		Site        string               `json:"site"`
		DivergedAt  time.Time            `json:"divergedAt"`
		UnitTimes   map[string]time.Time `json:"unitDivergedAt"`
		Destination string               `json:"destination"`
		Parcels     []struct {
			ID    string   `json:"id"`
			Units []string `json:"units"`
			Seen  bool     `json:"seen"`
			Route []string `json:"route"`
		} `json:"parcels"`
		Activated []string `json:"activated"`
	} `json:"cases"`
	Honest struct {
		Lookalikes []struct {
			Kind  string   `json:"kind"`
			Units []string `json:"units"`
		} `json:"lookalikes"`
	} `json:"honest"`
}

func (r *read) truth(t *testing.T) truth {
	t.Helper()
	var out truth
	if err := json.Unmarshal(r.Truth, &out); err != nil {
		t.Fatalf("case %s: %v", r.Letter, err)
	}
	if len(out.Cases) != 1 {
		t.Fatalf("case %s: the truth tells of %d cases", r.Letter, len(out.Cases))
	}
	return out
}

// made is when each unit was commissioned.
func (r *read) made() map[string]time.Time {
	out := map[string]time.Time{}
	for _, e := range r.events {
		if e.Step == "commissioning" {
			for _, u := range e.EPCs {
				out[u] = e.Time
			}
		}
	}
	return out
}

func TestTruthIsAboutUnitsInTheDocuments(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		tr, made := r.truth(t), r.made()
		c := tr.Cases[0]
		if !slices.Equal(slices.Sorted(maps.Keys(c.UnitTimes)), c.Units) {
			t.Error("the units are not those that have a time")
		}
		first := time.Time{}
		for _, u := range c.Units {
			born, ok := made[u]
			if !ok || !born.Before(c.UnitTimes[u]) {
				t.Errorf("%s was made at %v and left at %v", u, born, c.UnitTimes[u])
			}
			if first.IsZero() || c.UnitTimes[u].Before(first) {
				first = c.UnitTimes[u]
			}
		}
		if !first.Equal(c.DivergedAt) {
			t.Errorf("the first unit left at %v, not at %v", first, c.DivergedAt)
		}
		accelerators := 0
		for u := range made {
			if strings.Contains(u, class(c.Units[0])) {
				accelerators++
			}
		}
		if accelerators != tr.Units {
			t.Errorf("%d accelerators are made, the truth says %d", accelerators, tr.Units)
		}
		for _, l := range tr.Honest.Lookalikes {
			for _, u := range l.Units {
				if _, ok := made[u]; !ok || slices.Contains(c.Units, u) {
					t.Errorf("%s is said to be honest (%s)", u, l.Kind)
				}
			}
		}
	})
}

func class(unit string) string { return unit[:strings.Index(unit, "/21/")+4] }

func TestTruthIsAboutPartiesAndParcelsInTheDocuments(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		c := r.truth(t).Cases[0]
		for _, id := range []string{c.Bridge, c.Front, c.Site} {
			if !r.known[len(r.known)-1][id] {
				t.Errorf("nothing is known of %s", id)
			}
		}
		all := strings.Join(r.texts, "")
		var held []string
		countries := map[string]bool{}
		for _, p := range c.Parcels {
			held = append(held, p.Units...)
			if p.Seen != strings.Contains(all, `"`+p.ID+`"`) {
				t.Errorf("parcel %s: seen is %v", p.ID, p.Seen)
			}
			if p.Route[len(p.Route)-1] != c.Destination || len(p.Route) < 3 {
				t.Errorf("parcel %s goes by %v", p.ID, p.Route)
			}
			countries[p.Route[1]] = true
		}
		slices.Sort(held)
		if !slices.Equal(held, c.Units) {
			t.Errorf("the parcels held %d units, %d left", len(held), len(c.Units))
		}
		if len(countries) != 3 {
			t.Errorf("the parcels go by %v", countries)
		}
		for _, u := range c.Activated {
			if !slices.Contains(c.Units, u) {
				t.Errorf("%s was activated and had not left", u)
			}
		}
	})
}

// TestUnitsAreSilentAfterTheyLeft: after a unit left, it does not check in, and no paper names it, but that somebody saw it.
func TestUnitsAreSilentAfterTheyLeft(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		c := r.truth(t).Cases[0]
		for _, e := range r.events {
			if e.Rest["tw:sighting"] != nil {
				continue
			}
			for _, u := range e.EPCs {
				if left, gone := c.UnitTimes[u]; gone && e.Time.After(left) {
					t.Errorf("%s is named after it left at %v: %s", u, left, e.raw)
				}
			}
		}
	})
}

// TestHonestWorkGoesOn: as many accelerators as are honest and set up check in at the end, and a repaired one is built in again.
func TestHonestWorkGoesOn(t *testing.T) {
	each(t, func(t *testing.T, r *read) {
		c := r.truth(t).Cases[0]
		end := r.events[len(r.events)-1].Recorded
		last, out, back := map[string]time.Time{}, map[string]bool{}, 0
		for _, e := range r.events {
			for _, u := range e.EPCs {
				if e.Step == "sensor_reporting" && e.Time.After(last[u]) {
					last[u] = e.Time
				}
			}
			for _, u := range e.Children {
				if e.Step == "removing" {
					out[u] = true
				} else if e.Step == "installing" && out[u] {
					back++
				}
			}
		}
		alive := 0
		for u, at := range last {
			if _, gone := c.UnitTimes[u]; !gone && end.Sub(at) < 16*24*time.Hour {
				alive++
			} else if !gone {
				t.Errorf("%s is honest and was last heard on %v", u, at)
			}
		}
		if alive < 100 || len(out) != 1 || back != 1 {
			t.Errorf("%d honest units check in at the end; of %d taken out, %d were put back", alive, len(out), back)
		}
	})
}
