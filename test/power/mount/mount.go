// Package mount puts a disk.Disk where processes can use it, by FUSE, and takes the power from it: at the chosen operation the medium is
// left with what it has, and nothing that a process does from then on reaches it. It also lets the disk fail in other ways: no room,
// syncs that fail, no right to write, slowness. It knows nothing of what is kept in the files.
//
// The process that serves a mount should not map its files into memory, or let a library do so: a page that it waits for, it would have
// to serve itself while it is stopped for the garbage collector. It may read and write them.
package mount

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidewaiter/tidewaiter/test/power/disk"
)

// Mount is a disk that processes see at a path.
type Mount struct {
	fuse.RawFileSystem // what is not implemented

	path   string
	server *fuse.Server

	gate sync.Mutex // one thing after the other happens to the disk
	disk *disk.Disk
	rng  *rand.Rand
	left int // operations until the power goes; 0: it stays
	only Kind
	next disk.Habits

	after  *disk.Disk    // what the medium has after the cut; nil: there was none yet
	gone   chan struct{} // closed at the cut
	freed  chan struct{} // closed when those who wait need wait no longer
	counts map[Kind]int
	trips  Kind // the kind of operation at which the power went
	faults Faults

	lists sync.Map // folders that are open, by handle: their entries as they were
	last  uint64
}

// Kind is a kind of operation that changes something.
type Kind string

// The kinds. Any is each of them.
const (
	Any   Kind = ""
	Write Kind = "write" // of content or size
	Sync  Kind = "sync"
	Name  Kind = "name" // made, removed, renamed, linked
)

// Faults are the ways in which a disk fails that has power.
type Faults struct {
	Full      bool          // files may not grow, and none may be made
	ReadOnly  bool          // nothing may be changed
	SyncsPass int           // so many syncs succeed before some fail
	SyncsFail int           // so many syncs fail
	Lies      bool          // syncs succeed and do nothing
	SlowSync  time.Duration // how long each sync takes
}

// At mounts the disk at a folder that is there.
func At(path string, d *disk.Disk, seed uint64) (*Mount, error) {
	m := &Mount{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), path: path, disk: d, rng: rand.New(rand.NewPCG(seed, 0)),
		gone: make(chan struct{}), freed: make(chan struct{}), counts: map[Kind]int{},
	}
	var err error
	m.server, err = fuse.NewServer(m, path, &fuse.MountOptions{
		AllowOther: true, DirectMountStrict: true, DisableXAttrs: true, DisableReadDirPlus: true, FsName: "power", Name: "power",
		Options: []string{"default_permissions"},
	})
	if err != nil {
		return nil, fmt.Errorf("mount at %s: %w", path, err)
	}
	go m.server.Serve()
	if err := m.server.WaitMount(); err != nil {
		return nil, fmt.Errorf("mount at %s: %w", path, err)
	}
	return m, nil
}

// Possible says why nothing can be mounted here, or nil.
func Possible() error {
	dir, err := os.MkdirTemp("", "power-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	m, err := At(dir, disk.New(disk.Habits{Sector: 512}), 0)
	if err != nil {
		return err
	}
	return m.Unmount()
}

// Arm lets the power go at the nth operation of a kind from now, before it or after it; what the medium then has, has these habits.
func (m *Mount) Arm(n int, kind Kind, next disk.Habits) {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.left, m.only, m.next = n, kind, next
}

// Gone is closed when the power goes.
func (m *Mount) Gone() <-chan struct{} { return m.gone }

// Cut takes the power now, if it is not gone, and says at which kind of operation it went.
func (m *Mount) Cut() Kind {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.cut(Any)
	return m.trips
}

func (m *Mount) cut(kind Kind) {
	if m.after == nil {
		m.after, m.trips = m.disk.Cut(m.rng, m.next), kind
		close(m.gone)
	}
}

// Fail sets how the disk fails from now on.
func (m *Mount) Fail(f Faults) {
	m.gate.Lock()
	defer m.gate.Unlock()
	m.faults = f
}

// Counts says how many operations of each kind there were.
func (m *Mount) Counts() map[Kind]int {
	m.gate.Lock()
	defer m.gate.Unlock()
	all := map[Kind]int{}
	for k, n := range m.counts {
		all[k] = n
	}
	return all
}

// After ends the mount of a disk whose power is gone and gives what the medium has. Those who used it must have been killed: from
// now on they get errors.
func (m *Mount) After() (*disk.Disk, error) {
	m.Cut()
	return m.after, m.Unmount()
}

// Thaw lets those go on, with an error, who wait for a disk without power, so that they can die of what has killed them.
func (m *Mount) Thaw() {
	m.gate.Lock()
	defer m.gate.Unlock()
	select {
	case <-m.freed:
	default:
		close(m.freed)
	}
}

// Unmount takes the mount away.
func (m *Mount) Unmount() error {
	m.Thaw()
	var err error
	for range 50 {
		if err = m.server.Unmount(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // somebody is dying still
	}
	if err := syscall.Unmount(m.path, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", m.path, err)
	}
	return nil
}

// change does something to the disk, unless the power goes, or is gone, or the disk fails.
func (m *Mount) change(kind Kind, grows bool, fn func() syscall.Errno) fuse.Status {
	errno, waits := m.guarded(kind, grows, fn)
	if waits {
		<-m.freed
		return fuse.EIO
	}
	return fuse.Status(errno)
}

func (m *Mount) guarded(kind Kind, grows bool, fn func() syscall.Errno) (errno syscall.Errno, waits bool) {
	m.gate.Lock()
	defer m.gate.Unlock()
	if m.after != nil {
		return 0, true
	}
	m.counts[kind]++
	trips := false
	if m.left > 0 && (m.only == Any || m.only == kind) {
		m.left--
		trips = m.left == 0
	}
	if trips && m.rng.IntN(2) == 0 {
		m.cut(kind)
		return 0, true
	}
	errno = m.failing(kind, grows)
	if errno == 0 {
		errno = fn()
	}
	if trips {
		m.cut(kind)
		return 0, true
	}
	return errno, false
}

func (m *Mount) failing(kind Kind, grows bool) syscall.Errno {
	switch {
	case m.faults.ReadOnly && kind != Sync:
		return syscall.EROFS
	case m.faults.Full && grows:
		return syscall.ENOSPC
	}
	return 0
}

// sync makes something durable, or fails to.
func (m *Mount) sync(ino uint64) fuse.Status {
	m.gate.Lock()
	slow := m.faults.SlowSync
	m.gate.Unlock()
	time.Sleep(slow)
	return m.change(Sync, false, func() syscall.Errno {
		switch {
		case m.faults.Lies:
			return 0
		case m.faults.SyncsPass > 0:
			m.faults.SyncsPass--
		case m.faults.SyncsFail > 0:
			m.faults.SyncsFail--
			return m.disk.FailedSync(ino, m.rng)
		}
		return m.disk.Sync(ino)
	})
}
