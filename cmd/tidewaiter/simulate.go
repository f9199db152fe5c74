package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"golang.org/x/term"

	"github.com/tidewaiter/tidewaiter/sim"
)

type simulateCmd struct {
	Seed    uint64 `help:"The world's seed: the same seed gives the same bytes." default:"1"`
	Units   int    `help:"Accelerators made over the whole span." default:"5000"`
	Schemes int    `help:"Planted schemes; 0 makes an honest world." default:"1"`
	Months  int    `help:"Span in months." default:"18"`
	Out     string `help:"Folder for epcis/*.json and truth.json." required:"" type:"path" placeholder:"DIR"`
	Force   bool   `help:"Write into a folder that is not empty; an earlier world in it is replaced."`
}

func (c *simulateCmd) Run(e *env) error {
	cfg := sim.DefaultConfig(c.Seed, c.Units)
	cfg.Schemes, cfg.Months = c.Schemes, c.Months
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("%w: simulate: %w", errUsage, err)
	}
	if err := c.prepare(); err != nil {
		return err
	}
	world, err := sim.Generate(cfg)
	if err != nil {
		return err
	}
	documents := 0
	err = world.WriteDocuments(c.Out, func(name string) error {
		documents++
		if f, ok := e.screen.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			fmt.Fprintf(f, "\r%s ", name)
		}
		return e.ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("simulate into %s: %w", c.Out, err)
	}
	if f, ok := e.screen.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(f, "\r\x1b[K")
	}
	return printSummary(e, world.Summary())
}

// prepare refuses a folder that holds something, or clears the earlier world in it.
func (c *simulateCmd) prepare() error {
	there, err := os.ReadDir(c.Out)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(there) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("look into the folder for the world: %w", err)
	case !c.Force:
		return fmt.Errorf("%s is not empty; choose another folder, or say --force", c.Out)
	}
	old, err := filepath.Glob(filepath.Join(c.Out, "epcis", "[0-9][0-9][0-9][0-9]-*.json"))
	if err != nil {
		return fmt.Errorf("look for an earlier world: %w", err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("remove an earlier world: %w", err)
		}
	}
	return nil
}

func printSummary(e *env, s sim.Summary) error {
	if !e.cli.JSON {
		_, err := fmt.Fprintln(e.stdout, s)
		return err
	}
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the summary: %w", err)
	}
	_, err = io.WriteString(e.stdout, string(line)+"\n")
	return err
}
