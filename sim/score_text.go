package sim

import (
	"fmt"
	"strings"
)

// String renders a result for people.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Found %d of %d planted cases", r.Found, r.Planted)
	if len(r.Missed) > 0 {
		fmt.Fprintf(&b, " (missed: %s)", strings.Join(r.Missed, ", "))
	}
	fmt.Fprintf(&b, "; %d of %d cases false\n", r.FalseCases, r.Cases)
	fmt.Fprintf(&b, "Units: %d of %d diverted are in cases (recall %.3f, precision %.3f); %d honest units accused, %d of them in true cases\n",
		r.InCases, r.Diverted, r.Recall, r.Precision, r.Accused, r.AccusedCases)
	if r.InCases > 0 {
		fmt.Fprintf(&b, "Found %.1f days after they left (median; 90 %% within %.1f days)\n", r.DaysMedian, r.DaysP90)
	}
	if r.Found > 0 {
		fmt.Fprintf(&b, "Bridge: named first in %d of %d, among the first three in %d, no opinion in %d\n",
			r.BridgeHit1, r.Found, r.BridgeHit3, r.BridgeEmpty)
	}
	for _, p := range r.PerCase {
		b.WriteString("  " + p.text() + "\n")
	}
	return b.String()
}

func (p PerCase) text() string {
	s := fmt.Sprintf("%s (%s): ", p.ID, p.Variant)
	if p.Case == "" {
		return s + fmt.Sprintf("none of %d units is in any case", p.Units)
	}
	s += fmt.Sprintf("%d of %d units in case %s, first after %.1f days", p.InCase, p.Units, p.Case, p.DaysFirst)
	if !p.Found {
		return s + "; too few to count as found"
	}
	if p.BridgeRank > 0 {
		return s + fmt.Sprintf("; bridge ranked %d", p.BridgeRank)
	}
	return s + "; bridge not named"
}
