package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/tidewaiter/tidewaiter/epcis"
)

type hashCmd struct {
	File string `arg:"" help:"An EPCIS 2.0 document, query document or single event in JSON; - is standard input."`
}

func (c *hashCmd) Run(e *env) error {
	src, _, shown, err := e.openInput(c.File)
	if err != nil {
		return err
	}
	defer src.Close()
	dec := epcis.NewDecoder(src, epcis.Options{})
	var items []epcis.Item // held, because the @context may stand at the end
	for {
		it, err := dec.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", shown, err)
		}
		if it.Kind == epcis.ItemEvent {
			items = append(items, it)
		}
	}
	ctx, err := epcis.ParseContext(dec.Context())
	if err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	for _, it := range items {
		name, err := hashOf(it, ctx)
		if err != nil {
			return fmt.Errorf("%s: event %d: %w", shown, it.Index+1, err)
		}
		if err := e.printf("%s\n", name); err != nil {
			return err
		}
	}
	return nil
}

func hashOf(it epcis.Item, ctx *epcis.Context) (string, error) {
	bad := it.Err
	if bad == nil {
		ev, err := epcis.ParseEvent(it.Raw, ctx)
		if err == nil {
			return epcis.Hash(ev, ctx)
		}
		if !errors.As(err, &bad) {
			return "", err
		}
	}
	return "", &epcis.Error{Pointer: it.Pointer + bad.Pointer, Reason: bad.Reason}
}
