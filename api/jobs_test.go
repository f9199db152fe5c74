package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Who fills jobs with rejects gets them in pages that fit into memory, and all of them in the end.
func TestPagesOfLargeJobs(t *testing.T) {
	d := open(t)
	var bad []string
	for i := range 1000 {
		bad = append(bad, fmt.Sprintf(`{"type":"ObjectEvent","eventID":"urn:x:%d","action":%q}`, i, strings.Repeat("x", 250)))
	}
	text := document(bad...)
	const jobs = 30
	for range jobs {
		if a := d.ask("POST /epcis/capture", strings.NewReader(text)); a.status != http.StatusBadRequest {
			t.Fatalf("%d %.300s", a.status, a.body)
		}
	}
	seen, pages := 0, 0
	for path := "/epcis/capture?perPage=500"; path != ""; pages++ {
		a := d.ask("GET "+path, nil)
		if a.status != http.StatusOK || len(a.body) > 16<<20 {
			t.Fatalf("%d, %d bytes", a.status, len(a.body))
		}
		seen += len(read[[]job](t, a.body))
		_, rest, _ := strings.Cut(a.header.Get("Link"), "<")
		path, _, _ = strings.Cut(rest, ">")
	}
	if seen != jobs || pages < 2 {
		t.Errorf("%d jobs on %d pages", seen, pages)
	}
}
