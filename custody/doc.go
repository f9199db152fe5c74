// Package custody is the view that answers where a unit is, who holds it, inside what, since when, and on what evidence.
//
// The state of a unit is a fold over the set of its own events in order of event time (ties by name), less those that a known
// error declaration withdraws: arrival order cannot matter. Place and holder are inherited from what the unit is inside, and
// containment is closed at the time of asking. What does not add up is a Problem (seen in the unit's own events) or a Check
// (a question that needs another unit or a place to answer); both become exceptions when read.
//
// It knows EPCIS events, master data and rows; it knows no database, no HTTP and no detector.
package custody
