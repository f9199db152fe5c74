package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/store"
)

// Job is what became of a document that came over the network. It is its speaker's business and nobody else's.
type Job struct {
	ID       string    `json:"id"`
	Speaker  string    `json:"speaker"`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished"`
	Proceed  bool      `json:"proceed,omitzero"`
	Result   Result    `json:"result"`
	Erased   int64     `json:"erased,omitzero"`   // of the duplicates: what they repeat is there no more
	Rejects  []Reject  `json:"rejects,omitempty"` // the first of them, see KeepReject
	Failure  string    `json:"failure,omitzero"`  // why not all of it was kept, if not for the rejects alone
}

// Most of what a job keeps of a document that is full of errors.
const (
	maxRejects     = 1000
	maxRejectBytes = 256 << 10
)

// KeepReject notes a reject, as long as there is room. All of them are counted in Result.
func (j *Job) KeepReject(r Reject) {
	size := 0
	for _, old := range j.Rejects[max(0, len(j.Rejects)-1):] {
		size = len(j.Rejects) * (len(old.Reason) + len(old.Pointer) + len(old.EventID)) // about
	}
	if len(j.Rejects) < maxRejects && size < maxRejectBytes {
		r.Reason, r.EventID, r.Document = shortened(r.Reason), shortened(r.EventID), ""
		j.Rejects = append(j.Rejects, r)
	}
}

// shortened keeps what somebody sent from filling the place of everything else.
func shortened(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// NewJob begins a job. Its id sorts the newest first, and cannot be guessed.
func NewJob(speaker string, now time.Time) (Job, error) {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return Job{}, fmt.Errorf("a capture job's id: %w", err)
	}
	return Job{ID: fmt.Sprintf("%016x%x", math.MaxInt64-now.UnixMicro(), salt), Speaker: speaker, Created: now.UTC()}, nil
}

// jobsView is where jobs are kept: rows that belong to no entry, under a cursor that stays at the ledger's beginning, so that
// nothing that happens to entries touches them. Every node sees them, and they survive all nodes.
const jobsView = "capture jobs"

// JobsKept is how long a job can be looked up.
const JobsKept = 30 * 24 * time.Hour

// ErrNoJob says that this speaker has no such job.
var ErrNoJob = errors.New("there is no such capture job")

// Jobs keeps capture jobs.
type Jobs struct{ Store store.Views }

// listBytes is how much of jobs is listed at a time, about.
const listBytes = 4 << 20

// jobPrefix begins the keys of one speaker's jobs.
func jobPrefix(speaker string) string {
	sum := sha256.Sum256([]byte(speaker))
	return "job/" + hex.EncodeToString(sum[:16]) + "/"
}

// Keep keeps a job, durably.
func (j Jobs) Keep(ctx context.Context, job Job) error {
	text, err := json.Marshal(job, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("keep a capture job: %w", err)
	}
	if err := j.Store.Commit(ctx, jobsView, 0, 0, map[string][]byte{jobPrefix(job.Speaker) + job.ID: text}); err != nil {
		return fmt.Errorf("keep a capture job: %w", err)
	}
	return nil
}

// Get returns one of the speaker's jobs, or ErrNoJob.
func (j Jobs) Get(ctx context.Context, speaker, id string) (job Job, err error) {
	text, err := j.Store.Rows(ctx, jobsView).Get(jobPrefix(speaker) + id)
	if err != nil {
		return job, err
	}
	if text == nil {
		return job, ErrNoJob
	}
	return parseJob(text)
}

func parseJob(text []byte) (job Job, err error) {
	if err := json.Unmarshal(text, &job); err != nil {
		return job, fmt.Errorf("a capture job cannot be read: %w", err)
	}
	return job, nil
}

// List returns up to n of the speaker's jobs, the newest first, that come after the one with this id in that order; more says that
// others follow. They are fewer where they have much to say: what is listed must fit into memory, whoever asks for it how often.
func (j Jobs) List(ctx context.Context, speaker, after string, n int) (list []Job, more bool, err error) {
	prefix, size := jobPrefix(speaker), 0
	err = j.Store.Rows(ctx, jobsView).Scan(prefix, func(key string, text []byte) error {
		if key <= prefix+after {
			return nil
		}
		if len(list) == n || size >= listBytes {
			more = true
			return errEnough
		}
		size += len(text)
		job, err := parseJob(text)
		list = append(list, job)
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, more, err
}

// errEnough ends a scan.
var errEnough = errors.New("enough")

// Forget forgets the jobs that were finished before a time.
func (j Jobs) Forget(ctx context.Context, before time.Time) (n int, err error) {
	for {
		old := map[string][]byte{}
		err := j.Store.Rows(ctx, jobsView).Scan("job/", func(key string, text []byte) error {
			job, err := parseJob(text)
			if err != nil || !job.Finished.Before(before) {
				return err
			}
			if old[key] = nil; len(old) == 1000 {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) || len(old) == 0 {
			return n, err
		}
		if err := j.Store.Commit(ctx, jobsView, 0, 0, old); err != nil {
			return n, fmt.Errorf("forget old capture jobs: %w", err)
		}
		n += len(old)
	}
}
