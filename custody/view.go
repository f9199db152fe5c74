package custody

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// Entries reads single ledger entries.
type Entries func(seq int64) (ledger.Entry, error)

// View takes in the ledger's entries in order and keeps, as rows, the state of every unit, the index of what was told about
// it, the aliases and the master data. Not safe for concurrent use.
type View struct {
	states  *store.Table[State]
	refs    *store.Table[refs]
	dir     *store.Table[Element]
	aliases *store.Table[Alias]
	entries Entries
	recent  map[int64]*Telling
}

// refs is one piece of the unit index: the entries that name a unit, four numbers each (seq, event time, recorded time,
// flags), in the order in which they were told.
type refs struct {
	R []int64 `json:"r"`
}

const (
	refSize  = 4
	refChunk = 64 // entries in one row
	refClaim = 1  // flag: the speaker says it of somebody else's custody

	keepRecent = 8192 // tellings held for units that are folded anew
	keepRows   = 60000
)

// Alias is what a name stands for. A binding by the maker (told when the unit was commissioned) outranks a later one.
type Alias struct {
	Bindings []Binding `json:"b"`
}

// Binding says that an alias means a unit.
type Binding struct {
	Unit  string `json:"u"`
	Alias string `json:"a"` // in full, as told
	By    string `json:"by,omitzero"`
	Seq   int64  `json:"s"`
	Known Micros `json:"k"`
	Maker bool   `json:"m,omitzero"`
}

// NewView reads the view's rows.
func NewView(rows store.Rows, entries Entries) *View {
	return &View{
		states:  store.NewTable[State](rows, "unit/"),
		refs:    store.NewTable[refs](rows, "told/"),
		dir:     store.NewTable[Element](rows, "master/"),
		aliases: store.NewTable[Alias](rows, "alias/"),
		entries: entries,
		recent:  map[int64]*Telling{},
	}
}

// Element implements Directory.
func (v *View) Element(id string) *Element {
	e, err := v.dir.Get(id)
	if err != nil {
		return nil // a row that cannot be read is reported by fsck; for an answer it is as if it was not known
	}
	return e
}

// Apply takes in the next entry. It returns what the entry tells, when it is an event.
func (v *View) Apply(e ledger.Entry) (*Telling, error) {
	switch e.Kind {
	case ledger.KindEvent:
		return v.applyEvent(e)
	case ledger.KindMasterData:
		return nil, v.applyMasterData(e)
	}
	return nil, nil
}

func (v *View) applyEvent(e ledger.Entry) (*Telling, error) {
	t, err := Read(e)
	if err != nil {
		return nil, err
	}
	t.Claim = v.isClaim(t)
	v.remember(t)
	for _, n := range t.Units() {
		if err := v.tell(n.Unit, t); err != nil {
			return nil, err
		}
	}
	return t, v.bind(t)
}

// tell extends the state of a unit by what was told, or folds it anew.
func (v *View) tell(unit string, t *Telling) error {
	s, err := v.states.Get(unit)
	if err != nil {
		return err
	}
	if s == nil {
		s = &State{Unit: unit}
	}
	told := s.Told
	if err := v.index(unit, told, t); err != nil {
		return err
	}
	if s.InOrder(t) {
		s.Apply(t)
	} else {
		all, err := v.told(unit, told+1, nil)
		if err != nil {
			return err
		}
		s = Fold(unit, all)
	}
	s.Told = told + 1
	v.states.Put(unit, s)
	return nil
}

func (v *View) index(unit string, told int, t *Telling) error {
	key := refKey(unit, told/refChunk)
	r, err := v.refs.Get(key)
	if err != nil {
		return err
	}
	if r == nil {
		r = &refs{}
	}
	flags := int64(0)
	if t.Claim {
		flags |= refClaim
	}
	r.R = append(r.R, t.Seq, int64(At(t.Event.Time)), int64(At(t.Recorded)), flags)
	v.refs.Put(key, r)
	return nil
}

func refKey(unit string, chunk int) string { return fmt.Sprintf("%s\x00%08d", unit, chunk) }

