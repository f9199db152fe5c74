package main

import (
	"os/exec"
	"syscall"
	"testing"
)

// TestFullDisk fills a file system of eight megabytes. Only root may make one; for everybody there is TestFileThatMayNotGrow.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	filled(t, disk+"/data", func(args ...string) *exec.Cmd { return command(t, args...) }, func() {
		if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
			t.Fatal(err)
		}
	})
}
