package disk

import (
	"syscall"
	"time"
)

// apply changes names, as processes see them.
func (d *Disk) apply(c change) {
	for _, b := range c {
		folder := d.nodes[b.folder]
		folder.modified = time.Now()
		if old := d.nodes[folder.names[b.name]]; old != nil {
			old.links--
		}
		if b.ino == 0 {
			delete(folder.names, b.name)
			continue
		}
		folder.names[b.name] = b.ino
		d.nodes[b.ino].links++
	}
	d.pending = append(d.pending, c)
}

// find gives the folder, and what the name in it stands for, or nil.
func (d *Disk) find(folder uint64, name string) (in, n *node, errno syscall.Errno) {
	in = d.nodes[folder]
	if in == nil || !in.folder {
		return nil, nil, syscall.ENOTDIR
	}
	return in, d.nodes[in.names[name]], 0
}

// Lookup says what a name stands for.
func (d *Disk) Lookup(folder uint64, name string) (Info, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, n, errno := d.find(folder, name)
	if errno != 0 {
		return Info{}, errno
	}
	if n == nil {
		return Info{}, syscall.ENOENT
	}
	return n.info(), 0
}

// Make makes a file or a folder.
func (d *Disk) Make(folder uint64, name string, isFolder bool, mode, uid, gid uint32) (Info, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, old, errno := d.find(folder, name)
	if errno != 0 {
		return Info{}, errno
	}
	if old != nil {
		return Info{}, syscall.EEXIST
	}
	n := d.add(isFolder, mode, uid, gid)
	d.apply(change{{folder, name, n.ino}})
	return n.info(), 0
}

// Link gives a file one more name.
func (d *Disk) Link(ino, folder uint64, name string) (Info, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, old, errno := d.find(folder, name)
	if errno != 0 {
		return Info{}, errno
	}
	n := d.nodes[ino]
	if old != nil {
		return Info{}, syscall.EEXIST
	}
	if n == nil || n.folder {
		return Info{}, syscall.EPERM
	}
	d.apply(change{{folder, name, ino}})
	return n.info(), 0
}

// Remove takes a name away: that of a file, or of an empty folder.
func (d *Disk) Remove(folder uint64, name string, isFolder bool) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, n, errno := d.find(folder, name)
	switch {
	case errno != 0:
		return errno
	case n == nil:
		return syscall.ENOENT
	case isFolder && !n.folder:
		return syscall.ENOTDIR
	case !isFolder && n.folder:
		return syscall.EISDIR
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	d.apply(change{{folder, name, 0}})
	d.forget(n)
	return 0
}

// Rename moves a name; what the new name stood for loses it in the same step.
func (d *Disk) Rename(from uint64, name string, to uint64, newName string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, n, errno := d.find(from, name)
	if errno != 0 {
		return errno
	}
	_, old, errno := d.find(to, newName)
	switch {
	case errno != 0:
		return errno
	case n == nil:
		return syscall.ENOENT
	case old == n:
		return 0
	case old != nil && old.folder != n.folder:
		return syscall.EEXIST
	case old != nil && len(old.names) > 0:
		return syscall.ENOTEMPTY
	}
	d.apply(change{{to, newName, n.ino}, {from, name, 0}})
	if old != nil {
		d.forget(old)
	}
	return 0
}
