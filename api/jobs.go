package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tidewaiter/tidewaiter/registry"
)

// captureJob is a capture job as EPCIS 2.0 has it (§12.6.1), and what else is known of it. A document is answered for when it is done, so a
// job that can be seen is never running.
type captureJob struct {
	ID         string        `json:"captureID"`
	Created    string        `json:"createdAt"`
	Finished   string        `json:"finishedAt"`
	Running    bool          `json:"running"`
	Success    bool          `json:"success"`
	Behaviour  string        `json:"captureErrorBehaviour"`
	Errors     []reject      `json:"errors"`
	Accepted   int64         `json:"accepted"`
	Duplicates int64         `json:"duplicates"`
	Erased     int64         `json:"erased,omitzero"` // of the duplicates, those that repeat what was erased
	Rejected   int64         `json:"rejected"`
	FirstSeq   *int64        `json:"firstSeq"`
	LastSeq    *int64        `json:"lastSeq"`
	Receipts   []receiptBody `json:"receipts,omitempty"`
}

func jobBody(j registry.Job, receipts []receiptBody) captureJob {
	b := captureJob{
		ID: j.ID, Created: stamp(j.Created), Finished: stamp(j.Finished), Behaviour: "rollback", Errors: rejects(j.Rejects),
		Success: j.Result.Rejected == 0 && j.Failure == "", Receipts: receipts, Erased: j.Erased,
		Accepted: j.Result.Accepted, Duplicates: j.Result.Duplicates, Rejected: j.Result.Rejected, FirstSeq: j.Result.FirstSeq, LastSeq: j.Result.LastSeq,
	}
	if j.Proceed {
		b.Behaviour = "proceed"
	}
	if j.Failure != "" && len(b.Errors) == 0 {
		b.Errors = append(b.Errors, reject{Type: typeImplementation, Title: "Not all of it was kept", Status: http.StatusInternalServerError, Detail: j.Failure, Kind: "document", Reason: j.Failure})
	}
	return b
}

// job shows one of the speaker's jobs.
func (a *API) job(r *request) error {
	if err := errors.Join(r.speaksEPCIS(), r.accepts("application/json")); err != nil {
		return first(err)
	}
	j, err := (registry.Jobs{Store: a.Store}).Get(r.Context(), r.who.Party, r.PathValue("id"))
	if errors.Is(err, registry.ErrNoJob) {
		return notFound("you have no capture job with this id; jobs are kept for 30 days")
	}
	if err != nil {
		return err
	}
	return r.write(http.StatusOK, "application/json", jobBody(j, nil))
}

// How many jobs a page has.
const (
	defaultPage = 30
	mostPage    = 500
)

// listJobs lists the speaker's jobs, the newest first.
func (a *API) listJobs(r *request) error {
	if err := errors.Join(r.speaksEPCIS(), r.accepts("application/json")); err != nil {
		return first(err)
	}
	n := defaultPage
	if given := r.URL.Query().Get("perPage"); given != "" {
		var err error
		if n, err = strconv.Atoi(given); err != nil || n < 1 {
			return &problem{Type: typeParameter, Title: "Not valid", Status: http.StatusBadRequest, Detail: "perPage is a number from 1 on"}
		}
		n = min(n, mostPage)
	}
	list, more, err := (registry.Jobs{Store: a.Store}).List(r.Context(), r.who.Party, r.URL.Query().Get("nextPageToken"), n)
	if err != nil {
		return err
	}
	if more {
		r.w.Header().Set("Link", fmt.Sprintf(`</epcis/capture?perPage=%d&nextPageToken=%s>; rel="next"`, n, list[len(list)-1].ID))
	}
	bodies := []captureJob{}
	for _, j := range list {
		bodies = append(bodies, jobBody(j, nil))
	}
	return r.write(http.StatusOK, "application/json", bodies)
}
