// Package disk is a model of what lies beneath the file system interface: files and names as processes see them, what of that the
// medium has, and what it is left with when the power goes. It is plain memory: it knows nothing of mounts, processes or stores,
// and does what it is told in the order in which it is told, so that with one seed the same happens again.
//
// # What a power cut may do
//
// Content is durable when the file was synced since. Of what was written after, the medium may have any part, cut into sectors: each
// sector holds what it held at the last sync, what it holds now, or anything that it held between, whatever its neighbours
// hold. The size of the file is one of those that it had since. Room that was never written out reads as zeros or, if so told, as
// what was deleted from the medium before.
//
// Names (made, removed, renamed, linked) are durable when their folder was synced since. Of those after, the medium may have each or
// not, in whatever combination (Each), as POSIX allows; or the first so many of them, and all as soon as anything was synced
// (InOrder), as file systems with a journal have it. A rename happens as a whole.
//
// Rights and owners are durable at once: nothing here is about them.
package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

// PageSize is the unit in which content is held, in bytes.
const PageSize = 4096

// Names says which names outlive a power cut.
type Names int

// How a medium keeps names.
const (
	Each    Names = iota // a name lives by its folder's sync only; without it, each by itself
	InOrder              // a sync of anything keeps all names before it; without it, the first so many
)

func (n Names) String() string { return [...]string{"each", "in order"}[n] }

// Habits are how a medium behaves when the power goes.
type Habits struct {
	Sector int   // bytes that are written whole or not at all: 512 or 4096
	Names  Names // which names it keeps
	Stale  bool  // room that was never written out shows what was deleted before, instead of zeros
}

// Root is the number of the topmost folder.
const Root = 1

// Disk is a medium with a file system on it. Safe for concurrent use.
type Disk struct {
	Habits Habits

	mu      sync.Mutex
	nodes   map[uint64]*node
	next    uint64
	pending []change // names since they were last made durable
	deleted []*page  // content of what was deleted
}

// page is a page's content. It is never written to once it is in a file: a write makes another.
type page [PageSize]byte

// cell is one page of a file: as it is seen, as the medium has it, and what it was between. A nil page is zeros.
type cell struct {
	now, kept *page
	between   []*page // after kept, before now
}

// node is a file or a folder.
type node struct {
	ino            uint64
	folder         bool
	mode, uid, gid uint32
	modified       time.Time

	size, keptSize int64
	sizes          []int64 // after keptSize, before size
	cells          map[int64]*cell
	dirty          map[int64]*cell // cells of which the medium may not have what is seen

	names, keptNames map[string]uint64 // of a folder
	links            int
	open             int
}

// binding is that a name in a folder stands for a node, or for none (0).
type binding struct {
	folder uint64
	name   string
	ino    uint64
}

// change is what happens to names in one step.
type change []binding

func (c change) in(folder uint64) bool {
	return slices.ContainsFunc(c, func(b binding) bool { return b.folder == folder })
}

// New makes an empty medium.
func New(h Habits) *Disk {
	d := &Disk{Habits: h, nodes: map[uint64]*node{}, next: Root}
	d.add(true, 0o755, 0, 0).links = 1
	return d
}

func (d *Disk) add(folder bool, mode, uid, gid uint32) *node {
	n := &node{ino: d.next, folder: folder, mode: mode, uid: uid, gid: gid, modified: time.Now(), cells: map[int64]*cell{}, dirty: map[int64]*cell{}}
	if folder {
		n.names, n.keptNames = map[string]uint64{}, map[string]uint64{}
	}
	d.nodes[n.ino] = n
	d.next++
	return n
}

// Sync makes a file's content durable, or a folder's names.
func (d *Disk) Sync(ino uint64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil {
		return syscall.ENOENT
	}
	n.keep()
	d.keepNames(func(c change) bool { return d.Habits.Names == InOrder || n.folder && c.in(ino) })
	return 0
}

// keep is the medium taking over a file's content.
func (n *node) keep() {
	for _, c := range n.dirty {
		c.kept, c.between = c.now, nil
	}
	clear(n.dirty)
	n.keptSize, n.sizes = n.size, nil
}

// FailedSync is a sync that fails as Linux lets it fail: the pages count as clean from then on, so that the next sync, which
// succeeds, does not write them either. The medium has some of them.
func (d *Disk) FailedSync(ino uint64, rng *rand.Rand) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[ino]; n != nil && !n.folder {
		for _, at := range slices.Sorted(maps.Keys(n.dirty)) {
			c := n.dirty[at]
			c.kept, c.between = c.torn(rng, d.Habits.Sector, nil), nil
		}
		clear(n.dirty)
	}
	return syscall.EIO
}

func (d *Disk) keepNames(durable func(change) bool) {
	d.pending = slices.DeleteFunc(d.pending, func(c change) bool {
		if !durable(c) {
			return false
		}
		d.bind(c)
		return true
	})
}

// bind is the medium taking over a change of names.
func (d *Disk) bind(c change) {
	for _, b := range c {
		folder := d.nodes[b.folder]
		if b.ino == 0 {
			delete(folder.keptNames, b.name)
		} else {
			folder.keptNames[b.name] = b.ino
		}
	}
}

// Settle makes everything durable, as a medium has it that was left alone for long.
func (d *Disk) Settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.nodes {
		n.keep()
	}
	d.keepNames(func(change) bool { return true })
}
