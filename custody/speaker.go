package custody

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// MasterData is the body of a master data entry: the vocabulary's type and the element as received.
type MasterData struct {
	Type    string         `json:"type"`
	Element jsontext.Value `json:"element"`
}

// Implied is the party that an event implies as its speaker: the source when shipping, the destination when receiving, else the
// operator of the site, else the registrar (design §5.2).
func Implied(d Directory, t *Telling) string {
	switch StepOf(t.Event.BizStep) {
	case StepDispatch, StepVoid:
		if p := t.Source("possessing_party"); p != "" {
			return p
		}
		if p := t.Source("owning_party"); p != "" {
			return p
		}
	case StepReceipt:
		if p := t.Destination("possessing_party"); p != "" {
			return p
		}
		if p := t.Destination("owning_party"); p != "" {
			return p
		}
	}
	if t.Event.Type == epcis.TransactionEvent {
		if p := t.Source("owning_party"); p != "" {
			return p
		}
	}
	for _, place := range []string{t.Event.BizLocation, t.Event.ReadPoint} {
		if op := Operator(d, place); op != "" {
			return op
		}
	}
	if IsPlace(t.Event.ParentID) {
		if op := Operator(d, t.Event.ParentID); op != "" {
			return op
		}
	}
	return Registrar
}

// isClaim says whether the speaker says it of somebody else's custody. A device's evidence and a third party's sighting are
// observations, not claims of custody, whoever passes them on.
func (v *View) isClaim(t *Telling) bool {
	by := t.Speaker
	if by == "" || by == Registrar || t.IsCheckIn() || t.Text("sighting") != "" {
		return false
	}
	implied := Implied(v, t)
	if implied == Registrar || implied == by || v.isAuthority(by) {
		return false
	}
	for _, list := range [][]epcis.Typed{t.Event.Sources, t.Event.Destinations} {
		for _, p := range list {
			if p.ID == by && StepOf(t.Event.BizStep) == StepSeen {
				return false
			}
		}
	}
	return true
}
