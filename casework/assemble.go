package casework

import (
	"math"
	"slices"

	"github.com/tidewaiter/tidewaiter/detect"
)

// How findings become a probability. The prior is the odds that a group of units that some detector points at, in a given
// month, is being diverted; it was set on simulated worlds with seeds below 1000 and is no statement about the real world.
const (
	priorMilliNats = -6000
	openAt         = 500  // per mille: above it a case is opened
	capParty       = 1500 // milli-nats that who somebody is may add
	capShipment    = 6000
	capMoved       = 4200           // what parcels to a barred country may add
	capMovedHome   = 300            // and parcels to anywhere else, or that could hold few of them, such as any operator sends now and then
	movedBelowGone = 1000           // parcels add that much less than is known of the units being gone: they matter only if they are
	linkBefore     = 3 * detect.Day // parcels may leave while the last units still report
	linkAfter      = 75 * detect.Day
	fitBonus       = 600 // the parcels' weight fits the missing units
	sameSiteBonus  = 600 // the parcels left from the site itself
	// Of all units that a seller handled, how many per mille must be in the case for its parcels to have to do with it: everybody buys
	// from the big ones, and they send parcels.
	sellerLift        = 150
	sellerLiftTelling = 60
	seenWeak          = 2000 // a sighting of few units in a large group adds no more
)

// assemble makes the cases anew from the findings that hold at a ledger time, and keeps what was known of them before.
func (v *View) assemble(now Micros) error {
	live := v.Machine.Live()
	used := map[string]bool{}
	touched := map[string]bool{}
	for _, group := range v.components(live) {
		draft := v.draft(group, live, used)
		id := v.match(draft, touched)
		if id == "" && draft.Score < openAt {
			continue
		}
		v.keep(id, draft, now, touched)
	}
	for _, id := range sortedCases(v.open) {
		if c := v.open[id]; !touched[id] && c.Status != StatusClosed {
			closed := *c
			closed.Status, closed.Score, closed.Changed = StatusClosed, 0, now
			v.put(id, &closed)
		}
	}
	return nil
}

// draft weighs one group of findings together with those that only add to it.
func (v *View) draft(group, live []*detect.Finding, used map[string]bool) *Case {
	c := &Case{Status: StatusOpen}
	group = sharpen(group)
	best := map[detect.Group]*detect.Finding{}
	units := map[string]bool{}
	for _, f := range group {
		for _, u := range f.Units {
			units[u] = true
		}
		c.take(f)
		if b := best[f.Group]; b == nil || f.MilliNats > b.MilliNats {
			best[f.Group] = f
		}
	}
	for u := range units {
		c.Units = append(c.Units, Member{Unit: u})
	}
	slices.SortFunc(c.Units, func(a, b Member) int { return compare(a.Unit, b.Unit) })
	if f := best[detect.GroupSeen]; f != nil {
		c.Seen = seenUnits(group)
	}
	path := v.pathOf(c)
	v.addParcels(c, live, best, path, used)
	v.addParty(c, live, best, path)
	c.weigh(best)
	c.Bridge = v.bridge(c, path)
	c.sum(group)
	return c
}

// sharpen leaves out which units nobody has proven to be there, where it is known which of them are gone.
func sharpen(group []*detect.Finding) []*detect.Finding {
	if !slices.ContainsFunc(group, func(f *detect.Finding) bool { return f.Group == detect.GroupGone }) {
		return group
	}
	return slices.DeleteFunc(slices.Clone(group), func(f *detect.Finding) bool { return f.Group == detect.GroupUnproven })
}

func (c *Case) take(f *detect.Finding) {
	c.Findings = append(c.Findings, f.ID)
	c.Against = append(c.Against, f.Against...)
	for _, s := range f.Sites {
		if (f.Group == detect.GroupGone || f.Group == detect.GroupUnproven) && !slices.Contains(c.Sites, s) {
			c.Sites = append(c.Sites, s)
		}
	}
	if f.Group == detect.GroupGone || f.Group == detect.GroupConsumed || f.Group == detect.GroupUnproven {
		if c.From == 0 || f.From < c.From {
			c.From = f.From
		}
		c.To = max(c.To, f.To)
	}
	if f.Inspected > 0 {
		c.Passed = f.Inspected
	}
	c.Unproven = c.Unproven || f.Group == detect.GroupUnproven
}

func seenUnits(group []*detect.Finding) int {
	seen := map[string]bool{}
	for _, f := range group {
		if f.Group == detect.GroupSeen {
			for _, u := range f.Units {
				seen[u] = true
			}
		}
	}
	return len(seen)
}

