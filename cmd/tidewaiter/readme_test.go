package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the README's first screen shows is what the demo prints, but for how fast it was.
func TestReadmeShowsTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: plays the whole demo")
	}
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "$ make demo\n")
	want, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("README.md shows no `make demo`")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.Command(self, "demo", "--no-serve")
	demo.Dir = t.TempDir()
	demo.Env = append(os.Environ(), "TIDEWAITER_TEST_MAIN=tidewaiter")
	got, err := demo.Output()
	if err != nil {
		t.Fatal(err)
	}
	rate := regexp.MustCompile(`[0-9,]+ events/s`)
	if diff := cmp.Diff(rate.ReplaceAllString(want, "N events/s"), rate.ReplaceAllString(string(got), "N events/s")); diff != "" {
		t.Error("README.md shows another demo than there is (-shown +printed):\n", diff)
	}
}
