package inventory

import (
	"encoding/hex"
	"slices"
	"strings"
)

// telling orders the classes by how much a resource of that class says about what the part is.
var telling = []class{processorClass, switchClass, adapterClass, driveClass, memoryClass, supplyClass, chassisClass, pcieClass}

// identify sorts the resources into parts: those that bear one name describe one thing.
func (g *gatherer) identify() {
	candidates := slices.DeleteFunc(slices.Clone(g.found), func(r *resource) bool { return !g.isCandidate(r) })
	slices.SortStableFunc(candidates, func(a, b *resource) int {
		return slices.Index(telling, a.class) - slices.Index(telling, b.class)
	})
	shared := sharedUUIDs(candidates)
	for _, r := range candidates {
		g.add(r, shared)
	}
	g.addVouchedIdentities()
	g.addSystemSerials()
}

// isCandidate tells resources that describe a thing from those that only group things.
func (g *gatherer) isCandidate(r *resource) bool {
	switch {
	case r.class == systemClass:
		return false // a system is what runs on the parts; its serial number is looked at with its chassis
	case strings.EqualFold(string(r.Status.State), "Absent"):
		g.skip(r.path, "an empty place (Status.State is Absent)")
		return false
	case isRootOfTrust(r):
		if !strings.Contains(strings.ToLower(r.id()), "irot") {
			g.skip(r.path, "a root-of-trust chip, soldered to what it protects")
		}
		return false
	}
	return true
}

func isRootOfTrust(r *resource) bool {
	id := strings.ToLower(r.id())
	return r.class == chassisClass && (strings.Contains(id, "erot") || strings.Contains(id, "irot"))
}

// add puts a resource into the part that bears one of its names, or makes a new part of it.
func (g *gatherer) add(r *resource, shared map[string]bool) {
	aliases, why := g.aliases(r, shared)
	if len(aliases) == 0 {
		g.skip(r.path, why)
		return
	}
	var p *part
	for _, a := range aliases {
		if p == nil {
			p = g.byAlias[a]
		}
	}
	if p == nil {
		p = &part{}
		g.parts = append(g.parts, p)
	} else if twin := p.withClass(r.class); twin != nil {
		g.skip(r.path, "the same serial number as "+short(twin.path)+": taken for the same part")
	}
	p.resources = append(p.resources, r)
	g.of[r] = p
	for _, a := range aliases {
		g.name(p, a)
	}
}

// name gives a part one more alias, unless another part bears it already.
func (g *gatherer) name(p *part, alias string) {
	if g.byAlias[alias] == nil {
		g.byAlias[alias] = p
		p.aliases = append(p.aliases, alias)
	}
}

func (p *part) withClass(c class) *resource {
	if at := slices.IndexFunc(p.resources, func(r *resource) bool { return r.class == c }); at >= 0 {
		return p.resources[at]
	}
	return nil
}

// aliases are the names that a resource bears, best first, or why it bears none.
func (g *gatherer) aliases(r *resource, shared map[string]bool) (all []string, why string) {
	number, board, why := g.serials(r)
	if number != "" {
		all = append(all, maker(r.Manufacturer)+"-sn:"+number)
	}
	if u := strings.ToLower(string(r.UUID)); isUUID(u) && hasTrustedUUID(r) {
		switch {
		case shared[u]:
			g.skip(r.path, "UUID "+u+" not used: other parts bear it too")
		case isSwitch(r):
			all = append(all, "switch-uuid:"+u)
		default:
			all = append(all, "gpu-uuid:GPU-"+u)
		}
	}
	if board != "" && len(all) > 0 {
		all = append(all, maker(r.Manufacturer)+"-board-sn:"+board)
	}
	return all, why
}

// serials finds the resource's serial number, and that of the bare board in it. A part that does not say its own serial number
// may have it on its assembly, or on the chassis that stands for it.
func (g *gatherer) serials(r *resource) (number, board, why string) {
	number, why = serial(r.SerialNumber)
	module := g.module(r)
	for _, from := range []*resource{r, module} {
		if from == nil {
			continue
		}
		if s, _ := serial(from.SerialNumber); number == "" {
			number = s
		}
		for _, a := range from.Assemblies {
			s, _ := serial(a.SerialNumber)
			bare := strings.Contains(strings.ToLower(string(a.Name)), "board")
			switch {
			case s == "" || s == number:
			case number == "" && !bare:
				number = s
			case bare && board == "":
				board = s
			}
		}
	}
	if number == "" {
		number, board = board, ""
	}
	if number == "" && module != nil {
		why += ", nor has its module " + short(module.path)
	}
	return number, board, why
}

