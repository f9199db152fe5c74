package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tidewaiter/tidewaiter/ledger"
)

type logVerifyCmd struct {
	File string   `arg:"" help:"Receipts as JSON, one a line; - is standard input."`
	Key  []string `help:"The log's verifier key, as 'tidewaiter log key' prints it, from a source that you trust. Repeat it for each line: a log has several keys once one was replaced." required:"" sep:"none" placeholder:"VKEY"`
}

// Help is shown by --help.
func (c *logVerifyCmd) Help() string {
	return `Needs no ledger and no network. For each receipt it says what held, step by step. Exits with 3 when one of them does not prove
what it says, be it that it was changed, that it is of another log, or that it cannot be read.`
}

// verifyReport is one line of what verify prints with --json.
type verifyReport struct {
	Line     int      `json:"line"`
	Proven   bool     `json:"proven"`
	Seq      int64    `json:"seq"`
	Kind     string   `json:"kind"`
	Name     string   `json:"name"`
	Speaker  string   `json:"speaker"`
	Recorded string   `json:"recorded"`
	Checked  []string `json:"checked"`          // what held, in the order in which it was checked
	Reason   string   `json:"reason,omitempty"` // what did not
}

func (c *logVerifyCmd) Run(e *env) error {
	v, err := parseKeys(c.Key)
	if err != nil {
		return err
	}
	src, _, shown, err := e.openInput(c.File)
	if err != nil {
		return err
	}
	defer src.Close()
	text, err := io.ReadAll(src)
	if err != nil {
		return fmt.Errorf("read %s: %w", shown, err)
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return fmt.Errorf("%w: %s holds no receipt", errNo, shown)
	}
	lines, refuted := bytes.Split(text, []byte("\n")), 0
	for i, line := range lines {
		r := verify(i+1, line, v)
		if err := r.print(e, shown); err != nil {
			return err
		}
		if !r.Proven {
			refuted++
		}
	}
	if refuted > 0 {
		return fmt.Errorf("%w: %d of %s not proven", errNo, refuted, plural(len(lines), "receipt"))
	}
	return nil
}

// parseKeys reads the values of --key, each of one line or of several.
func parseKeys(values []string) (*ledger.Keys, error) {
	var keys []ledger.Key
	for line := range strings.Lines(strings.Join(values, "\n")) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		k, err := ledger.ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("%w: --key: %w", errUsage, err)
		}
		keys = append(keys, k)
	}
	all, err := ledger.NewKeys(keys...)
	if err != nil {
		return nil, fmt.Errorf("%w: --key: %w", errUsage, err)
	}
	return all, nil
}

// verify checks one receipt.
func verify(n int, line []byte, v note.Verifier) verifyReport {
	r := verifyReport{Line: n, Checked: []string{}}
	receipt, err := ledger.ParseReceipt(line)
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	verdict, err := ledger.VerifyReceipt(receipt, v)
	r.Checked = append(r.Checked, verdict.Checked...)
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	en := verdict.Entry
	r.Proven, r.Seq, r.Kind, r.Name, r.Speaker, r.Recorded = true, en.Seq, string(en.Kind), en.Name, en.Speaker, stamp(en.Recorded)
	return r
}

func (r verifyReport) print(e *env, shown string) error {
	if e.cli.JSON {
		return e.printJSON(r)
	}
	for _, held := range r.Checked {
		if err := e.printf("ok: %s\n", held); err != nil {
			return err
		}
	}
	if r.Proven {
		return nil
	}
	return e.printf("NOT PROVEN: %s, line %d: %s\n", shown, r.Line, r.Reason)
}