// told returns what was told about a unit, as far as keep (nil: all) wants it.
func (v *View) told(unit string, n int, keep func(at, known Micros) bool) ([]*Telling, error) {
	out := make([]*Telling, 0, n)
	for chunk := 0; chunk*refChunk < n; chunk++ {
		r, err := v.refs.Get(refKey(unit, chunk))
		if err != nil {
			return nil, err
		}
		if r == nil {
			return nil, fmt.Errorf("unit index of %s: piece %d is missing; run `tidewaiter views rebuild`", unit, chunk)
		}
		for i := 0; i+refSize <= len(r.R); i += refSize {
			if keep != nil && !keep(Micros(r.R[i+1]), Micros(r.R[i+2])) {
				continue
			}
			t, err := v.telling(r.R[i], r.R[i+3]&refClaim != 0)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func (v *View) telling(seq int64, claim bool) (*Telling, error) {
	if t, ok := v.recent[seq]; ok {
		return t, nil
	}
	e, err := v.entries(seq)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", seq, err)
	}
	t, err := Read(e)
	if err != nil {
		return nil, err
	}
	t.Claim = claim
	v.remember(t)
	return t, nil
}

func (v *View) remember(t *Telling) {
	if len(v.recent) >= keepRecent {
		clear(v.recent)
	}
	v.recent[t.Seq] = t
}

func (v *View) applyMasterData(e ledger.Entry) error {
	el, err := ReadElement(e)
	if err != nil {
		return err
	}
	d, err := v.dir.Get(el.ID)
	if err != nil {
		return err
	}
	if d == nil {
		d = &Element{}
	}
	if d.told(e, el, v.isAuthority) {
		v.dir.Put(el.ID, d)
	}
	return nil
}

// ReadElement decodes a master data entry.
func ReadElement(e ledger.Entry) (*epcis.Element, error) {
	ctx, err := epcis.ParseContext(e.Context)
	if err != nil {
		return nil, fmt.Errorf("entry %d: context: %w", e.Seq, err)
	}
	var body MasterData
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	el, err := epcis.ParseMasterData(body.Element, body.Type, ctx)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	return el, nil
}

func (v *View) isAuthority(party string) bool {
	return v.Element(party).Attr("tw:role") == "authority"
}

// bind keeps the aliases that an event tells (design §6: made, bound).
func (v *View) bind(t *Telling) error {
	names, maker := aliasesOf(t)
	units := t.Units()
	if len(names) == 0 || len(units) != 1 {
		return nil
	}
	b := Binding{Unit: units[0].Unit, By: t.Speaker, Seq: t.Seq, Known: At(t.Recorded), Maker: maker}
	for _, name := range names {
		b.Alias = name
		for _, word := range bareWords(name) {
			a, err := v.aliases.Get(word)
			if err != nil {
				return err
			}
			if a == nil {
				a = &Alias{}
			}
			if !slices.ContainsFunc(a.Bindings, func(o Binding) bool { return o.Unit == b.Unit && o.Alias == b.Alias }) {
				a.Bindings = lastOf(append(a.Bindings, b), keepChecks)
				v.aliases.Put(word, a)
			}
		}
	}
	return nil
}

func aliasesOf(t *Telling) (names []string, maker bool) {
	for _, f := range []epcis.Fields{t.Event.ILMD, t.Event.Extensions} {
		if raw, ok := f[NS+"aliases"]; ok {
			var list []string
			if err := json.Unmarshal(raw, &list); err != nil {
				var one string
				if json.Unmarshal(raw, &one) != nil {
					continue
				}
				list = []string{one}
			}
			names = append(names, list...)
		}
	}
	return names, t.Event.BizStep == "commissioning"
}

// Dirty is how many rows wait to be flushed.
func (v *View) Dirty() int { return v.states.Dirty() + v.refs.Dirty() }

// Flush adds the changed rows to changes.
func (v *View) Flush(changes map[string][]byte) error {
	for _, t := range []interface{ Flush(map[string][]byte) error }{v.states, v.refs, v.dir, v.aliases} {
		if err := t.Flush(changes); err != nil {
			return err
		}
	}
	return nil
}

// Trim gives memory back after a commit.
func (v *View) Trim() {
	v.states.Trim(keepRows)
	v.refs.Trim(keepRows)
	v.aliases.Trim(keepRows)
}

// Told lists the entries that name a unit, in the order in which they were told.
func (v *View) Told(unit string) ([]int64, error) {
	s, err := v.states.Get(unit)
	if err != nil || s == nil {
		return nil, err
	}
	var out []int64
	for chunk := 0; chunk*refChunk < s.Told; chunk++ {
		r, err := v.refs.Get(refKey(unit, chunk))
		if err != nil {
			return nil, err
		}
		for i := 0; r != nil && i+refSize <= len(r.R); i += refSize {
			out = append(out, r.R[i])
		}
	}
	return out, nil
}
