package epcis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// documentMembers are the members of a document that bear no prefix (EPCIS 2.0 JSON Schema, epcisDocument).
var documentMembers = words("@context id type schemaVersion creationDate instanceIdentifier sender receiver epcisHeader epcisBody")

// checkDocument says what a document lacks.
func (d *Decoder) checkDocument() error {
	h, seen := &d.header, d.root.seen
	missing := func(name string) error { return &Error{"/" + name, "is missing"} }
	switch {
	case h.Type == "":
		return missing("type")
	case h.Type != "EPCISDocument" && h.Type != "EPCISQueryDocument":
		return fmt.Errorf("%w: its type is %s, not EPCISDocument or EPCISQueryDocument", ErrNotEPCIS, quoteShort(h.Type))
	case !seen["@context"]:
		return missing("@context")
	case !seen["epcisBody"]:
		return missing("epcisBody")
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if !documentMembers[name] && !strings.Contains(name, ":") {
			return &Error{"/" + name, "is no member of a document, and bears no prefix that says whose it is"}
		}
	}
	if h.Type == "EPCISQueryDocument" {
		return d.checkVersion(false)
	}
	if !seen["creationDate"] {
		return missing("creationDate")
	}
	return d.checkVersion(true)
}

func (d *Decoder) checkVersion(needed bool) error {
	v := d.header.SchemaVersion
	switch {
	case v == "" && !needed:
		return nil
	case v == "":
		return &Error{"/schemaVersion", "is missing"}
	case v != "2" && !strings.HasPrefix(v, "2."):
		return &Error{"/schemaVersion", fmt.Sprintf("is %s; only EPCIS 2 is written in JSON", quoteShort(v))}
	}
	return nil
}

// checkAlone says why what was read is no single event either.
func (d *Decoder) checkAlone() error {
	switch t := d.header.Type; {
	case t == "EPCISDocument" || t == "EPCISQueryDocument":
		return &Error{"/epcisBody", "is missing"}
	case d.root.seen["eventTime"] || allowed[Type(t)] != 0:
		return nil
	case t == "":
		return fmt.Errorf("%w: it is a JSON object without a type", ErrNotEPCIS)
	default:
		return fmt.Errorf("%w: its type is %s", ErrNotEPCIS, quoteShort(t))
	}
}
