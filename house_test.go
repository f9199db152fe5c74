package tidewaiter_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	module       = "github.com/tidewaiter/tidewaiter"
	maxFileLines = 600
)

// floors says how high each room lies. A room imports rooms of its own floor or below, never above.
var floors = map[string]int{
	"internal": 0,
	"gs1":      0,
	"epcis":    1,
	"ledger":   2,
	"store":    3,
	"publish":  4,
	"registry": 4,
	"custody":  4,
	"control":  5,
	"detect":   5,
	"casework": 6,
	"api":      7,
	"cmd":      8,
}

// beside are the rooms that only write documents for the front door, with the floors' names that they may import.
var beside = map[string][]string{
	"sim":       {"gs1", "epcis", "ledger"},
	"inventory": {"gs1", "epcis", "ledger"},
	"cases":     {"gs1", "epcis", "ledger"},
}

// reach is a rule about what a room may not depend on, however indirectly.
type reach struct {
	rooms  []string
	never  []string // import paths; a trailing / means everything below
	reason string
}

var reaches = []reach{
	{
		rooms:  []string{"gs1", "epcis", "ledger"},
		never:  []string{"database/sql", "modernc.org/", "github.com/jackc/", module + "/store", module + "/store/"},
		reason: "the standards and the ledger's proofs must be checkable by somebody who has no database",
	},
	{
		rooms:  []string{"custody", "detect", "control"},
		never:  []string{"net/http", "database/sql", "modernc.org/", "github.com/jackc/", module + "/store/sqlite", module + "/store/postgres"},
		reason: "a view is a function of the ledger: what it fetched from elsewhere could not be replayed",
	},
	{
		rooms:  []string{"gs1", "epcis", "ledger", "store", "publish", "registry", "custody", "control", "detect", "casework", "api", "inventory", "cases"},
		never:  []string{module + "/sim", module + "/sim/"},
		reason: "what the simulator knows reaches the product through captured documents only, or its score means nothing",
	},
	{
		rooms:  []string{"gs1", "epcis", "ledger", "publish", "registry", "custody", "control", "detect", "casework", "api", "sim", "inventory", "cases"},
		never:  []string{module + "/store/sqlite", module + "/store/postgres", module + "/store/postgres/"},
		reason: "which store is used is wiring, and wiring is done in cmd",
	},
	{
		rooms:  []string{"gs1", "epcis", "ledger", "store", "publish", "registry", "custody", "control", "detect", "casework", "api", "sim", "inventory", "cases"},
		never:  []string{module + "/cmd/"},
		reason: "commands wire rooms together; what is worth importing belongs in a room",
	},
}

// listed is what the go command says of one package of this module.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func (p listed) room() string {
	room, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module+"/"), "/")
	return room
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Deps", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for dec := jsontext.NewDecoder(bytes.NewReader(out)); dec.PeekKind() != 0; {
		var p listed
		if err := json.UnmarshalDecode(dec, &p); err != nil {
			t.Fatalf("reading what go list said: %v", err)
		}
		all = append(all, p)
	}
	return all
}

func matches(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)
	})
}

func TestNoRoomReachesWhatItMayNotKnow(t *testing.T) {
	for _, p := range packages(t) {
		for _, rule := range reaches {
			if !slices.Contains(rule.rooms, p.room()) {
				continue
			}
			for _, dep := range p.Deps {
				if matches(dep, rule.never) {
					t.Errorf("%s depends on %s: %s", p.ImportPath, dep, rule.reason)
				}
			}
		}
	}
}

func TestLowerRoomsKnowNothingOfTheRoomsAbove(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module+"/") {
				continue
			}
			if reason := misplaced(p.room(), listed{ImportPath: imp}.room()); reason != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imp, reason)
			}
		}
	}
}

// misplaced says why room from may not import room to, or nothing when it may.
func misplaced(from, to string) string {
	if from == to || from == "cmd" {
		return ""
	}
	if allowed, ok := beside[from]; ok {
		if slices.Contains(allowed, to) {
			return ""
		}
		return fmt.Sprintf("%s comes in by the front door and knows only %s", from, strings.Join(allowed, ", "))
	}
	low, known := floors[from]
	high, inHouse := floors[to]
	switch {
	case !known:
		return from + " is a room that house_test.go does not know: say there where it lies"
	case !inHouse:
		return to + " lies beside the house; only cmd brings it in"
	case high > low:
		return fmt.Sprintf("%s lies below %s, and lower rooms know nothing of the rooms above", from, to)
	}
	return ""
}

// source is one Go file of the module, parsed.
type source struct {
	path  string // slash-separated, from the root
	lines int
	file  *ast.File
}

func (s source) room() string {
	room, _, _ := strings.Cut(s.path, "/")
	return room
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{path: filepath.ToSlash(path), lines: bytes.Count(text, []byte("\n")), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	comments := map[string][]source{} // by folder; an entry with no comments is a package without one
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(s.path))
		if _, seen := comments[dir]; !seen {
			comments[dir] = nil
		}
		if s.file.Doc != nil {
			comments[dir] = append(comments[dir], s)
		}
	}
	for dir, with := range comments {
		if len(with) != 1 {
			t.Errorf("%s has %d package comments; a package says once, in one file, what it is for and what it may know: %v", dir, len(with), paths(with))
			continue
		}
		checkComment(t, dir, with[0])
	}
}

func checkComment(t *testing.T, dir string, s source) {
	t.Helper()
	start := "Package " + s.file.Name.Name + " "
	if s.file.Name.Name == "main" {
		start = "Command " + filepath.Base(dir) + " "
	}
	text := s.file.Doc.Text()
	if !strings.HasPrefix(text, start) {
		t.Errorf("%s: the package comment should begin with %q, so that a list of packages reads as sentences", s.path, start)
	}
	if strings.Count(text, "\n") < 2 {
		t.Errorf("%s: the package comment is one line; say also what the package may and may not know", s.path)
	}
}

func paths(of []source) (names []string) {
	for _, s := range of {
		names = append(names, s.path)
	}
	return names
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines; a file of more than %d is about more than one thing: split it by what is in it", s.path, s.lines, maxFileLines)
		}
	}
}

func TestOneJSON(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.file.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); path == "encoding/json" {
				t.Errorf("%s imports encoding/json: it takes the last of two members with one name and mends broken UTF-8, so two "+
					"readers of a signed document could disagree; use github.com/go-json-experiment/json", s.path)
			}
		}
	}
}

// timeless are the rooms in which now is the head of the ledger.
var timeless = []string{"gs1", "epcis", "ledger", "custody", "detect", "control", "casework"}

func TestNoWallClockInViews(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains(timeless, s.room()) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				t.Errorf("%s asks the wall clock (time.%s): a replay would give another answer; take the time as a value", s.path, sel.Sel.Name)
			}
			return true
		})
	}
}
