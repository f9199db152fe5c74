// Package publish shows the log to everybody: as a folder that any web server can serve, and as an HTTP handler, both in the
// form of C2SP tlog-tiles (https://c2sp.org/tlog-tiles), which public tools read and check. It asks witnesses to cosign, and has
// the monitor with which somebody else follows a log.
//
// It may know the ledger's tree, the salted commitments in it, and signed checkpoints. What an entry says it reads only to
// compute the commitment, and never shows: sizes and times are all that a stranger learns. It signs nothing. The monitor knows
// of a log only what is published and the keys that it was given.
package publish
