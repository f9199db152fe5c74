package detect_test

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// traded is a hand-over: sent, received, or sold where it stands.
func (w *world) traded(s *sentence, at time.Time) error {
	m := map[string]any{"type": "ObjectEvent", "action": "OBSERVE", "epcList": w.all(s.units)}
	from, fromSite, err := w.end(s.clauses["from"])
	if err != nil {
		return err
	}
	to, toSite, err := w.end(s.clauses["to"])
	if err != nil {
		return err
	}
	if err := w.papers(s, m); err != nil {
		return err
	}
	switch s.verb {
	case "sold":
		m["type"], m["action"] = "TransactionEvent", "ADD"
		m["bizTransactionList"] = []any{map[string]any{"type": "inv", "bizTransaction": fmt.Sprintf("urn:epcglobal:cbv:bt:%s:%d", checked(prefix+"00001"), s.line)}}
		ends(m, "source", "owning_party", from)
		ends(m, "destination", "owning_party", to)
		return w.tell(s, at, m)
	case "shipped":
		m["bizStep"], m["disposition"] = "shipping", "in_transit"
		if fromSite != "" {
			m["readPoint"] = map[string]any{"id": fromSite}
		}
	case "received":
		m["bizStep"] = "receiving"
		place(m, toSite)
	}
	w.hand(m, from, fromSite, to, toSite)
	return w.tell(s, at, m)
}

// hand names both ends of a hand-over.
func (w *world) hand(m map[string]any, from, fromSite, to, toSite string) {
	ends(m, "source", "possessing_party", from)
	ends(m, "source", "location", fromSite)
	ends(m, "destination", "possessing_party", to)
	ends(m, "destination", "location", toSite)
}

// ends adds a source or destination, where there is one.
func ends(m map[string]any, which, kind, id string) {
	if id == "" {
		return
	}
	list, _ := m[which+"List"].([]any)
	m[which+"List"] = append(list, map[string]any{"type": kind, which: id})
}

// papers adds what the papers of a consignment say.
func (w *world) papers(s *sentence, m map[string]any) error {
	for clause, field := range map[string]string{"consignment": "tw:consignment", "declared": "tw:declaredDescription", "hs": "tw:declaredHSCode", "end-use": "tw:endUseCountry"} {
		if v := s.clauses[clause]; v != "" {
			m[field] = v
		}
	}
	for clause, field := range map[string]string{"paid-by": "tw:payer", "end-user": "tw:endUser"} {
		if v := s.clauses[clause]; v != "" {
			id, err := w.mustID(v)
			if err != nil {
				return err
			}
			m[field] = id
		}
	}
	if v := s.clauses["owner"]; v != "" {
		id, err := w.mustID(v)
		if err != nil {
			return err
		}
		ends(m, "destination", "owning_party", id)
	}
	if s.has("rma") {
		m["bizTransactionList"] = []any{map[string]any{"type": "rma", "bizTransaction": "urn:epcglobal:cbv:bt:" + checked(prefix+"00001") + ":" + s.clauses["rma"]}}
	}
	return figures(s, m)
}

func figures(s *sentence, m map[string]any) error {
	for clause, field := range map[string]string{"weighing": "tw:grossWeightKg", "worth": "tw:declaredValue"} {
		if !s.has(clause) {
			continue
		}
		n, err := strconv.ParseFloat(s.clauses[clause], 64)
		if err != nil {
			return fmt.Errorf("%s %q is no number", clause, s.clauses[clause])
		}
		m[field] = n
		if clause == "worth" {
			m[field] = map[string]any{"amount": n, "currency": "USD"}
		}
	}
	return nil
}

// leg is the time from one station of a parcel to the next; halt is how long it lies at one.
const (
	leg  = 48 * time.Hour
	halt = 24 * time.Hour
)

// carried is a parcel on its way: every station reports that it came and went; the sender and the consignee only where it is said.
func (w *world) carried(s *sentence) (list []act, err error) {
	stops := []string{s.clauses["from"]}
	if via := s.clauses["via"]; via != "" {
		stops = append(stops, strings.Split(via, ",")...)
	}
	stops = append(stops, s.clauses["to"])
	t := s.at
	for i := range len(stops) - 1 {
		if i > 0 || s.has("reported-by-sender") {
			list = append(list, act{t, s, func(at time.Time) error { return w.parcel(s, at, "shipping", stops[i], stops[i+1]) }})
		}
		t = t.Add(leg)
		if i+1 < len(stops)-1 || s.has("signed-for") {
			list = append(list, act{t, s, func(at time.Time) error { return w.parcel(s, at, "receiving", stops[i], stops[i+1]) }})
		}
		t = t.Add(halt)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("parcel: nobody reports it; say via whom it goes, or that it is reported by sender")
	}
	return list, nil
}

// parcel is one leg of a parcel. Carriers know no serials: they name the parcel and tell its papers when they send it on.
func (w *world) parcel(s *sentence, at time.Time, step, from, to string) error {
	m := map[string]any{"type": "ObjectEvent", "action": "OBSERVE", "bizStep": step, "epcList": []string{w.id(s.name)}, "tw:consignment": s.name}
	a, aSite, err := w.end(from)
	if err != nil {
		return err
	}
	b, bSite, err := w.end(to)
	if err != nil {
		return err
	}
	last, _, err := w.end(s.clauses["to"])
	if err != nil {
		return err
	}
	here := aSite
	if step == "shipping" {
		m["disposition"] = "in_transit"
		if err := w.papers(s, m); err != nil {
			return err
		}
		m["tw:declaredDescription"] = cmp.Or(s.clauses["declared"], "computer spare parts")
	} else {
		here = bSite
		place(m, bSite)
	}
	if here != "" {
		m["readPoint"] = map[string]any{"id": here}
	}
	w.hand(m, a, aSite, b, bSite)
	ends(m, "destination", "owning_party", last)
	return w.tell(s, at, m)
}
