package sim

import (
	"fmt"
	"strconv"
)

// kind is what a product is (tw:kind).
type kind string

const (
	acceleratorKind kind = "accelerator"
	boardKind       kind = "baseboard"
	serverKind      kind = "server"
	rackKind        kind = "rack"
	parcelKind      kind = "parcel"
	partKind        kind = "part" // spare parts that carry no serials
)

// product is a class of things: a trade item with its weight and its list price.
type product struct {
	key     string // tw:product
	kind    kind
	name    string
	maker   *party
	gtin    string
	kg      float64 // of one piece, unpacked
	dollars float64
	hs      string
}

// thing is one serialised thing. Its serial is an SGTIN serial, a GIAI with its prefix, or an SSCC of 18 digits.
type thing struct {
	product *product
	serial  string
	secret  uint64 // from which its device identities are derived
}

// ref names a thing by its place in the world; 0 is none.
type ref int32

func (w *World) thing(r ref) *thing { return &w.things[r] }

// add makes a new thing.
func (g *gen) add(p *product, serial string) ref {
	g.w.things = append(g.w.things, thing{product: p, serial: serial, secret: g.ids.Uint64()})
	return ref(len(g.w.things) - 1)
}

// accelerator makes a unit with a vendor serial of 13 digits: plant 3, week 2, year 2, sequence 6.
func (g *gen) accelerator(p *product, at instant) ref {
	year, week := at.time().ISOWeek()
	g.sequence[p] += 1 + g.ids.IntN(3)
	plant := 165 + len(p.key)%4
	serial := fmt.Sprintf("%03d%02d%02d%06d", plant, week, year%100, g.sequence[p]%1_000_000)
	r := g.add(p, serial)
	g.w.units = append(g.w.units, r)
	return r
}

// serialised makes a board or a server with a serial of its maker's own style.
func (g *gen) serialised(p *product, at instant) ref {
	year, week := at.time().ISOWeek()
	g.sequence[p] += 1 + g.ids.IntN(4)
	return g.add(p, fmt.Sprintf("%s%02d%02d%05d", p.key[:1], year%100, week, g.sequence[p]))
}

// rack makes a rack that belongs to a party.
func (g *gen) rack(owner *party) ref {
	owner.racks++
	return g.add(g.goods.rack, owner.prefix+"R"+padded(owner.racks, 4))
}

// handlingUnit makes an SSCC for a pallet or a parcel that a party packs.
func (g *gen) handlingUnit(by *party) ref {
	by.packed += 1 + g.ids.IntN(7)
	digits := strconv.Itoa(by.extension) + by.prefix + padded(by.packed, 9)
	return g.add(g.goods.parcel, digits+string(checkDigit(digits)))
}

// aliases are the other names under which an accelerator's device identity is known.
func (t *thing) aliases() [3]string {
	a, b := mix(t.secret), mix(t.secret+1)
	return [3]string{
		"nvidia-sn:" + t.serial,
		fmt.Sprintf("gpu-uuid:GPU-%08x-%04x-%04x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0x0fff|0x4000, uint16(b)&0x3fff|0x8000, b>>16),
		fmt.Sprintf("pdi:0x%016x", mix(t.secret+2)),
	}
}

// Link is a unit's canonical GS1 Digital Link.
func (w *World) link(r ref) string { return string(appendThing(nil, w.thing(r), false)) }

// goods are the products of the world.
type goods struct {
	modules []*product // accelerators on baseboards, newest last
	card    *product   // accelerator as a card
	boards  map[*product]*product
	servers []*product // one for each builder and accelerator
	rack    *product
	parcel  *product
	parts   []*product
}

// serverOf is the builder's server for an accelerator.
func (g *goods) serverOf(builder *party, accelerator *product) *product {
	for _, s := range g.servers {
		if s.maker == builder && s.key[len(s.key)-len(accelerator.key):] == accelerator.key {
			return s
		}
	}
	return nil
}

func (g *gen) newProduct(maker *party, key string, k kind, name string, kg, dollars float64, hs string) *product {
	maker.items++
	digits := "0" + maker.prefix + padded(maker.items*37%100_000, 5)
	p := &product{key: key, kind: k, name: name, maker: maker, gtin: digits + string(checkDigit(digits)), kg: kg, dollars: dollars, hs: hs}
	g.w.products = append(g.w.products, p)
	return p
}

// makeGoods fills the catalogue. Weights are those of real modules: an SXM module with its heat sink weighs about 3.2 kg.
func (g *gen) makeGoods() {
	maker := g.cast.maker
	gs := &g.goods
	gs.boards = map[*product]*product{}
	for _, m := range []struct {
		key, name   string
		kg, dollars float64
	}{
		{"h100-sxm5-80gb", "H100 SXM5 80 GB", 3.2, 27_000},
		{"h200-sxm5-141gb", "H200 SXM5 141 GB", 3.2, 31_000},
		{"b200-sxm-180gb", "B200 SXM 180 GB", 3.4, 38_000},
	} {
		module := g.newProduct(maker, m.key, acceleratorKind, m.name, m.kg, m.dollars, "8473.30")
		board := g.newProduct(maker, "x8-"+m.key, boardKind, "Baseboard of eight "+m.name, 12, 9_000, "8473.30")
		gs.modules = append(gs.modules, module)
		gs.boards[module] = board
	}
	gs.card = g.newProduct(maker, "h200-nvl-141gb", acceleratorKind, "H200 NVL 141 GB", 1.2, 29_000, "8473.30")
	for _, b := range g.cast.builders {
		for _, m := range gs.modules {
			gs.servers = append(gs.servers, g.newProduct(b, "s8-"+m.key, serverKind, b.name+" eight-way server", 92, 42_000, "8471.80"))
		}
		gs.servers = append(gs.servers, g.newProduct(b, "s4-"+gs.card.key, serverKind, b.name+" four-way server", 34, 16_000, "8471.80"))
	}
	gs.rack = g.newProduct(g.cast.builders[0], "rack-48u", rackKind, "Rack 48U", 140, 3_000, "9403.20")
	gs.parcel = &product{key: "parcel", kind: parcelKind}
	for _, p := range partCatalogue {
		gs.parts = append(gs.parts, g.newProduct(pick(g.stream("parts"), g.cast.builders), p.key, partKind, p.name, p.kg, p.dollars, p.hs))
	}
}

// partCatalogue is what honest parcels hold; schemes borrow its words.
var partCatalogue = []struct {
	key, name   string
	kg, dollars float64
	hs          string
}{
	{"fan-tray", "fan tray", 1.1, 60, "8414.59"},
	{"cable-kit", "cable assemblies", 0.6, 35, "8544.42"},
	{"nic-400g", "network adapters", 0.5, 1_200, "8517.62"},
	{"heat-sink", "heat sink assemblies", 2.2, 110, "8473.30"},
	{"psu-3kw", "power supplies", 1.9, 240, "8504.40"},
	{"riser", "adapter modules", 0.7, 90, "8473.30"},
	{"rail-kit", "rail kits", 4.5, 80, "8302.49"},
	{"cold-plate", "cold plates and manifolds", 2.8, 190, "8419.50"},
	{"drive", "solid state drives", 0.2, 450, "8471.70"},
	{"control-board", "control boards", 0.9, 130, "8537.10"},
}
