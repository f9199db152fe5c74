package storetest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// OpenPath opens the store that is kept at a path (or whatever names one: a URL), or makes one.
type OpenPath func(ctx context.Context, path string) (store.Store, error)

// childPath tells a process of this test binary that it is to write to the store at that path until it is killed.
const childPath = "TIDEWAITER_STORETEST_CHILD"

// Two hundred, as the release is checked with: go test ./store/sqlite ./store/postgres -run TestCrash -kills 200 -timeout 60m -v
var kills = flag.Int("kills", 10, "how many processes RunCrash kills")

// RunCrash kills processes that write, without warning and at random moments, and opens what they leave behind: all that was
// acknowledged is there, the tree is the entries', and the view has what its cursor says. For stores that outlive a process.
// It must be called from a test of its own at the top level, because it runs that test again in the child; place is asked once, in
// the parent, where the store is to be.
func RunCrash(t *testing.T, place func(t *testing.T) string, open OpenPath) {
	if path := os.Getenv(childPath); path != "" {
		WriteUntilKilled(t, open, path)
		return
	}
	path := place(t)
	var acked int64
	for i := range *kills {
		writers := 1 + i%2 // every second time two processes write at once
		after := time.Duration(rand.IntN(150)) * time.Millisecond
		acked = max(acked, killed(t, path, writers, after))
		size := Survived(t, open, path, acked)
		t.Logf("killed %d writers %v after their first words: %d entries acknowledged, %d kept", writers, after, acked, size)
		acked = size
	}
}

// child starts this test again as a process that writes.
func child(t *testing.T, path string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childPath+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, out
}

// killed lets processes write, kills them, and gives the number of entries that they were told are kept.
func killed(t *testing.T, path string, writers int, after time.Duration) (acked int64) {
	t.Helper()
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	var done []chan error
	for range writers {
		cmd, pipe := child(t, path)
		out, first := bufio.NewReader(pipe), &bytes.Buffer{}
		for !strings.HasPrefix(first.String(), "kept ") { // past what the testing package says
			line, err := out.ReadString('\n')
			if err != nil {
				t.Fatalf("the child said nothing: %v; %s", err, line)
			}
			first.Reset()
			first.WriteString(line)
		}
		copied := make(chan error, 1)
		go func() {
			_, err := io.Copy(first, out)
			copied <- err
		}()
		cmds, outs, done = append(cmds, cmd), append(outs, first), append(done, copied)
	}
	time.Sleep(after)
	for i, cmd := range cmds {
		must(t, cmd.Process.Kill())
		must(t, <-done[i])
		if err := cmd.Wait(); cmd.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v\n%s", err, outs[i])
		}
		acked = max(acked, lastKept(t, outs[i].String()))
	}
	return acked
}

// lastKept reads the last whole line of what a child said.
func lastKept(t *testing.T, out string) int64 {
	t.Helper()
	whole := out[:strings.LastIndexByte(out, '\n')+1]
	var last int64
	for line := range strings.Lines(whole) {
		word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if word != "kept" || err != nil {
			t.Fatalf("the child said %q", line)
		}
		last = n
	}
	return last
}

// WriteUntilKilled appends and commits, and says on stdout how many entries are kept each time when it was told so: "kept 17". Every so
// often it closes the store and opens it again. It is for a process of its own.
func WriteUntilKilled(t *testing.T, open OpenPath, path string) {
	s, err := open(t.Context(), path)
	must(t, err)
	deadline := time.Now().Add(time.Minute) // should the parent be gone
	for n := 1; time.Now().Before(deadline); n = 1 + n*7%250 {
		if n%8 == 0 {
			must(t, s.Close())
			s, err = open(t.Context(), path)
			must(t, err)
		}
		must(t, s.Append(t.Context(), func(tx store.Appender) error {
			for range n {
				e, key := Entry(int(tx.Head().Size))
				e.Body = append(e.Body, bytes.Repeat([]byte(" "), n*10)...)
				if _, err := tx.Append(e, key); err != nil {
					return err
				}
			}
			return nil
		}))
		head, err := s.Head(t.Context())
		must(t, err)
		fmt.Fprintf(os.Stdout, "kept %d\n", head.Size)
		if err := follow(t.Context(), s, head.Size); err != nil && !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
	}
}

// follow leads the view "count" to the head: a row for each entry, and one that counts them.
func follow(ctx context.Context, s store.Store, to int64) error {
	from, err := s.Cursor(ctx, "count")
	if err != nil || from >= to {
		return err
	}
	changes := map[string][]byte{"count": strconv.AppendInt(nil, to, 10)}
	err = s.Entries(ctx, from, to, func(e ledger.Entry) error {
		changes["entry/"+e.Name] = strconv.AppendInt(nil, e.Seq, 10)
		return nil
	})
	if err != nil {
		return err
	}
	return s.Commit(ctx, "count", from, to, changes)
}

// Survived opens what a process left that wrote with WriteUntilKilled, sees that all of it stands, and gives the number of entries in it:
// at least as many as were acknowledged.
func Survived(t *testing.T, open OpenPath, path string, acked int64) int64 {
	t.Helper()
	s, err := open(t.Context(), path)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	// A server may still be ending what a killed client had asked for; who appends waits for that.
	must(t, s.Append(t.Context(), func(store.Appender) error { return nil }))
	size := whole(t, s)
	if size < acked {
		t.Fatalf("%d entries were acknowledged, %d are there", acked, size)
	}
	for i, e := range all(t, s) {
		if want, _ := Entry(i); e.Name != want.Name || !bytes.HasPrefix(e.Body, want.Body) {
			t.Fatalf("entry %d is %s, %q", i, e.Name, e.Body)
		}
	}
	at := cursor(t, s, "count")
	rows := scan(t, s, "count", "entry/")
	for at != cursor(t, s, "count") { // as for the entries
		at, rows = cursor(t, s, "count"), scan(t, s, "count", "entry/")
	}
	if int64(len(rows)) != at || at > size {
		t.Fatalf("the view's cursor says %d, it has %d rows; there are %d entries", at, len(rows), size)
	}
	if at > 0 && string(get(t, s, "count", "count")) != strconv.FormatInt(at, 10) {
		t.Fatalf("the view's cursor says %d, its row %q", at, get(t, s, "count", "count"))
	}
	return size
}
