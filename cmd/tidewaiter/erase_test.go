package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledWhileErasing kills an erasure at random moments. Either it did not happen, or it did and the ledger says so; what may be left
// of it in the file then is known to doctor, and gone after a scrub. The ledger is sound at every moment.
func TestKilledWhileErasing(t *testing.T) {
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	var documents []string
	for n := range 16 {
		text, err := os.ReadFile(crashDocument(t, inbox, n))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(`"epcList"`), fmt.Appendf(nil, `"example:secret":"secret-%d-","epcList"`, n))
		text = bytes.Replace(text, []byte(`"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"`),
			[]byte(`"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"example":"https://example.org/"}]`), 1)
		documents = append(documents, writeFile(t, inbox, fmt.Sprintf("s%d.json", n), text))
	}
	process(t, append([]string{"--data", data, "capture"}, documents...)...)
	happened, remains := 0, 0
	for n := range len(documents) {
		args := []string{"--data", data, "entries", "erase", "--reason", "r", "--by", "a", "--confirmed-by", "b"}
		for i := range eventsEach {
			args = append(args, fmt.Sprint(n*eventsEach+i))
		}
		cmd := command(t, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+n*4) * time.Millisecond)
		_ = cmd.Process.Kill() // unless it is done
		_ = cmd.Wait()
		sound(t, data)
		again := finish(t, command(t, args...))
		if again.code == exitNo && strings.Contains(again.stderr, "was erased before") {
			happened++
		} else if again.code != exitDone {
			t.Fatalf("erased again: exit code %d: %s", again.code, again.stderr)
		}
		if r := finish(t, command(t, "--data", data, "doctor")); strings.Contains(r.stdout, "fail  erased") {
			remains++
			process(t, "--data", data, "entries", "scrub")
		}
		if in := filesWith(t, data, fmt.Sprintf("secret-%d-", n)); len(in) > 0 {
			t.Errorf("what was erased stands in %v", in)
		}
	}
	sound(t, data)
	t.Logf("%d kills; %d erasures had happened, of %d the file had to be written anew afterwards", len(documents), happened, remains)
}

func filesWith(t *testing.T, folder, text string) (in []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if content, err := os.ReadFile(name); err == nil && bytes.Contains(content, []byte(text)) {
			in = append(in, name)
		}
	}
	return in
}
