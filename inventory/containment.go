package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// resource is what was read at the end of a link, or nil.
func (g *gatherer) resource(link string) *resource {
	p, err := localPath(link)
	if err != nil {
		return nil
	}
	return g.byPath[p]
}

// contain finds what each resource is in: another resource, which need not be a unit.
func (g *gatherer) contain() {
	holder := g.holders()
	for _, r := range g.found {
		if r.class == systemClass {
			continue
		}
		r.in = g.container(r, holder)
	}
}

// holders are the chassis that claim a resource, by the resource's path: the same fact as ContainedBy, told from the other side.
func (g *gatherer) holders() map[string]*resource {
	holder := map[string]*resource{}
	for _, c := range g.found {
		if c.class != chassisClass {
			continue
		}
		for _, l := range slices.Concat(c.Links.Contains, c.Links.Processors, c.Links.Drives, c.Links.Switches, c.Links.PCIeDevices, c.Links.NetworkAdapters) {
			if p, err := localPath(l); err == nil && holder[p] == nil && p != c.path {
				holder[p] = c
			}
		}
	}
	return holder
}

func (g *gatherer) container(r *resource, holder map[string]*resource) *resource {
	stated := r.Links.Chassis
	if r.class == chassisClass {
		stated = r.Links.ContainedBy
	}
	if len(stated) > 0 {
		if c := g.resource(stated[0]); c != nil && c != r {
			return c
		}
	}
	if c := holder[r.path]; c != nil {
		return c
	}
	for _, c := range g.found { // the path tells: Chassis/DGX/NetworkAdapters/NIC0, Systems/1/Memory/DIMM0
		if c == r || !strings.HasPrefix(r.path, c.path+"/") {
			continue
		}
		switch c.class {
		case chassisClass:
			return c
		case systemClass:
			return g.chassisOf(c)
		}
	}
	return nil
}

// chassisOf is the outermost chassis that a system runs in, or nil.
func (g *gatherer) chassisOf(s *resource) *resource {
	for _, link := range s.Links.Chassis {
		if c := g.resource(link); c != nil && len(c.Links.ContainedBy) == 0 {
			return c
		}
	}
	for _, c := range g.found {
		if c.class != chassisClass || len(c.Links.ContainedBy) > 0 || isRootOfTrust(c) {
			continue
		}
		if slices.ContainsFunc(c.Links.ComputerSystems, func(l string) bool { return g.resource(l) == s }) {
			return c
		}
	}
	for _, link := range s.Links.Chassis {
		if c := g.resource(link); c != nil {
			return c
		}
	}
	return nil
}

// settleParents turns the containment of resources into that of parts, ends circles, and puts loose boards into the host.
func (g *gatherer) settleParents() {
	for _, p := range g.parts {
		for _, r := range p.resources {
			if p.parent = g.enclosing(p, r); p.parent != nil {
				break
			}
		}
	}
	for _, p := range g.parts {
		if loops(p) {
			g.skip(p.resources[0].path, "said to be inside itself: what it is built into is left open")
			p.parent = nil
		}
	}
	g.assumeHost()
}

// enclosing climbs from a resource to the first that is another part.
func (g *gatherer) enclosing(p *part, r *resource) *part {
	seen := map[*resource]bool{}
	for up := r.in; up != nil && !seen[up]; up = up.in {
		seen[up] = true
		if q := g.of[up]; q != nil && q != p {
			return q
		}
	}
	return nil
}

func loops(p *part) bool {
	seen := map[*part]bool{p: true}
	for up := p.parent; up != nil; up = up.parent {
		if up == p {
			return true
		}
		if seen[up] {
			return false // a circle further up, found when its own members are looked at
		}
		seen[up] = true
	}
	return false
}

// findHosts are the parts that are the outermost chassis of a system that has CPUs of its own. (The management controller of an
// accelerator board appears as a system, too, with accelerators only.)
func (g *gatherer) findHosts() map[*part]bool {
	hosts := map[*part]bool{}
	for _, s := range g.found {
		if s.class != systemClass {
			continue
		}
		if c := g.chassisOf(s); c != nil && g.of[c] != nil && slices.ContainsFunc(g.found, func(r *resource) bool {
			return r.class == processorClass && strings.HasPrefix(r.path, s.path+"/") && strings.EqualFold(string(r.ProcessorType), "CPU")
		}) {
			hosts[g.of[c]] = true
		}
	}
	return hosts
}

// assumeHost puts the parts that the tree leaves loose into the only host there is. A host's BMC aggregates the tree of the
// accelerator board's own controller, and neither knows the other's chassis. With several hosts, nothing is assumed.
func (g *gatherer) assumeHost() {
	if len(g.hosts) != 1 {
		return
	}
	var host *part
	for host = range g.hosts {
	}
	top := host
	for top.parent != nil {
		top = top.parent
	}
	for _, p := range g.parts {
		if p.parent == nil && p != top {
			p.parent = host
			g.assumed = append(g.assumed, fmt.Sprintf("%s is in %s: the tree does not say so, but has no other host",
				short(p.resources[0].path), short(host.resources[0].path)))
		}
	}
}
