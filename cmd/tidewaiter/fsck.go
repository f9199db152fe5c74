package main

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

type logFsckCmd struct{}

// fsckResult is what fsck prints with --json.
type fsckResult struct {
	OK      bool     `json:"ok"`
	Entries int64    `json:"entries"`
	Size    int64    `json:"size"`
	Root    string   `json:"root"`
	Signed  int64    `json:"signed"` // entries that the last checkpoint covers
	Damage  []string `json:"damage"`
}

func (c *logFsckCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil && !errors.Is(err, errNoLedger) && e.cli.Database == "" {
		return fmt.Errorf("%w; the data folder does not open, so nothing in it was checked: if it did before, it is damaged", err)
	}
	if err != nil {
		return err
	}
	defer d.Close()
	result, err := d.fsck()
	if err != nil {
		return err
	}
	if err := result.print(e); err != nil {
		return err
	}
	if !result.OK {
		return fmt.Errorf("%w: damage in %s, named above; restore from a backup, unless it says there what else to do", errNo, plural(len(result.Damage), "place"))
	}
	return nil
}

// fsck reads everything: the store's own bytes, then the entries and the tree against the last signed checkpoint, the one that the
// store keeps and the one that is recorded outside of it.
func (d *deployment) fsck() (fsckResult, error) {
	result := fsckResult{Damage: []string{}}
	damaged := func(problem string) error {
		result.Damage = append(result.Damage, problem)
		return d.env.ctx.Err()
	}
	if err := d.store.Check(d.env.ctx, damaged); err != nil {
		return result, err
	}
	head, err := d.store.Head(d.env.ctx)
	if errors.Is(err, store.ErrDamaged) {
		result.Damage = append(result.Damage, err.Error())
		return result, nil // how many entries there are is not known, so the tree cannot be walked
	}
	if err != nil {
		return result, err
	}
	last, _, err := d.log.Last(d.env.ctx)
	if err != nil {
		result.Damage = append(result.Damage, err.Error())
	}
	if last != nil {
		result.Signed = last.Size
	}
	bar := d.env.bar("Checking entries")
	report, err := ledger.Fsck(d.env.ctx, func(from, to int64, fn func(ledger.Entry) error) error {
		return d.store.Entries(d.env.ctx, from, to, func(en ledger.Entry) error {
			bar.set(en.Seq+1, head.Size)
			return fn(en)
		})
	}, d.store.HashReader(d.env.ctx), head.Size, last)
	bar.clear()
	if err != nil {
		return result, err
	}
	for _, dm := range report.Damage {
		result.Damage = append(result.Damage, dm.String())
	}
	if err := d.log.Missing(d.env.ctx); errors.Is(err, registry.ErrFork) || err != nil && len(report.Damage) == 0 {
		result.Damage = append(result.Damage, err.Error())
	}
	result.Entries, result.Size, result.Root = report.Entries, report.Size, report.Root.String()
	result.OK = len(result.Damage) == 0
	return result, nil
}

func (r fsckResult) print(e *env) error {
	if e.cli.JSON {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode the result: %w", err)
		}
		return e.print(append(line, '\n'))
	}
	for _, line := range r.Damage {
		if err := e.print([]byte("damaged: " + line + "\n")); err != nil {
			return err
		}
	}
	state := "as they were written"
	if !r.OK {
		state = fmt.Sprintf("read, %d damaged", len(r.Damage))
	}
	return e.print(fmt.Appendf(nil, "%s entries %s; root %s; the last checkpoint covers %s\n", thousands(r.Entries), state, r.Root, thousands(r.Signed)))
}
