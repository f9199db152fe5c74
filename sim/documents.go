package sim

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const preamble = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}],` +
	`"type":"EPCISDocument","schemaVersion":"2.0",`

// keep takes an event into the world. What the registry would learn after the world's end is not in the world.
func (w *World) keep(e event) {
	if e.known < w.end && e.known >= w.start {
		w.events = append(w.events, e)
	}
}

// settle puts the events into the order in which the registry learns them.
func (w *World) settle() {
	order := make([]int32, len(w.events))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := cmp.Compare(w.events[a].known, w.events[b].known); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	w.order = order
}

// Documents calls fn with each document in the order in which the registry learns them; names sort in that order too.
// The bytes are valid only during the call. An error of fn ends it and is returned.
func (w *World) Documents(fn func(name string, document []byte) error) error {
	var out writer
	n, first := 0, 0
	for month := range w.months {
		from, to := w.month(month), w.month(month+1)
		news := from
		for {
			last := first
			for last < len(w.order) && last-first < w.perDocument && w.events[w.order[last]].known < to {
				last++
			}
			if last == first && news != from {
				break
			}
			n++
			out.b, out.comma = out.b[:0], false
			w.write(&out, from, news, to, w.order[first:last])
			name := fmt.Sprintf("%04d-%s.json", n, from.time().Format("2006-01"))
			if err := fn(name, out.b); err != nil {
				return err
			}
			first, news = last, to
		}
	}
	return nil
}

// month is when a month of the world begins.
func (w *World) month(n int) instant { return at(w.start.time().AddDate(0, n, 0)) }

// write writes one document. It was begun when its first content became known: at the month's start where it brings
// master data, else with its first event.
func (w *World) write(out *writer, from, news, to instant, order []int32) {
	begun := from
	if news != from && len(order) > 0 {
		begun = w.events[order[0]].known
	}
	out.raw(preamble)
	out.time("creationDate", begun, 0, false)
	out.comma = true
	if news == from {
		out.masterdata(w, from, to)
	}
	out.key("epcisBody")
	out.open('{')
	out.key("eventList")
	out.open('[')
	for i, e := range order {
		if i > 0 {
			out.raw(",\n")
		} else {
			out.raw("\n")
		}
		out.comma = false
		out.event(w, &w.events[e])
	}
	out.raw("\n")
	out.close(']')
	out.close('}')
	out.raw("}\n")
}

// WriteDocuments writes DIR/epcis/*.json and DIR/truth.json. Directories are made where they are missing. After each
// document it calls done, which may be nil, with the document's name; an error of done ends the writing.
func (w *World) WriteDocuments(dir string, done func(name string) error) error {
	folder := filepath.Join(dir, "epcis")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the folder for documents: %w", err)
	}
	err := w.Documents(func(name string, document []byte) error {
		if err := os.WriteFile(filepath.Join(folder, name), document, 0o644); err != nil || done == nil {
			return err
		}
		return done(name)
	})
	if err != nil {
		return fmt.Errorf("write a document: %w", err)
	}
	truth, err := json.Marshal(w.Truth(), jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode the truth: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.json"), append(truth, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return nil
}