// module is the chassis that stands for one processor alone, or nil.
func (g *gatherer) module(r *resource) *resource {
	if r.class != processorClass || len(r.Links.Chassis) == 0 {
		return nil
	}
	c := g.resource(r.Links.Chassis[0])
	if c == nil || len(c.Links.Processors) != 1 || len(c.Links.Contains) > 0 {
		return nil
	}
	if at, err := localPath(c.Links.Processors[0]); err != nil || at != r.path {
		return nil
	}
	return c
}

// hasTrustedUUID: makers burn a UUID into accelerators and NVSwitches. Elsewhere a UUID may name a model or a system.
func hasTrustedUUID(r *resource) bool {
	switch r.class {
	case processorClass:
		return processorKind(r) == "accelerator"
	case switchClass:
		return true
	default:
		return isSwitch(r)
	}
}

func isUUID(s string) bool {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return err == nil && len(b) == 16 && !isFiller(s)
}

// sharedUUIDs are the UUIDs that several parts of one class bear: they tell nothing apart.
func sharedUUIDs(all []*resource) map[string]bool {
	type bearer struct {
		class class
		uuid  string
	}
	count, shared := map[bearer]int{}, map[string]bool{}
	for _, r := range all {
		b := bearer{r.class, strings.ToLower(string(r.UUID))}
		if count[b]++; count[b] > 1 && isUUID(b.uuid) && hasTrustedUUID(r) {
			shared[b.uuid] = true
		}
	}
	return shared
}

// addVouchedIdentities names accelerators by the device identity (PDI) that their internal root of trust reports as its serial.
func (g *gatherer) addVouchedIdentities() {
	for _, r := range g.found {
		if r.class != chassisClass || !strings.Contains(strings.ToLower(r.id()), "irot") {
			continue
		}
		value := strings.TrimPrefix(strings.ToLower(string(r.SerialNumber)), "0x")
		if b, err := hex.DecodeString(value); err != nil || len(b) != 8 || isFiller(value) {
			g.skip(r.path, "its serial number is not a 64-bit device identity")
			continue
		}
		if p := g.vouchedFor(r); p != nil {
			g.name(p, "pdi:0x"+value)
		} else {
			g.skip(r.path, "not known whose identity it is")
		}
	}
}

// vouchedFor is the part that a root of trust belongs to: the one that it links to, or else the only processor with its name.
func (g *gatherer) vouchedFor(rot *resource) *part {
	for _, link := range rot.Links.Oem.Nvidia.ComponentsProtected {
		if p := g.partOrNew(g.resource(link)); p != nil {
			return p
		}
	}
	_, name, _ := strings.Cut(strings.ToLower(rot.id()), "irot_")
	var found *resource
	for _, r := range g.found {
		if id := strings.ToLower(r.id()); r.class == processorClass && name != "" && strings.TrimPrefix(id, "hgx_") == name {
			if found != nil {
				return nil
			}
			found = r
		}
	}
	return g.partOrNew(found)
}

// partOrNew is a processor's part. One that had no name yet is about to get its first.
func (g *gatherer) partOrNew(r *resource) *part {
	if r == nil || r.class != processorClass {
		return nil
	}
	if g.of[r] == nil {
		g.of[r] = &part{resources: []*resource{r}}
		g.parts = append(g.parts, g.of[r])
		g.skipped = slices.DeleteFunc(g.skipped, func(s Skipped) bool { return s.Path == short(r.path) })
	}
	return g.of[r]
}

// addSystemSerials: a system's serial number is another name of its chassis, or the only one.
func (g *gatherer) addSystemSerials() {
	for _, s := range g.found {
		if s.class != systemClass || s.SerialNumber == "" {
			continue
		}
		number, why := serial(s.SerialNumber)
		if number == "" {
			g.skip(s.path, why)
			continue
		}
		c := g.chassisOf(s)
		if c == nil {
			g.skip(s.path, "serial number "+number+" not used: no chassis says that it holds this system")
			continue
		}
		alias := maker(s.Manufacturer) + "-sn:" + number
		if g.of[c] == nil && g.byAlias[alias] == nil {
			g.of[c] = &part{resources: []*resource{c}}
			g.parts = append(g.parts, g.of[c])
			g.skipped = slices.DeleteFunc(g.skipped, func(s Skipped) bool { return s.Path == short(c.path) })
		}
		if p := g.of[c]; p != nil {
			g.name(p, alias)
		}
	}
}
