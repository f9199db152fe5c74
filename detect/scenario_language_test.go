package detect_test

import (
	"os"
	"strings"
	"testing"
)

// A story in which nothing happens that is worth a case, to which the tests below add one line.
const quiet = `
maker    Anvil TW
operator Lark  MY
site Hall of Lark at 1.48,103.76 used as datacentre
made     2025-01-05 s1 by Anvil holding g1..g8 each 8
shipped  2025-01-10 s1 from Anvil to Hall consignment C1
received 2025-01-15 s1 from Anvil to Hall consignment C1
checkins 2025-01-18..2025-03-01 s1 at Hall every 7d
until    2025-03-01
scenario Nothing happens
`

// What a scenario expects must be able to fail, or all of them prove nothing.
func TestAnExpectationThatIsNotMetFails(t *testing.T) {
	for _, c := range []struct {
		line     string
		fail     int
		gap      int
		contains string
	}{
		{line: "expect no case"},
		{line: "expect case units g1..g8", fail: 1, contains: "quiet.scenario:11"},
		{line: "expect finding torn-down", fail: 1, contains: "there is nothing"},
		{line: "expect no exception receipt-missing"},
		{line: "expect exception receipt-missing", fail: 1},
		{line: "expect no bridge Lark"},
		{line: "expect bridge Lark", fail: 1},
		{line: "at 2025-02-01 expect case", fail: 1, contains: "2025-02-01"},
		{line: `known-gap "it cannot know" expect case`, gap: 1, contains: "it cannot know"},
		{line: `known-gap "it knows by now" expect no case`, fail: 1, contains: "strike out"},
	} {
		list, err := parse("quiet.scenario", quiet+c.line)
		if err != nil {
			t.Fatal(err)
		}
		failures, gaps, err := play(t.Context(), list[0], t.TempDir())
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		if len(failures) != c.fail || len(gaps) != c.gap {
			t.Errorf("%s: %d failures and %d gaps, want %d and %d: %q %q", c.line, len(failures), len(gaps), c.fail, c.gap, failures, gaps)
		}
		if said := strings.Join(append(failures, gaps...), "\n"); !strings.Contains(said, c.contains) {
			t.Errorf("%s: %q does not say %q", c.line, said, c.contains)
		}
	}
}

func TestErrorsNameFileAndLine(t *testing.T) {
	for line, want := range map[string]string{
		"sent 2025-01-20 s1 from Hall to Anvil":                          `no sentence begins with "sent"`,
		"shipped 2025-13-20 s1 from Hall to Anvil":                       "is no date",
		"shipped 2025-01-20 x1 from Hall to Anvil":                       "is no unit",
		"shipped 2025-01-20 g8..g1 from Hall to Anvil":                   "is no series",
		"shipped 2025-01-20 s1 from Hall":                                `needs "to"`,
		"shipped 2025-01-20 s1 from Hall to Anvil via Sea":               `does not take "via"`,
		"shipped 2025-01-20 s1 from Hall to Anvil to Lark":               "said twice",
		"shipped 2025-01-20 s1 from Hall to Nobody":                      "nobody declared Nobody",
		`shipped 2025-01-20 s1 from Hall to Anvil declared "fans`:        "not closed",
		"checkins 2025-01-18 s1 at Hall every 7d":                        "two dates",
		"checkins 2025-01-18..2025-02-18 s1 at Hall every 1m":            "more often",
		"checkins 2025-01-18..2025-02-18 s1 at Hall every 7d known -1d":  "before it happens",
		"dismantled 2025-01-20 g9 at Hall":                               "nothing to take g9 out of",
		"made 2025-01-20 s1 by Anvil":                                    "named twice",
		"made 2025-01-20 s2..s3 by Anvil holding g11..g20 each 8":        "10 accelerators",
		"rebuilt 2025-01-20 g1 into s9 at Hall":                          "no server that was made",
		"parcel P1 2025-01-20 from Hall to Anvil weighing 6 kg":          "nobody reports it",
		"parcel P1 2025-01-20 from Hall to Anvil weighing six via Anvil": "is no number",
		"expect finding site-went-drak":                                  "no detector finds",
		"expect nothing":                                                 "no finding, case",
		"expect case llr >= 4":                                           `does not take "llr"`,
		"known-gap expect no case":                                       "needs a reason",
		"at 2026-01-01 expect no case":                                   "does not go on",
	} {
		list, err := parse("quiet.scenario", quiet+line+"\nexpect no case")
		if err == nil {
			_, _, err = play(t.Context(), list[0], t.TempDir())
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "quiet.scenario:11: ") {
			t.Errorf("%s\n    got  %v\n    want quiet.scenario:11: … %s", line, err, want)
		}
	}
}

func TestAScenarioMustExpectSomething(t *testing.T) {
	list, err := parse("quiet.scenario", quiet)
	if err == nil {
		_, _, err = play(t.Context(), list[0], t.TempDir())
	}
	if err == nil || !strings.Contains(err.Error(), "expects nothing") {
		t.Errorf("a scenario that expects nothing: %v", err)
	}
}

// The page that specifies the language knows every word of it.
func TestThePageKnowsEveryWord(t *testing.T) {
	page, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range append(vocabulary(), "known-gap", "among", "withdrawn", "closed", "in-review", "weekly", "scenario", "twin") {
		if !strings.Contains(string(page), strings.ReplaceAll(w, "-", " ")) && !strings.Contains(string(page), w) {
			t.Errorf("docs/scenarios.md does not say what %q means", w)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(quiet + "expect no case")
	f.Add("scenario x\nknown-gap \"y\" at 2025-01-01 expect case units g1..g9,s2 score >= 0.5")
	f.Add("maker A TW\nscenario \"\nparcel P 2025-01-01T10:00 from A to A weighing 1 kg via B,C said by D")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parse("fuzz.scenario", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.scenario:") {
				t.Fatalf("an error that does not say where: %v", err)
			}
			return
		}
		for _, sc := range list {
			if _, err := build(sc); err != nil && !strings.HasPrefix(err.Error(), "fuzz.scenario:") {
				t.Fatalf("an error that does not say where: %v", err)
			}
		}
	})
}
