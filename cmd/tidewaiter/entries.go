package main

import (
	"errors"
	"fmt"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
)

type entriesCmd struct {
	Erase   entriesEraseCmd   `cmd:"" help:"Destroy what entries say, for good. The tree and all other proofs stay valid."`
	Hold    entriesHoldCmd    `cmd:"" help:"Place a legal hold: what is under it cannot be erased."`
	Release entriesReleaseCmd `cmd:"" help:"End a legal hold."`
	Holds   entriesHoldsCmd   `cmd:"" help:"List the legal holds that last."`
	Scrub   entriesScrubCmd   `cmd:"" help:"Write the ledger's file anew, so that nothing stands in it but what is kept. An erasure does so by itself."`
}

type entriesEraseCmd struct {
	Entries     []int64 `arg:"" name:"seq" help:"Numbers of entries, as 'trace' shows them in brackets."`
	Reason      string  `required:"" help:"Why. It stays in the ledger: write nothing into it that is to be forgotten." placeholder:"TEXT"`
	By          string  `required:"" help:"The person who asks for it." placeholder:"PERSON"`
	ConfirmedBy string  `required:"" help:"Another person, who has looked at it and agrees." placeholder:"PERSON"`
}

// Help is shown by --help.
func (c *entriesEraseCmd) Help() string {
	return `Destroys salt, body and context of events, master data or statements, all of those named or none, and every copy of it in the views, which are made
anew without them. What stays: that there was an entry, its kind, name, speaker and time, its place in the tree, and an entry that says who
erased it and why. Refused under legal hold. What others hold already (receipts, mirrors of documents, backups) stays with them.
Prints {"seq","entries"}: the entry that says so, and what was erased.`
}

// erasedReport is what erase prints.
type erasedReport struct {
	Seq     int64   `json:"seq"`
	Entries []int64 `json:"entries"`
}

func (c *entriesEraseCmd) Run(e *env) error {
	d, err := e.openRecording()
	if err != nil {
		return err
	}
	defer d.Close()
	done, err := registry.Erase(e.ctx, d.store, registry.Erasure{Entries: c.Entries, Reason: c.Reason, By: c.By, ConfirmedBy: c.ConfirmedBy}, e.now())
	if err != nil {
		return refused(err)
	}
	if len(done.Repeats) > 0 {
		e.say("entries %s have the same names and were not erased; if they say the same (an error declaration repeats what it is about), erase them too", numbers(done.Repeats))
	}
	if err := d.clean(); err != nil {
		return fmt.Errorf("it is erased, as entry %d says, and remains of it may still stand in the file: %w; run `tidewaiter entries scrub`", done.Seq, err)
	}
	if _, err := d.caughtUp(); err != nil {
		return fmt.Errorf("it is erased, as entry %d says; the views could not be made anew: %w", done.Seq, err)
	}
	if _, err := d.sign(e.ctx); err != nil {
		return fmt.Errorf("it is erased, as entry %d says, and no checkpoint was signed over that: %w", done.Seq, err)
	}
	return e.printJSON(erasedReport{Seq: done.Seq, Entries: done.Entries})
}

