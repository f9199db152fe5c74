package sim

import (
	"math/rand/v2"
	"testing"
)

// A wrong digit may give the serial of another piece in the same box; a list that names one twice is no EPCIS.
func TestMisScanNamesNothingTwice(t *testing.T) {
	p := &product{}
	g := &gen{w: &World{things: []thing{{}}}}
	var box []ref
	for i := range 10 {
		g.w.things = append(g.w.things, thing{product: p, serial: "s25370019" + string(rune('0'+i))})
		box = append(box, ref(i+1))
	}
	s := stream{Rand: rand.New(rand.NewPCG(1, 2))}
	changed := 0
	for range 2000 {
		g.w.things = g.w.things[:11]
		seen := map[string]bool{}
		for i, r := range g.misScan(s, box) {
			serial := g.w.thing(r).serial
			if seen[serial] {
				t.Fatalf("%s twice", serial)
			}
			seen[serial] = true
			if r != box[i] {
				changed++
			}
		}
	}
	if changed < 500 {
		t.Errorf("only %d of 2000 scans were wrong", changed)
	}
}
