package main

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/tidewaiter/tidewaiter/cases"
	"github.com/tidewaiter/tidewaiter/sim"
)

// openCase opens a case from the public record.
func openCase(letter string) (*show, error) {
	c, err := cases.Open(letter)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	truth, err := sim.ReadTruth(bytes.NewReader(c.Truth))
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", letter, err)
	}
	return &show{headline: fmt.Sprintf("Case %s, from the public record, anonymised: %s", letter, c.Title), documents: documentsOf(c.Documents), truth: truth}, nil
}

// documentsOf hands out the documents of a folder in the order of their names.
func documentsOf(folder fs.FS) func(func(name string, document []byte) error) error {
	return func(fn func(name string, document []byte) error) error {
		names, err := fs.Glob(folder, "*.json")
		if err != nil {
			return err
		}
		for _, name := range names {
			document, err := fs.ReadFile(folder, name)
			if err != nil {
				return err
			}
			if err := fn(name, document); err != nil {
				return err
			}
		}
		return nil
	}
}
