package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/registry"
)

type captureCmd struct {
	Files           []string `arg:"" name:"file" help:"EPCIS 2.0 documents, query documents or single events in JSON; folders of them (*.json, *.jsonld); - is standard input."`
	As              string   `help:"Who speaks, for every event: a party's URI. Otherwise each event implies its speaker." placeholder:"PARTY"`
	Proceed         bool     `help:"Keep what is valid of a document of which some is not. Otherwise a document is kept as a whole or not at all."`
	TrustRecordTime bool     `help:"Take recorded times from the documents. Only for a ledger begun for history, empty at its first use."`
	MaxEventBytes   int64    `help:"Largest event that is read." default:"16777216" placeholder:"N"`
}

// Help is shown by --help.
func (c *captureCmd) Help() string {
	return `Prints {"accepted","duplicates","rejected","firstSeq","lastSeq"} once everything that it counts as accepted is durable. Each
reject is named on stderr, with the document, the event, the JSON pointer and the reason. Exits with 1 when anything was rejected.`
}

func (c *captureCmd) Run(e *env) error {
	if c.As != "" {
		as := custody.Canonical(c.As)
		if !strings.Contains(as, ":") {
			return fmt.Errorf("%w: --as %s is no party's URI, such as https://id.gs1.org/417/9521234500006", errUsage, c.As)
		}
		c.As = as
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
	total, failed := registry.Result{}, 0
	for _, name := range files {
		r, err := c.capture(d, name)
		total.Add(r)
		if err != nil {
			failed++
			fmt.Fprintf(e.stderr, "tidewaiter: %v\n", err)
			if e.ctx.Err() != nil || !isDocumentFault(err) {
				break
			}
		}
	}
	if _, err := registry.Checkpoint(e.ctx, d.store, d.signer); err != nil {
		return err
	}
	line, err := json.Marshal(total)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	if _, err := fmt.Fprintf(e.stdout, "%s\n", line); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d documents not kept", failed, len(files))
	case total.Rejected > 0:
		return fmt.Errorf("%s events not valid, and not kept", thousands(total.Rejected))
	}
	return nil
}

// isDocumentFault tells what is wrong with one document from what would be wrong with the next one too.
func isDocumentFault(err error) bool {
	var disk *fs.PathError
	return !errors.As(err, &disk) || errors.Is(err, fs.ErrNotExist)
}

// capture takes in one document.
func (c *captureCmd) capture(d *deployment, name string) (registry.Result, error) {
	src, size, shown, err := d.env.openInput(name)
	if err != nil {
		return registry.Result{}, err
	}
	defer src.Close()
	reading := d.env.bar("Reading " + shown)
	counted := &countingReader{r: src, on: func(n int64) { reading.set(n, size) }}
	storing := d.env.bar("Capturing " + shown)
	storing.unit = "events"
	reg := registry.Registry{Store: d.store, Now: d.env.now}
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
		Reject:   d.env.reject,
		Progress: storing.set,
	})
}

// reject names one reject on stderr.
func (e *env) reject(r registry.Reject) {
	id := ""
	if r.EventID != "" {
		id = " (" + r.EventID + ")"
	}
	at := r.Pointer
	if at == "" {
		at = "the event"
	}
	fmt.Fprintf(e.stderr, "%s: event %d%s: %s %s\n", r.Document, r.Index+1, id, at, r.Reason)
}

// openInput opens a file or standard input; shown is its name for messages.
func (e *env) openInput(name string) (src io.ReadCloser, size int64, shown string, err error) {
	if name == "-" {
		return io.NopCloser(e.stdin), 0, "standard input", nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, name, fmt.Errorf("open the document: %w", err)
	}
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	return f, size, filepath.Base(name), nil
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
			return nil, fmt.Errorf("open the document: %w", err)
		}
		before := len(out)
		err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err == nil && entry.Type().IsRegular() && (ext == ".json" || ext == ".jsonld") {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for documents: %w", err)
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s holds no *.json or *.jsonld file", name)
		}
	}
	return out, nil
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
