package mount

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidewaiter/tidewaiter/test/power/disk"
)

// trusted is how long the kernel may believe what it was told: nobody else changes anything.
const trusted = time.Hour

func fill(out *fuse.Attr, i disk.Info) {
	out.Ino, out.Size, out.Blocks, out.Blksize = i.Ino, uint64(i.Size), uint64(i.Size+511)/512, disk.PageSize
	out.Mode, out.Nlink, out.Uid, out.Gid = kind(i)|i.Mode, uint32(i.Links), i.UID, i.GID
	out.SetTimes(&i.Modified, &i.Modified, &i.Modified)
}

func kind(i disk.Info) uint32 {
	if i.Folder {
		return syscall.S_IFDIR
	}
	return syscall.S_IFREG
}

func entry(out *fuse.EntryOut, i disk.Info) {
	out.NodeId = i.Ino
	out.SetEntryTimeout(trusted)
	out.SetAttrTimeout(trusted)
	fill(&out.Attr, i)
}

// Lookup implements fuse.RawFileSystem, as the methods below do.
func (m *Mount) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	i, errno := m.disk.Lookup(in.NodeId, name)
	if errno == 0 {
		entry(out, i)
	}
	return fuse.Status(errno)
}

func (m *Mount) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return m.attributes(in.NodeId, out)
}

func (m *Mount) attributes(ino uint64, out *fuse.AttrOut) fuse.Status {
	i, errno := m.disk.Stat(ino)
	if errno == 0 {
		out.SetTimeout(trusted)
		fill(&out.Attr, i)
	}
	return fuse.Status(errno)
}

func (m *Mount) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if size, ok := in.GetSize(); ok {
		before, _ := m.disk.Stat(in.NodeId)
		if code := m.change(Write, int64(size) > before.Size, func() syscall.Errno { return m.disk.Truncate(in.NodeId, int64(size)) }); !code.Ok() {
			return code
		}
	}
	var mode, uid, gid *uint32
	var modified *time.Time
	if v, ok := in.GetMode(); ok {
		v &= 0o7777
		mode = &v
	}
	if v, ok := in.GetUID(); ok {
		uid = &v
	}
	if v, ok := in.GetGID(); ok {
		gid = &v
	}
	if v, ok := in.GetMTime(); ok {
		modified = &v
	}
	if errno := m.disk.Change(in.NodeId, mode, uid, gid, modified); errno != 0 {
		return fuse.Status(errno)
	}
	return m.attributes(in.NodeId, out)
}

func (m *Mount) make(in *fuse.InHeader, name string, folder bool, mode uint32, out *fuse.EntryOut) fuse.Status {
	return m.change(Name, true, func() syscall.Errno {
		i, errno := m.disk.Make(in.NodeId, name, folder, mode&0o7777, in.Uid, in.Gid)
		if errno == 0 {
			entry(out, i)
		}
		return errno
	})
}

func (m *Mount) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return m.make(&in.InHeader, name, true, in.Mode, out)
}

func (m *Mount) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if in.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return fuse.EPERM
	}
	return m.make(&in.InHeader, name, false, in.Mode, out)
}

func (m *Mount) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	code := m.make(&in.InHeader, name, false, in.Mode, &out.EntryOut)
	if code.Ok() {
		m.disk.Open(out.NodeId)
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	}
	return code
}

func (m *Mount) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return m.change(Name, false, func() syscall.Errno { return m.disk.Remove(in.NodeId, name, false) })
}

func (m *Mount) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return m.change(Name, false, func() syscall.Errno { return m.disk.Remove(in.NodeId, name, true) })
}

func (m *Mount) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	if in.Flags != 0 {
		return fuse.EINVAL
	}
	return m.change(Name, false, func() syscall.Errno { return m.disk.Rename(in.NodeId, oldName, in.Newdir, newName) })
}

func (m *Mount) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return m.change(Name, true, func() syscall.Errno {
		i, errno := m.disk.Link(in.Oldnodeid, in.NodeId, name)
		if errno == 0 {
			entry(out, i)
		}
		return errno
	})
}

func (m *Mount) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if in.Flags&syscall.O_TRUNC != 0 {
		if code := m.change(Write, false, func() syscall.Errno { return m.disk.Truncate(in.NodeId, 0) }); !code.Ok() {
			return code
		}
	}
	m.disk.Open(in.NodeId)
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

func (m *Mount) Release(_ <-chan struct{}, in *fuse.ReleaseIn) { m.disk.Close(in.NodeId) }

func (m *Mount) Read(_ <-chan struct{}, in *fuse.ReadIn, to []byte) (fuse.ReadResult, fuse.Status) {
	n := m.disk.Read(in.NodeId, int64(in.Offset), to[:min(len(to), int(in.Size))])
	return fuse.ReadResultData(to[:n]), fuse.OK
}

func (m *Mount) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	before, _ := m.disk.Stat(in.NodeId)
	grows := int64(in.Offset)+int64(len(data)) > before.Size
	code := m.change(Write, grows, func() syscall.Errno { return m.disk.Write(in.NodeId, int64(in.Offset), data) })
	if code.Ok() && in.Flags&(syscall.O_DSYNC|syscall.O_SYNC) != 0 {
		code = m.sync(in.NodeId)
	}
	return uint32(len(data)), code
}

func (m *Mount) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	before, _ := m.disk.Stat(in.NodeId)
	end := int64(in.Offset + in.Length)
	if in.Mode != 0 {
		return fuse.Status(syscall.EOPNOTSUPP)
	}
	return m.change(Write, true, func() syscall.Errno { return m.disk.Truncate(in.NodeId, max(end, before.Size)) })
}

func (m *Mount) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status { return m.sync(in.NodeId) }

func (m *Mount) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status { return m.sync(in.NodeId) }

func (m *Mount) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	list, errno := m.disk.List(in.NodeId)
	if errno == 0 {
		out.Fh = atomic.AddUint64(&m.last, 1)
		m.lists.Store(out.Fh, list)
	}
	return fuse.Status(errno)
}

func (m *Mount) ReleaseDir(in *fuse.ReleaseIn) { m.lists.Delete(in.Fh) }

func (m *Mount) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	list, ok := m.lists.Load(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	entries, _ := list.([]disk.Entry)
	for i := int(in.Offset); i < len(entries); i++ {
		e := entries[i]
		if !out.AddDirEntry(fuse.DirEntry{Name: e.Name, Ino: e.Ino, Mode: kind(e.Info), Off: uint64(i + 1)}) {
			break
		}
	}
	return fuse.OK
}

func (m *Mount) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	const pages = 16 << 30 / disk.PageSize // room that is never the reason
	out.Bsize, out.Frsize, out.Blocks, out.Bfree, out.Bavail = disk.PageSize, disk.PageSize, pages, pages, pages
	out.Files, out.Ffree, out.NameLen = 1<<20, 1<<20, 255
	return fuse.OK
}