// openRecording opens a deployment in which something is to be recorded: nothing is that could not be signed.
func (e *env) openRecording() (*deployment, error) {
	d, err := e.openExisting()
	if err != nil {
		return nil, err
	}
	if err := d.maySign(e.ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// refused makes the answer no of what the registry refused.
func refused(err error) error {
	if errors.Is(err, registry.ErrRefused) {
		return fmt.Errorf("%w: %w", errNo, err)
	}
	return err
}

// clean destroys what stands in the data folder's files and belongs to nothing any more, where we can.
func (d *deployment) clean() error {
	if err := registry.ClearSpool(d.spoolDir()); err != nil {
		return err
	}
	if s, ok := d.store.(store.Scrubber); ok {
		return registry.Scrub(d.env.ctx, d.store, s)
	}
	d.env.say("the database may hold the bytes until its tables are written anew (VACUUM FULL tidewaiter.entries, tidewaiter.contexts, tidewaiter.rows), and " +
		"its archived WAL and its backups hold them until they are deleted: see docs/operators.md")
	return nil
}

type entriesScrubCmd struct{}

// Help is shown by --help.
func (c *entriesScrubCmd) Help() string {
	return `For when an erasure was cut off before it came to that, as "doctor" says. Needs twice the file's size of room, and writers wait.`
}

func (c *entriesScrubCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	return d.clean()
}

type entriesHoldCmd struct {
	Entries []int64  `arg:"" optional:"" name:"seq" help:"Numbers of entries."`
	Unit    []string `help:"A unit by any of its names: every entry that names it, now or later." placeholder:"UNIT"`
	Reason  string   `required:"" help:"Why." placeholder:"TEXT"`
	By      string   `required:"" help:"The person who decides it." placeholder:"PERSON"`
}

// Help is shown by --help.
func (c *entriesHoldCmd) Help() string {
	return `Prints {"seq"}: the number of the entry that places the hold, by which it is released. A hold over a unit is over the entries that name it;
one over a rack is not over what is in the rack.`
}

// recordedReport is what hold and release print.
type recordedReport struct {
	Seq int64 `json:"seq"`
}

func (c *entriesHoldCmd) Run(e *env) error {
	if len(c.Entries)+len(c.Unit) == 0 {
		return fmt.Errorf("%w: name entries, or a unit (--unit)", errUsage)
	}
	d, err := e.openRecording()
	if err != nil {
		return err
	}
	defer d.Close()
	units, err := c.units(d)
	if err != nil {
		return err
	}
	seq, err := registry.PlaceHold(e.ctx, d.store, registry.Hold{Entries: c.Entries, Units: units, Reason: c.Reason, By: c.By}, e.now())
	return d.recorded(seq, err)
}

// units are the names by which entries may name the units: theirs, and the words that were given.
func (c *entriesHoldCmd) units(d *deployment) (names []string, err error) {
	if len(c.Unit) == 0 {
		return nil, nil
	}
	view, err := d.caughtUp()
	if err != nil {
		return nil, err
	}
	for _, word := range c.Unit {
		found, err := view.Custody.Find(word)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			d.env.say("no event in this ledger names %s yet; the hold is over whatever will", word)
		}
		names = append(append(names, custody.Canonical(word)), found...)
	}
	return names, nil
}

// recorded signs over what was recorded, and prints where it stands.
func (d *deployment) recorded(seq int64, err error) error {
	if err != nil {
		return refused(err)
	}
	if _, err := d.sign(d.env.ctx); err != nil {
		return fmt.Errorf("it is recorded as entry %d, and no checkpoint was signed over that: %w", seq, err)
	}
	return d.env.printJSON(recordedReport{seq})
}

type entriesReleaseCmd struct {
	Holds  []int64 `arg:"" name:"hold" help:"Numbers of the entries that placed the holds ('entries holds' lists them)."`
	Reason string  `required:"" help:"Why." placeholder:"TEXT"`
	By     string  `required:"" help:"The person who decides it." placeholder:"PERSON"`
}

func (c *entriesReleaseCmd) Run(e *env) error {
	d, err := e.openRecording()
	if err != nil {
		return err
	}
	defer d.Close()
	seq, err := registry.ReleaseHolds(e.ctx, d.store, c.Holds, c.Reason, c.By, e.now())
	return d.recorded(seq, err)
}

type entriesHoldsCmd struct{}

// holdReport is one line of what holds prints with --json.
type holdReport struct {
	Seq     int64    `json:"seq"`
	Entries []int64  `json:"entries"`
	Units   []string `json:"units"`
	Reason  string   `json:"reason"`
	By      string   `json:"by"`
	Since   string   `json:"since"`
}

func (c *entriesHoldsCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := registry.Holds(e.ctx, d.store)
	if err != nil {
		return err
	}
	for _, h := range list {
		if e.cli.JSON {
			err = e.printJSON(holdReport{h.Seq, h.Entries, h.Units, h.Reason, h.By, stamp(h.Since)})
		} else {
			err = e.print([]byte(holdLine(h)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func holdLine(h registry.Hold) string {
	text := fmt.Sprintf("hold %d, since %s, by %s: %s\n", h.Seq, h.Since.UTC().Format("2006-01-02 15:04"), h.By, h.Reason)
	if len(h.Entries) > 0 {
		text += "  entries " + numbers(h.Entries) + "\n"
	}
	for _, unit := range h.Units {
		text += "  " + unit + "\n"
	}
	return text
}
