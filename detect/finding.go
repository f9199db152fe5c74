package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Finding is a suspicion: what was seen, of whom, on what evidence, and what else would explain it.
type Finding struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	Group        Group    `json:"group"`
	MilliNats    int      `json:"mn"` // log-likelihood ratio: diversion against honest work
	Units        []string `json:"units,omitzero"`
	Parties      []string `json:"parties,omitzero"`
	Sites        []string `json:"sites,omitzero"`
	Consignments []string `json:"consignments,omitzero"`
	First        Micros   `json:"first"`
	RaisedAt     Micros   `json:"raised"`
	Explanation  string   `json:"explanation"`
	Innocent     []string `json:"innocent"`
	Against      []string `json:"against,omitzero"` // what was seen that speaks against it
	Evidence     []int64  `json:"evidence"`         // entries
	WithdrawnAt  Micros   `json:"withdrawn,omitzero"`

	// Facts that only the assembly of cases and their wording need.
	Announced bool   `json:"ann,omitzero"`     // the holder itself said so as it happened
	Unheard   bool   `json:"unheard,omitzero"` // some of the units were never heard from where they should be
	Inspected Micros `json:"inspected,omitzero"`
	From      Micros `json:"from,omitzero"` // the window in which it happened
	To        Micros `json:"to,omitzero"`
	Estimated int    `json:"est,omitzero"`    // units that parcels could hold
	Routes    int    `json:"routes,omitzero"` // ways by which parcels went
	Dest      string `json:"dest,omitzero"`   // the barred country to which they were to go
	Consignee string `json:"cons,omitzero"`   // the party to which parcels went
}

// Group tells findings that are evidence of different things apart: of those in one group the strongest counts, those of
// different groups add up.
type Group string

// The groups.
const (
	GroupGone     Group = "gone"     // units are no longer where they were declared
	GroupMoved    Group = "moved"    // something that could be them left
	GroupSeen     Group = "seen"     // they turned up elsewhere
	GroupParty    Group = "party"    // who bought them does not fit
	GroupConsumed Group = "shipment" // a consignment of theirs went astray
	GroupUnproven Group = "unproven" // nothing shows that they are where they were declared
)

// identify gives a finding an id that stays the same while it grows: its kind and what it is anchored to.
func identify(kind string, anchor ...string) string {
	h := sha256.Sum256([]byte(kind + "\x00" + strings.Join(anchor, "\x00")))
	return kind + "-" + hex.EncodeToString(h[:5])
}

// tidy sorts and bounds what was collected in no particular order.
func (f *Finding) tidy() {
	for _, l := range []*[]string{&f.Units, &f.Parties, &f.Sites, &f.Consignments} {
		slices.Sort(*l)
		*l = slices.DeleteFunc(slices.Compact(*l), func(s string) bool { return s == "" })
	}
	slices.Sort(f.Evidence)
	f.Evidence = slices.Compact(f.Evidence)
	if len(f.Evidence) > keepEvidence {
		f.Evidence = slices.Delete(f.Evidence, keepEvidence/2, len(f.Evidence)-keepEvidence/2)
	}
}

// keepEvidence bounds the entries that a finding names: the first and the last of them.
const keepEvidence = 64

// Counted says "1 parcel", "2 parcels".
func Counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// nats converts a natural logarithm to milli-nats.
func nats(x float64) int {
	if x < 0 {
		return int(x*1000 - 0.5)
	}
	return int(x*1000 + 0.5)
}
