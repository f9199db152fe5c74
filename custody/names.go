package custody

import (
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// provisional is how a unit is named that is known by an alias only: https://tidewaiter.org/unit/<alias kind>/<value>.
const provisional = "https://tidewaiter.org/unit/"

func isProvisional(unit string) bool { return strings.HasPrefix(unit, provisional) }

// aliasOf is the alias "kind:value" that a provisional name stands for, or "".
func aliasOf(unit string) string {
	rest, ok := strings.CutPrefix(unit, provisional)
	kind, value, both := strings.Cut(rest, "/")
	if !ok || !both {
		return ""
	}
	k, err1 := url.PathUnescape(kind)
	v, err2 := url.PathUnescape(value)
	if err1 != nil || err2 != nil || k == "" || v == "" {
		return ""
	}
	return k + ":" + v
}

// provisionalOf is the name that a unit known only by the alias would have, or "".
func provisionalOf(alias string) string {
	kind, value, ok := strings.Cut(alias, ":")
	if !ok || kind == "" || value == "" {
		return ""
	}
	return provisional + url.PathEscape(kind) + "/" + url.PathEscape(value)
}

// bareWords splits an alias "kind:value" into what people may type for it.
func bareWords(alias string) []string {
	if _, value, ok := strings.Cut(alias, ":"); ok && value != "" {
		return []string{alias, value}
	}
	return []string{alias}
}

// aliasesOf are the other names that an event tells of its one unit. Of several units nobody could say whose they are.
func aliasesOf(t *Telling) []string {
	var names []string
	for _, f := range [...]epcis.Fields{t.Event.ILMD, t.Event.Extensions} {
		names = append(names, fieldList(f, "aliases")...)
	}
	return names
}

// replacedBy are the aliases, or units, that an event says are replaced by its own.
func replacedBy(t *Telling) []string { return fieldList(t.Event.Extensions, "replaces") }

// fieldList reads a list of strings, or one string. What is neither tells nothing.
func fieldList(f epcis.Fields, local string) []string {
	raw, ok := f[NS+local]
	if !ok {
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

// learnNames takes in the names that an event tells of the unit.
func (s *State) learnNames(t *Telling) {
	if len(t.Event.ILMD) == 0 && len(t.Event.Extensions) == 0 {
		return
	}
	names, replaced := aliasesOf(t), replacedBy(t)
	if len(names)+len(replaced) == 0 || len(t.Units()) != 1 {
		return
	}
	rank := s.rankOf(t)
	for _, old := range replaced {
		s.replace(t, old, rank)
	}
	for _, alias := range names {
		s.learnName(Name{Alias: alias, Rank: rank, Mark: s.mark(t)})
	}
}

func (s *State) rankOf(t *Telling) int {
	switch {
	case t.voice == outside:
		return rankClaim
	case t.Event.BizStep == "commissioning" && !isProvisional(s.Unit):
		return rankMaker
	}
	return rankBound
}

// learnName keeps a name, or raises the rank of one that is known. Where there are too many the oldest of the lowest rank goes.
func (s *State) learnName(n Name) {
	for i := range s.Names {
		if old := &s.Names[i]; old.Alias == n.Alias {
			if n.Rank >= old.Rank {
				*old = n
			}
			return
		}
	}
	s.Names = append(s.Names, n)
	if len(s.Names) > keepNames {
		least := 0
		for i, o := range s.Names {
			if o.Rank < s.Names[least].Rank {
				least = i
			}
		}
		s.Names = slices.Delete(s.Names, least, least+1)
	}
}

// replace ends a name, or notes that another unit's identifier meant this one. A claim replaces nothing, and what the maker told
// only the maker replaces.
func (s *State) replace(t *Telling, old string, rank int) {
	if rank == rankClaim {
		return
	}
	if unit := canonical(old); strings.Contains(unit, "://") && unit != s.Unit {
		if !slices.Contains(s.Replaces, unit) {
			s.Replaces = lastOf(append(s.Replaces, unit), keepSeen)
		}
		old = aliasOf(unit)
	}
	for i := range s.Names {
		if n := &s.Names[i]; n.Alias == old && n.Rank <= rank {
			n.Until = At(t.Event.Time)
		}
	}
}

// answersTo says how well a unit answers to a word: the rank of the best name that is still in use, or of one that was
// replaced, less three; ok is false when it has no such name.
func (s *State) answersTo(word string) (rank int, ok bool) {
	best := -10
	for _, n := range s.Names {
		if !slices.Contains(bareWords(n.Alias), word) {
			continue
		}
		r := n.Rank
		if n.Until != 0 {
			r -= 3
		}
		best = max(best, r)
	}
	return best, best > -10
}
