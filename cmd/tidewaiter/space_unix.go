//go:build linux || darwin

package main

import "syscall"

// freeSpace is how many bytes this user may still write to the file system of a folder.
func freeSpace(path string) (n int64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true //nolint:unconvert // their types differ from system to system
}
