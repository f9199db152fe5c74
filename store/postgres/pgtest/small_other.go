//go:build !linux

package pgtest

import "testing"

// SmallDatabase makes a database on a small disk, where that is possible.
func (s *Server) SmallDatabase(t testing.TB, _ int) (url string, grow func()) {
	t.Helper()
	t.Skip("SKIPPED: a small file system cannot be made here")
	return "", nil
}
