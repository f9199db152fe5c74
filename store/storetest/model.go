package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// RunModel does many random things, in random order, to a store and to the in-memory one, and compares what they answer. What
// the in-memory one does is what the rows of this suite say; here it is that they do the same in cases nobody thought of.
func RunModel(t *testing.T, open Opener) {
	rapid.Check(t, func(r *rapid.T) {
		p := &pair{t: t, s: open(t), m: memory.New()}
		defer p.s.Close()
		r.Repeat(map[string]func(*rapid.T){
			"append":  p.append,
			"erase":   p.erase,
			"commit":  p.commit,
			"drop":    p.drop,
			"meta":    p.setMeta,
			"read":    p.read,
			"scan":    p.scan,
			"entries": p.entries,
		})
		if n, err := Whole(t.Context(), p.s); err != nil {
			r.Fatalf("after %d entries: %v", n, err)
		}
	})
}

// pair is a store and its model.
type pair struct {
	t    *testing.T
	s, m store.Store
}

// Few values, so that they meet again.
var (
	someNames  = rapid.SampledFrom([]string{"", "a", "b", "A", "a\x00"})
	someViews  = rapid.SampledFrom([]string{"v", "w", "V"})
	someKeys   = rapid.StringOfN(rapid.SampledFrom([]rune("aAé\x00")), 0, 3, -1)
	someValues = rapid.SampledFrom([][]byte{nil, {}, []byte("x"), []byte("a longer value"), make([]byte, 9000)})
)

var errUndo = errors.New("undo")

// draft is an append of a few entries, drawn before it is done twice.
type draft struct {
	entries []ledger.Entry
	keys    []store.Key
	undo    bool
}

func (p *pair) draft(r *rapid.T) (d draft) {
	n := rapid.IntRange(0, 5).Draw(r, "entries")
	for i := range n {
		e, _ := Entry(0)
		e.Name = someNames.Draw(r, "name")
		e.Recorded = noon.Add(time.Duration(rapid.IntRange(-2, 5).Draw(r, "µs")) * time.Microsecond)
		e.Context = someValues.Draw(r, "context")
		e.Body = []byte(someKeys.Draw(r, "body"))
		e.Salt[0] = byte(1 + i) // the two stores must not draw their own
		d.entries = append(d.entries, e)
		d.keys = append(d.keys, store.Key{31: byte(rapid.IntRange(0, 50).Draw(r, "key"))})
	}
	d.undo = rapid.IntRange(0, 3).Draw(r, "undo") == 0
	return d
}

// do appends and tells what it saw.
func (d draft) do(p *pair, s store.Store) (seen string, err error) {
	err = s.Append(p.t.Context(), func(tx store.Appender) error {
		for i, e := range d.entries {
			was, dup, err := tx.Seen(d.keys[i])
			seen += fmt.Sprintln(was, dup, err)
			seq, err := tx.Append(e, d.keys[i])
			seen += fmt.Sprintln(seq, isOf(err), tx.Head())
			named, err := tx.Named(e.Name)
			seen += fmt.Sprintln(named, err)
			back, err := tx.Entry(tx.Head().Size - 1)
			seen += fmt.Sprintln(back, isOf(err))
		}
		if d.undo {
			return errUndo
		}
		return nil
	})
	return seen, err
}

// isOf names the contract's error that err is; messages may differ.
func isOf(err error) error {
	for _, known := range []error{store.ErrTime, store.ErrDuplicate, store.ErrConflict, store.ErrNotFound, store.ErrErased, errUndo} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

// agree fails unless the store answers what the model answers.
func agree(r *rapid.T, what string, got, want any, gotErr, wantErr error) {
	if isOf(gotErr) != isOf(wantErr) { //nolint:errorlint // kinds, not errors, are compared
		r.Fatalf("%s: error %v, the model's %v", what, gotErr, wantErr)
	}
	if a, b := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); a != b {
		r.Fatalf("%s:\n got %s\nwant %s", what, a, b)
	}
}

