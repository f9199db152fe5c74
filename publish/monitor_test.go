package publish_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
)

// site is where a log is served, which may turn against those who read there.
type site struct {
	log  *publish.Log
	turn func(path string, rw http.ResponseWriter) bool // answers in the log's place
	url  string
}

func serve(t *testing.T, l *publish.Log) *site {
	t.Helper()
	s := &site{log: l}
	server := httptest.NewServer(http.StripPrefix("/log", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.turn == nil || !s.turn(strings.TrimPrefix(r.URL.Path, "/"), rw) {
			s.log.Handler(func(err error) { t.Error(err) }).ServeHTTP(rw, r)
		}
	})))
	t.Cleanup(server.Close)
	s.url = server.URL + "/log"
	return s
}

// corrupt changes one bit of what is served beneath a path.
func (s *site) corrupt(prefix string) {
	s.turn = func(path string, rw http.ResponseWriter) bool {
		if !strings.HasPrefix(path, prefix) {
			return false
		}
		rec := httptest.NewRecorder()
		s.log.Handler(nil).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/"+path, nil))
		data := rec.Body.Bytes()
		data[len(data)/2] ^= 1
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(data)
		return true
	}
}

func (w *world) monitor(url string) *publish.Monitor {
	w.t.Helper()
	keys, err := ledger.NewKeys(ledger.Key{Verifier: w.key})
	if err != nil {
		w.t.Fatal(err)
	}
	dir := w.t.TempDir()
	return &publish.Monitor{URL: url, Keys: keys, Dir: filepath.Join(dir, "mirror"), Evidence: filepath.Join(dir, "evidence"), Client: http.DefaultClient}
}

func follow(t *testing.T, m *publish.Monitor) publish.Seen {
	t.Helper()
	seen, err := m.Follow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// wantAlarm fails unless the log is shown to be at fault, with both checkpoints as evidence.
func wantAlarm(t *testing.T, m *publish.Monitor, before, shown []byte, words string) {
	t.Helper()
	_, err := m.Follow(t.Context())
	alarm, ok := errors.AsType[*publish.Alarm](err)
	if !ok || !strings.Contains(alarm.What, words) {
		t.Fatalf("%v; want an alarm that says %q", err, words)
	}
	kept := files(t, alarm.Kept)
	if !bytes.Equal(kept["before"], before) || !bytes.Equal(kept["shown"], shown) || !strings.Contains(string(kept["report.txt"]), alarm.What) {
		t.Errorf("kept %q", kept)
	}
}

// The mirror is what the log published, byte for byte, at each size.
func TestMirror(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	m := w.monitor(serve(t, w.log).url)
	from := int64(0)
	for _, n := range []int64{0, 1, 255, 256, 600, 600, 70000, 70001} {
		w.grow(n)
		w.publish(dir)
		if seen := follow(t, m); seen.From != from || seen.Size != n {
			t.Errorf("seen %+v, want %d to %d", seen, from, n)
		}
		from = n
	}
	mirror, published := files(t, m.Dir), files(t, dir)
	delete(mirror, "seen")
	for name, data := range published {
		if !bytes.Equal(mirror[name], data) {
			t.Errorf("%s: the mirror has %d bytes, the log %d", name, len(mirror[name]), len(data))
		}
		delete(mirror, name)
	}
	if len(mirror) > 0 {
		t.Errorf("the mirror has more: %v", mirror)
	}
}

// A log that shows another history is caught, whether the other one is longer, as long, or shorter; and again at each look.
func TestMonitorCatchesAFork(t *testing.T) {
	for _, c := range []struct {
		size int64
		want string
	}{{300, "a split view: the log has signed two trees of 300 entries"}, {301, "a split view: the log has signed two histories"}, {900, "a split view: the log has signed two histories"}, {299, "the log has shrunk"}} {
		t.Run(fmt.Sprint(c.size), func(t *testing.T) {
			w := newWorld(t)
			s := serve(t, w.log)
			m := w.monitor(s.url)
			w.grow(100)
			follow(t, m)
			w.grow(300)
			follow(t, m)
			fork := newWorld(t)
			fork.signer, fork.key = w.signer, w.key
			fork.grow(c.size)
			s.log = fork.log
			wantAlarm(t, m, w.signed, fork.signed, c.want)
			wantAlarm(t, m, w.signed, fork.signed, c.want)
			s.log = w.log // and it comes back to what it said first
			follow(t, m)
		})
	}
}

func TestMonitorCatchesARollback(t *testing.T) {
	w := newWorld(t)
	m := w.monitor(serve(t, w.log).url)
	w.grow(10)
	follow(t, m)
	before := w.signed
	w.sign(9)
	wantAlarm(t, m, before, w.signed, "the log has shrunk: it showed 10 entries, and shows 9")
}

// Whatever is served wrong is caught before it is in the mirror.
func TestMonitorCatchesACorruptTile(t *testing.T) {
	for _, path := range []string{"tile/0/000", "tile/0/001", "tile/0/002.p/", "tile/1/000.p/", "tile/entries/000", "tile/entries/002.p/"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t)
			s := serve(t, w.log)
			m := w.monitor(s.url)
			w.grow(100)
			follow(t, m)
			w.grow(600)
			before := w.signed
			w.sign(100)
			old := w.signed
			w.signed = before
			s.corrupt(path)
			_, err := m.Follow(t.Context())
			alarm, ok := errors.AsType[*publish.Alarm](err)
			if !ok || !strings.Contains(alarm.What, "tiles that are not those of the tree of 600 entries") {
				t.Fatalf("%v", err)
			}
			if c := files(t, m.Dir)["checkpoint"]; !bytes.Equal(c, old) {
				t.Errorf("the mirror shows %q", c)
			}
			s.turn = nil
			follow(t, m)
			dir := t.TempDir()
			w.sign(100)
			w.publish(dir)
			w.signed = before
			w.publish(dir)
			for name, data := range files(t, dir) {
				if !bytes.Equal(files(t, m.Dir)[name], data) {
					t.Errorf("%s is not what was published", name)
				}
			}
		})
	}
}

