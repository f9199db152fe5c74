package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// The scripts in testdata/script run the real main as a process of its own, and read as its manual. After a change of what
// is printed, look at what -update makes of them before believing it.
var update = flag.Bool("update", false, "write what commands print into the scripts that compare it")

func TestMain(m *testing.M) {
	switch os.Getenv("TIDEWAITER_TEST_MAIN") { // the test binary, run by a test as something else
	case "tidewaiter":
		main()
	case "sender":
		os.Exit(sender(os.Args[1:]))
	case "measured":
		os.Exit(measured(os.Args[1:]))
	}
	testscript.Main(m, map[string]func(){"tidewaiter": main})
}

func TestScript(t *testing.T) {
	params := scriptParams()
	params.Dir = filepath.Join("testdata", "script")
	testscript.Run(t, params)
}

func scriptParams() testscript.Params {
	return testscript.Params{
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup:              setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    scriptExits,
			"remember": scriptRemember,
			"edit":     scriptEdit,
			"cut":      scriptCut,
			"recode":   scriptRecode,
			"nest":     scriptNest,
			"sql":      scriptSQL,
			"many":     scriptMany,
			"holds":    scriptHolds,
			"same":     scriptSame,
			"ahead":    scriptAhead,
		},
	}
}

// setUp lays testdata/world.json into each script's folder: two accelerators, a server, and its way into a data centre.
func setUp(e *testscript.Env) error {
	world, err := os.ReadFile(filepath.Join("testdata", "world.json"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(e.WorkDir, "world.json"), world, 0o644)
}

// exits N COMMAND ARG… runs a command that must end with exit code N.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// remember NAME keeps the last command's stdout, without the line's end, as a variable.
func scriptRemember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remember NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// edit FILE OLD NEW replaces the one place where OLD stands.
func scriptEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%s has %q %d times", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

// cut FILE N keeps the first N bytes.
func scriptCut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// recode ENCODING FROM TO writes UTF-8 text in another encoding.
func scriptRecode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: recode utf16le|latin1|utf8bom FROM TO")
	}
	text := ts.ReadFile(args[1])
	var out []byte
	switch args[0] {
	case "utf16le":
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			out = append(out, byte(u), byte(u>>8))
		}
	case "latin1":
		for _, r := range text {
			out = append(out, byte(r))
		}
	case "utf8bom":
		out = []byte("\ufeff" + text)
	default:
		ts.Fatalf("no such encoding: %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out, 0o644))
}

// nest N FILE OLD puts N arrays, one inside the other, where OLD stands in a file.
func scriptNest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: nest N FILE OLD")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	scriptEdit(ts, false, []string{args[1], args[2], fmt.Sprintf("%s%s", strings.Repeat("[", n), strings.Repeat("]", n))})
}

// sql STATEMENT changes the ledger's file behind its back, without a word to anybody.
func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql STATEMENT")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(filepath.Join("tidewaiter-data", ledgerFile)))
	ts.Check(err)
	defer db.Close()
	done, err := db.Exec(args[0])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		ts.Fatalf("%d rows were changed, want 1 (%v)", n, err)
	}
}

// holds TEXT FOLDER looks for a text in every file of a folder, byte by byte.
func scriptHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: holds TEXT FOLDER")
	}
	var in []string
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(args[0])) {
			in = append(in, path)
		}
		return err
	}))
	if (len(in) > 0) == neg {
		ts.Fatalf("files that hold %q: %q", args[0], in)
	}
}

// same FOLDER FOLDER compares two folders, file by file.
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same FOLDER FOLDER")
	}
	a, b := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	n := 0
	ts.Check(filepath.WalkDir(b, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(b, path)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(filepath.Join(a, rel))
		if err != nil {
			return err
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("%s differs (%w)", rel, err)
		}
		n++
		return nil
	}))
	if n == 0 {
		ts.Fatalf("%s holds no file", args[1])
	}
}

// ahead DURATION appends a sweep as a machine would whose clock is ahead by so much.
func scriptAhead(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ahead DURATION")
	}
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	st, err := sqlite.Open(context.Background(), ts.MkAbs(filepath.Join("tidewaiter-data", ledgerFile)), sqlite.Options{})
	ts.Check(err)
	_, err = registry.Sweep(context.Background(), st, time.Now().Add(by))
	ts.Check(errors.Join(err, st.Close()))
}

// many N FILE writes a document with N events, each of a unit of its own.
func scriptMany(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: many N FILE")
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	ts.Check(writeDocument(f, n, 400))
}
