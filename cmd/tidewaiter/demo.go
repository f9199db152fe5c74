package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/sim"
)

type demoCmd struct {
	Seed    uint64 `help:"The world's seed." default:"1"`
	Units   int    `help:"Accelerators made in the world." default:"5000"`
	Schemes int    `help:"Planted schemes; 0 makes an honest world." default:"1"`
	Case    string `help:"Instead of a world, a case from the public record, anonymised: a or b." placeholder:"a|b"`
	NoServe bool   `help:"End after the report. (It always does: there is no console yet.)"`
}

// Help is shown by --help.
func (c *demoCmd) Help() string {
	return `Makes a world, captures its documents through the front door as history, and says what was found. The truth about the world is
known to the scorer only. The ledger stays in the data folder, for "tidewaiter case 1" and the like; the next demo replaces it.`
}

// show is what a demo captures: documents in order, and the truth for the scorer.
type show struct {
	headline  string
	documents func(fn func(name string, document []byte) error) error
	events    int64
	truth     sim.Truth
}

func (c *demoCmd) Run(e *env) error {
	s, err := c.prepare()
	if err != nil {
		return err
	}
	if err := e.printf("%s\n", s.headline); err != nil {
		return err
	}
	if e.cli.Database == "" { // a database is nobody's to clear
		if err := c.clear(e); err != nil {
			return err
		}
	}
	d, err := e.open()
	if err != nil {
		return err
	}
	defer d.Close()
	if head, err := d.store.Head(e.ctx); err != nil || head.Size > 0 {
		return errors.Join(err, errors.New("this database holds a ledger, and the demo would write into it; name an empty one, or none"))
	}
	if err := os.WriteFile(filepath.Join(e.cli.Data, demoMark), []byte("Made by tidewaiter demo, which replaces this folder's ledger when it runs again.\n"), 0o644); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	if err := c.capture(d, s); err != nil {
		return err
	}
	v, err := d.caughtUp()
	if err != nil {
		return err
	}
	if err := v.Settle(); err != nil {
		return err
	}
	return e.report(v, s)
}

// prepare makes the world, or opens the case.
func (c *demoCmd) prepare() (*show, error) {
	if c.Case != "" {
		return openCase(c.Case)
	}
	cfg := sim.DefaultConfig(c.Seed, c.Units)
	cfg.Schemes = c.Schemes
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("%w: demo: %w", errUsage, err)
	}
	world, err := sim.Generate(cfg)
	if err != nil {
		return nil, err
	}
	w := world.Summary()
	return &show{
		headline: fmt.Sprintf("World, seed %d: %s accelerators in %s servers, %s parties, %d months", w.Seed, thousands(int64(w.Accelerators)),
			thousands(int64(w.Servers)), thousands(int64(w.Parties)), w.Months),
		documents: world.Documents, events: int64(w.Events), truth: world.Truth(),
	}, nil
}

// demoMark is the file that says that a data folder may be replaced.
const demoMark = "DEMO"

// clear forgets an earlier demo, and refuses a folder that holds anybody's ledger.
func (c *demoCmd) clear(e *env) error {
	there, err := os.ReadDir(e.cli.Data)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(there) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(e.cli.Data, demoMark)); err != nil {
		return fmt.Errorf("%s holds something that no demo made; name another folder with --data DIR", e.cli.Data)
	}
	for _, f := range there {
		if err := os.RemoveAll(filepath.Join(e.cli.Data, f.Name())); err != nil {
			return fmt.Errorf("forget the earlier demo: %w", err)
		}
	}
	return nil
}

