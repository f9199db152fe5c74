// Package ledger says what the ledger holds and proves it: entries, their commitments, the Merkle tree over them (RFC 6962),
// signed checkpoints, and proofs that anybody can check without us.
//
// It may know mathematics, signatures and text formats. It knows no database, no network and no clock: whoever was handed a
// proof and a verifier key must be able to check it with this package alone, or with public tools (the formats are C2SP's
// signed-note, tlog-checkpoint and tlog-proof).
package ledger
