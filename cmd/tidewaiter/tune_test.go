package main

import (
	"os"
	"testing"

	"github.com/tidewaiter/tidewaiter/detect"
	"github.com/tidewaiter/tidewaiter/sim"
)

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	for _, seed := range seedsOf(t, *worldSeeds) {
		world, err := sim.Generate(sim.DefaultConfig(seed, *worldUnits))
		if err != nil {
			t.Fatal(err)
		}
		v := watch(t, world.Documents)
		truth := world.Truth()
		in := map[string]bool{}
		bridges := map[string]bool{}
		for _, c := range truth.Cases {
			for _, u := range c.Units {
				in[u] = true
			}
			bridges[c.Bridge] = true
		}
		for _, f := range v.Machine.Findings() {
			n := 0
			for _, u := range f.Units {
				if in[u] {
					n++
				}
			}
			truthy := "honest"
			if n*2 > len(f.Units) || f.Group == detect.GroupMoved && bridges[f.Parties[0]] && (f.Dest == truth.Cases[0].Destination) {
				truthy = "TRUE"
			}
			live := "live"
			if f.WithdrawnAt != 0 {
				live = "gone"
			}
			t.Logf("F %d %s %s %s %d units=%d %s", seed, f.Kind, truthy, live, f.MilliNats, len(f.Units), f.Explanation)
		}
	}
}
