package sim

import (
	"cmp"
	"slices"
	"time"
)

// Truth is what really happened in a world. Units and parties are canonical GS1 Digital Links.
type Truth struct {
	Seed   uint64      `json:"seed"`
	Units  int         `json:"units"` // accelerators made
	Cases  []TruthCase `json:"cases"`
	Honest Honest      `json:"honest"`
}

// TruthCase is one planted scheme.
type TruthCase struct {
	ID          string               `json:"id"`
	Typology    string               `json:"typology"` // "T3": inspect, strip, ship, rebuild
	Variant     string               `json:"variant"`  // own_site, rented_space, intermediary
	Units       []string             `json:"units"`    // the diverted accelerators
	Bridge      string               `json:"bridge"`   // the party through which they left the declared chain
	Front       string               `json:"front"`    // who held them last, by the papers
	Site        string               `json:"site"`     // where they were installed
	InspectedAt time.Time            `json:"inspectedAt"`
	DivergedAt  time.Time            `json:"divergedAt"`     // the first unit was torn out
	UnitTimes   map[string]time.Time `json:"unitDivergedAt"` // each unit
	Destination string               `json:"destination"`    // country, ISO 3166-1 alpha-2
	Parcels     []TruthParcel        `json:"parcels"`
	Activated   []string             `json:"activated"` // units of which something was seen again
}

// TruthParcel is one parcel in which diverted units travelled.
type TruthParcel struct {
	ID    string   `json:"id"` // its handling unit or consignment
	Units []string `json:"units"`
	Seen  bool     `json:"seen"` // something of it was reported, by a carrier or the shipper
	Route []string `json:"route"`
}

// Honest is the honest work that looks like a scheme.
type Honest struct {
	Lookalikes []Lookalike `json:"lookalikes"`
}

// Lookalike is one piece of honest work that looks like part of a scheme. Site or party may be empty.
type Lookalike struct {
	Kind  string   `json:"kind"`
	Site  string   `json:"site,omitzero"`
	Party string   `json:"party,omitzero"`
	Units []string `json:"units,omitzero"`
}

func (t *Truth) sort() {
	slices.SortStableFunc(t.Cases, func(a, b TruthCase) int { return a.DivergedAt.Compare(b.DivergedAt) })
	slices.SortStableFunc(t.Honest.Lookalikes, func(a, b Lookalike) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Site, b.Site), cmp.Compare(a.Party, b.Party))
	})
}

func partyLink(p *party) string { return string(appendParty(nil, p.gln, false)) }
func siteLink(x *site) string   { return string(appendPlace(nil, x.gln, false)) }

// resembles notes honest work that looks like a scheme.
func (g *gen) resembles(kind string, x *site, p *party, units []ref) {
	l := Lookalike{Kind: kind, Units: g.w.links(units)}
	if x != nil {
		l.Site = siteLink(x)
	}
	if p != nil {
		l.Party = partyLink(p)
	}
	g.w.truth.Honest.Lookalikes = append(g.w.truth.Honest.Lookalikes, l)
}