func (p *pair) append(r *rapid.T) {
	d := p.draft(r)
	got, gotErr := d.do(p, p.s)
	want, wantErr := d.do(p, p.m)
	agree(r, "append", got, want, gotErr, wantErr)
}

func (p *pair) erase(r *rapid.T) {
	head, err := p.m.Head(p.t.Context())
	if err != nil {
		r.Fatal(err)
	}
	seq := int64(rapid.IntRange(0, int(head.Size)).Draw(r, "entry"))
	do := func(s store.Store) error {
		return s.Append(p.t.Context(), func(tx store.Appender) error {
			if e, err := tx.Entry(seq); err == nil && e.Kind == ledger.KindErasure {
				return errUndo // those stay
			}
			return Erasing(tx, seq)
		})
	}
	agree(r, "erase", nil, nil, do(p.s), do(p.m))
}

func (p *pair) commit(r *rapid.T) {
	view := someViews.Draw(r, "view")
	changes := rapid.MapOfN(someKeys, someValues, 0, 6).Draw(r, "changes")
	from, err := p.m.Cursor(p.t.Context(), view)
	if err != nil {
		r.Fatal(err)
	}
	from += int64(rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(r, "off"))
	to := from + int64(rapid.IntRange(0, 2).Draw(r, "step"))
	if from >= 0 {
		agree(r, "commit", nil, nil, p.s.Commit(p.t.Context(), view, from, to, changes), p.m.Commit(p.t.Context(), view, from, to, changes))
	}
}

func (p *pair) drop(r *rapid.T) {
	view := someViews.Draw(r, "view")
	agree(r, "drop", nil, nil, p.s.Drop(p.t.Context(), view), p.m.Drop(p.t.Context(), view))
}

func (p *pair) setMeta(r *rapid.T) {
	name, value := someNames.Draw(r, "name"), someValues.Draw(r, "value")
	agree(r, "set meta", nil, nil, p.s.SetMeta(p.t.Context(), name, value), p.m.SetMeta(p.t.Context(), name, value))
}

func (p *pair) read(r *rapid.T) {
	ctx, name, view, key := p.t.Context(), someNames.Draw(r, "name"), someViews.Draw(r, "view"), someKeys.Draw(r, "key")
	ask := func(s store.Store) (string, error) {
		head, e1 := s.Head(ctx)
		named, e2 := s.Named(ctx, name)
		value, e3 := s.Meta(ctx, name)
		at, e4 := s.Cursor(ctx, view)
		row, e5 := s.Rows(ctx, view).Get(key)
		return fmt.Sprintf("%v %v %#v %d %#v", head, named, value, at, row), errors.Join(e1, e2, e3, e4, e5)
	}
	got, gotErr := ask(p.s)
	want, wantErr := ask(p.m)
	agree(r, "read", got, want, gotErr, wantErr)
}

func (p *pair) scan(r *rapid.T) {
	view, prefix := someViews.Draw(r, "view"), someKeys.Draw(r, "prefix")
	ask := func(s store.Store) (found []string, err error) {
		err = s.Rows(p.t.Context(), view).Scan(prefix, func(key string, value []byte) error {
			found = append(found, key, string(value))
			return nil
		})
		return found, err
	}
	got, gotErr := ask(p.s)
	want, wantErr := ask(p.m)
	agree(r, "scan", got, want, gotErr, wantErr)
}

func (p *pair) entries(r *rapid.T) {
	from, to := int64(rapid.IntRange(-1, 20).Draw(r, "from")), int64(rapid.IntRange(-1, 20).Draw(r, "to"))
	ask := func(s store.Store) (found []ledger.Entry, err error) {
		err = s.Entries(p.t.Context(), from, to, func(e ledger.Entry) error {
			e.Body = slices.Concat([]byte{}, e.Body) // nothing and nil are one body
			if e.Erased != nil {
				e.Name, e.Erased = fmt.Sprint(e.Name, *e.Erased), nil // a pointer would be compared by its address
			}
			found = append(found, e)
			return nil
		})
		return found, err
	}
	got, gotErr := ask(p.s)
	want, wantErr := ask(p.m)
	agree(r, "entries", got, want, gotErr, wantErr)
}
