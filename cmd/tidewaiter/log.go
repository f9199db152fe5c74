package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

type logCmd struct {
	Checkpoint logCheckpointCmd `cmd:"" help:"Print the signed checkpoint over the whole ledger (C2SP tlog-checkpoint)."`
	Key        logKeyCmd        `cmd:"" help:"Print the log's verifier keys, with which anybody checks its checkpoints (C2SP signed-note), or replace its key."`
	Proof      logProofCmd      `cmd:"" help:"Print the proof that entries are in the ledger (C2SP tlog-proof)."`
	Verify     logVerifyCmd     `cmd:"" help:"Check receipts offline, with nothing but the verifier key."`
	Follow     logFollowCmd     `cmd:"" help:"Follow somebody's log from outside, mirror it, and raise the alarm when it shows two histories."`
	Succeed    logSucceedCmd    `cmd:"" help:"Go on with a new log where this one may not sign any more."`
	Publish    logPublishCmd    `cmd:"" help:"Write the log into a folder that any web server can serve (C2SP tlog-tiles)."`
	Fsck       logFsckCmd       `cmd:"" help:"Read everything that is kept, and find every byte that is not as it was written."`
}

type logCheckpointCmd struct{}

func (c *logCheckpointCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	text, err := d.sign(e.ctx)
	if err != nil {
		return err
	}
	if !e.cli.JSON {
		return e.print(text)
	}
	last, text, err := d.log.Last(e.ctx) // which may be a later one
	if err != nil {
		return err
	}
	return e.printJSON(checkpointReport{last.Origin, last.Size, last.Root.String(), string(text)})
}

// checkpointReport is what log checkpoint prints with --json.
type checkpointReport struct {
	Origin     string `json:"origin"`
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Checkpoint string `json:"checkpoint"` // as signed
}

func (e *env) print(text []byte) error {
	if _, err := e.stdout.Write(text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

type logProofCmd struct {
	What   string `arg:"" name:"unit|event" help:"A unit by any of its names, an event id, or the number of an entry."`
	Redact bool   `help:"With --json or --out: withhold what the entry says; its digest and the proof remain."`
	Out    string `help:"Write entry-N.tlog-proof, entry-N.receipt.json and entry-N.receipt.cose (COSE Receipt, RFC 9942) for each entry into this folder." type:"path" placeholder:"DIR"`
}

// Help is shown by --help.
func (c *logProofCmd) Help() string {
	return `Prints C2SP tlog-proofs, which public tools check, one after the other. With --json each line is a receipt: the proof and the
entry that it is for, opened, so that "tidewaiter log verify" or anybody's own program can check both without this ledger.`
}

func (c *logProofCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	seqs, err := c.find(d)
	if err != nil {
		return err
	}
	if len(seqs) == 0 {
		return fmt.Errorf("%w: nothing in this ledger is named %s", errNo, c.What)
	}
	if seqs, err = d.withContent(seqs); err != nil {
		return err
	}
	checkpoint, err := d.checkpointOver(slices.Max(seqs))
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if err := c.prove(d, seq, checkpoint); err != nil {
			return err
		}
	}
	return nil
}

// find lists the entries that are meant: those of an event by its id, those that name a unit, what was told of a party, a
// place or a class, and an entry by its number.
func (c *logProofCmd) find(d *deployment) ([]int64, error) {
	ctx := d.env.ctx
	seqs, err := d.store.Named(ctx, custody.Canonical(c.What))
	if err != nil {
		return nil, err
	}
	view, err := d.caughtUp()
	if err != nil {
		return nil, err
	}
	units, err := view.Custody.Find(c.What)
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		told, err := view.Custody.Told(u)
		if err != nil {
			return nil, err
		}
		seqs = append(seqs, told...)
	}
	if len(seqs) == 0 {
		return c.numbered(d)
	}
	slices.Sort(seqs)
	return slices.Compact(seqs), nil
}

// withContent leaves out the entries that were erased, and names them. That they are in the tree could be proved still, and not what
// they said.
func (d *deployment) withContent(seqs []int64) (left []int64, err error) {
	var gone error
	for _, seq := range seqs {
		e, err := d.entry(seq)
		if err != nil {
			return nil, err
		}
		if e.Erased == nil {
			left = append(left, seq)
			continue
		}
		gone = fmt.Errorf("entry %d was erased, as entry %d says: nothing is left to prove but that it was there", seq, e.Erased.By)
		if len(seqs) > 1 {
			d.env.say("%v", gone)
		}
	}
	if len(left) == 0 {
		return nil, fmt.Errorf("%w: %w", errNo, gone)
	}
	return left, nil
}

// numbered takes the word for an entry's number.
func (c *logProofCmd) numbered(d *deployment) ([]int64, error) {
	seq, err := strconv.ParseInt(c.What, 10, 64)
	if err != nil {
		return nil, nil //nolint:nilerr // it is no number, and so names no entry
	}
	if _, err := d.store.Entry(d.env.ctx, seq); errors.Is(err, store.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return []int64{seq}, nil
}

// checkpointOver is a checkpoint with the entry in it: the one that was published with cosignatures if it reaches so far, else a
// new one. It asks for leave to sign in either case, so that a ledger that was restored proves nothing.
func (d *deployment) checkpointOver(seq int64) ([]byte, error) {
	text, err := d.sign(d.env.ctx)
	if err != nil {
		return nil, err
	}
	cosigned, err := d.log.Published(d.env.ctx)
	if err != nil || cosigned == nil {
		return text, err
	}
	keys, err := d.log.Keys(d.env.ctx)
	if err != nil {
		return nil, err
	}
	c, err := ledger.ParseCheckpoint(cosigned, keys)
	if err != nil {
		return nil, err
	}
	if seq < c.Size {
		return cosigned, nil
	}
	d.env.say("no witness has cosigned entry %d yet; run 'tidewaiter log publish', or wait for the service to do so", seq)
	return text, nil
}

func (c *logProofCmd) prove(d *deployment, seq int64, checkpoint []byte) error {
	e := d.env
	entry, err := d.store.Entry(e.ctx, seq)
	if err != nil {
		return err
	}
	keys, err := d.log.Keys(e.ctx)
	if err != nil {
		return err
	}
	receipt, err := ledger.Issue(d.store.HashReader(e.ctx), entry, checkpoint, keys)
	if err != nil {
		return err
	}
	if c.Redact {
		receipt = receipt.Redact()
	}
	line, err := json.Marshal(receipt)
	if err != nil {
		return fmt.Errorf("encode the receipt: %w", err)
	}
	switch {
	case c.Out != "":
		proof, err := ledger.ParseProof([]byte(receipt.Proof))
		if err != nil {
			return err
		}
		cose, err := ledger.COSEReceipt(d.log.Signer, proof, keys)
		if err != nil {
			return err
		}
		return c.write(e, seq, map[string][]byte{".tlog-proof": []byte(receipt.Proof), ".receipt.json": append(line, '\n'), ".receipt.cose": cose})
	case e.cli.JSON:
		return e.print(append(line, '\n'))
	}
	return e.print([]byte(receipt.Proof))
}

func (c *logProofCmd) write(e *env, seq int64, files map[string][]byte) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("make the folder for proofs: %w", err)
	}
	base := filepath.Join(c.Out, fmt.Sprintf("entry-%d", seq))
	for suffix, text := range files {
		if err := os.WriteFile(base+suffix, text, 0o644); err != nil {
			return fmt.Errorf("write the proof: %w", err)
		}
	}
	return e.print([]byte(base + ".receipt.json\n"))
}
