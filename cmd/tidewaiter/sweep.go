package main

import "github.com/tidewaiter/tidewaiter/registry"

type sweepCmd struct{}

// Help is shown by --help.
func (c *sweepCmd) Help() string {
	return `Appends an entry that says nothing but the time. Run it daily (cron, a systemd timer) on a ledger that may be quiet for days.
Not for a ledger begun for history, whose time is that of its documents.`
}

func (c *sweepCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.sayClock(false); err != nil {
		return err
	}
	seq, err := registry.Sweep(e.ctx, d.store, e.now())
	if err != nil {
		return err
	}
	return e.printf("{\"seq\":%d}\n", seq)
}
