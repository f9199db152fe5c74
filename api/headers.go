package api

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// version is that of EPCIS and of CBV which is spoken here.
const version = "2.0.0"

// begin sets what every answer says.
func (r *request) begin() {
	h := r.w.Header()
	h.Set("GS1-EPCIS-Version", version)
	h.Set("GS1-CBV-Version", version)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// discover sets what an answer to OPTIONS says.
func (r *request) discover() {
	h := r.w.Header()
	for _, name := range []string{"GS1-EPCIS-Min", "GS1-EPCIS-Max", "GS1-CBV-Min", "GS1-CBV-Max"} {
		h.Set(name, version)
	}
	h.Set("GS1-EPC-Format", "Never_Translates")
	h.Set("GS1-Extensions", "tw=https://tidewaiter.org/ns/")
}

// limits are what OPTIONS says of capture.
func (a *API) limits() http.Header {
	return http.Header{
		"Gs1-Epcis-Capture-File-Size-Limit": {strconv.FormatInt(a.MaxDocument, 10)},
		"Gs1-Capture-Error-Behaviour":       {"all"},
		"Accept-Post":                       {"application/json, application/ld+json"},
		"Accept-Encoding":                   {"gzip"},
	}
}

// answerTime is how long the caller may take to read an answer.
const answerTime = time.Minute

// extend gives the caller time for the answer, however long the request took.
func (r *request) extend() {
	_ = http.NewResponseController(r.w).SetWriteDeadline(time.Now().Add(answerTime)) // what cannot do that has no deadline
}

// speaksEPCIS checks that both sides speak of one version.
func (r *request) speaksEPCIS() error {
	for _, name := range []string{"EPCIS", "CBV"} {
		of := func(suffix string) (string, bool) {
			v := r.Header.Get("GS1-" + name + suffix)
			return v, v != ""
		}
		given, said := of("-Version")
		low, floor := of("-Min")
		high, ceiling := of("-Max")
		if said && !strings.HasPrefix(given+".", "2.") || floor && compareVersions(low, version) > 0 || ceiling && compareVersions(high, version) < 0 {
			return &problem{Type: typeNotAcceptable, Title: "Not acceptable", Status: http.StatusNotAcceptable, Detail: name + " " + version + " is spoken here, and no other"}
		}
	}
	return nil
}

// compareVersions compares 2.0 with 2.0.1, number by number.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		at := func(parts []string) int {
			if i >= len(parts) {
				return 0
			}
			n, err := strconv.Atoi(parts[i])
			if err != nil {
				return -1
			}
			return n
		}
		if d := cmp.Compare(at(x), at(y)); d != 0 {
			return d
		}
	}
	return 0
}

// accepts checks that the caller takes one of these media types.
func (r *request) accepts(kinds ...string) error {
	given := r.Header.Values("Accept")
	if len(given) == 0 {
		return nil
	}
	for _, one := range strings.Split(strings.Join(given, ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if q, ok := params["q"]; err != nil || ok && strings.Trim(q, "0.") == "" {
			continue
		}
		if kind == "*/*" || slices.Contains(kinds, kind) || slices.ContainsFunc(kinds, func(k string) bool {
			return strings.HasSuffix(kind, "/*") && strings.HasPrefix(k, strings.TrimSuffix(kind, "*"))
		}) {
			return nil
		}
	}
	return &problem{Type: typeNotAcceptable, Title: "Not acceptable", Status: http.StatusNotAcceptable, Detail: "the answer can be had as " + strings.Join(kinds, ", ")}
}

// sends checks that the caller sends one of these media types, in UTF-8.
func (r *request) sends(kinds ...string) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, ok := params["charset"]
	if err == nil && slices.Contains(kinds, kind) && (!ok || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	r.w.Header().Set("Accept-Post", strings.Join(kinds, ", "))
	return &problem{Type: typeMediaType, Title: "Unsupported media type", Status: http.StatusUnsupportedMediaType,
		Detail: "what is sent must be " + strings.Join(kinds, " or ") + ", in UTF-8, and the header Content-Type must say so"}
}
