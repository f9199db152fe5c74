package casework

import (
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/detect"
)

// The shapes in which findings, cases and exceptions are told to programs (design §7). Times are RFC 3339 in UTC.
type (
	// FindingReport is a finding. LLR is in nats.
	FindingReport struct {
		ID             string     `json:"id"`
		Kind           string     `json:"kind"`
		Queue          string     `json:"queue"` // "suspicion" or "exception"
		LLR            float64    `json:"llr"`
		Units          []string   `json:"units"`
		Parties        []string   `json:"parties"`
		Sites          []string   `json:"sites"`
		Consignments   []string   `json:"consignments"`
		FirstEventTime time.Time  `json:"firstEventTime"`
		RaisedAt       time.Time  `json:"raisedAt"`
		Explanation    string     `json:"explanation"`
		Innocent       []string   `json:"innocent"`
		Against        []string   `json:"against,omitempty"`
		Evidence       []int64    `json:"evidence"` // entries
		WithdrawnAt    *time.Time `json:"withdrawnAt,omitempty"`
	}
	// CaseReport is a case. Score is a probability, calibrated on simulated worlds only, as Calibration says.
	CaseReport struct {
		ID          string         `json:"id"`
		Score       float64        `json:"score"`
		Calibration string         `json:"calibration"`
		Status      string         `json:"status"`
		Summary     string         `json:"summary"`
		Units       []MemberReport `json:"units"`
		Bridge      []BridgeReport `json:"bridge"` // empty: no opinion
		Findings    []string       `json:"findings"`
		Against     []string       `json:"against"`
		OpenedAt    time.Time      `json:"openedAt"`
		ChangedAt   time.Time      `json:"changedAt"`
	}
	// MemberReport is a unit of a case, and since when it is one.
	MemberReport struct {
		Unit    string    `json:"unit"`
		AddedAt time.Time `json:"addedAt"`
	}
	// BridgeReport is a party that may be the bridge, and its share of the opinion.
	BridgeReport struct {
		Party string  `json:"party"`
		Name  string  `json:"name"`
		Score float64 `json:"score"`
		Units int     `json:"units"` // of the case's units that went through it
		Of    int     `json:"of"`    // of all accelerators that did
	}
	// ExceptionReport is data that does not add up.
	ExceptionReport struct {
		Kind           string    `json:"kind"`
		Queue          string    `json:"queue"`
		Units          []string  `json:"units"`
		Note           string    `json:"note"`
		Count          int       `json:"count"`
		FirstEventTime time.Time `json:"firstEventTime"`
		Evidence       []int64   `json:"evidence"`
	}
)

// calibration labels every score, wherever it is shown.
const calibration = "simulated worlds only"

// Queues.
const (
	queueSuspicion = "suspicion"
	queueException = "exception"
)

// ReportFinding tells a finding.
func ReportFinding(f *detect.Finding) FindingReport {
	r := FindingReport{
		ID: f.ID, Kind: f.Kind, Queue: queueSuspicion, LLR: float64(f.MilliNats) / 1000, Units: list(f.Units), Parties: list(f.Parties), Sites: list(f.Sites),
		Consignments: list(f.Consignments), FirstEventTime: f.First.Time(), RaisedAt: f.RaisedAt.Time(), Explanation: f.Explanation,
		Innocent: list(f.Innocent), Against: f.Against, Evidence: list(f.Evidence),
	}
	if f.WithdrawnAt != 0 {
		t := f.WithdrawnAt.Time()
		r.WithdrawnAt = &t
	}
	return r
}

// ReportCase tells a case.
func (v *View) ReportCase(c *Case) CaseReport {
	r := CaseReport{
		ID: c.ID(), Score: float64(c.Score) / 1000, Calibration: calibration, Status: c.Status, Summary: v.Summary(c), Units: []MemberReport{},
		Bridge: []BridgeReport{}, Findings: list(c.Findings), Against: list(c.Against), OpenedAt: c.Opened.Time(), ChangedAt: c.Changed.Time(),
	}
	for _, m := range c.Units {
		r.Units = append(r.Units, MemberReport{m.Unit, m.Added.Time()})
	}
	for _, b := range c.Bridge {
		r.Bridge = append(r.Bridge, BridgeReport{b.Party, v.Machine.Memory.Name(b.Party), float64(b.Score) / 1000, b.Units, b.Of})
	}
	return r
}

// ReportException tells an exception.
func ReportException(x custody.Exception) ExceptionReport {
	return ExceptionReport{Kind: x.Kind, Queue: queueException, Units: list(x.Units), Note: x.Note, Count: x.Count, FirstEventTime: x.First.Time(), Evidence: list(x.Seqs)}
}

// list is never null in JSON.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
