package main

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
)

// The scripts in testdata/postgres are about --database; beside them those of testdata/script that have one ledger run again, with
// a database instead of the folder, and must print the same.
func TestScriptPostgres(t *testing.T) {
	pgtest.Database(t) // skips, where there is no server
	params := scriptParams()
	params.UpdateScripts = false
	for _, name := range []string{"where", "trace", "cases", "exceptions", "sweep", "hold"} {
		params.Files = append(params.Files, filepath.Join("testdata", "script", name+".txtar"))
	}
	own, err := filepath.Glob(filepath.Join("testdata", "postgres", "*.txtar"))
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	params.Files = append(params.Files, own...)
	params.Cmds["psql"] = scriptPSQL
	params.Setup = func(e *testscript.Env) error {
		url := pgtest.Database(t)
		e.Setenv("DATABASE", url)
		// Scripts of their own name the database themselves.
		if _, err := os.Stat(filepath.Join("testdata", "postgres", scriptName(e)+".txtar")); err != nil {
			e.Setenv("TIDEWAITER_DATABASE", url)
		}
		return setUp(e)
	}
	testscript.Run(t, params)
}

// scriptName is the name of the script that is being set up, which its folder is called by.
func scriptName(e *testscript.Env) string {
	return strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")
}

// psql STATEMENT changes the database behind the program's back.
func scriptPSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: psql STATEMENT")
	}
	ts.Check(pgtest.Exec(context.Background(), ts.Getenv("DATABASE"), args[0]))
}

// node is one of several machines that share a database: a data folder with a copy of the log's key, and documents of its own, of
// which every third is one that others have too.
type node struct {
	data         string
	documents    []string
	acknowledged map[string]bool
	cmd          *exec.Cmd
	said         chan struct{} // closed when all that it said was read
}

// start lets the node capture its documents from the first on, as somebody would who knows only what was acknowledged.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.cmd = command(t, append([]string{n.data}, n.documents...)...)
	n.cmd.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=sender")
	n.cmd.Stderr = os.Stderr
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.said = make(chan struct{})
	go func() {
		defer close(n.said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			takeDown(lines.Text(), n.acknowledged)
		}
	}()
}

func (n *node) kill(t *testing.T) {
	t.Helper()
	_ = n.cmd.Process.Kill() // unless it is done
	n.end(t)
}

// end waits for the node's end, which must be by itself and well, or by being killed.
func (n *node) end(t *testing.T) {
	t.Helper()
	<-n.said
	if err := n.cmd.Wait(); n.cmd.ProcessState.Exited() && err != nil {
		t.Errorf("a node failed: %v", err)
	}
}

// TestNodesOfOneDatabase lets three nodes capture into one database, and follow it, while one after the other is killed and started
// again. Nothing that was acknowledged is missing, nothing is there twice, and there is one tree and one set of views.
func TestNodesOfOneDatabase(t *testing.T) {
	t.Setenv("TIDEWAITER_DATABASE", pgtest.Database(t))
	inbox := t.TempDir()
	first := crashDocument(t, inbox, 0)
	nodes := make([]*node, 3)
	for i := range nodes {
		nodes[i] = &node{data: filepath.Join(t.TempDir(), "data"), acknowledged: map[string]bool{}}
		for k := range 20 {
			n := 100*(i+1) + k
			if k%3 == 0 {
				n = k + 1
			}
			nodes[i].documents = append(nodes[i].documents, crashDocument(t, inbox, n))
		}
	}
	process(t, "--data", nodes[0].data, "capture", "--trust-record-time", first)
	for _, n := range nodes[1:] {
		err := os.MkdirAll(n.data, 0o700)
		for _, name := range []string{keyFile, recordFile} {
			text, e := os.ReadFile(filepath.Join(nodes[0].data, name))
			err = errors.Join(err, e, os.WriteFile(filepath.Join(n.data, name), text, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		n.start(t)
	}
	for i := range *crashes {
		time.Sleep(time.Duration(200+rand.IntN(600)) * time.Millisecond)
		n := nodes[i%len(nodes)]
		n.kill(t)
		n.start(t)
	}
	documents := map[string]bool{first: true}
	acknowledged := 0
	for _, n := range nodes {
		n.end(t)
		for _, name := range n.documents {
			documents[name] = true
		}
		acknowledged += len(n.acknowledged)
	}
	for name := range documents {
		if r := decode[registry.Result](t, process(t, "--data", nodes[1].data, "capture", "--trust-record-time", name)); r.Accepted != 0 || r.Duplicates != eventsEach {
			t.Errorf("%s was acknowledged, and of its events were missing: %+v", filepath.Base(name), r)
		}
	}
	if n := sound(t, nodes[2].data).Entries; n != int64(eventsEach*len(documents)) {
		t.Errorf("%d entries of %d documents of %d events", n, len(documents), eventsEach)
	}
	digest := process(t, "--data", nodes[0].data, "--json", "views", "digest")
	if again := process(t, "--data", nodes[1].data, "--json", "views", "rebuild"); again != digest {
		t.Errorf("%s, made again %s", digest, again)
	}
	t.Logf("%d kills; %d acknowledgements of %d documents", *crashes, acknowledged, len(documents))
}

// BenchmarkCapturePostgres measures the same as BenchmarkCapture, with PostgreSQL. ratio is to COPY of the same bodies, each with a
// key, as many in a transaction, into a table with one index.
func BenchmarkCapturePostgres(b *testing.B) {
	documents, bodies := benchDocuments(b)
	for b.Loop() {
		url := pgtest.Database(b)
		raw := rawCopyRate(b, url, bodies)
		st, err := postgres.Open(b.Context(), url, postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchCapture(b, st, documents, raw)
		st.Close()
	}
}

func rawCopyRate(b *testing.B, url string, bodies [][]byte) float64 {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if _, err := conn.Exec(b.Context(), "CREATE TABLE t (id bigint PRIMARY KEY, key bytea, body bytea); CREATE INDEX k ON t (key)"); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for at := 0; at < len(bodies); at += 700 {
		rows := bodies[at:min(at+700, len(bodies))]
		_, err := conn.CopyFrom(b.Context(), pgx.Identifier{"t"}, []string{"id", "key", "body"}, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			key := ledger.Commitment(ledger.Entry{Body: rows[i]})
			return []any{int64(at + i), key[:], rows[i]}, nil
		}))
		if err != nil {
			b.Fatal(err)
		}
	}
	return float64(len(bodies)) / time.Since(start).Seconds()
}
