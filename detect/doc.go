// Package detect looks for units that leave the declared chain. It takes in the ledger behind custody, remembers what the
// detectors need (memory), and asks each detector for its findings whenever a boundary of ledger time is crossed.
//
// A detector is one file: what it sees, its source, its innocent explanations, its parameters, and one function from memory to
// findings. A finding is a suspicion with a log-likelihood ratio in milli-nats: how much more often this is seen under
// diversion than under honest work. Reconcile raises, updates and withdraws; nothing is ever deleted.
//
// It knows custody and rows; it knows no database, no HTTP, no wall clock, and nothing of the simulator.
package detect
