package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Cut is what the medium holds when the power goes now: another disk, on which everything is durable. The disk itself goes on as if
// nothing had happened, for whoever has not noticed yet.
func (d *Disk) Cut(rng *rand.Rand, h Habits) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := &Disk{Habits: h, nodes: map[uint64]*node{}, next: d.next}
	names := d.survivingNames(rng)
	fate := 1 - rng.Float64()*rng.Float64() // how much was written out: sometimes hardly anything, sometimes nearly all
	if rng.IntN(2) == 0 {
		fate = 1 - fate
	}
	d.carry(left, Root, names, func(n *node) *node { return n.left(rng, fate, d.Habits.Sector, d.garbage(rng)) })
	return left
}

// survivingNames are each folder's names as the medium has them.
func (d *Disk) survivingNames(rng *rand.Rand) map[uint64]map[string]uint64 {
	names := map[uint64]map[string]uint64{}
	for ino, n := range d.nodes {
		if n.folder {
			names[ino] = maps.Clone(n.keptNames)
		}
	}
	first, chance := rng.IntN(len(d.pending)+1), rng.Float64()
	for i, c := range d.pending {
		if d.Habits.Names == InOrder && i >= first || d.Habits.Names == Each && rng.Float64() > chance {
			continue
		}
		for _, b := range c {
			if b.ino == 0 {
				delete(names[b.folder], b.name)
			} else {
				names[b.folder][b.name] = b.ino
			}
		}
	}
	return names
}

// carry takes over what can be reached from a folder, in an order that does not depend on chance.
func (d *Disk) carry(left *Disk, ino uint64, names map[uint64]map[string]uint64, fate func(*node) *node) {
	n := fate(d.nodes[ino])
	left.nodes[ino] = n
	if !n.folder {
		return
	}
	n.names, n.keptNames = names[ino], maps.Clone(names[ino])
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		child := n.names[name]
		if left.nodes[child] == nil {
			d.carry(left, child, names, fate)
		}
		left.nodes[child].links++
	}
}

// left is a node as the medium has it.
func (n *node) left(rng *rand.Rand, fate float64, sector int, garbage func() *page) *node {
	out := &node{
		ino: n.ino, folder: n.folder, mode: n.mode, uid: n.uid, gid: n.gid, modified: n.modified,
		cells: map[int64]*cell{}, dirty: map[int64]*cell{},
	}
	if n.ino == Root {
		out.links = 1
	}
	out.size = n.keptSize
	if sizes := append(slices.Clone(n.sizes), n.size); rng.Float64() < fate {
		out.size = sizes[rng.IntN(len(sizes))]
	}
	out.keptSize = out.size
	for _, at := range slices.Sorted(maps.Keys(n.cells)) {
		c := n.cells[at]
		p := c.kept
		if n.dirty[at] != nil && rng.Float64() < fate {
			p = c.torn(rng, sector, garbage)
		} else if n.dirty[at] != nil && p == nil && at*PageSize >= n.keptSize && garbage != nil {
			p = garbage()
		}
		if p = cutOff(p, out.size-at*PageSize); p != nil {
			out.cells[at] = &cell{now: p, kept: p}
		}
	}
	return out
}

// torn is a page of which each sector is as it was at one time or another since the medium last had it.
func (c *cell) torn(rng *rand.Rand, sector int, garbage func() *page) *page {
	versions := append(append([]*page{c.kept}, c.between...), c.now)
	if garbage != nil && c.kept == nil {
		versions[0] = garbage()
	}
	var p page
	for at := 0; at < PageSize; at += sector {
		if v := versions[rng.IntN(len(versions))]; v != nil {
			copy(p[at:at+sector], v[at:at+sector])
		}
	}
	return &p
}

// cutOff is a page of which only so many bytes belong to the file.
func cutOff(p *page, room int64) *page {
	if p == nil || room >= PageSize {
		return p
	}
	if room <= 0 {
		return nil
	}
	var q page
	copy(q[:room], p[:room])
	return &q
}

// garbage gives pages of what was deleted, or is nil where such room reads as zeros.
func (d *Disk) garbage(rng *rand.Rand) func() *page {
	if !d.Habits.Stale || len(d.deleted) == 0 {
		return nil
	}
	return func() *page { return d.deleted[rng.IntN(len(d.deleted))] }
}
