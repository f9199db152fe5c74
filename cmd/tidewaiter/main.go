// Command tidewaiter keeps the chain of custody of export-controlled AI accelerators and says when units leave it.
//
// One file per command, wiring only. stdout is data, stderr is for people. Exit codes: 0 done; 1 failed; 2 wrong usage;
// 3 the honest answer is no (not found, invalid, not proven).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes, a contract with scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitNo     = 3
)

// errNo is returned (wrapped) by a command whose honest answer is no.
var errNo = errors.New("no")

// errUsage is returned (wrapped) by a command that was asked for something it cannot be asked.
var errUsage = errors.New("usage")

// env is what a command may touch of the world outside.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	screen io.Writer // what stderr writes to, for bars that a terminal is to draw
	now    func() time.Time
	cli    *cli
}

// cli is the command line: the flags that all commands share, and the commands.
type cli struct {
	Data             string `help:"Folder that holds the ledger, its views and its keys; ./tidewaiter-data by default." default:"./tidewaiter-data" env:"TIDEWAITER_DATA" type:"path" placeholder:"DIR"`
	Database         string `help:"A PostgreSQL database that holds the ledger and its views instead of the folder, which then has the key only: postgres://user@host/database. A password is better kept in the variable, or in a passfile." env:"TIDEWAITER_DATABASE" placeholder:"URL"`
	CheckpointRecord string `help:"File that keeps what the log signed last, so that a restored backup cannot sign a second history. Keep it where the ledger's backups do not reach. Beside the key by default." env:"TIDEWAITER_CHECKPOINT_RECORD" type:"path" placeholder:"FILE"`
	JSON             bool   `name:"json" help:"Write JSON Lines for programs instead of text for people."`

	Demo       demoCmd       `cmd:"" help:"Watch it: a simulated world through the front door, and what was found, in words."`
	Capture    captureCmd    `cmd:"" help:"Take in EPCIS documents."`
	Where      whereCmd      `cmd:"" help:"Say where a unit is, who holds it, inside what, and on what evidence."`
	Trace      traceCmd      `cmd:"" help:"Say everything that was told about a unit, in the order in which it happened."`
	Cases      casesCmd      `cmd:"" help:"List the cases: units whose whereabouts are unexplained, the most probable first."`
	Case       caseCmd       `cmd:"" help:"Show one case: its evidence, what speaks against it, and where the paths part."`
	Findings   findingsCmd   `cmd:"" help:"List the findings: suspicions, each with its innocent explanations."`
	Exceptions exceptionsCmd `cmd:"" help:"List the data that does not add up and needs a fix."`
	Log        logCmd        `cmd:"" help:"Prove the ledger."`
	Serve      serveCmd      `cmd:"" help:"Take in events over HTTP, and serve the log."`
	Credential credentialCmd `cmd:"" help:"Say who may speak over HTTP, and for which party."`
	Statement  statementCmd  `cmd:"" help:"Say whose signed statements are registered (SCITT), and by which keys."`
	Entries    entriesCmd    `cmd:"" help:"Erase what entries say, and keep entries from being erased."`
	Views      viewsCmd      `cmd:"" help:"Look after what is derived from the ledger."`
	Backup     backupCmd     `cmd:"" help:"Write a copy of the whole ledger, while it is in use, and check it."`
	Restore    restoreCmd    `cmd:"" help:"Put a backup into an empty data folder."`
	Doctor     doctorCmd     `cmd:"" help:"Look at everything that keeps a deployment healthy, and say what to do."`
	Sweep      sweepCmd      `cmd:"" help:"Let ledger time move on although nothing arrived, so that what is overdue is noticed."`
	Inventory  inventoryCmd  `cmd:"" help:"Write a machine's own account of its parts as an EPCIS document."`
	Hash       hashCmd       `cmd:"" help:"Print the CBV event hash of each event of a document."`
	Simulate   simulateCmd   `cmd:"" help:"Write a simulated world as EPCIS documents, and the truth about it."`
	Score      scoreCmd      `cmd:"" help:"Say how well cases agree with a simulated world's truth."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("tidewaiter"),
		kong.Description("Keeps the chain of custody of AI accelerators, serial by serial, and says early and with proof when units leave it."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
	)
	if err != nil {
		fmt.Fprintln(stderr, "tidewaiter:", err)
		return exitFailed
	}
	kctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(plainly{stderr}, "tidewaiter: %v; see '%s --help'\n", err, asked(err))
		return exitUsage
	}
	e := &env{ctx: ctx, stdin: stdin, stdout: plainly{stdout}, stderr: plainly{stderr}, screen: stderr, now: time.Now, cli: &c}
	switch err := kctx.Run(e); {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		fmt.Fprintln(e.stderr, "tidewaiter:", err)
		return exitNo
	case errors.Is(err, errUsage):
		fmt.Fprintln(e.stderr, "tidewaiter:", err)
		return exitUsage
	default:
		fmt.Fprintln(e.stderr, "tidewaiter:", err)
		return exitFailed
	}
}

// asked is the command that a wrong command line seems to have meant, as it is typed.
func asked(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context.Selected() != nil {
		return wrong.Context.Selected().FullPath()
	}
	return "tidewaiter"
}
