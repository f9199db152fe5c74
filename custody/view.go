package custody

import (
	"fmt"

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
	states    *store.Table[State]
	snaps     *store.Table[snapshots]
	refs      *store.Table[refs]
	dir       *store.Table[Element]
	aliases   *pairs // word and unit
	hanging   *pairs // subject and unit: see Telling.hangsOn
	voided    *pairs // unit and event name, for error declarations
	erasings  *store.Table[erasing]
	entries   Entries
	recent    recent
	ahead     map[int64]*Telling // read already, and about to be applied
	stale     map[string]Key     // units to be folded anew, and from where on
	weight    int                // counts the changes of the directory
	kinds     kinds
	standings standings
	now       Own // the units' own states as of now
}

// keepRows is how many rows of a kind are held in memory between two commits.
const keepRows = 60000

// NewView reads the view's rows.
func NewView(rows store.Rows, entries Entries) *View {
	return &View{
		states:   store.NewTable[State](rows, "unit/"),
		snaps:    store.NewTable[snapshots](rows, "snap/"),
		refs:     store.NewTable[refs](rows, "told/"),
		dir:      store.NewTable[Element](rows, "master/"),
		aliases:  newPairs(rows, "alias/"),
		hanging:  newPairs(rows, "hangs/"),
		voided:   newPairs(rows, "void/"),
		erasings: store.NewTable[erasing](rows, "erasure/"),
		entries:  entries,
		ahead:    map[int64]*Telling{},
		stale:    map[string]Key{},
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

// Elements calls fn for every subject of master data, in no particular order.
func (v *View) Elements(fn func(id string, e *Element) error) error { return v.dir.All(fn) }

// Apply takes in the next entry. It returns what the entry tells, when it is an event.
func (v *View) Apply(e ledger.Entry) (*Telling, error) {
	switch {
	case e.Erased != nil: // as if it had never told anything
	case e.Kind == ledger.KindEvent:
		return v.applyEvent(e)
	case e.Kind == ledger.KindMasterData:
		return nil, v.applyMasterData(e)
	case e.Kind == ledger.KindErasure:
		return nil, v.applyErasing(e)
	}
	return nil, nil
}

func (v *View) applyEvent(e ledger.Entry) (*Telling, error) {
	t, err := v.read(e)
	if err != nil {
		return nil, err
	}
	v.weigh(t)
	v.recent.put(t)
	hangs := t.hangsOn(v, At(e.Recorded))
	units := t.Units()
	for _, n := range units {
		if err := v.tell(n, t); err != nil {
			return nil, fmt.Errorf("entry %d: unit %s: %w", e.Seq, n.Unit, err)
		}
		for _, subject := range hangs {
			if err := v.hanging.add(subject, n.Unit); err != nil {
				return nil, err
			}
		}
	}
	return t, v.bind(t, units)
}

// read decodes an entry, unless that has been done.
func (v *View) read(e ledger.Entry) (*Telling, error) {
	if t, ok := v.ahead[e.Seq]; ok {
		delete(v.ahead, e.Seq)
		return t, nil
	}
	return Read(e)
}

// tell extends the state of a unit by what was told, or marks it to be folded anew.
func (v *View) tell(to Named, t *Telling) error {
	unit := to.Unit
	s, err := v.states.Get(unit)
	if err != nil {
		return err
	}
	if s == nil {
		s = &State{Unit: unit}
	}
	if err := v.index(unit, s.Told, t); err != nil {
		return err
	}
	s.Told++
	v.states.Put(unit, s)
	v.standings.changed(unit)
	if t.Event.ErrorDeclaration != nil {
		s.Declared++
		v.mark(unit, fromStart)
		return v.voided.add(unit, t.Name)
	}
	void := false
	if s.Declared > 0 {
		if void, err = v.voided.has(unit, t.Name); err != nil {
			return err
		}
	}
	_, stale := v.stale[unit]
	switch {
	case void:
		v.mark(unit, fromStart)
	case t.implausible():
		s.Wrong = s.Wrong.wrong([]*Telling{t})
	case stale || !s.InOrder(t):
		v.mark(unit, keyOf(t))
	default:
		t.to = to
		s.Apply(t)
		return v.snap(s)
	}
	return nil
}

// bind indexes the words by which people may ask for a unit. Which of them mean it, its state says.
func (v *View) bind(t *Telling, units []Named) error {
	for _, word := range bound(t, units) {
		if err := v.aliases.add(word, units[0].Unit); err != nil {
			return err
		}
	}
	return nil
}

// bound are the words that an event binds to its one unit.
func bound(t *Telling, units []Named) (words []string) {
	if len(units) != 1 || len(t.Event.ILMD)+len(t.Event.Extensions) == 0 {
		return nil
	}
	for _, alias := range aliasesOf(t) {
		words = append(words, bareWords(alias)...)
	}
	for _, old := range replacedBy(t) {
		words = append(words, canonical(old))
	}
	return words
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
	if !d.told(e, el, v.isAuthority) {
		return nil
	}
	v.dir.Put(el.ID, d)
	v.weight++
	units, err := v.hanging.of(el.ID)
	if err != nil {
		return err
	}
	for _, unit := range units {
		v.mark(unit, fromStart)
	}
	return nil
}

// ReadElement decodes a master data entry.
func ReadElement(e ledger.Entry) (*epcis.Element, error) {
	if e.Erased != nil {
		return nil, errErased(e)
	}
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

// State returns a unit's own state now, or nil.
func (v *View) State(unit string) (*State, error) { return v.state(unit) }

// Units calls fn for every unit, in no particular order.
func (v *View) Units(fn func(unit string, s *State) error) error {
	if err := v.settle(); err != nil {
		return err
	}
	return v.states.All(fn)
}

// Dirty is how many rows wait to be flushed.
func (v *View) Dirty() int {
	return v.states.Dirty() + v.refs.Dirty() + v.snaps.Dirty() + v.aliases.dirty + v.hanging.dirty + v.voided.dirty
}

// Flush adds the changed rows to changes.
func (v *View) Flush(changes map[string][]byte) error {
	if err := v.settle(); err != nil {
		return err
	}
	for _, t := range []interface{ Flush(map[string][]byte) error }{v.states, v.snaps, v.refs, v.dir, v.aliases, v.hanging, v.voided, v.erasings} {
		if err := t.Flush(changes); err != nil {
			return err
		}
	}
	return nil
}

// Trim gives memory back after a commit.
func (v *View) Trim() {
	v.states.Trim(keepRows)
	v.snaps.Trim(keepRows)
	v.refs.Trim(keepRows)
	v.dir.Trim(keepRows)
	for _, p := range []*pairs{v.aliases, v.hanging, v.voided} {
		p.Trim(keepRows)
	}
}
