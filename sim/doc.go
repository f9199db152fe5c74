// Package sim makes a simulated accelerator supply chain with known truth, and scores how well its truth was found.
//
// A world is determined by its Config: the same Config gives the same bytes. It is written as ordinary EPCIS 2.0
// JSON-LD documents by Tidewaiter's profile (docs/design.md), plus a truth file for the scorer. The documents are all
// that the product may see: nothing in them says which events belong to a scheme, and parties, feeds, papers and
// mistakes of honest and crooked actors are drawn from the same distributions, except for what the scheme itself does.
//
// The package knows no other room: not how documents are read, kept or judged. Only commands and tests import it.
package sim
