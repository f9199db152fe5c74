package main

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/registry"
)

type viewsCmd struct {
	Rebuild viewsRebuildCmd `cmd:"" help:"Forget the views and make them again from the ledger."`
	Digest  viewsDigestCmd  `cmd:"" help:"Sum up the views' rows: two deployments with one digest know the same."`
}

// viewDigest is what both print with --json.
type viewDigest struct {
	View    string `json:"view"`
	Entries int64  `json:"entries"`
	Rows    int64  `json:"rows"`
	Digest  string `json:"digest"`
}

type viewsRebuildCmd struct {
	Batch int `help:"Entries in one commit. The result does not depend on it; 4096 by default." default:"4096" placeholder:"N"`
}

func (c *viewsRebuildCmd) Run(e *env) error {
	if c.Batch < 1 {
		return fmt.Errorf("%w: --batch must be at least 1", errUsage)
	}
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	bar := e.bar("Rebuilding the views")
	bar.unit = "entries"
	d.views.Batch, d.views.Progress = c.Batch, func(done, total int64) { bar.set(done, total) }
	_, err = d.views.Rebuild(e.ctx)
	bar.clear()
	if err != nil {
		return err
	}
	return d.printDigest()
}

type viewsDigestCmd struct{}

func (c *viewsDigestCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.caughtUp(); err != nil {
		return err
	}
	return d.printDigest()
}

func (d *deployment) printDigest() error {
	e := d.env
	n, digest, err := registry.Digest(d.store.Rows(e.ctx, casework.Name))
	if err != nil {
		return err
	}
	cursor, err := d.store.Cursor(e.ctx, casework.Name)
	if err != nil {
		return err
	}
	out := viewDigest{View: casework.Name, Entries: cursor, Rows: n, Digest: digest}
	if !e.cli.JSON {
		return e.print(fmt.Appendf(nil, "%s  %s rows of the view %s, over %s entries\n", out.Digest, thousands(out.Rows), out.View, thousands(out.Entries)))
	}
	line, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode the digest: %w", err)
	}
	return e.print(append(line, '\n'))
}
