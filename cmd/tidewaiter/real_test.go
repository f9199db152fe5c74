package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/registry"
)

// sharedData finds a piece of the public test data, or skips.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: the public test data is not here: %v", err)
	}
	return path
}

// TestEveryGS1Document captures the standard's own examples, and finds each unit that they name.
func TestEveryGS1Document(t *testing.T) {
	folder := sharedData(t, "epcis/json")
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonld"))
	if err != nil || len(files) == 0 {
		t.Fatal("no documents: ", err)
	}
	unit := regexp.MustCompile(`urn:epc:id:(?:sgtin|sscc|giai|grai):[^"*]+|https://id\.gs1\.org/01/[0-9]{14}/21/[^"]+`)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			if out := process(t, "--data", data, "capture", name); !strings.Contains(out, `"rejected":0`) {
				t.Fatal(out)
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range epcsOf(unit, string(text)) {
				if out := process(t, "--data", data, "--json", "trace", id); !strings.Contains(out, `"eventID"`) {
					t.Errorf("%s is not traceable: %s", id, out)
				}
			}
		})
	}
}

// epcsOf lists the units in a document's lists of EPCs.
func epcsOf(unit *regexp.Regexp, text string) (out []string) {
	lists := regexp.MustCompile(`"(?:epcList|childEPCs|inputEPCList|outputEPCList)"\s*:\s*\[[^\]]*\]`)
	seen := map[string]bool{}
	for _, list := range lists.FindAllString(text, -1) {
		for _, id := range unit.FindAllString(list, -1) {
			if !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}

// TestRealDGX turns a real DGX H100's Redfish tree into events, captures them, and finds every accelerator, its board and the
// chassis by the serial numbers that stand on them.
func TestRealDGX(t *testing.T) {
	tree := sharedData(t, "redfish/dgx-h100.tar.gz")
	data, doc := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "dgx.json")
	text := process(t, "inventory", "redfish", tree, "--time", "2026-01-02T03:04:05Z", "--site", "https://id.gs1.org/414/9521234500018")
	if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := process(t, "--data", data, "capture", doc); !strings.Contains(out, `"rejected":0`) {
		t.Fatal(out)
	}
	units := regexp.MustCompile(`(?s)"tw:aliases": \[\s*"([^"]+)".*?"tw:kind": "([^"]+)"`).FindAllStringSubmatch(text, -1)
	kinds := map[string]int{}
	for _, u := range units {
		kinds[u[2]]++
		_, serial, _ := strings.Cut(u[1], ":")
		for _, word := range []string{u[1], serial} {
			if out := process(t, "--data", data, "--json", "where", word); !strings.Contains(out, `"site":"https://id.gs1.org/414/9521234500018"`) {
				t.Errorf("%s %s is not at its site: %s", u[2], word, out)
			}
		}
	}
	// The network cards of this tree bear no serial numbers; they are named as skipped.
	for kind, least := range map[string]int{"accelerator": 8, "baseboard": 1, "server": 1, "switch": 4} {
		if kinds[kind] < least {
			t.Errorf("%d units of kind %s, want at least %d", kinds[kind], kind, least)
		}
	}
}

// TestEveryGS1DocumentTogether captures all of them into one ledger, which checks, and whose views can be made again.
func TestEveryGS1DocumentTogether(t *testing.T) {
	folder, data := sharedData(t, "epcis/json"), filepath.Join(t.TempDir(), "data")
	first := decode[registry.Result](t, process(t, "--data", data, "capture", folder))
	again := decode[registry.Result](t, process(t, "--data", data, "capture", folder))
	if first.Accepted < 17 || first.Rejected != 0 || again.Accepted != 0 || again.Duplicates != first.Accepted+first.Duplicates {
		t.Errorf("first %+v, again %+v", first, again)
	}
	sound(t, data)
	digest := process(t, "--data", data, "--json", "views", "digest")
	if again := process(t, "--data", data, "--json", "views", "rebuild", "--batch", "2"); again != digest {
		t.Errorf("%s, made again %s", digest, again)
	}
}
