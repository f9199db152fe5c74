package api

import (
	"net/http"
	"sync"
	"time"
)

// slots bound how many captures there are at one time, and how many of them are one party's, so that one that sends too much does
// not shut the others out.
type slots struct {
	mu    sync.Mutex
	taken int
	of    map[string]int
}

// take gives a place, and the function that gives it back.
func (s *slots) take(party string, most int) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.taken >= most:
		return nil, busy(http.StatusServiceUnavailable, "as much is being captured as this node can do at once", time.Second)
	case s.of[party] >= max(1, most/2):
		return nil, busy(http.StatusTooManyRequests, "as much of yours is being captured as one party may send at once", time.Second)
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.taken++
	s.of[party]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.of[party]--; s.of[party] == 0 {
			delete(s.of, party)
		}
	}, nil
}