// addParcels links a sender's parcels to the group: sent from its site, or by a party through whose hands the units went, at
// about the time at which they left.
func (v *View) addParcels(c *Case, live []*detect.Finding, best map[detect.Group]*detect.Finding, path *path, used map[string]bool) {
	var link *detect.Finding
	weight := 0
	for _, f := range live {
		if f.Group != detect.GroupMoved || used[f.ID] || c.From == 0 || f.To < c.From-linkBefore || f.From > c.To+linkAfter {
			continue
		}
		site := slices.ContainsFunc(f.Sites, func(s string) bool { return slices.Contains(c.Sites, s) })
		sender := f.Parties[0]
		w, most, least := f.MilliNats, capMovedHome, sellerLift
		if f.Dest != "" && telling(c, f, best) {
			most, least = capMoved, sellerLiftTelling
		}
		if !path.held(sender) && !(path.share(sender) >= 500 && path.lift(sender) >= least) {
			continue
		}
		if site {
			w += sameSiteBonus
		}
		if n := len(c.Units); f.Estimated*8 >= n && f.Estimated <= n*5/4 {
			w += fitBonus
		}
		w = min(w, most)
		if link == nil || w > weight {
			link, weight = f, w
		}
	}
	if link == nil {
		return
	}
	used[link.ID] = true
	c.Findings = append(c.Findings, link.ID)
	adjusted := *link
	adjusted.MilliNats = weight
	best[detect.GroupMoved] = &adjusted
	c.Parcels, c.Routes, c.ToBarred, c.ToParty = len(link.Consignments), link.Routes, link.Dest, link.Consignee
	c.MayHold = min(link.Estimated, len(c.Units))
	path.senders[link.Parties[0]] = true
}

// fewUnits is what two machines hold: in any heavy parcel they could have gone.
const fewUnits = 16

// telling says whether it means much that parcels to a barred country left where units are missing: they could hold a fair part of
// the units, which are more than a machine's or two, and whose going was not announced.
func telling(c *Case, parcels *detect.Finding, best map[detect.Group]*detect.Finding) bool {
	gone := best[detect.GroupGone]
	return parcels.Estimated*8 >= len(c.Units) && len(c.Units) > fewUnits+1 && (gone == nil || !gone.Announced)
}

// addParty links what is odd about a party through whose hands most of the units went.
func (v *View) addParty(c *Case, live []*detect.Finding, best map[detect.Group]*detect.Finding, path *path) {
	for _, f := range live {
		if f.Group != detect.GroupParty || len(f.Parties) == 0 || path.share(f.Parties[0]) < 500 {
			continue
		}
		c.Findings = append(c.Findings, f.ID)
		if b := best[f.Group]; b == nil || f.MilliNats > b.MilliNats {
			best[f.Group] = f
		}
	}
}

// weigh adds the groups up: within a group the strongest finding counts, for the others would say the same again.
func (c *Case) weigh(best map[detect.Group]*detect.Finding) {
	logit := priorMilliNats
	for _, g := range []detect.Group{detect.GroupGone, detect.GroupUnproven, detect.GroupConsumed, detect.GroupMoved, detect.GroupSeen, detect.GroupParty} {
		f := best[g]
		if f == nil {
			continue
		}
		w := f.MilliNats
		switch g {
		case detect.GroupParty:
			w = min(w, capParty)
		case detect.GroupConsumed:
			w = min(w, capShipment)
		case detect.GroupMoved:
			if gone := best[detect.GroupGone]; gone != nil {
				w = min(w, max(0, gone.MilliNats-movedBelowGone))
			}
		case detect.GroupSeen:
			if len(f.Units)*50 < len(c.Units) {
				w = min(w, seenWeak)
			}
		}
		logit += w
		c.Drivers = append(c.Drivers, Driver{Finding: f.ID, MilliNats: w})
	}
	c.Logit = logit
	c.Score = perMille(logit)
	slices.SortStableFunc(c.Drivers, func(a, b Driver) int { return b.MilliNats - a.MilliNats })
}

func perMille(milliNats int) int {
	return int(math.Round(1000 / (1 + math.Exp(-float64(milliNats)/1000))))
}

// sum up what speaks against it.
func (c *Case) sum(group []*detect.Finding) {
	torn := slices.ContainsFunc(group, func(f *detect.Finding) bool { return f.Kind == "torn-down" })
	gone := slices.ContainsFunc(group, func(f *detect.Finding) bool { return f.Group == detect.GroupGone })
	if gone && !torn {
		c.Against = append(c.Against, "no disassembly was reported by the operator")
	}
	if gone && c.Parcels == 0 {
		c.Against = append(c.Against, "no parcels were seen that could have carried them")
	}
	if c.Unproven {
		c.Against = append(c.Against, "all of them may be where they were declared: an inspection would show it")
	}
	if c.Parcels > 0 && c.MayHold < len(c.Units) {
		c.Against = append(c.Against, detect.Counted(len(c.Units)-c.MayHold, "unit")+" unaccounted for either way")
	}
	if c.Seen == 0 {
		c.Against = append(c.Against, "none of them has been seen elsewhere")
	}
	slices.Sort(c.Findings)
	c.Findings = slices.Compact(c.Findings)
	slices.Sort(c.Against)
	c.Against = slices.Compact(c.Against)
}
