package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// SmallDatabase makes a database on a disk of so many bytes, and gives its URL and what makes room on the disk. Only root may make
// one; for everybody else the test is skipped.
func (s *Server) SmallDatabase(t testing.TB, bytes int) (url string, grow func()) {
	t.Helper()
	disk := filepath.Join(s.folder, "small")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprintf("size=%d,mode=777", bytes)); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be made here: %v", err)
	}
	t.Cleanup(func() {
		_ = s.run(filepath.Join(s.bin, "pg_ctl"), "-D", s.data(), "-m", "immediate", "-w", "stop") // it holds files there
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	space := filepath.Join(disk, "space")
	if err := s.run("mkdir", space); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, s.url("postgres"), "CREATE TABLESPACE small LOCATION '"+space+"'", "CREATE DATABASE small TABLESPACE small")
	return s.url("small"), func() {
		if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=400m,mode=777"); err != nil {
			t.Fatal(err)
		}
	}
}
