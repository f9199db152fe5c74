package registry_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// desk is where many capture at the same time.
type desk struct {
	t     *testing.T
	group *store.Group

	mu       sync.Mutex
	accepted map[int64]string // by Seq, what was captured
}

func newDesk(t *testing.T, l store.Ledger) *desk {
	return &desk{t: t, group: store.NewGroup(l), accepted: map[int64]string{}}
}

// capture takes in a document as one of many, and notes the entries that it was told are kept.
func (d *desk) capture(document, as string, proceed bool) (registry.Result, error) {
	reg := registry.Registry{Store: d.group, Now: func() time.Time { return noon }}
	return reg.Capture(context.Background(), strings.NewReader(document), registry.Options{
		Name: "one of many", As: as, Proceed: proceed, SpoolDir: d.t.TempDir(),
		Kept: func(first, last int64) {
			d.mu.Lock()
			defer d.mu.Unlock()
			for seq := first; seq <= last; seq++ {
				if other, twice := d.accepted[seq]; twice {
					d.t.Errorf("entry %d is said to be of %s and of %s", seq, other, document)
				}
				d.accepted[seq] = document
			}
		},
	})
}

// Many who capture at once get each their own answer: what is new is kept once, what was said before is a duplicate, whoever says it
// first, and a document of which some is not valid leaves nothing behind.
func TestCaptureTogether(t *testing.T) {
	const callers, each = 24, 8
	s := memory.New()
	d := newDesk(t, s)
	var accepted, duplicates atomic.Int64
	var wg sync.WaitGroup
	for who := range callers {
		wg.Go(func() {
			for i := range each {
				own := fmt.Sprintf("own%d-%d", who, i)
				r, err := d.capture(document(seen(own, hall), seen(fmt.Sprint("shared", i), hall)), operator, i%2 == 0)
				if err != nil || r.Accepted+r.Duplicates != 2 || r.Rejected != 0 {
					t.Errorf("%+v, %v", r, err)
				}
				accepted.Add(r.Accepted)
				duplicates.Add(r.Duplicates)
				r, err = d.capture(document(seen("refused"+own, hall), bad), operator, false)
				if !errors.Is(err, registry.ErrRejected) || r != (registry.Result{Rejected: 1}) {
					t.Errorf("%+v, %v", r, err)
				}
				if r, err = d.capture(document(seen("half"+own, hall), bad), operator, true); err != nil || r.Accepted != 1 || r.Rejected != 1 {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	if a, want := accepted.Load(), int64(callers*each+each); a != want || duplicates.Load() != 2*callers*each-want {
		t.Errorf("%d accepted, %d duplicates", a, duplicates.Load())
	}
	n := &node{t: t, store: s}
	list := n.entries()
	if len(list) != len(d.accepted) || len(list) != 2*callers*each+each {
		t.Errorf("%d entries, of which %d were acknowledged", len(list), len(d.accepted))
	}
	bodies := map[string]bool{}
	for _, e := range list {
		if bodies[string(e.Body)] || !strings.Contains(d.accepted[e.Seq], string(e.Body)) || strings.Contains(string(e.Body), "refused") {
			t.Errorf("entry %d, %s, is there twice or is not its document's", e.Seq, e.Body)
		}
		bodies[string(e.Body)] = true
	}
	if size, err := storetest.Whole(t.Context(), s); size != int64(len(list)) || err != nil {
		t.Errorf("%d entries in the tree, %v", size, err)
	}
}

// counting counts transactions.
type counting struct {
	store.Ledger
	n atomic.Int64
}

func (c *counting) Append(ctx context.Context, fn func(store.Appender) error) error {
	c.n.Add(1)
	return c.Ledger.Append(ctx, fn)
}

// A large document shares its transaction with nobody: who captured one event before it is not kept waiting for its end.
func TestLargeDocumentAlone(t *testing.T) {
	var many []string
	for i := range 150 {
		many = append(many, seen(fmt.Sprint("many", i), hall))
	}
	c := &counting{Ledger: memory.New()}
	d := newDesk(t, c)
	release, begun := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.group.Append(context.Background(), func(store.Appender) error {
			close(begun)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	documents := []string{document(seen("1", hall)), document(seen("2", hall)), document(many...), document(seen("3", hall)), document(seen("4", hall))}
	for i, doc := range documents {
		wg.Go(func() {
			if r, err := d.capture(doc, operator, false); err != nil || r.Rejected > 0 {
				t.Errorf("%+v, %v", r, err)
			}
		})
		for d.group.Waiting() <= i {
			time.Sleep(10 * time.Microsecond)
		}
	}
	close(release)
	wg.Wait()
	if n := c.n.Load(); n != 4 { // that which all waited for, 1 and 2, the large one, 3 and 4
		t.Errorf("%d transactions", n)
	}
	if len(d.accepted) != 154 {
		t.Errorf("%d entries", len(d.accepted))
	}
}

// A small document needs no file to be put aside in; a large one does, and where none can be made nothing of it is kept.
func TestSpool(t *testing.T) {
	s := memory.New()
	reg := registry.Registry{Store: s, Now: func() time.Time { return noon }}
	none := filepath.Join(t.TempDir(), "no such folder")
	large := document(seen("A", hall, fmt.Sprintf(`"tw:note":%q`, strings.Repeat("x", 1<<20))), seen("B", hall))
	for _, c := range []struct {
		document, dir string
		want          int64
	}{
		{document(seen("A", hall)), none, 1},
		{large, none, 0},
		{large, t.TempDir(), 2},
	} {
		r, err := reg.Capture(t.Context(), strings.NewReader(c.document), registry.Options{Name: "a document", SpoolDir: c.dir})
		if r.Accepted != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%d bytes in %s: %+v, %v", len(c.document), c.dir, r, err)
		}
	}
}
