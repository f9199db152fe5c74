package inventory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Inventory is what one machine says it consists of.
type Inventory struct {
	Units []Unit // each after the unit that it is built into; otherwise by kind and name
	// Assumed are the links between units that the tree does not state, each in words.
	Assumed []string
}

// Unit is one serialised part.
type Unit struct {
	URI        string   // https://tidewaiter.org/unit/<alias kind>/<value>, after its first alias
	Aliases    []string // "<kind>:<value>", best first: serial number, PDI, UUID, the system's and the bare board's serial numbers
	Kind       string   // accelerator, baseboard, server, rack, nic, switch, cpu, memory, drive, psu, board, card, or a processor type
	Maker      string   // as an alias kind holds it: "nvidia"
	Model      string   // as the machine writes it; may be empty
	PartNumber string   // as the machine writes it; may be empty
	Parent     string   // URI of the unit that it is built into; empty for the outermost
	Path       string   // where the tree describes it: "Systems/HGX_Baseboard_0/Processors/GPU_SXM_1"
}

// Read reads a whole tree. A part that cannot be read or named is in the second result; the error says that the tree as a
// whole could not be read: no service root, no answer, too large, or ctx is done.
func Read(ctx context.Context, s Source) (*Inventory, []Skipped, error) {
	w := &walker{ctx: ctx, source: s, seen: map[string]bool{}, byPath: map[string]*resource{}}
	if err := w.walk(); err != nil {
		return nil, w.skipped, fmt.Errorf("reading the inventory: %w", err)
	}
	g := newGatherer(w)
	g.contain()
	g.identify()
	return g.inventory(), g.skipped, nil
}

// Summary says in one line how many units of each kind there are: "31 units: 8 accelerator, 1 baseboard, …".
func (inv *Inventory) Summary() string {
	count := map[string]int{}
	for _, u := range inv.Units {
		count[u.Kind]++
	}
	var each []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		each = append(each, fmt.Sprintf("%d %s", count[kind], kind))
	}
	return fmt.Sprintf("%d units: %s", len(inv.Units), strings.Join(each, ", "))
}

// part is a unit in the making: the resources that describe one thing.
type part struct {
	resources []*resource // the most telling first
	aliases   []string
	parent    *part
}

// gatherer makes parts out of resources.
type gatherer struct {
	*walker
	parts   []*part
	of      map[*resource]*part
	byAlias map[string]*part
	hosts   map[*part]bool
	assumed []string
}

func newGatherer(w *walker) *gatherer {
	return &gatherer{walker: w, of: map[*resource]*part{}, byAlias: map[string]*part{}}
}

func (g *gatherer) inventory() *Inventory {
	g.hosts = g.findHosts()
	g.settleParents()
	inv := &Inventory{Assumed: g.assumed}
	for _, p := range g.parts {
		u := Unit{URI: unitURI(p.aliases[0]), Aliases: p.aliases, Kind: g.kind(p), Path: short(p.resources[0].path)}
		if p.parent != nil {
			u.Parent = unitURI(p.parent.aliases[0])
		}
		for _, r := range p.resources {
			if u.Maker == "" || u.Maker == "unknown" {
				u.Maker = maker(r.Manufacturer)
			}
			u.Model = cmp.Or(u.Model, described(r.Model))
			u.PartNumber = cmp.Or(u.PartNumber, described(r.PartNumber))
		}
		inv.Units = append(inv.Units, u)
	}
	depth := g.depths()
	slices.SortFunc(inv.Units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(depth[a.URI], depth[b.URI]), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.URI, b.URI))
	})
	return inv
}

// described is a model or part number, or nothing where the machine says nothing.
func described(t text) string {
	if s := strings.TrimSpace(string(t)); !isFiller(s) {
		return s
	}
	return ""
}

func (g *gatherer) depths() map[string]int {
	depth := map[string]int{}
	for _, p := range g.parts {
		for up := p.parent; up != nil; up = up.parent {
			depth[unitURI(p.aliases[0])]++
		}
	}
	return depth
}

// unitURI names a unit that is known by an alias only.
func unitURI(alias string) string {
	kind, value, _ := strings.Cut(alias, ":")
	return "https://tidewaiter.org/unit/" + url.PathEscape(kind) + "/" + url.PathEscape(value)
}

// kind says what a part is, in the words of the EPCIS profile.
func (g *gatherer) kind(p *part) string {
	switch r := p.resources[0]; r.class {
	case processorClass:
		return processorKind(r)
	case switchClass:
		return "switch"
	case adapterClass:
		return "nic"
	case memoryClass:
		return "memory"
	case driveClass:
		return "drive"
	case supplyClass:
		return "psu"
	case pcieClass:
		return "card"
	default:
		return g.chassisKind(p, r)
	}
}

func processorKind(r *resource) string {
	switch t := strings.ToLower(string(r.ProcessorType)); t {
	case "gpu", "accelerator":
		return "accelerator"
	case "":
		return "processor"
	default:
		return t
	}
}

func (g *gatherer) chassisKind(p *part, r *resource) string {
	switch {
	case isSwitch(r):
		return "switch"
	case strings.EqualFold(string(r.ChassisType), "Rack"):
		return "rack"
	case g.hosts[p], p.parent == nil && isEnclosure(r):
		return "server"
	case g.holdsAccelerator(p):
		return "baseboard"
	case p.parent == nil:
		return "server"
	}
	return "board"
}

// isEnclosure tells a chassis with walls from one that stands for a board or a zone of a board (Redfish Chassis, ChassisType).
func isEnclosure(r *resource) bool {
	return slices.Contains([]string{"Enclosure", "StandAlone", "RackMount", "Sled", "Blade", "Shelf", "Sidecar", "Other"}, string(r.ChassisType))
}

func isSwitch(r *resource) bool {
	return r.class == switchClass || strings.Contains(strings.ToLower(string(r.Model)), "nvswitch")
}

func (g *gatherer) holdsAccelerator(p *part) bool {
	return slices.ContainsFunc(g.parts, func(q *part) bool {
		return q.parent == p && q.resources[0].class == processorClass && processorKind(q.resources[0]) == "accelerator"
	})
}
