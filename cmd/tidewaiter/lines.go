package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// printJSON writes one value as one line.
func (e *env) printJSON(v any) error {
	line, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return e.print(append(line, '\n'))
}

// printf writes text for people to stdout.
func (e *env) printf(format string, args ...any) error {
	return e.print(fmt.Appendf(nil, format, args...))
}

// wrap breaks text into lines of at most width, each but the first after indent.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// plural writes a count with its thing: "1 case", "1,200 cases".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(int64(n)) + " " + thing + "s"
}

// moment is an optional time on the command line.
type moment struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler: RFC 3339, or a date, which means its end.
func (m *moment) UnmarshalText(text []byte) (err error) {
	s := string(text)
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		m.Time = day.AddDate(0, 0, 1).Add(-time.Microsecond)
		return nil
	}
	if m.Time, err = time.Parse(time.RFC3339Nano, s); err != nil {
		return fmt.Errorf("%q is no time: write 2025-03-14T09:30:00Z, or a date, which means its end (UTC)", s)
	}
	return nil
}
