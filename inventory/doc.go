// Package inventory turns a machine's own account of its parts into an EPCIS document: which units are present, by their
// serial numbers, and what is built into what.
//
// The account is a Redfish tree (DMTF DSP0266), read from a BMC over HTTP, from a folder, or from an archive in the layout of
// DMTF's Redfish-Mockup-Creator. Reading is read-only, bounded in requests and bytes, and follows no link out of the tree.
// Vendors differ and leave gaps; whatever had to be left out is returned with its reason, never dropped in silence.
//
// What a BMC says is a machine's word, evidence tier 2: it can be copied, and it says nothing of where the machine is. The
// package knows Redfish and writes EPCIS. It knows no ledger, no custody and no clock: what it wrote is captured like any
// other document.
package inventory
