package custody_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tidewaiter/tidewaiter/custody"
)

// chain makes up the events of a history: of every kind that the profile knows, sensible and not.
type chain struct {
	rng                           *rand.Rand
	h                             history
	gpus, holders, racks, pallets []string
	ids                           int
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func makeHistory(rng *rand.Rand) history {
	c := chain{rng: rng}
	c.makeUnits()
	c.h.late = rng.IntN(3) == 0
	for range 5 + rng.IntN(21) {
		c.add(telling{as: c.speaker(), event: c.dress(c.event())})
	}
	c.repeat()
	c.declare()
	if c.h.late {
		for _, e := range masterData() {
			c.add(telling{element: e})
		}
	}
	c.h.asked = []custody.Asked{{}}
	for range 3 {
		c.h.asked = append(c.h.asked, custody.Asked{At: day(c.when())})
	}
	c.h.aliases = []string{"gpu-uuid:A", "A", "pdi:B", "B", "nvidia-sn:C", c.gpus[0], "https://tidewaiter.org/unit/gpu-uuid/A"}
	return c.h
}

func (c *chain) makeUnits() {
	for i := range 1 + c.rng.IntN(3) {
		c.gpus = append(c.gpus, sgtin(1, fmt.Sprint("g", i)))
	}
	if c.rng.IntN(3) == 0 {
		c.gpus = append(c.gpus, "https://tidewaiter.org/unit/gpu-uuid/A")
	}
	for i := range 1 + c.rng.IntN(2) {
		c.holders = append(c.holders, sgtin(2, fmt.Sprint("h", i))) // boards and servers
	}
	c.racks = append(c.racks, sgtin(3, "r0"))
	for i := range 1 + c.rng.IntN(2) {
		c.pallets = append(c.pallets, sscc(i))
	}
	for _, list := range [][]string{c.gpus, c.holders, c.racks, c.pallets} {
		c.h.units = append(c.h.units, list...)
	}
}

func (c *chain) add(x telling) { c.h.tellings = append(c.h.tellings, x) }

// when is one of few times, so that some events have the same.
func (c *chain) when() float64 {
	switch c.rng.IntN(40) {
	case 0:
		return 3650 // a wrong clock
	case 1:
		return -30000
	case 2:
		return 400 + c.rng.Float64() // ahead of its record, but not by much
	}
	return float64(c.rng.IntN(48)) / 8
}

func (c *chain) site() string {
	return pick(c.rng, []string{fab, works, hall, hall, hall2, dock, nowhere})
}
func (c *chain) party() string { return pick(c.rng, everyone) }
func (c *chain) unit() string  { return pick(c.rng, c.h.units) }
func (c *chain) things() []string {
	list := []string{c.unit()}
	if u := c.unit(); c.rng.IntN(2) == 0 && u != list[0] {
		list = append(list, u)
	}
	return list
}

// speaker is mostly who the event implies. Where master data come late that would be somebody else at each arrival, so there
// everybody is named.
func (c *chain) speaker() string {
	if !c.h.late && c.rng.IntN(3) > 0 {
		return ""
	}
	return pick(c.rng, []string{maker, builder, operator, operator, tenant, carrier, office, custody.Registrar})
}

func (c *chain) event() event {
	when := c.when()
	switch c.rng.IntN(14) {
	case 0, 1:
		return c.makes(when)
	case 2, 3:
		return c.links("AssociationEvent", when)
	case 4, 5:
		return c.links("AggregationEvent", when)
	case 6, 7, 8:
		return c.moves(when)
	case 9:
		return sold(when, c.party(), c.party(), c.things()...)
	case 10:
		return c.ends(when)
	case 11:
		return c.checksIn(when)
	case 12:
		return seen(when, "", c.site(), c.unit()).with("tw:sighting", pick(c.rng, []string{"customs", "warranty", "activation"}))
	}
	return seen(when, pick(c.rng, []string{"inspecting", "stock_taking", "repairing", "arriving", "holding"}), c.site(), c.things()...)
}

func (c *chain) makes(when float64) event {
	e := made(when, c.unit())
	if c.rng.IntN(2) == 0 {
		e = e.with("ilmd", event{"tw:aliases": []string{pick(c.rng, []string{"gpu-uuid:A", "pdi:B", "nvidia-sn:C"})}})
	}
	return e.at(c.site())
}

func (c *chain) links(kind string, when float64) event {
	parents := append([]string{hall, hall2}, c.holders...)
	parents = append(append(parents, c.racks...), c.gpus[0])
	if kind == "AggregationEvent" {
		parents = append(append([]string{}, c.pallets...), c.pallets[0], c.holders[0])
	}
	parent := pick(c.rng, parents)
	action := pick(c.rng, []string{"ADD", "ADD", "DELETE", "DELETE", "OBSERVE"})
	step := map[string]string{"ADD": "installing", "DELETE": "removing", "OBSERVE": "inspecting"}[action]
	if action == "DELETE" && c.rng.IntN(3) == 0 {
		return link(kind, action, step, when, parent).at(c.site())
	}
	e := link(kind, action, step, when, parent, c.things()...)
	if c.rng.IntN(3) > 0 {
		e = e.at(c.site())
	}
	return e
}

func (c *chain) moves(when float64) event {
	from, to := c.party(), c.party()
	var e event
	switch c.rng.IntN(5) {
	case 0, 1:
		e = shipped(when, from, to, c.site(), c.site(), c.things()...)
	case 2, 3:
		e = received(when, from, to, c.site(), c.things()...)
	default:
		e = object("OBSERVE", pick(c.rng, []string{"void_shipping", "consigning", "accepting"}), when, c.things()...).between(from, to, c.site())
	}
	if c.rng.IntN(3) == 0 {
		e = e.with("tw:consignment", pick(c.rng, []string{"K1", "K2"}))
	}
	if c.rng.IntN(5) == 0 {
		delete(e, "bizLocation")
		delete(e, "readPoint")
	}
	return e
}

func (c *chain) ends(when float64) event {
	switch c.rng.IntN(3) {
	case 0:
		return object("DELETE", pick(c.rng, []string{"destroying", "decommissioning"}), when, c.unit()).at(c.site())
	case 1:
		return base("TransformationEvent", "", "", when).with("inputEPCList", []string{c.unit()}, "outputEPCList", []string{c.unit()})
	}
	return seen(when, "inspecting", c.site(), c.unit()).with("persistentDisposition", pick(c.rng, []event{
		{"set": []string{"stolen"}}, {"set": []string{"unknown"}}, {"unset": []string{"stolen"}},
	}))
}

func (c *chain) checksIn(when float64) event {
	if c.rng.IntN(2) == 0 {
		return checkedIn(when, c.site(), c.rng.IntN(6), c.things()...)
	}
	return checkedIn(when, fmt.Sprintf("geo:%d.5,%d.25;u=2000", c.rng.IntN(60), c.rng.IntN(120)), 3, c.things()...)
}

// dress gives an event an id, another name for a unit, or neither.
func (c *chain) dress(e event) event {
	if e["ilmd"] == nil && c.rng.IntN(8) == 0 {
		e = e.with("tw:aliases", []string{pick(c.rng, []string{"gpu-uuid:A", "pdi:B"})})
		if c.rng.IntN(2) == 0 {
			e = e.with("tw:replaces", pick(c.rng, []string{"gpu-uuid:A", "https://tidewaiter.org/unit/gpu-uuid/A", c.gpus[0]}))
		}
	}
	if c.rng.IntN(5) < 3 {
		c.ids++
		e = e.id(fmt.Sprint(c.ids))
	}
	return e
}

// repeat lets some events be told again: by the same speaker, or by another.
func (c *chain) repeat() {
	for _, x := range c.h.tellings {
		if c.rng.IntN(8) > 0 {
			continue
		}
		again := x
		if x.as != "" && c.rng.IntN(3) > 0 {
			again.as = pick(c.rng, everyone)
		}
		c.add(again)
	}
}

// declare lets some events be declared erroneous: by who told them, or by another; some that nobody told.
func (c *chain) declare() {
	for _, x := range c.h.tellings {
		if c.rng.IntN(7) > 0 {
			continue
		}
		wrong := telling{as: x.as, event: x.event.wrongly()}
		if c.h.late && c.rng.IntN(3) == 0 {
			wrong.as = pick(c.rng, append(everyone, custody.Registrar))
		} else if x.as != "" && c.rng.IntN(3) == 0 {
			wrong.as = pick(c.rng, everyone)
		}
		c.add(wrong)
	}
	if c.rng.IntN(4) == 0 {
		e := c.event().id("never")
		if !strings.HasPrefix(fmt.Sprint(e["type"]), "Transf") {
			c.add(telling{as: c.speaker(), event: e.wrongly()})
		}
	}
}
