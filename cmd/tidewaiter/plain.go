package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainly is a writer of text that may quote strangers. A document chooses its names and identifiers, and a terminal obeys control
// characters: nothing of the sort goes through. JSON stays what it is, because there such a character may be written as \uXXXX, too.
type plainly struct{ w io.Writer }

func (p plainly) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, plain(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// plain writes what a terminal would obey, or what would turn the order of letters round, as \uXXXX. Lines and tabs stay.
func plain(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// obeyed says whether a terminal might do something else with a character than show it. Bytes that are no UTF-8 are among them.
func obeyed(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// oneLine keeps a stranger's words from looking like a line of ours.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\u000a`) }
