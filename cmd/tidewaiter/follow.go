package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
)

type logFollowCmd struct {
	URL      string        `arg:"" name:"url" help:"Where the log is published: the address before /checkpoint."`
	VKey     []string      `name:"vkey" help:"The log's verifier key, from a source that you trust. Repeat it for each key that the log has or had." required:"" sep:"none" placeholder:"VKEY"`
	Mirror   string        `help:"Folder for a verified copy, in the form in which the log is published. Temporary by default; then nothing is known from one run to the next." type:"path" placeholder:"DIR"`
	Evidence string        `help:"Folder for the evidence of an alarm. 'evidence' in the mirror by default, or here." type:"path" placeholder:"DIR"`
	Policy   string        `help:"Which witnesses must have cosigned (C2SP tlog-policy)." type:"existingfile" placeholder:"FILE"`
	Every    time.Duration `help:"How often to look; 1m by default." default:"1m" placeholder:"DURATION"`
	Once     bool          `help:"Look once, and end."`
}

// Help is shown by --help.
func (c *logFollowCmd) Help() string {
	return `A monitor, for somebody who does not run the log: it needs no ledger. Each time the log has grown, the new checkpoint must extend the
last one, every tile and entry must be of the signed tree, and what was verified is kept. Prints {"from","size","root"} for each
look that showed something new. When the log shows two histories, fewer entries than before, tiles that do not belong to its tree,
or a checkpoint that it did not sign, it says so, keeps both checkpoints as evidence, and exits with 3. A log that cannot be
reached is asked again.`
}

func (c *logFollowCmd) Run(e *env) error {
	m, forget, err := c.monitor()
	if err != nil {
		return err
	}
	defer forget()
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for first := true; ; first = false {
		err := c.look(e, m, first)
		if _, alarm := errors.AsType[*publish.Alarm](err); alarm {
			return fmt.Errorf("%w: %w", errNo, err)
		}
		if c.Once {
			return err
		}
		if err != nil && e.ctx.Err() == nil {
			e.say("%v; asking again in %v", err, c.Every)
		}
		select {
		case <-e.ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *logFollowCmd) look(e *env, m *publish.Monitor, first bool) error {
	seen, err := m.Follow(e.ctx)
	if err != nil || !first && seen.From == seen.Size {
		return err
	}
	return e.printJSON(seen)
}

// monitor sets the monitor up; forget takes away what is temporary.
func (c *logFollowCmd) monitor() (m *publish.Monitor, forget func(), err error) {
	if c.Every <= 0 {
		return nil, nil, fmt.Errorf("%w: --every must be more than nothing, such as 1m", errUsage)
	}
	keys, err := parseKeys(c.VKey)
	if err != nil {
		return nil, nil, err
	}
	m = &publish.Monitor{URL: c.URL, Keys: keys, Dir: c.Mirror, Evidence: c.Evidence, Client: &http.Client{Timeout: time.Minute}}
	if c.Policy != "" {
		text, err := os.ReadFile(c.Policy)
		if err != nil {
			return nil, nil, fmt.Errorf("read the policy: %w", err)
		}
		if m.Policy, err = ledger.ParsePolicy(text); err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, c.Policy, err)
		}
	}
	forget = func() {}
	if m.Evidence == "" {
		m.Evidence = filepath.Join(m.Dir, "evidence")
	}
	if m.Dir == "" {
		if m.Dir, err = os.MkdirTemp("", "tidewaiter-mirror-*"); err != nil {
			return nil, nil, fmt.Errorf("make a folder for the mirror: %w", err)
		}
		forget = func() { _ = os.RemoveAll(m.Dir) } // it is the system's to tidy, if this cannot
	}
	return m, forget, nil
}
