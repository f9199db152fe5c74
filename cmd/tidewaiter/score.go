package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/sim"
)

type scoreCmd struct {
	Truth     string  `help:"The world's truth.json." required:"" type:"existingfile" placeholder:"FILE"`
	Cases     string  `help:"Cases as JSON Lines, as 'tidewaiter cases --json' prints them; - is standard input, the default." default:"-" placeholder:"FILE"`
	Threshold float64 `help:"Count only cases with at least this score." default:"0"`
}

func (c *scoreCmd) Run(e *env) error {
	truth, err := c.truth()
	if err != nil {
		return err
	}
	cases, err := c.cases(e.stdin)
	if err != nil {
		return err
	}
	result := sim.Score(truth, sim.AtLeast(cases, c.Threshold))
	if !e.cli.JSON {
		_, err = io.WriteString(e.stdout, result.String())
		return err
	}
	line, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode the score: %w", err)
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n", line)
	return err
}

func (c *scoreCmd) truth() (sim.Truth, error) {
	f, err := os.Open(c.Truth)
	if err != nil {
		return sim.Truth{}, fmt.Errorf("open the truth: %w", err)
	}
	defer f.Close()
	t, err := sim.ReadTruth(f)
	if err != nil {
		return t, fmt.Errorf("%s: %w", c.Truth, err)
	}
	return t, nil
}

func (c *scoreCmd) cases(stdin io.Reader) ([]sim.Case, error) {
	if c.Cases == "-" {
		return sim.ReadCases(stdin)
	}
	f, err := os.Open(c.Cases)
	if err != nil {
		return nil, fmt.Errorf("open the cases: %w", err)
	}
	defer f.Close()
	cases, err := sim.ReadCases(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Cases, err)
	}
	return cases, nil
}
