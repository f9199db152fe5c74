package casework

// Case is a set of units whose whereabouts are unexplained, with the findings that say so.
type Case struct {
	Number   int      `json:"n"`
	Score    int      `json:"score"` // per mille; calibrated on simulated worlds only
	Units    []Member `json:"units"`
	Bridge   []Bridge `json:"bridge,omitzero"` // empty: no opinion
	Findings []string `json:"findings"`
	Opened   Micros   `json:"opened"`
	Changed  Micros   `json:"changed"`
	Status   string   `json:"status"`
	Logit    int      `json:"logit"`            // milli-nats
	Drivers  []Driver `json:"drivers,omitzero"` // what the score is made of
	Against  []string `json:"against,omitzero"`
	Sites    []string `json:"sites,omitzero"`
	Unproven bool     `json:"unproven,omitzero"` // they were never heard from: it is not known which of them are gone
	Parcels  int      `json:"parcels,omitzero"`  // without serials, that may have carried them
	MayHold  int      `json:"mayhold,omitzero"`  // units that those parcels could hold
	Routes   int      `json:"routes,omitzero"`   // by which they went
	ToParty  string   `json:"toparty,omitzero"`  // at whom they end
	ToBarred string   `json:"tobarred,omitzero"` // the barred country in which they end
	Passed   Micros   `json:"passed,omitzero"`   // the inspection before
	From     Micros   `json:"from,omitzero"`     // when they fell silent
	To       Micros   `json:"to,omitzero"`
	Seen     int      `json:"seen,omitzero"` // of the units, later seen elsewhere
}

// Member is a unit of a case, and when it was added.
type Member struct {
	Unit  string `json:"u"`
	Added Micros `json:"t"`
}

// Bridge is a party through which the units of a case may have left the declared chain.
type Bridge struct {
	Party string `json:"p"`
	Score int    `json:"s"`  // per mille of the opinion
	Units int    `json:"n"`  // of the case's units that went through it
	Of    int    `json:"of"` // of all accelerators that did
}

// Driver is one part of a case's score.
type Driver struct {
	Finding   string `json:"f"`
	MilliNats int    `json:"mn"`
}

// Status of a case.
const (
	StatusOpen   = "open"
	StatusReview = "review"    // below the line at which a case is worth a person's day, kept because it was above it
	StatusClosed = "explained" // what it rested on was explained
)
