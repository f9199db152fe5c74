package sim

import (
	"fmt"
	"slices"
)

// World is a simulated supply chain: what its parties reported, in the order in which it became known, and the truth.
type World struct {
	seed        uint64
	start, end  instant
	months      int
	perDocument int
	parties     []*party
	sites       []*site
	products    []*product
	things      []thing // things[0] is none
	units       []ref   // the accelerators
	servers     int
	events      []event
	order       []int32 // of events, by when they became known
	stats       stats
	truth       Truth
}

// stats counts what the noise did.
type stats struct{ missed, misScanned, duplicates, wrongYear int }

// gen is a world in the making.
type gen struct {
	cfg        Config
	w          *World
	start, end instant

	people, feeds, ids stream
	namer              namer
	prefixes           map[string]bool
	sequence           map[*product]int

	cast       cast
	goods      goods
	orders     []*order
	servers    []*server
	halls      []*hall
	schemes    []*scheme
	spares     []spare
	ruleDate   instant
	spareCount int
}

func (g *gen) stream(label string) stream { return newStream(g.cfg.Seed, label) }

// Generate makes the world that a configuration determines.
func Generate(cfg Config) (*World, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	g := newGen(cfg)
	g.makeCast()
	g.makeGoods()
	g.castSchemes()
	g.planOrders()
	g.supplySpares()
	for _, o := range g.orders {
		g.fulfil(o)
	}
	g.live()
	g.w.settle()
	g.w.truth.sort()
	return g.w, nil
}

func newGen(cfg Config) *gen {
	start := at(cfg.Start.UTC())
	w := &World{
		seed: cfg.Seed, start: start, end: at(cfg.Start.UTC().AddDate(0, cfg.Months, 0)), months: cfg.Months,
		perDocument: cfg.EventsPerDocument, things: make([]thing, 1, cfg.Units*5/4+1),
		truth: Truth{Seed: cfg.Seed, Units: cfg.Units},
	}
	g := &gen{
		cfg: cfg, w: w, start: start, end: w.end,
		prefixes: map[string]bool{}, sequence: map[*product]int{},
	}
	g.people, g.feeds, g.ids = g.stream("people"), g.stream("feeds"), g.stream("ids")
	g.namer = namer{s: g.stream("names"), taken: map[string]bool{}}
	g.ruleDate = start + instant(g.stream("rule").between(0.3, 0.55)*float64(w.end-start))
	return g
}

// within is the instant at a share of the world's span.
func (g *gen) within(share float64) instant {
	return g.start + instant(share*float64(g.end-g.start))
}

// live lets the installed fleet live: what happens to whole halls first, then to single units, then the check-ins that
// follow from it.
func (g *gen) live() {
	g.inspectSites()
	g.darkenSites()
	g.planStrips()
	g.moveHalls()
	g.sellHalls()
	g.leaseBack()
	g.rerack()
	g.failures()
	g.losses()
	g.disperse()
	g.checkIns()
	g.reportInspections()
	g.takeStock()
	g.honestParcels()
	g.sightings()
}

// Summary says how large a world is.
type Summary struct {
	Seed         uint64 `json:"seed"`
	Accelerators int    `json:"accelerators"`
	Servers      int    `json:"servers"`
	Parties      int    `json:"parties"`
	Months       int    `json:"months"`
	Events       int    `json:"events"`
	Planted      int    `json:"planted"`
}

// Summary says how large the world is.
func (w *World) Summary() Summary {
	return Summary{
		Seed: w.seed, Accelerators: len(w.units), Servers: w.servers, Parties: len(w.parties), Months: w.months,
		Events: len(w.events), Planted: len(w.truth.Cases),
	}
}

func (s Summary) String() string {
	return fmt.Sprintf("World, seed %d: %d accelerators in %d servers, %d parties, %d months, %d events; %d planted",
		s.Seed, s.Accelerators, s.Servers, s.Parties, s.Months, s.Events, s.Planted)
}

// Truth is what really happened. It never goes into the documents.
func (w *World) Truth() Truth { return w.truth }

// links are the canonical URIs of things, sorted.
func (w *World) links(things []ref) []string {
	out := make([]string, len(things))
	for i, r := range things {
		out[i] = w.link(r)
	}
	slices.Sort(out)
	return out
}