// capture takes the documents in as anybody's would be.
func (c *demoCmd) capture(d *deployment, s *show) error {
	e := d.env
	bar := e.bar("Capturing")
	bar.unit = "events"
	var total registry.Result
	var spent time.Duration // in capture alone: the views follow in between
	err := s.documents(func(name string, document []byte) error {
		view, err := d.views.CatchUp(e.ctx)
		if err != nil {
			return err
		}
		reg := registry.Registry{Store: d.ledger, Directory: view.Custody, Now: e.now}
		before, start := total.Accepted, e.now()
		r, err := reg.Capture(e.ctx, bytes.NewReader(document), registry.Options{
			Name: name, TrustRecordTime: true, SpoolDir: d.spoolDir(), Reject: e.reject,
			Progress: func(done, _ int64) { bar.set(before+done, max(s.events, before+done)) },
		})
		spent += e.now().Sub(start)
		total.Add(r)
		return err
	})
	bar.clear()
	if err != nil {
		return err
	}
	if _, err := d.sign(e.ctx); err != nil {
		return err
	}
	rate := float64(total.Events) / max(spent.Seconds(), 0.001)
	return e.printf("Captured %s events  %s 100 %%  %s events/s  ledger of %s entries, checkpoint signed\n",
		thousands(total.Events), strings.Repeat("█", 20), thousands(int64(rate)), thousands(total.Accepted))
}

// report says what was found, and how that compares with the truth.
func (e *env) report(v *casework.View, s *show) error {
	a, err := v.Account()
	if err != nil {
		return err
	}
	err = e.printf("Accounted for: %s of %s accelerators; %s by their own signed evidence in the last week; %s in the data need a fix\n",
		thousands(int64(a.Accounted)), thousands(int64(a.Accelerators)), thousands(int64(a.Signed)), plural(a.Exceptions, "exception"))
	if err != nil {
		return err
	}
	var open []*casework.Case
	for _, c := range v.Cases() {
		if c.Status == casework.StatusOpen {
			open = append(open, c)
		}
	}
	if err := e.printf("%s\n", plural(len(open), "case")); err != nil {
		return err
	}
	for _, c := range open {
		if err := e.print([]byte(caseText(v, c))); err != nil {
			return err
		}
	}
	if err := e.printf("Against the truth (known only to the scorer): %s\n", verdict(s.truth, v, open)); err != nil {
		return err
	}
	return e.hints(open)
}

// verdict scores the open cases in one sentence.
func verdict(truth sim.Truth, v *casework.View, open []*casework.Case) string {
	r := sim.Score(truth, scored(v, open))
	text := fmt.Sprintf("%d of %d found, %s accused", r.InCases, r.Diverted, plural(r.Accused, "honest unit"))
	if r.InCases > 0 {
		when := "after"
		if r.DaysMedian < 0 {
			when = "before"
		}
		text += fmt.Sprintf(", found %.0f days %s they left", math.Abs(r.DaysMedian), when)
	}
	if r.Found > 0 {
		text += fmt.Sprintf("; the true bridge comes first in %d of %s", r.BridgeHit1, plural(r.Found, "case"))
	}
	return text
}

// scored puts cases into the scorer's own form, as it would read them from `cases --json`.
func scored(v *casework.View, cases []*casework.Case) []sim.Case {
	var out []sim.Case
	for _, c := range cases {
		r := v.ReportCase(c)
		s := sim.Case{ID: r.ID, Score: r.Score, Status: r.Status}
		for _, u := range r.Units {
			s.Units = append(s.Units, sim.CaseUnit{Unit: u.Unit, AddedAt: u.AddedAt})
		}
		for _, b := range r.Bridge {
			s.Bridge = append(s.Bridge, sim.CaseBridge{Party: b.Party, Score: b.Score})
		}
		out = append(out, s)
	}
	return out
}

// hints says what to type next.
func (e *env) hints(open []*casework.Case) error {
	data := ""
	if wd, err := os.Getwd(); err != nil || e.cli.Data != filepath.Join(wd, "tidewaiter-data") {
		data = " --data " + e.cli.Data
	}
	if len(open) == 0 {
		return e.printf("  tidewaiter findings%s\n", data)
	}
	return e.printf("  tidewaiter case %s%s          the evidence        tidewaiter where %s%s      any one of them\n",
		open[0].ID(), data, shortName(open[0].Units[0].Unit), data)
}

// shortName is what people type for a unit: its serial number.
func shortName(unit string) string {
	return unit[strings.LastIndexByte(unit, '/')+1:]
}
