package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
)

type logVerifyCmd struct {
	File   string   `arg:"" help:"Receipts as JSON, one a line; - is standard input."`
	Key    []string `help:"The log's verifier key, as 'tidewaiter log key' prints it, from a source that you trust. Repeat it for each line: a log has several keys once one was replaced." sep:"none" placeholder:"VKEY"`
	Policy string   `help:"Which witnesses must have cosigned, and the log's keys unless --key gives them (C2SP tlog-policy)." type:"existingfile" placeholder:"FILE"`
}

// Help is shown by --help.
func (c *logVerifyCmd) Help() string {
	return `Needs no ledger and no network, but a key or a policy with one. For each receipt it says what held, step by step. Exits with 3 when
one of them does not prove what it says, be it that it was changed, that it is of another log, that too few witnesses cosigned, or
that it cannot be read.`
}

// trust is what receipts are checked with.
type trust struct {
	keys   *ledger.Keys   // nil: those of the policy
	policy *ledger.Policy // nil: no witness is asked for
}

func (c *logVerifyCmd) trust() (t trust, err error) {
	if len(c.Key) > 0 {
		if t.keys, err = parseKeys(c.Key); err != nil {
			return t, err
		}
	}
	if c.Policy != "" {
		text, err := os.ReadFile(c.Policy)
		if err != nil {
			return t, fmt.Errorf("read the policy: %w", err)
		}
		if t.policy, err = ledger.ParsePolicy(text); err != nil {
			return t, fmt.Errorf("%w: %s: %w", errUsage, c.Policy, err)
		}
	}
	if t.keys == nil && (t.policy == nil || len(t.policy.Logs) == 0) {
		return t, fmt.Errorf("%w: give the log's verifier key with --key, or a --policy that lists the log", errUsage)
	}
	return t, nil
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
	t, err := c.trust()
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
		r := t.verify(i+1, line)
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
func (t trust) verify(n int, line []byte) verifyReport {
	r := verifyReport{Line: n, Checked: []string{}}
	verdict, err := t.receipt(line)
	r.Checked = append(r.Checked, verdict.Checked...)
	if err != nil {
		r.Reason = err.Error()
		return r
	}
	en := verdict.Entry
	r.Proven, r.Seq, r.Kind, r.Name, r.Speaker, r.Recorded = true, en.Seq, string(en.Kind), en.Name, en.Speaker, stamp(en.Recorded)
	return r
}

func (t trust) receipt(line []byte) (d ledger.Verdict, err error) {
	receipt, err := ledger.ParseReceipt(line)
	if err != nil {
		return d, err
	}
	proof, err := ledger.ParseProof([]byte(receipt.Proof))
	if err != nil {
		return d, err
	}
	keys := t.keys
	if keys == nil {
		origin, _, _ := strings.Cut(string(proof.Checkpoint), "\n")
		if keys, err = t.policy.LogKeys(origin); err != nil {
			return d, err
		}
	}
	if d, err = ledger.VerifyReceipt(receipt, keys); err != nil || t.policy == nil {
		return d, err
	}
	cosigned, err := t.policy.Witnessed(proof.Checkpoint)
	for _, s := range cosigned {
		when := "at a time that it does not say"
		if !s.At.IsZero() {
			when = "by its clock at " + s.At.Format(time.RFC3339)
		}
		d.Checked = append(d.Checked, fmt.Sprintf("the checkpoint is cosigned by the witness %s (%s), %s", s.Witness, s.Line.Name, when))
	}
	if err == nil {
		d.Checked = append(d.Checked, fmt.Sprintf("the policy's quorum is met: %s", t.policy))
	}
	return d, err
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
