package inventory_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/inventory"
)

// serve answers with the resources of a tree, unless special has an answer for the path.
func serve(t *testing.T, tr tree, special map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("a reader sent %s %s", r.Method, r.URL)
		}
		path := r.URL.RequestURI()
		if answer := special[path]; answer != nil {
			answer(w, r)
			return
		}
		body, err := tr.Get(r.Context(), path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, b inventory.BMC) inventory.Source {
	t.Helper()
	s, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBMCGivesTheSameAsItsCapture(t *testing.T) {
	tr := loadTree(t, "trays")
	want, _ := read(t, tr)
	got, _ := read(t, open(t, inventory.BMC{URL: serve(t, tr, nil).URL + "/redfish/v1/"}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBMCAsksWhoIsReading(t *testing.T) {
	tr := loadTree(t, "cards")
	guard := func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "reader" || password != "pass" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(tr[""])
	}
	url := serve(t, tr, map[string]http.HandlerFunc{"/redfish/v1": guard}).URL
	for _, test := range []struct {
		bmc  inventory.BMC
		want string
	}{
		{inventory.BMC{URL: url}, "give --user"},
		{inventory.BMC{URL: url, User: "reader", Password: "wrong-secret"}, `refuses user "reader"`},
		{inventory.BMC{URL: url, User: "reader", Password: "pass"}, ""},
	} {
		_, _, err := inventory.Read(t.Context(), open(t, test.bmc))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: got %v, want %q", test.bmc.User, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "wrong-secret") {
			t.Error("the password is in the message")
		}
	}
}

func TestBMCsFaultsAreSkippedAndNamed(t *testing.T) {
	const memory = "/redfish/v1/Systems/System.Embedded.1/Memory/A"
	s := serve(t, loadTree(t, "cards"), map[string]http.HandlerFunc{
		memory + "1": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 5<<20)) },
		memory + "2": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/redfish/v1", http.StatusFound)
		},
		memory + "3": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/redfish/v1/Systems/System.Embedded.1/Processors/CPU.Socket.1": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>busy</html>") },
		"/redfish/v1/Chassis/Gone":                                      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	})
	inv, skipped := read(t, open(t, inventory.BMC{URL: s.URL, Timeout: 200 * time.Millisecond}))
	if got := inv.Summary(); got != "3 units: 1 accelerator, 1 card, 1 server" {
		t.Error(got)
	}
	all := strings.Join(skips(skipped), "\n")
	for _, want := range []string{
		"Memory/A1: larger than 4 MiB",
		"Memory/A2: no answer: sent away to another host (elsewhere.example)",
		"Memory/A3: no answer: ",
		"Processors/CPU.Socket.1: what was read there is not a JSON object",
		"Chassis/Gone: the BMC answered 500 Internal Server Error",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said in\n%s", want, all)
		}
	}
}

func TestBMCThatDiesIsGivenUp(t *testing.T) {
	s := serve(t, nil, nil)
	url := s.URL
	s.Close()
	if _, _, err := inventory.Read(t.Context(), open(t, inventory.BMC{URL: url})); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("got %v", err)
	}
	dying := serve(t, loadTree(t, "cards"), map[string]http.HandlerFunc{})
	dying.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redfish/v1" {
			fmt.Fprint(w, `{"Chassis":[{"@odata.id":"/redfish/v1/a"},{"@odata.id":"/redfish/v1/b"},{"@odata.id":"/redfish/v1/c"},{"@odata.id":"/redfish/v1/d"},{"@odata.id":"/redfish/v1/e"},{"@odata.id":"/redfish/v1/f"}]}`)
			return
		}
		panic(http.ErrAbortHandler)
	})
	if _, _, err := inventory.Read(t.Context(), open(t, inventory.BMC{URL: dying.URL})); err == nil || !strings.Contains(err.Error(), "gave up after 5") {
		t.Errorf("got %v", err)
	}
}

func TestTLSIsCheckedUnlessToldNotTo(t *testing.T) {
	tr := loadTree(t, "modules")
	s := httptest.NewTLSServer(serve(t, tr, nil).Config.Handler)
	defer s.Close()
	if _, _, err := inventory.Read(t.Context(), open(t, inventory.BMC{URL: s.URL})); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	if inv, _ := read(t, open(t, inventory.BMC{URL: s.URL, Insecure: true})); len(inv.Units) != 5 {
		t.Error(inv.Summary())
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for address, want := range map[string]string{
		"ftp://bmc":                 "is not https://HOST",
		"https://":                  "is not https://HOST",
		"https://root:calvin@bmc":   "others on this machine could read",
		"https://bmc/ui/index.html": "begins at /redfish/v1",
	} {
		if _, err := (inventory.BMC{URL: address}).Open(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}
