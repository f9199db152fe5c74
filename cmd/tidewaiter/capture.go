package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/gs1"
	"github.com/tidewaiter/tidewaiter/registry"
)

type captureCmd struct {
	Files           []string `arg:"" name:"file" help:"EPCIS 2.0 documents, query documents or single events in JSON; folders of them (*.json, *.jsonld); - is standard input."`
	As              string   `help:"Who speaks, for every event: a party's URI. Otherwise each event implies its speaker." placeholder:"PARTY"`
	Proceed         bool     `help:"Keep what is valid of a document of which some is not. Otherwise a document is kept as a whole or not at all."`
	TrustRecordTime bool     `help:"Take recorded times from the documents. Only for a ledger begun for history, empty at its first use."`
	Receipts        string   `help:"Write a receipt for each entry that was accepted to this file, one a line, as 'log proof --json' does." type:"path" placeholder:"FILE"`
	MaxEventBytes   int64    `help:"Largest event that is read; 16777216 (16 MiB) by default." default:"16777216" placeholder:"N"`

	kept []span // entries that were accepted
}

// span is entries that were kept together: the first, the last and those between.
type span struct{ first, last int64 }

// Help is shown by --help.
func (c *captureCmd) Help() string {
	return `Prints {"accepted","duplicates","rejected","firstSeq","lastSeq"} once everything that it counts as accepted is durable. Each
reject is named on stderr, with the document, the event, the JSON pointer and the reason. Exits with 1 when anything was rejected.`
}

func (c *captureCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	files, err := documents(c.Files)
	if err != nil {
		return err
	}
	d, err := e.open()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.maySign(e.ctx); err != nil {
		return err
	}
	if err := d.sayClock(c.TrustRecordTime); err != nil {
		return err
	}
	receipts, err := c.receiptsFile()
	if err != nil {
		return err
	}
	total, failed := c.all(d, files)
	// What was accepted is durable and is said to be, whatever happens from here on.
	checkpoint, unsigned := d.sign(context.WithoutCancel(e.ctx))
	if unsigned == nil && receipts != nil {
		unsigned = d.issue(receipts, c.kept, checkpoint)
	}
	if err := e.printJSON(total); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return failed
	case unsigned != nil:
		return fmt.Errorf("what is counted was kept, and no checkpoint or receipt was given for it: %w", unsigned)
	case total.Rejected > 0:
		return fmt.Errorf("%s rejected, as named above; the rest was kept", thousands(total.Rejected))
	}
	return nil
}

func (c *captureCmd) check() error {
	if c.MaxEventBytes < 1 {
		return fmt.Errorf("%w: --max-event-bytes must be at least 1", errUsage)
	}
	if c.As == "" {
		return nil
	}
	as, err := gs1.Canonical(c.As)
	if err != nil {
		return fmt.Errorf("%w: --as: a party's URI looks like https://id.gs1.org/417/9521234500001: %w", errUsage, err)
	}
	c.As = as
	return nil
}

// all takes in the documents in turn. One that is at fault does not keep the next one out; a fault of the store does, and so
// does a signal.
func (c *captureCmd) all(d *deployment, files []string) (total registry.Result, err error) {
	faults := 0
	for i, name := range files {
		r, err := c.capture(d, name)
		total.Add(r)
		var fault *registry.DocumentError
		switch {
		case err == nil:
		case len(files) == 1:
			return total, err
		case errors.As(err, &fault):
			faults++
			fmt.Fprintln(d.env.stderr, oneLine(fmt.Sprintf("tidewaiter: %v", err)))
		default:
			return total, fmt.Errorf("%w (document %d of %d; those before it are done)", err, i+1, len(files))
		}
	}
	if faults > 0 {
		return total, fmt.Errorf("%d of %d documents were not kept, for the reasons above", faults, len(files))
	}
	return total, nil
}

// capture takes in one document.
func (c *captureCmd) capture(d *deployment, name string) (registry.Result, error) {
	src, size, shown, err := d.env.openInput(name)
	if err != nil {
		return registry.Result{}, &registry.DocumentError{Err: err}
	}
	defer src.Close()
	reading := d.env.bar("Reading " + filepath.Base(shown))
	counted := &countingReader{r: src, on: func(n int64) { reading.set(n, size) }}
	storing := d.env.bar("Capturing " + filepath.Base(shown))
	storing.unit = "events"
	reg := registry.Registry{Store: d.ledger, Now: d.env.now}
	if c.As == "" {
		view, err := d.caughtUp()
		if err != nil {
			return registry.Result{}, err
		}
		reg.Directory = view.Custody
	}
	defer storing.clear()
	defer reading.clear()
	return reg.Capture(d.env.ctx, counted, registry.Options{
		Name: shown, As: c.As, Proceed: c.Proceed, TrustRecordTime: c.TrustRecordTime, SpoolDir: d.spoolDir(), MaxEventBytes: c.MaxEventBytes,
		Reject: func(r registry.Reject) {
			storing.clear()
			d.env.reject(r)
		},
		Gone: func(r registry.Reject) {
			storing.clear()
			d.env.reject(r)
		},
		Progress: storing.set,
		Kept:     func(first, last int64) { c.kept = append(c.kept, span{first, last}) },
	})
}

// reject names one reject on stderr.
func (e *env) reject(r registry.Reject) {
	what := "event"
	if r.Kind == epcis.ItemMasterData {
		what = "master data element"
	}
	id := ""
	if r.EventID != "" {
		id = " (" + r.EventID + ")"
	}
	at := r.Pointer
	if at == "" {
		at = "it"
	}
	fmt.Fprintln(e.stderr, oneLine(fmt.Sprintf("%s: %s %d%s: %s %s", r.Document, what, r.Index+1, id, at, r.Reason)))
}

// openInput opens a file or standard input; shown is its name for messages.
func (e *env) openInput(name string) (src io.ReadCloser, size int64, shown string, err error) {
	if name == "-" {
		return io.NopCloser(e.stdin), 0, "standard input", nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, name, fmt.Errorf("read a document: %w", err)
	}
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	return f, size, name, nil
}

// documents lists the documents that files and folders name; those of a folder in the order of their names.
func documents(names []string) (out []string, err error) {
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || err == nil && !info.IsDir() {
			out = append(out, name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for documents, of which none was captured: %w", err)
		}
		before := len(out)
		err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && isDocument(path) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for documents, of which none was captured: %w", err)
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s holds no *.json or *.jsonld file", name)
		}
	}
	return out, nil
}

// isDocument goes by the name. Links are followed: mounted folders are full of them.
func isDocument(path string) bool {
	if ext := filepath.Ext(path); ext != ".json" && ext != ".jsonld" {
		return false
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular() // what cannot be looked at is named when it is opened
}

// countingReader tells how far a document was read.
type countingReader struct {
	r  io.Reader
	n  int64
	on func(n int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.on(c.n)
	return n, err
}
