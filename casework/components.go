package casework

import (
	"slices"

	"github.com/tidewaiter/tidewaiter/detect"
)

// How far apart in time findings about one holder's units at one site may lie and still belong together.
const (
	sameSilence   = 21 * detect.Day // two groups that fell silent
	togetherUnits = 12
	strayAfter    = 240 * detect.Day // a consignment gone astray, after the silence
)

// components groups the findings that point at units: those that share a unit or a consignment belong together, and so do those
// about units that one holder lost at one site at about one time.
func (v *View) components(live []*detect.Finding) [][]*detect.Finding {
	var anchors []*detect.Finding
	for _, f := range live {
		if isAnchor(f) {
			anchors = append(anchors, f)
		}
	}
	sets := newSets(len(anchors))
	first := map[string]int{}
	for i, f := range anchors {
		for _, key := range linkKeys(f) {
			if j, ok := first[key]; ok {
				sets.join(i, j)
			} else {
				first[key] = i
			}
		}
	}
	for i, f := range anchors {
		for j := range i {
			if v.sameLoss(f, anchors[j]) || v.sameLoss(anchors[j], f) {
				sets.join(i, j)
			}
		}
	}
	groups := map[int][]*detect.Finding{}
	for i, f := range anchors {
		groups[sets.root(i)] = append(groups[sets.root(i)], f)
	}
	var out [][]*detect.Finding
	for i := range anchors {
		if g := groups[i]; g != nil {
			out = append(out, g)
		}
	}
	return out
}

// isAnchor says whether a finding alone points at units: who bought them and what parcels left only add to it.
func isAnchor(f *detect.Finding) bool {
	return len(f.Units) > 0 && f.Group != detect.GroupParty && f.Group != detect.GroupMoved
}

func linkKeys(f *detect.Finding) []string {
	var keys []string
	unit := "u"
	if f.Group == detect.GroupSeen {
		unit = "s" // seen elsewhere says nothing of what happens there: see sameLoss
	}
	for _, u := range f.Units {
		keys = append(keys, unit+u)
	}
	for _, c := range f.Consignments {
		keys = append(keys, "c"+c)
	}
	return keys
}

// sameLoss says whether a finding is about units that went missing with those of another, which fell silent at a site or were never
// heard from there.
func (v *View) sameLoss(f, gone *detect.Finding) bool {
	if f.Unheard && len(gone.Sites) > 0 && slices.Contains(f.Sites, gone.Sites[0]) { // when they left is not known
		return gone.Group == detect.GroupUnproven || gone.Group == detect.GroupGone && f.To >= gone.From-linkBefore
	}
	if gone.Group != detect.GroupGone || len(gone.Sites) == 0 || len(gone.Parties) == 0 {
		return false
	}
	switch f.Group {
	case detect.GroupGone:
		if !slices.Equal(f.Sites, gone.Sites) {
			return false
		}
		if slices.Equal(f.Parties, gone.Parties) {
			return f.From <= gone.To+sameSilence && gone.From <= f.To+sameSilence
		}
		// The papers name another holder for some, as when a receipt was missed: together they count only if they fell silent together.
		return len(f.Units) >= togetherUnits && len(gone.Units) >= togetherUnits && f.From <= gone.To && gone.From <= f.To
	case detect.GroupSeen:
		return f.To >= gone.From-linkBefore && f.From <= gone.To+linkBefore && slices.Contains(f.Sites, gone.Sites[0])
	case detect.GroupConsumed:
		return f.First >= gone.From-linkBefore && f.First <= gone.To+strayAfter && v.mostlyFrom(f, gone.Sites[0])
	}
	return false
}

// mostlyFrom says whether at least half of a consignment's units come from a site: they last checked in there, or, where they never
// did anywhere, the consignment names the site.
func (v *View) mostlyFrom(f *detect.Finding, site string) bool {
	n, named := 0, slices.Contains(f.Sites, site)
	for _, id := range f.Units {
		u := v.Machine.Memory.Unit(id)
		if u != nil && u.Site == site || (u == nil || u.Site == "") && named {
			n++
		}
	}
	return 2*n >= len(f.Units)
}

// sets are disjoint sets of small numbers; the smallest stands for its set.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) root(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

func (s sets) join(i, j int) {
	a, b := s.root(i), s.root(j)
	s[max(a, b)] = min(a, b)
}
