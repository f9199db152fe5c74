package custody

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// Registrar speaks for a deployment itself: what nobody else could be named for is said by it.
const Registrar = "https://tidewaiter.org/party/registrar"

// MasterData is the body of a master data entry: the vocabulary's type and the element as received.
type MasterData struct {
	Type    string         `json:"type"`
	Element jsontext.Value `json:"element"`
}

// Implied is the party that an event implies as its speaker: the source when shipping, the destination when receiving, else who
// operated the site at the time of the event, else the registrar (design §5.2).
func Implied(d Directory, t *Telling) string {
	if p := impliedParty(t); p != "" {
		return p
	}
	at := At(t.Event.Time)
	for _, place := range t.places() {
		if op := operatorAt(d, place, at); op != "" {
			return op
		}
	}
	return Registrar
}

// impliedParty is the party that the event itself names as the one that acts, or "".
func impliedParty(t *Telling) string {
	step := StepOf(t.Event.BizStep)
	switch {
	case step == StepDispatch || step == StepVoid:
		if p := t.Source("possessing_party"); p != "" {
			return p
		}
		return t.Source("owning_party")
	case step == StepReceipt:
		if p := t.Destination("possessing_party"); p != "" {
			return p
		}
		return t.Destination("owning_party")
	case t.Event.Type == epcis.TransactionEvent:
		return t.Source("owning_party")
	}
	return ""
}

// places are those whose operator may be the one that speaks, the most telling first.
func (t *Telling) places() [3]string {
	p := [3]string{t.Event.BizLocation, t.Event.ReadPoint, ""}
	if IsPlace(t.Event.ParentID) {
		p[2] = t.Event.ParentID
	}
	return p
}

// voice is in what capacity somebody tells an event.
type voice int

const (
	ownVoice voice = iota // of its own custody, or nobody could say whose it is
	beside                // an authority, or a side of a transaction: believed, but not itself the one that holds the unit
	outside               // of somebody else's custody
)

// weigh decides in what capacity the speaker tells the event, and whether it is a claim. It is a function of the event, the
// speaker and the directory, never of when it is asked.
//
// A device's evidence and a third party's sighting are observations, not claims of custody, whoever passes them on. But a check-in
// that somebody else passes on is a sighting, no more: see Vouched.
func (t *Telling) weigh(d Directory) {
	t.voice = t.weighVoice(d)
	t.Claim = t.voice == outside && !t.isObservation()
	t.nowhere = t.Speaker != "" && t.Speaker != Registrar && t.voice == ownVoice && Implied(d, t) == Registrar
}

// IsOutside says whether the speaker tells of somebody else's custody: a claim, or an observation that has its word only.
func (t *Telling) IsOutside() bool { return t.voice == outside }

// Vouched says whether a check-in is taken for the unit's own word: it was passed on by the deployment, by an authority, by
// who operates the place, or, where nobody is known to, by who holds or owns the unit.
func (t *Telling) Vouched(st *Standing) bool {
	return t.voice != outside && (!t.nowhere || st != nil && st.isPartyTo(t.Speaker))
}

func (t *Telling) weighVoice(d Directory) voice {
	by := t.Speaker
	if by == "" || by == Registrar {
		return ownVoice
	}
	implied := Implied(d, t)
	switch {
	case implied == Registrar, implied == by:
		return ownVoice
	case isAuthority(d, by, At(t.Event.Time)), t.isSide(by):
		return beside
	}
	return outside
}

func isAuthority(d Directory, party string, at Micros) bool {
	v := d.Element(party).At(at)
	return v != nil && v.Attrs["tw:role"] == "authority"
}

// isSide says whether a party is named as a side of something that changes no hands.
func (t *Telling) isSide(by string) bool {
	if StepOf(t.Event.BizStep) != StepSeen {
		return false
	}
	for _, list := range [][]epcis.Typed{t.Event.Sources, t.Event.Destinations} {
		for _, p := range list {
			if p.ID == by {
				return true
			}
		}
	}
	return false
}

// hangsOn lists the subjects whose master data, told later, could still change as what the telling counts: those of which
// nothing is known yet, and, of an event that lies ahead of the ledger's time, all that it asks about.
func (t *Telling) hangsOn(d Directory, now Micros) []string {
	by := t.Speaker
	if by == "" || by == Registrar {
		return nil
	}
	ahead := At(t.Event.Time) >= now
	open := func(id string) bool { return ahead || d.Element(id) == nil }
	var list []string
	if p := impliedParty(t); p == by {
		return nil
	} else if p == "" {
		list = openPlaces(d, t, open)
		if who := Implied(d, t); len(list) == 0 && (who == by || who == Registrar) {
			return nil
		}
	}
	if open(by) {
		list = append(list, by)
	}
	return list
}

// openPlaces lists the places of which something is yet to be known before it is certain who operates the first that anybody does.
func openPlaces(d Directory, t *Telling, open func(string) bool) (list []string) {
	at := At(t.Event.Time)
	for _, place := range t.places() {
		if place == "" || isGeo(place) {
			continue
		}
		if open(place) {
			list = append(list, place)
		}
		if base := baseSite(place); base != place && open(base) {
			list = append(list, base)
		}
		if operatorAt(d, place, at) != "" {
			break
		}
	}
	return list
}
