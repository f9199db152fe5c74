package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// refs is one piece of the unit index: the entries that name a unit, four numbers each (seq, event time, recorded time,
// flags), in the order in which they were told.
type refs struct {
	R []int64 `json:"r"`
	M Micros  `json:"m"` // the latest event time in this piece and those before
}

const (
	refSize    = 4
	refChunk   = 32 // entries in one row
	refDeclare = 1  // flag: an error declaration
)

// ref is one entry that names a unit.
type ref struct {
	seq       int64
	at, known Micros
	declares  bool
}

func (r *refs) at(i int) ref {
	q := r.R[i*refSize:]
	return ref{seq: q[0], at: Micros(q[1]), known: Micros(q[2]), declares: q[3]&refDeclare != 0}
}

func (r *refs) len() int { return len(r.R) / refSize }

func refKey(unit string, chunk int) string {
	n := strconv.Itoa(chunk)
	return unit + "\x00" + "00000000"[min(8, len(n)):] + n
}

// index adds a telling to what was told about a unit, told before.
func (v *View) index(unit string, told int, t *Telling) error {
	chunk := told / refChunk
	r, err := v.refs.Get(refKey(unit, chunk))
	if err != nil {
		return err
	}
	if r == nil && told%refChunk != 0 {
		_, err = v.piece(unit, chunk)
		return err
	}
	if r == nil {
		r = &refs{M: At(t.Event.Time)}
		if chunk > 0 {
			before, err := v.piece(unit, chunk-1)
			if err != nil {
				return err
			}
			r.M = before.M
		}
	}
	flags := int64(0)
	if t.Event.ErrorDeclaration != nil {
		flags |= refDeclare
	}
	r.R = append(r.R, t.Seq, int64(At(t.Event.Time)), int64(At(t.Recorded)), flags)
	r.M = max(r.M, At(t.Event.Time))
	v.refs.Put(refKey(unit, chunk), r)
	return nil
}

func (v *View) piece(unit string, chunk int) (*refs, error) {
	r, err := v.refs.Get(refKey(unit, chunk))
	if err == nil && r == nil {
		err = fmt.Errorf("unit index of %s: piece %d is missing; run `tidewaiter views rebuild`", unit, chunk)
	}
	return r, err
}

// told lists the entries that name a unit, of those from an event time on, in the order of the ledger. Only numbers are read:
// the entries themselves stay where they are. all lists the earlier ones too.
func (v *View) told(unit string, n int, since Micros, all bool) ([]ref, error) {
	var out []ref
	for chunk := (n - 1) / refChunk; chunk >= 0 && n > 0; chunk-- {
		r, err := v.piece(unit, chunk)
		if err != nil {
			return nil, err
		}
		if !all && r.M < since {
			break
		}
		for i := r.len() - 1; i >= 0; i-- {
			if e := r.at(i); all || e.at >= since {
				out = append(out, e)
			}
		}
	}
	slices.Reverse(out)
	return out, nil
}

// Told lists the entries that name a unit, in the order in which they were told.
func (v *View) Told(unit string) ([]int64, error) {
	s, err := v.states.Get(unit)
	if err != nil || s == nil {
		return nil, err
	}
	list, err := v.told(unit, s.Told, 0, true)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(list))
	for i, r := range list {
		out[i] = r.seq
	}
	return out, nil
}

func byEventTime(a, b ref) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) }

// telling reads an entry that was told before.
func (v *View) telling(seq int64) (*Telling, error) {
	t, ok := v.recent.get(seq)
	if !ok {
		e, err := v.entries(seq)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", seq, err)
		}
		if t, err = Read(e); err != nil {
			return nil, err
		}
		v.weigh(t)
		v.recent.put(t)
	}
	if t.weighed != v.weight {
		v.weigh(t)
	}
	return t, nil
}

// weigh decides what a telling counts by the directory as it is.
func (v *View) weigh(t *Telling) {
	t.weigh(v)
	t.weighed = v.weight
}

// recent holds the last tellings for units that are folded anew, up to a number and a size.
type recent struct {
	held map[int64]*Telling
	size int
}

const (
	keepRecent      = 8192
	keepRecentBytes = 32 << 20
)

func (r *recent) get(seq int64) (*Telling, bool) {
	t, ok := r.held[seq]
	return t, ok
}

func (r *recent) put(t *Telling) {
	if r.held == nil || len(r.held) >= keepRecent || r.size >= keepRecentBytes {
		r.held, r.size = map[int64]*Telling{}, 0
	}
	r.held[t.Seq] = t
	r.size += len(t.Event.Raw)
}
