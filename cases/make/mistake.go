package main

import (
	"slices"
	"time"
)

// Mistakes as they are made everywhere: told twice, mis-scanned and corrected, a wrong year.

// twice tells the registry of an event once more, as it stands, some time later.
func (w *world) twice(e *event, lag time.Duration) {
	w.events = append(w.events, &event{again: e, known: e.known.Add(lag)})
}

// misread makes an event wrong in the last digit of one serial, and has its reporter correct it some days later: the right
// event under its own id, and the wrong one declared erroneous.
func (w *world) misread(e *event, i int) {
	right := *e
	right.known = e.known.Add(w.days(1, 4))
	e.EPCs = slices.Clone(e.EPCs)
	for n := len(e.EPCs[i]) - 1; slices.Contains(right.EPCs, e.EPCs[i]); {
		e.EPCs[i] = e.EPCs[i][:n] + string('0'+(e.EPCs[i][n]-'0'+3)%10)
	}
	when := right.known.Add(w.minutes(2, 40))
	w.events = append(w.events, &right, &event{again: e, known: when, Error: &declaration{Time: stamp(when), Reason: "incorrect_data"}, corrected: &right})
}

// wrongYear sets the clock of a server's agent a year back for some weeks.
func (w *world) wrongYear(unit string, s span) {
	for _, e := range w.events {
		if e.Step == "sensor_reporting" && within([]span{s}, e.at) && slices.Contains(e.EPCs, unit) {
			e.at = e.at.AddDate(-1, 0, 0)
		}
	}
}

// find is the n-th event of a step that names a unit, from 0.
func (w *world) find(step, unit string, n int) *event {
	for _, e := range w.events {
		if e.Step == step && slices.Contains(e.EPCs, unit) {
			if n == 0 {
				return e
			}
			n--
		}
	}
	return nil
}
