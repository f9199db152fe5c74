package main

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// event is one EPCIS event as it is written: the order of the fields is that of the document.
type event struct {
	Type         string        `json:"type"`
	ID           string        `json:"eventID,omitzero"`
	Time         string        `json:"eventTime"`
	Zone         string        `json:"eventTimeZoneOffset"`
	RecordTime   string        `json:"recordTime,omitzero"`
	Error        *declaration  `json:"errorDeclaration,omitzero"`
	Parent       string        `json:"parentID,omitzero"`
	EPCs         []string      `json:"epcList,omitempty"`
	Children     []string      `json:"childEPCs,omitempty"`
	Quantities   []quantity    `json:"quantityList,omitempty"`
	Action       string        `json:"action"`
	Step         string        `json:"bizStep,omitzero"`
	Disposition  string        `json:"disposition,omitzero"`
	ReadPoint    *place        `json:"readPoint,omitzero"`
	BizLocation  *place        `json:"bizLocation,omitzero"`
	Transactions []transaction `json:"bizTransactionList,omitempty"`
	Sources      []source      `json:"sourceList,omitempty"`
	Destinations []destination `json:"destinationList,omitempty"`
	Tier         int           `json:"tw:tier,omitzero"`
	Evidence     string        `json:"tw:evidence,omitzero"`
	Sighting     string        `json:"tw:sighting,omitzero"`
	papers

	at, known time.Time // when it happened, and when the registry learnt it
	zone      int
	by        *party // whose habits decide when it is known
	again     *event // it tells this one once more, or declares it erroneous
	corrected *event // what is right instead
}

type place struct {
	ID string `json:"id"`
}

type quantity struct {
	Class string `json:"epcClass"`
	N     int    `json:"quantity"`
}

type transaction struct {
	Type string `json:"type"`
	ID   string `json:"bizTransaction"`
}

type source struct {
	Type string `json:"type"`
	ID   string `json:"source"`
}

type destination struct {
	Type string `json:"type"`
	ID   string `json:"destination"`
}

// declaration withdraws the event that has the same id.
type declaration struct {
	Time       string   `json:"declarationTime"`
	Reason     string   `json:"reason"`
	Corrective []string `json:"correctiveEventIDs,omitempty"`
}

// papers are what a consignment's documents declare.
type papers struct {
	Consignment string  `json:"tw:consignment,omitzero"`
	Description string  `json:"tw:declaredDescription,omitzero"`
	HSCode      string  `json:"tw:declaredHSCode,omitzero"`
	Value       *amount `json:"tw:declaredValue,omitzero"`
	GrossKg     float64 `json:"tw:grossWeightKg,omitzero"`
	EndUser     string  `json:"tw:endUser,omitzero"`
	EndUse      string  `json:"tw:endUseCountry,omitzero"`
	Payer       string  `json:"tw:payer,omitzero"`
}

type amount struct {
	Amount   int    `json:"amount"`
	Currency string `json:"currency"`
}

func dollars(n int) *amount { return &amount{n, "USD"} }

// end is one end of a hand-over: who possesses, who owns, where.
type end struct {
	possessor, owner *party
	site             *site
}

// between writes the two ends of a hand-over.
func (e *event) between(from, to end) {
	for _, x := range []struct{ word, from, to string }{
		{"possessing_party", from.possessor.link(), to.possessor.link()},
		{"owning_party", from.owner.link(), to.owner.link()},
		{"location", from.site.link(), to.site.link()},
	} {
		if x.from != "" {
			e.Sources = append(e.Sources, source{x.word, x.from})
		}
		if x.to != "" {
			e.Destinations = append(e.Destinations, destination{x.word, x.to})
		}
	}
}

// reads says where an event was read.
func (e *event) reads(x *site) {
	e.ReadPoint, e.zone = &place{x.link()}, x.zone
}

// stays says that its objects are there afterwards, too.
func (e *event) stays(x *site) {
	e.reads(x)
	e.BizLocation = &place{x.link()}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// seal writes the times, and names the event by its content: a UUID of version 8 (RFC 9562 §5.8).
func (e *event) seal() error {
	sign, zone := '+', e.zone
	if zone < 0 {
		sign, zone = '-', -zone
	}
	e.Time, e.Zone = stamp(e.at), fmt.Sprintf("%c%02d:00", sign, zone)
	content, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	h := sha256.Sum256(content)
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	e.ID = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	return nil
}
