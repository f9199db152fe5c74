package custody

import (
	"math"
	"strconv"
	"strings"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// maxKmPerHour is what nothing in a supply chain outruns: a cargo aircraft with the wind behind it. nearKm forgives places
// whose coordinates are those of a city.
const (
	maxKmPerHour = 1100.0
	nearKm       = 100.0
)

// answer decides a check: the kind of exception that it is, and why. An empty kind means that all is well.
func answer(own Own, d Directory, unit string, c Check) (kind, note string, err error) {
	switch c.Kind {
	case "ship-without-possession":
		kind, note, err = answerDispatch(own, d, unit, c)
	case "receive-without-ship":
		kind, note, err = answerReceipt(own, d, unit, c)
	case "receipt-missing":
		kind, note = c.Kind, "it was handled where it was sent to, and "+NameOf(d, c.Party)+" never reported its receipt"
	case "two-parents":
		kind, note, err = answerParents(own, unit, c)
	case "away-from-parent":
		kind, note, err = answerAway(own, d, c, c.Time)
	case "left-behind":
		kind, note, err = answerLeft(own, d, c)
	case "inside-itself":
		kind, note, err = answerLoop(own, unit, c)
	case "impossible-travel":
		kind, note = answerTravel(d, c)
	}
	return kind, note, err
}

func answerDispatch(own Own, d Directory, unit string, c Check) (kind, note string, err error) {
	st, err := Resolve(own, unit, c.Time-1)
	switch {
	case err != nil || st == nil || st.Holder == "":
		return "", "", err
	case st.Transit != nil && st.Transit.To == c.Party && st.Transit.From != c.Party:
		return "receipt-missing", "it was sent on by a party that never reported its receipt", nil
	case st.Holder == c.Party:
		return "", "", nil
	}
	return c.Kind, "it was in the custody of " + NameOf(d, st.Holder), nil
}

func answerReceipt(own Own, d Directory, unit string, c Check) (kind, note string, err error) {
	st, err := Resolve(own, unit, c.Time-1)
	switch {
	case err != nil || st == nil || c.Party == "":
		return "", "", err
	case st.Transit != nil && st.Transit.To != "" && st.Transit.To != c.Party:
		return "received-by-another", "it was sent to " + NameOf(d, st.Transit.To), nil
	case st.Transit != nil || st.Holder == c.Party:
		return "", "", nil
	}
	return c.Kind, "no shipment of it, or of what it is inside, was open", nil
}

// answerParents: had the parent been emptied, or are both in the new parent, then all is well.
func answerParents(own Own, unit string, c Check) (kind, note string, err error) {
	_, _, open, err := closedAt(own, c.Other, c.What, c.Since, c.Again, c.Time)
	if err != nil || !open {
		return "", "", err
	}
	if !IsPlace(c.Other) {
		inside, err := isInside(own, c.Other, c.Place, c.Time)
		if err != nil || inside {
			return "", "", err
		}
	}
	return c.Kind, "it was still inside " + c.Other + " when it was put into " + c.Place, nil
}

// isInside says whether a unit is inside another by a time, at whatever depth, or will be within a day: a server and the boards
// in it are packed by one event or by several.
func isInside(own Own, unit, parent string, at Micros) (bool, error) {
	st, err := Resolve(own, unit, at+Day)
	if err != nil || st == nil {
		return false, err
	}
	for _, in := range st.Inside {
		if in == parent {
			return true, nil
		}
	}
	return false, nil
}

func answerAway(own Own, d Directory, c Check, at Micros) (kind, note string, err error) {
	st, err := Resolve(own, c.Other, at)
	if err != nil || st == nil || st.Site == "" || !isAway(d, st.Site, c.Place) {
		return "", "", err
	}
	return "away-from-parent", "it was seen at " + NameOf(d, c.Place) + " while what it is inside is at " + NameOf(d, st.Site), nil
}

// answerLeft: what it is inside went elsewhere, and the unit was seen where it was, afterwards.
func answerLeft(own Own, d Directory, c Check) (kind, note string, err error) {
	st, err := Resolve(own, c.Other, math.MaxInt64)
	if err != nil || st == nil || st.SiteAt > c.Time {
		return "", "", err
	}
	return answerAway(own, d, c, math.MaxInt64)
}

// isAway says whether two places are too far apart for things that are inside one another. Of places without coordinates only
// the identifiers can be compared; a position and such a place cannot be.
func isAway(d Directory, a, b string) bool {
	if SameSite(a, b) {
		return false
	}
	lat1, lon1, ok1 := Position(d, a)
	lat2, lon2, ok2 := Position(d, b)
	if !ok1 || !ok2 {
		return !isGeo(a) && !isGeo(b)
	}
	if !isGeo(a) && !isGeo(b) {
		return true
	}
	return Kilometres(lat1, lon1, lat2, lon2) > nearKm+uncertaintyKm(a)+uncertaintyKm(b)
}

// uncertaintyKm is the u parameter of a geo: URI (RFC 5870 §3.4.3), in kilometres.
func uncertaintyKm(place string) float64 {
	if !isGeo(place) {
		return 0
	}
	_, rest, _ := strings.Cut(place, ";u=")
	rest, _, _ = strings.Cut(rest, ";")
	metres, err := strconv.ParseFloat(rest, 64)
	if err != nil || !(metres > 0) {
		return 0
	}
	return metres / 1000
}

// answerLoop: does what the unit is inside lead back to it?
func answerLoop(own Own, unit string, c Check) (kind, note string, err error) {
	seen := map[string]bool{unit: true}
	for at := c.Other; at != ""; {
		if at == unit {
			return c.Kind, "what it is inside is inside it: " + c.Other, nil
		}
		if seen[at] || len(seen) > maxSteps {
			return "", "", nil // a circle further up: it is theirs
		}
		seen[at] = true
		s, err := own(at, math.MaxInt64)
		if err != nil || s == nil {
			return "", "", err
		}
		at = s.parentNow()
	}
	return "", "", nil
}

func answerTravel(d Directory, c Check) (kind, note string) {
	lat1, lon1, ok1 := Position(d, c.Other)
	lat2, lon2, ok2 := Position(d, c.Place)
	if !ok1 || !ok2 {
		return "", ""
	}
	km := Kilometres(lat1, lon1, lat2, lon2)
	hours := float64(c.Time-c.Since) / float64(Day) * 24
	if km <= nearKm+uncertaintyKm(c.Other)+uncertaintyKm(c.Place)+maxKmPerHour*hours {
		return "", ""
	}
	return c.Kind, "it was at " + NameOf(d, c.Other) + " and " + itoa(int64(hours*60)) + " minutes later at " + NameOf(d, c.Place) + ", " +
		itoa(int64(km)) + " km away"
}

// SameSite says whether two places are the same site, or parts of it.
func SameSite(a, b string) bool {
	return a == b || baseSite(a) == baseSite(b)
}

func baseSite(p string) string {
	if s := gs1.SiteOf(p); s != "" {
		return s
	}
	return p
}
