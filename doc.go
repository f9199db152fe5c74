// Package tidewaiter is the root of the module and holds no code, only the tests that keep the house in order
// (house_test.go). A folder is a room, and its name says what happens in it; lower rooms know nothing of the rooms above.
//
//	cmd/tidewaiter  the command line: one file per command, wiring only
//	api             HTTP: capture as EPCIS 2.0 has it, proofs, registration, health; no rules live there
//	casework        cases: findings that belong together, for a person to decide
//	detect          detectors: each one file, one comment, one set of innocent explanations
//	custody         the custody view: holder, place, containment, and what does not add up
//	publish         the log for everybody: tiles as a folder and over HTTP, witnesses, and the monitor that follows a log
//	registry        the way in: capture, who is speaking, the views' follower
//	store           what is kept: one contract, one conformance suite; store/sqlite and store/postgres keep it
//	ledger          entries, the Merkle tree over them, checkpoints and proofs
//	epcis           EPCIS 2.0 documents in and out, validation, the event hash
//	gs1             GS1 keys and their canonical form
//	internal        what several rooms need and no room is: durable makes names of files outlive a loss of power
//
// Beside the house, coming in by the front door like anybody else:
//
//	sim             a simulated supply chain with known truth, and the scorer
//	inventory       a machine's own account of its parts (Redfish), as EPCIS documents
//	cases           cases from the public record, anonymised, as EPCIS documents
//	test/strangers  a module of its own: what is published, checked with tools that others wrote
//	test/power      a module of its own: a disk that loses what was not synced when the power goes
package tidewaiter
