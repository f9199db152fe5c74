package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// Limits of one walk: a tree that leads in circles, or a BMC that died half-way, ends it in the end.
const (
	maxRequests = 5000
	maxPages    = 500 // of one collection
	maxFailures = 5   // requests in a row that nobody answered
)

// class is what a resource describes, by the way that led to it.
type class string

const (
	systemClass    class = "system"
	chassisClass   class = "chassis"
	processorClass class = "processor"
	memoryClass    class = "memory"
	driveClass     class = "drive"
	adapterClass   class = "network adapter"
	pcieClass      class = "PCIe device"
	switchClass    class = "switch"
	supplyClass    class = "power supply"
)

// Skipped is a part of the tree that is not in the inventory, and why.
type Skipped struct {
	Path   string // from the service root on: "Systems/DGX/Memory/DIMM3"
	Reason string
}

func (s Skipped) String() string { return s.Path + ": " + s.Reason }

// walker reads a tree, each resource once.
type walker struct {
	ctx      context.Context
	source   Source
	requests int
	failures int
	stopped  error // why the walk cannot go on
	seen     map[string]bool
	found    []*resource
	byPath   map[string]*resource
	skipped  []Skipped
}

func (w *walker) skip(path, reason string) {
	w.skipped = append(w.skipped, Skipped{Path: printable(short(path)), Reason: reason})
}

// walk reads everything under the service root that may be a unit. Order is the tree's own.
func (w *walker) walk() error {
	root, err := w.read(rootPath)
	if err != nil {
		return fmt.Errorf("reading the service root %s: %w", rootPath, err)
	}
	for _, system := range w.members(orElse(root.Systems, rootPath+"/Systems"), systemClass) {
		w.system(system)
	}
	for _, chassis := range w.members(orElse(root.Chassis, rootPath+"/Chassis"), chassisClass) {
		w.chassis(chassis)
	}
	return w.stopped
}

// orElse is where a collection is: where the tree says, or at the place that the standard gives it (DSP0266 §6.6).
func orElse(l links, usual string) links {
	if len(l) == 0 {
		return links{usual}
	}
	return l
}

func (w *walker) system(s *resource) {
	w.members(s.Processors, processorClass)
	w.members(s.Memory, memoryClass)
	for _, storage := range w.members(s.Storage, "") {
		w.each(storage.Drives, driveClass)
	}
	for _, nic := range w.members(s.NetworkInterfaces, "") {
		w.each(nic.Links.NetworkAdapter, adapterClass)
	}
	w.collectionOrEach(s.PCIeDevices, pcieClass)
}

func (w *walker) chassis(c *resource) {
	for _, a := range c.Assembly {
		if assembly, ok := w.visit(a, ""); ok {
			c.Assemblies = assembly.Assemblies
		}
	}
	w.members(c.NetworkAdapters, adapterClass)
	w.collectionOrEach(c.PCIeDevices, pcieClass)
	w.members(c.Processors, processorClass)
	w.members(c.Memory, memoryClass)
	w.each(c.Links.Drives, driveClass)
	w.collectionOrEach(c.Drives, driveClass)
	w.each(c.Links.Processors, processorClass)
	w.each(c.Links.Switches, switchClass)
	for _, p := range c.PowerSubsystem {
		if power, ok := w.visit(p, ""); ok {
			w.members(power.PowerSupplies, supplyClass)
		}
	}
}

// collectionOrEach reads what is one link to a collection with some vendors, and an array of links with others.
func (w *walker) collectionOrEach(l links, c class) {
	if len(l) != 1 {
		w.each(l, c)
		return
	}
	switch path.Base(l[0]) {
	case "PCIeDevices", "Drives":
		w.members(l, c)
	default:
		w.each(l, c)
	}
}

func (w *walker) each(l links, c class) {
	for _, link := range l {
		w.visit(link, c)
	}
}

// members reads the members of a collection, page by page.
func (w *walker) members(collection links, c class) []*resource {
	var all []*resource
	for _, next := range collection {
		for range maxPages {
			page, ok := w.visit(next, "")
			if !ok {
				break
			}
			for _, m := range page.Members {
				if r, ok := w.visit(m, c); ok {
					all = append(all, r)
				}
			}
			if next = string(page.NextLink); next == "" {
				break
			}
		}
	}
	return all
}

// visit reads the resource that a link leads to, unless it was read before or cannot be read; then ok is false. Resources with
// a class are kept.
func (w *walker) visit(link string, c class) (r *resource, ok bool) {
	p, err := localPath(link)
	if err != nil {
		w.skip(link, err.Error())
		return nil, false
	}
	if w.seen[p] || w.stopped != nil {
		return nil, false
	}
	w.seen[p] = true
	if base := path.Base(p); base == "Settings" || base == "SD" {
		w.skip(p, "settings that wait to be applied, not a part")
		return nil, false
	}
	r, err = w.read(p)
	if err != nil {
		w.skip(p, reason(err))
		return nil, false
	}
	if c != "" {
		r.class = c
		w.found = append(w.found, r)
		w.byPath[p] = r
	}
	return r, true
}

// read fetches and parses one resource, and stops the walk when it is no use to go on.
func (w *walker) read(p string) (*resource, error) {
	if w.requests++; w.requests > maxRequests {
		w.stopped = fmt.Errorf("the tree has more than %d resources, or leads in circles", maxRequests)
		return nil, w.stopped
	}
	body, err := w.source.Get(w.ctx, p)
	if w.ctx.Err() != nil {
		w.stopped = w.ctx.Err()
	}
	if errors.Is(err, ErrUnreachable) {
		if w.failures++; w.failures >= maxFailures {
			w.stopped = fmt.Errorf("gave up after %d requests in a row: %w", w.failures, err)
		}
		return nil, err
	}
	w.failures = 0
	if err != nil {
		return nil, err
	}
	r, err := parse(body)
	if err != nil {
		return nil, errors.New("what was read there is not a JSON object")
	}
	r.path = p
	return r, nil
}

// localPath is the path that a link leads to, which lies inside the Redfish tree or is refused.
func localPath(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return "", errors.New("a link to somewhere else, not followed")
	}
	clean := path.Clean(u.EscapedPath())
	if clean != rootPath && !strings.HasPrefix(clean, rootPath+"/") {
		return "", errors.New("a link out of the Redfish tree, not followed")
	}
	if u.RawQuery != "" {
		clean += "?" + u.RawQuery
	}
	return clean, nil
}

// reason is an error in the words of somebody who reads a list of gaps.
func reason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "named, but not there"
	}
	return err.Error()
}
