package main

import (
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/tidewaiter/tidewaiter/registry"
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

// TestReadOnlyDisk takes the right to write from under a ledger and gives it back: nothing is kept meanwhile, the error says why, and
// then everything goes on by itself.
func TestReadOnlyDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("SKIPPED: a file system of its own cannot be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	data, inbox := disk+"/data", t.TempDir()
	first, second := crashDocument(t, inbox, 0), crashDocument(t, inbox, 1)
	process(t, "--data", data, "capture", first)
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	r := finish(t, command(t, "--data", data, "capture", second))
	if r.code != exitFailed || !regexp.MustCompile("may not be written|read-only file system").MatchString(r.stderr) {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	r = finish(t, command(t, "--data", data, "doctor"))
	if r.code != exitNo || !regexp.MustCompile("(?m)^fail  folder .*read-only file system").MatchString(r.stdout) {
		t.Errorf("doctor: exit code %d: %s", r.code, r.stdout)
	}
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if got := decode[registry.Result](t, process(t, "--data", data, "capture", first, second)); got.Accepted != eventsEach || got.Duplicates != eventsEach {
		t.Errorf("with the right to write again: %+v", got)
	}
	sound(t, data)
}
