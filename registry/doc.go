// Package registry is the way in. It takes EPCIS documents, decides who is speaking and when we knew, and appends each event
// and each master data element to the ledger as one entry; and it leads the views after the ledger.
//
// A document is read once as a stream into a spool, so that neither its size nor the place of its @context matters, and is
// then committed: all or nothing in one transaction, or, with Proceed, what is good of it. Nothing is reported as accepted
// before it is durable. The registry judges form, never authority: that is the custody view's part.
package registry