func TestMonitorCatchesABadSignature(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w.log)
	m := w.monitor(s.url)
	w.grow(10)
	follow(t, m)
	before := w.signed
	w.grow(11)
	shown := bytes.Replace(w.signed, []byte("\n11\n"), []byte("\n12\n"), 1)
	s.turn = func(path string, rw http.ResponseWriter) bool {
		_, _ = rw.Write(shown)
		return true
	}
	wantAlarm(t, m, before, shown, "the log shows a checkpoint that does not stand")
	thief := newWorld(t)
	thief.grow(12)
	shown = thief.signed
	wantAlarm(t, m, before, shown, "the log shows a checkpoint that does not stand")
}

// A network that fails proves nothing, and what was fetched until then is not lost.
func TestMonitorAndTheNetwork(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w.log)
	m := w.monitor(s.url)
	w.grow(700)
	for after := 0; ; after++ {
		left := after
		s.turn = func(_ string, rw http.ResponseWriter) bool {
			if left--; left >= 0 {
				return false
			}
			rw.WriteHeader(http.StatusBadGateway)
			return true
		}
		_, err := m.Follow(t.Context())
		if err == nil {
			break
		}
		if _, alarm := errors.AsType[*publish.Alarm](err); alarm || !strings.Contains(err.Error(), "502") {
			t.Fatalf("after %d answers: %v", after, err)
		}
	}
	s.turn = func(_ string, rw http.ResponseWriter) bool {
		fmt.Fprint(rw, "<html>Please pay for this network</html>")
		return true
	}
	if _, err := m.Follow(t.Context()); err == nil || errors.As(err, new(*publish.Alarm)) {
		t.Errorf("a page that is no log: %v", err)
	}
}

// A log may take partial tiles away once there are full ones.
func TestMonitorTakesFullTilesForPartialOnes(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w.log)
	m := w.monitor(s.url)
	w.grow(600)
	old := w.signed
	w.grow(1000)
	s.turn = func(path string, rw http.ResponseWriter) bool {
		switch {
		case path == "checkpoint":
			_, _ = rw.Write(old) // a copy from before
		case strings.Contains(path, "/002.p/"):
			rw.WriteHeader(http.StatusNotFound)
		default:
			return false
		}
		return true
	}
	if seen := follow(t, m); seen.Size != 600 {
		t.Errorf("%+v", seen)
	}
	if b := files(t, m.Dir)["tile/entries/002.p/88"]; len(b) != 88*34 {
		t.Errorf("the bundle has %d bytes", len(b))
	}
}

// A checkpoint without its witnesses is not believed.
func TestMonitorAsksForWitnesses(t *testing.T) {
	w := newWorld(t)
	m := w.monitor(serve(t, w.log).url)
	w.grow(3)
	ws := w.asking(1, w.witness("a", 1, nil))
	m.Policy = ws.Policy
	wantAlarm(t, m, nil, w.signed, "is cosigned by nobody, and the policy asks for 1 of (a)")
	text, err := w.cosign(ws, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.signed = text
	follow(t, m)
}
