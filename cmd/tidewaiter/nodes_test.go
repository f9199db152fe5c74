package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
)

// Two minutes with a kill every ten seconds, as the release is checked with:
//
//	go test ./cmd/tidewaiter -run ServicesKilled -minutes 2 -nodes 3 -timeout 10m -v
var (
	minutes = flag.Float64("minutes", 0, "how long services that share a database are killed, one every ten seconds; 0: some seconds, one every two")
	nodes   = flag.Int("nodes", 3, "how many services share the database")
)

// cluster is services that share a database, and those who send them events.
type cluster struct {
	t      *testing.T
	token  string
	store  *postgres.Store
	keys   *ledger.Keys
	client *http.Client
	stop   atomic.Bool

	mu       sync.Mutex
	nodes    []*service
	data     []string
	kept     map[string]bool // names of events that were acknowledged, once each
	retries  int
	shown    map[int64]string // roots that were published, by size
	receipts [][]byte
}

// node is a living service, another one with each call.
func (c *cluster) node(n int) *service {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[n%len(c.nodes)]
}

// post sends a body to one service after the other until one acknowledges it, as a sender does that knows only what was acknowledged.
func (c *cluster) post(n int, path, body, receipt string) (status int, text []byte) {
	for try := 0; ; try++ {
		if status, text = c.postOnce(c.node(n+try), path, body, receipt); status == http.StatusCreated || status == http.StatusAccepted || status == http.StatusConflict {
			return status, text
		}
		c.mu.Lock()
		c.retries++
		c.mu.Unlock()
		if status != 0 && status < 500 && status != http.StatusTooManyRequests {
			c.t.Errorf("%s: %d %s", path, status, text)
			return status, text
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *cluster) postOnce(s *service, path, body, receipt string) (int, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	if receipt != "" {
		req.Header.Set("Tidewaiter-Receipt", receipt)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil // what was cut off acknowledges nothing
	}
	return resp.StatusCode, text
}

func loadEvent(name string) string {
	return fmt.Sprintf(`{"type":"ObjectEvent","action":"ADD","bizStep":"commissioning","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","eventID":"urn:load:%s","epcList":["urn:unit:%s"]}`, name, name)
}

// load sends events, each with a name of its own, and every eighth time a document of several, until it is told to stop.
func (c *cluster) load(caller int) {
	for i := 0; !c.stop.Load(); i++ {
		names := []string{fmt.Sprintf("%d:%d", caller, i)}
		path, body, receipt := "/epcis/events", loadEvent(names[0]), ""
		switch {
		case i%8 == 7:
			names = append(names, names[0]+":b", names[0]+":c")
			path = "/epcis/capture"
			body = `{"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld","type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[` +
				loadEvent(names[0]) + "," + loadEvent(names[1]) + "," + loadEvent(names[2]) + "]}}"
		case i%50 == 1:
			receipt = "tlog-proof"
		}
		status, text := c.post(caller+i, path, body, receipt)
		c.mu.Lock()
		for _, name := range names {
			c.kept[name] = true
		}
		if receipt != "" && status == http.StatusCreated && len(text) > 0 {
			c.receipts = append(c.receipts, text)
		}
		c.mu.Unlock()
	}
}

// watch reads what each service publishes: of one size there is one root, whoever shows it.
func (c *cluster) watch() {
	for n := 0; !c.stop.Load(); n++ {
		time.Sleep(50 * time.Millisecond)
		resp, err := c.client.Get(c.node(n).url + "/log/checkpoint")
		if err != nil {
			continue // it was killed
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			continue
		}
		p, err := ledger.ParseCheckpoint(text, c.keys)
		if err != nil {
			c.t.Errorf("published: %v: %s", err, text)
			continue
		}
		c.mu.Lock()
		if root, seen := c.shown[p.Size]; seen && root != p.Root.String() {
			c.t.Errorf("two trees of %d entries", p.Size)
		}
		c.shown[p.Size] = p.Root.String()
		c.mu.Unlock()
	}
}

// kill kills a service with SIGKILL and, when others have had time to take over, starts it again. It says how long the leases were
// held by nobody alive.
func (c *cluster) kill(i int, rest time.Duration) (takeover time.Duration) {
	c.t.Helper()
	c.mu.Lock()
	victim := c.nodes[i]
	c.mu.Unlock()
	dead := fmt.Sprintf("process %d ", victim.cmd.Process.Pid)
	if err := victim.cmd.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	_ = victim.cmd.Wait() // it was killed
	began, held := time.Now(), true
	for held && time.Since(began) < 10*time.Second {
		list, err := c.store.LeasesNow(context.Background())
		if err != nil {
			c.t.Error(err)
		}
		held = slices.ContainsFunc(list, func(l store.Lease) bool { return strings.Contains(l.Holder, dead) })
		if held {
			takeover = time.Since(began)
			time.Sleep(20 * time.Millisecond)
		}
	}
	if takeover > 6*time.Second {
		c.t.Errorf("nobody took over from a dead service for %s", takeover)
	}
	time.Sleep(max(0, rest-time.Since(began)))
	again := startService(c.t, c.data[i], "--every", "200ms")
	c.mu.Lock()
	c.nodes[i] = again
	c.mu.Unlock()
	return takeover
}

// assemble begins a ledger, and starts services over it, each with a folder and a copy of the log's key of its own.
func assemble(t *testing.T, url string) *cluster {
	t.Helper()
	t.Setenv("TIDEWAITER_DATABASE", url)
	c := &cluster{t: t, kept: map[string]bool{}, shown: map[int64]string{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for i := range *nodes {
		c.data = append(c.data, filepath.Join(t.TempDir(), fmt.Sprint("node", i)))
	}
	c.token = token(t, c.data[0], theMaker)
	process(t, "--data", c.data[0], "log", "checkpoint")
	verifier, err := ledger.LoadVerifier(strings.TrimSpace(process(t, "--data", c.data[0], "log", "key")))
	if err != nil {
		t.Fatal(err)
	}
	if c.keys, err = ledger.NewKeys(ledger.Key{Verifier: verifier}); err != nil {
		t.Fatal(err)
	}
	for i, data := range c.data {
		for _, name := range []string{keyFile, recordFile} {
			text, err := os.ReadFile(filepath.Join(c.data[0], name))
			err = errors.Join(err, os.MkdirAll(data, 0o700))
			if i > 0 {
				err = errors.Join(err, os.WriteFile(filepath.Join(data, name), text, 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		c.nodes = append(c.nodes, startService(t, data, "--every", "200ms"))
	}
	if c.store, err = postgres.Open(t.Context(), url, postgres.Options{Existing: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.store.Close() })
	return c
}

// TestServicesKilled sends events to services that share a database, while one after the other is killed and started again. Nothing
// that was acknowledged is missing, nothing is there twice, there is one tree, and everything that was published is of it.
func TestServicesKilled(t *testing.T) {
	c := assemble(t, pgtest.Database(t))
	every, kills := 2*time.Second, 3
	if *minutes > 0 {
		every = 10 * time.Second
		kills = int(*minutes * 6)
	}
	var all sync.WaitGroup
	for caller := range 8 {
		all.Go(func() { c.load(caller) })
	}
	all.Go(c.watch)
	began := time.Now()
	var takeovers []time.Duration
	for k := range kills {
		time.Sleep(time.Until(began.Add(time.Duration(k)*every + every/4)))
		takeovers = append(takeovers, c.kill(k%len(c.nodes), every/4).Round(10*time.Millisecond))
	}
	time.Sleep(time.Until(began.Add(time.Duration(kills) * every)))
	c.stop.Store(true)
	all.Wait()
	took := time.Since(began)
	eventually(t, "the views have followed, and all is published", func() bool {
		_, state := c.node(0).get("/readyz")
		return strings.Contains(state, fmt.Sprintf(`"entries":%d,"published":%d,"views":[{"view":"main","behind":0}]`, len(c.kept), len(c.kept)))
	})
	for _, s := range c.nodes {
		s.stop()
	}
	c.check()
	t.Logf("%d services, %d killed in %s; leases taken over after %v; %d events acknowledged, %.0f a second, with %d tries that were not; %d checkpoints seen, %d receipts",
		len(c.nodes), kills, took.Round(time.Second), takeovers, len(c.kept), float64(len(c.kept))/took.Seconds(), c.retries, len(c.shown), len(c.receipts))
}

// check looks at what is left when all is done.
func (c *cluster) check() {
	t := c.t
	t.Helper()
	if n := sound(t, c.data[0]).Entries; n != int64(len(c.kept)) {
		t.Errorf("%d entries, and %d events were acknowledged", n, len(c.kept))
	}
	found := map[string]int{}
	err := c.store.Entries(t.Context(), 0, 1<<40, func(e ledger.Entry) error {
		found[strings.TrimPrefix(e.Name, "urn:load:")]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range c.kept {
		if found[name] != 1 {
			t.Errorf("%s was acknowledged, and is there %d times", name, found[name])
		}
	}
	hashes := c.store.HashReader(t.Context())
	for size, root := range c.shown {
		if tree, err := ledger.LoadTree(size, hashes); err != nil || tree.Root().String() != root {
			t.Errorf("what was published over %d entries is not of this tree: %v", size, err)
		}
	}
	for _, text := range c.receipts {
		p, err := ledger.ParseProof(text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		e, err := c.store.Entry(t.Context(), p.Index)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(ledger.LeafHash(e), c.keys); err != nil {
			t.Error(err)
		}
	}
	if len(c.shown) < 3 || len(c.receipts) == 0 || len(c.kept) == 0 {
		t.Errorf("%d checkpoints, %d receipts and %d events: the test shows nothing", len(c.shown), len(c.receipts), len(c.kept))
	}
	digest := process(t, "--data", c.data[0], "--json", "views", "digest")
	if again := process(t, "--data", c.data[len(c.data)-1], "--json", "views", "rebuild"); again != digest {
		t.Errorf("%s, made again %s", digest, again)
	}
}
