package disk

import (
	"maps"
	"slices"
	"syscall"
	"time"
)

// Info is what is known of a file or folder.
type Info struct {
	Ino            uint64
	Folder         bool
	Mode, UID, GID uint32
	Size           int64
	Links          int
	Modified       time.Time
}

// Entry is a name in a folder.
type Entry struct {
	Name string
	Info
}

// Stat says what is known of a file or folder.
func (d *Disk) Stat(ino uint64) (Info, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil {
		return Info{}, syscall.ENOENT
	}
	return n.info(), 0
}

func (n *node) info() Info {
	return Info{Ino: n.ino, Folder: n.folder, Mode: n.mode, UID: n.uid, GID: n.gid, Size: n.size, Links: n.links, Modified: n.modified}
}

// Change sets what is not nil.
func (d *Disk) Change(ino uint64, mode, uid, gid *uint32, modified *time.Time) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil {
		return syscall.ENOENT
	}
	for to, from := range map[*uint32]*uint32{&n.mode: mode, &n.uid: uid, &n.gid: gid} {
		if from != nil {
			*to = *from
		}
	}
	if modified != nil {
		n.modified = *modified
	}
	return 0
}

// Read reads from a file, as processes see it, and says how many bytes there were.
func (d *Disk) Read(ino uint64, at int64, to []byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil || at >= n.size {
		return 0
	}
	to = to[:min(int64(len(to)), n.size-at)]
	clear(to)
	for done := 0; done < len(to); {
		no, off := (at+int64(done))/PageSize, int((at+int64(done))%PageSize)
		step := min(PageSize-off, len(to)-done)
		if c := n.cells[no]; c != nil && c.now != nil {
			copy(to[done:done+step], c.now[off:])
		}
		done += step
	}
	return len(to)
}

// Write writes to a file.
func (d *Disk) Write(ino uint64, at int64, data []byte) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil || n.folder {
		return syscall.EBADF
	}
	n.modified = time.Now()
	end := at + int64(len(data))
	for len(data) > 0 {
		off := int(at % PageSize)
		step := min(PageSize-off, len(data))
		n.put(at/PageSize, off, data[:step])
		at, data = at+int64(step), data[step:]
	}
	if end > n.size {
		n.resize(end)
	}
	return 0
}

// remembered is how many versions of a page are told apart between two syncs.
const remembered = 8

// put makes a new version of a page.
func (n *node) put(no int64, off int, data []byte) {
	c := n.cells[no]
	if c == nil {
		c = &cell{}
		n.cells[no] = c
	}
	var p page
	if c.now != nil {
		p = *c.now
	}
	copy(p[off:], data)
	n.version(no, c, &p)
}

func (n *node) version(no int64, c *cell, p *page) {
	if n.dirty[no] != nil && len(c.between) < remembered {
		c.between = append(c.between, c.now)
	}
	c.now = p
	n.dirty[no] = c
}

func (n *node) resize(size int64) {
	if last := len(n.sizes) - 1; last >= 0 && n.sizes[last] == n.size || n.size == n.keptSize && len(n.sizes) == 0 {
		n.size = size
		return
	}
	if n.sizes = append(n.sizes, n.size); len(n.sizes) > 64 {
		n.sizes = slices.Delete(n.sizes, 1, 2)
	}
	n.size = size
}

// Truncate makes a file so long, with zeros at the end where it was shorter.
func (d *Disk) Truncate(ino uint64, size int64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil || n.folder {
		return syscall.EBADF
	}
	n.modified = time.Now()
	for no, c := range n.cells {
		if (no+1)*PageSize > size && c.now != nil {
			d.remember(c.now)
			n.version(no, c, cutOff(c.now, size-no*PageSize))
		}
	}
	n.resize(size)
	return 0
}

// remember keeps some of what was deleted.
func (d *Disk) remember(p *page) {
	const some = 256
	if d.deleted = append(d.deleted, p); len(d.deleted) > 2*some {
		d.deleted = slices.Clone(d.deleted[some:])
	}
}

// Open and Close count who has a file open: its content lasts as long, also without a name.
func (d *Disk) Open(ino uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[ino]; n != nil {
		n.open++
	}
}

// Close is the end of an Open.
func (d *Disk) Close(ino uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[ino]; n != nil {
		n.open--
		d.forget(n)
	}
}

// forget frees what a file without a name held, unless the medium still has a name for it.
func (d *Disk) forget(n *node) {
	if n.folder || n.links > 0 || n.open > 0 || d.named(n.ino) {
		return
	}
	for _, c := range n.cells {
		if c.now != nil {
			d.remember(c.now)
		}
	}
	delete(d.nodes, n.ino)
}

func (d *Disk) named(ino uint64) bool {
	stands := func(b binding) bool { return b.ino == ino }
	if slices.ContainsFunc(d.pending, func(c change) bool { return slices.ContainsFunc(c, stands) }) {
		return true
	}
	for _, n := range d.nodes {
		for _, kept := range n.keptNames {
			if kept == ino {
				return true
			}
		}
	}
	return false
}

// List gives a folder's entries, sorted.
func (d *Disk) List(ino uint64) ([]Entry, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.nodes[ino]
	if n == nil || !n.folder {
		return nil, syscall.ENOTDIR
	}
	var all []Entry
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		all = append(all, Entry{name, d.nodes[n.names[name]].info()})
	}
	return all, 0
}
