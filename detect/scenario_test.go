package detect_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// TestScenarios plays every story of testdata through the front door and compares what was made of it with what should be.
// docs/scenarios.md specifies the language.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.scenario"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := parse(file, string(text))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, sc := range list {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario")+"/"+sc.title, func(t *testing.T) { check(t, sc) })
		}
	}
}

// check plays a scenario and reports what is not as expected.
func check(t *testing.T, sc *scenario) {
	failures, gaps, err := play(t.Context(), sc, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Error(f)
	}
	for _, g := range gaps {
		t.Log("KNOWN GAP " + g)
	}
}

// moment is a time at which something is expected.
type moment struct {
	at    time.Time
	lines []*sentence
}

// play captures a scenario and asks, at each moment, what was known by then.
func play(ctx context.Context, sc *scenario, spool string) (failures, gaps []string, err error) {
	moments, err := momentsOf(sc)
	if err != nil {
		return nil, nil, err
	}
	w, err := build(sc)
	if err != nil {
		return nil, nil, err
	}
	w.passTime(moments[len(moments)-1].at)
	p := &player{world: w, store: memory.New(), spool: spool}
	for _, m := range moments {
		o, err := p.until(ctx, m.at)
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", m.lines[0].file, m.lines[0].line, err)
		}
		f, g := o.compare(m)
		failures, gaps = append(failures, f...), append(gaps, g...)
	}
	return failures, gaps, nil
}

// momentsOf gathers the expectations by their times; those without one are of the scenario's end.
func momentsOf(sc *scenario) ([]moment, error) {
	var end time.Time
	for _, s := range sc.lines {
		if s.verb == "until" {
			end = s.at // the last one counts: a scenario may go on longer than its background says
		}
	}
	byTime := map[time.Time][]*sentence{}
	for i := range sc.lines {
		s := &sc.lines[i]
		if s.expect == nil {
			continue
		}
		at := s.at
		if at.IsZero() {
			at = end
		}
		if at.IsZero() || at.After(end) {
			return nil, s.errorf("the scenario does not go on until then; say `until DATE`")
		}
		byTime[at] = append(byTime[at], s)
	}
	if len(byTime) == 0 {
		return nil, fmt.Errorf("%s: %s expects nothing", sc.lines[0].file, sc.title)
	}
	var out []moment
	for at, lines := range byTime {
		out = append(out, moment{at, lines})
	}
	slices.SortFunc(out, func(a, b moment) int { return a.at.Compare(b.at) })
	return out, nil
}

// passTime lets the rest of the world go on: somebody reports something every day, so that silence can be told from the end of
// the news.
func (w *world) passTime(end time.Time) {
	first := end
	for _, e := range w.events {
		if e.known.Before(first) {
			first = e.known
		}
	}
	pallet := w.key("00", "parcel", 9)
	day := &sentence{}
	for t := first.Truncate(24 * time.Hour).Add(24 * time.Hour); !t.After(end); t = t.Add(24 * time.Hour) {
		w.events = append(w.events, &event{s: day, at: t, known: t, members: map[string]any{
			"type": "ObjectEvent", "action": "OBSERVE", "bizStep": "storing", "epcList": []string{pallet},
		}})
	}
	slices.SortStableFunc(w.events, func(a, b *event) int { return a.known.Compare(b.known) })
}

// player captures a world piece by piece.
type player struct {
	world *world
	store *memory.Store
	spool string
	told  int // events that were captured
}

// until captures what was known by a time, and looks.
func (p *player) until(ctx context.Context, at time.Time) (*seen, error) {
	for p.told < len(p.world.events) && !p.world.events[p.told].known.After(at) {
		if err := p.capture(ctx, at); err != nil {
			return nil, err
		}
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	// A view that was settled knows more than its ledger: it is looked at and dropped.
	if err := v.SettleAt(custody.At(at)); err != nil {
		return nil, err
	}
	x, err := v.Custody.Exceptions(v.Custody.Own(custody.Asked{}))
	return &seen{world: p.world, view: v, exceptions: x}, err
}

func (p *player) view(ctx context.Context) (*casework.View, error) {
	f := registry.Follower[*casework.View]{Store: p.store, Name: casework.Name, New: func(rows store.Rows) (*casework.View, error) {
		return casework.Open(rows, func(seq int64) (ledger.Entry, error) { return p.store.Entry(ctx, seq) })
	}}
	return f.CatchUp(ctx)
}

// capture takes in the next events of one speaker, as one document. Master data comes with the first.
func (p *player) capture(ctx context.Context, at time.Time) error {
	all := p.world.events
	n := p.told + 1
	for n < len(all) && all[n].as == all[p.told].as && !all[n].known.After(at) && p.told > 0 {
		n++
	}
	document, err := p.document(p.told, n)
	if err != nil {
		return err
	}
	v, err := p.view(ctx)
	if err != nil {
		return err
	}
	as := all[p.told].as
	if p.told == 0 {
		as = "" // the registrar introduces everybody
	}
	reg := registry.Registry{Store: p.store, Directory: v.Custody, Now: func() time.Time { return at }}
	name := fmt.Sprintf("events of line %d to %d", all[p.told].s.line, all[n-1].s.line)
	var why []string
	_, err = reg.Capture(ctx, bytes.NewReader(document), registry.Options{Name: name, As: as, TrustRecordTime: true, SpoolDir: p.spool,
		Reject: func(r registry.Reject) { why = append(why, r.Pointer+" "+r.Reason) }})
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.Join(why, "; "))
	}
	p.told = n
	return nil
}

// document writes events as EPCIS 2.0 JSON.
func (p *player) document(from, to int) ([]byte, error) {
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
	var list []any
	for i, e := range p.world.events[from:to] {
		m := e.members
		m["eventID"] = fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012x", from+i+1)
		m["eventTime"], m["recordTime"], m["eventTimeZoneOffset"] = stamp(e.at), stamp(e.known), "+00:00"
		list = append(list, m)
	}
	d := map[string]any{
		"@context": []any{"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", map[string]any{"tw": custody.NS}},
		"type":     "EPCISDocument", "schemaVersion": "2.0", "creationDate": stamp(p.world.events[from].known),
		"epcisBody": map[string]any{"eventList": list},
	}
	if from == 0 {
		d["epcisHeader"] = map[string]any{"epcisMasterData": map[string]any{"vocabularyList": p.world.elements()}}
	}
	return json.Marshal(d, json.Deterministic(true))
}

// compare says which expectations of a moment are not met. A known gap that is met is one no more, and says so.
func (o *seen) compare(m moment) (failures, gaps []string) {
	for _, s := range m.lines {
		met, x := o.met(s.expect), s.expect
		switch {
		case x.gap != "" && met:
			failures = append(failures, s.errorf("this is right now: strike out its known-gap (%s)", x.gap).Error())
		case x.gap != "":
			gaps = append(gaps, s.errorf("%s; on %s there is %s", x.gap, m.at.Format(time.DateOnly), o.tell(x.about)).Error())
		case !met:
			failures = append(failures, s.errorf("not so: on %s there is %s", m.at.Format(time.DateOnly), o.tell(x.about)).Error())
		}
	}
	return failures, gaps
}
