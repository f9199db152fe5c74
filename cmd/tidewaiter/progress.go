package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// bar is a progress bar on a terminal, and nothing anywhere else.
type bar struct {
	w     io.Writer // nil: not a terminal
	what  string
	unit  string // what is counted, for the rate; empty for none
	start time.Time
	drawn time.Time
	now   func() time.Time
}

// bar begins one.
func (e *env) bar(what string) *bar {
	b := &bar{what: what, start: e.now(), now: e.now}
	if f, ok := e.screen.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.w = f
	}
	return b
}

// redraw is how often a bar is drawn at most.
const redraw = 80 * time.Millisecond

func (b *bar) set(done, total int64) {
	if b.w == nil || total <= 0 {
		return
	}
	now := b.now()
	if done < total && now.Sub(b.drawn) < redraw {
		return
	}
	b.drawn = now
	const width = 20
	full := int(done * width / total)
	rate := ""
	if s := now.Sub(b.start).Seconds(); b.unit != "" && s > 0.3 {
		rate = fmt.Sprintf("  %s %s/s", thousands(int64(float64(done)/s)), b.unit)
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s  %s%s %3d %%%s", b.what, strings.Repeat("█", full), strings.Repeat("░", width-full), done*100/total, rate)
}

// clear takes the bar away.
func (b *bar) clear() {
	if b.w != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// thousands writes a count as people read it: 31,482.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
