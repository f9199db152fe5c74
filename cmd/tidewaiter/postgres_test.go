package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
)

// The scripts in testdata/postgres are about --database; beside them those of testdata/script that have one ledger run again, with
// a database instead of the folder, and must print the same.
func TestScriptPostgres(t *testing.T) {
	pgtest.Database(t) // skips, where there is no server
	params := scriptParams()
	params.UpdateScripts = false
	for _, name := range []string{"where", "trace", "cases", "exceptions", "sweep"} {
		params.Files = append(params.Files, filepath.Join("testdata", "script", name+".txtar"))
	}
	own, err := filepath.Glob(filepath.Join("testdata", "postgres", "*.txtar"))
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	params.Files = append(params.Files, own...)
	params.Cmds["psql"] = scriptPSQL
	params.Setup = func(e *testscript.Env) error {
		url := pgtest.Database(t)
		e.Setenv("DATABASE", url)
		// Scripts of their own name the database themselves.
		if _, err := os.Stat(filepath.Join("testdata", "postgres", scriptName(e)+".txtar")); err != nil {
			e.Setenv("TIDEWAITER_DATABASE", url)
		}
		return setUp(e)
	}
	testscript.Run(t, params)
}

// scriptName is the name of the script that is being set up, which its folder is called by.
func scriptName(e *testscript.Env) string {
	return strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")
}

// psql STATEMENT changes the database behind the program's back.
func scriptPSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: psql STATEMENT")
	}
	ts.Check(pgtest.Exec(context.Background(), ts.Getenv("DATABASE"), args[0]))
}
