// Package casework puts findings that belong together into cases for a person to decide: which units are unexplained, how
// probable diversion is, what speaks for it and against it, and through which party the units left the declared chain.
//
// A case is opened and its members are added at a ledger time, and both are kept. Words are "potential diversion" and
// "unexplained", never more. It knows detect and custody; it knows no database and no HTTP.
package casework
