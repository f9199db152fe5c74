// Package gs1 reads GS1 identification keys in all their spellings and writes their one canonical form.
//
// One thing has many names: an EPC URN, a Digital Link on its maker's host, the data of a barcode. They are the same name only
// after somebody has taken them apart, checked them and put them together again in one way:
//
//	urn:epc:id:sgtin:9521234.050001.12             https://id.gs1.org/01/09521234500018/21/12
//	https://example.com/p/01/9521234500018/21/12   https://id.gs1.org/01/09521234500018/21/12
//	urn:epc:idpat:sgtin:9521234.050001.*           https://id.gs1.org/01/09521234500018
//	urn:epc:id:sgln:9521234.50001.0                https://id.gs1.org/414/9521234500018
//	urn:uuid:6ba7b810-9dad-81d1-80b4-00c04fd430c8  urn:uuid:6ba7b810-9dad-81d1-80b4-00c04fd430c8
//
// Canonical does that. Every identifier of a unit, class, party or place passes through it before anything else in the house
// compares it with another. Parse gives the parts of a key; SiteOf says to which site a place belongs; Key.Link, Key.URN and
// Key.ElementString spell a key again, ParseElementString reads what stands under a barcode.
//
// The package knows the grammar of the keys (GS1 General Specifications, EPC Tag Data Standard 2, GS1 Digital Link URI Syntax
// 1.2 and later) and nothing of events, ledgers or files. It asks no resolver and no list of company prefixes: whether a
// well-formed key was ever issued, and to whom, is for others to say.
package gs1
