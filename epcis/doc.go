// Package epcis reads EPCIS 2.0 (ISO/IEC 19987) in its JSON and JSON-LD binding: documents, query documents and single events,
// with the vocabulary of CBV 2.0 (ISO/IEC 19988).
//
// A Decoder walks a document of any size and hands out its events and master data elements one by one, as the bytes that came;
// ParseEvent and ParseMasterData validate one of them and normalise it. Hash names an event as CBV 2.0 §8.9.2 does; Digest
// tells whether two events say the same. What is not valid is an *Error with a JSON pointer (RFC 6901) and a reason.
//
// The package knows gs1 and JSON. It knows no ledger, no database, no network and no clock, and nothing of custody: it can be
// imported by somebody who only wants EPCIS.
package epcis
