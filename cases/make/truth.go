package main

import (
	"slices"
	"time"
)

// truth is what really happened, in the form of the simulator's truth.json, so that one scorer reads both.
type truth struct {
	Units  int         `json:"units"` // accelerators made
	Cases  []truthCase `json:"cases"`
	Honest honest      `json:"honest"`
}

// truthCase is one diversion.
type truthCase struct {
	ID          string               `json:"id"`
	Typology    string               `json:"typology"`
	Variant     string               `json:"variant"`
	Units       []string             `json:"units"`
	Bridge      string               `json:"bridge"` // through whom the units left the declared chain
	Front       string               `json:"front"`  // who held them last, by the papers
	Site        string               `json:"site"`
	InspectedAt time.Time            `json:"inspectedAt"`
	DivergedAt  time.Time            `json:"divergedAt"`
	UnitTimes   map[string]time.Time `json:"unitDivergedAt"`
	Destination string               `json:"destination"`
	Parcels     []truthParcel        `json:"parcels"`
	Activated   []string             `json:"activated"`
}

type truthParcel struct {
	ID    string   `json:"id"`
	Units []string `json:"units"`
	Seen  bool     `json:"seen"`
	Route []string `json:"route"`
}

// honest is the honest work that looks like a diversion.
type honest struct {
	Lookalikes []lookalike `json:"lookalikes"`
}

type lookalike struct {
	Kind  string   `json:"kind"`
	Site  string   `json:"site,omitzero"`
	Party string   `json:"party,omitzero"`
	Units []string `json:"units,omitzero"`
}

func (w *world) resembles(kind string, x *site, list []string) {
	w.truth.Honest.Lookalikes = append(w.truth.Honest.Lookalikes, lookalike{kind, x.link(), x.operator.link(), list})
}

// diverted adds units that left the declared chain at a time.
func (c *truthCase) diverted(list []string, t time.Time) {
	if c.UnitTimes == nil {
		c.UnitTimes = map[string]time.Time{}
	}
	if c.DivergedAt.IsZero() || t.Before(c.DivergedAt) {
		c.DivergedAt = t
	}
	for _, u := range list {
		c.UnitTimes[u] = t
	}
	c.Units = append(c.Units, list...)
	slices.Sort(c.Units)
}

// carried adds what a parcel really held. An unseen parcel was reported by nobody.
func (c *truthCase) carried(p *parcel, held []string, seen bool) {
	route := []string{p.from.country}
	for _, x := range append(p.via[:len(p.via):len(p.via)], p.to) {
		if x.country != route[len(route)-1] {
			route = append(route, x.country)
		}
	}
	c.Parcels = append(c.Parcels, truthParcel{p.id(), held, seen, route})
}
