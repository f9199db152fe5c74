// Package pgtest starts PostgreSQL servers for tests: real ones, with the programs that are installed, in a temporary folder and
// on a Unix socket there. It knows how such a server is started, killed and started again, and nothing of what is kept in it.
//
// Where PostgreSQL is not installed tests are skipped, loudly, unless CI or TIDEWAITER_NEED_POSTGRES is set: then they fail.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a server of one test's own, or the one that a test binary shares.
type Server struct {
	folder string // with the socket and, unless disk is set, the cluster in data beside it
	disk   string // where the cluster lies instead
	bin    string
	as     []string // how to become a user who may run it
	stop   io.Closer
	wait   func() error
	fsync  string
	made   atomic.Int64 // databases
}

type sharing struct {
	once   sync.Once
	server *Server
	err    error
}

// The servers that a test binary shares: with tests nothing is lost but with the machine, so that commits need not wait for its
// disk; what benchmarks measure would mean nothing without.
var forTests, forBenchmarks sharing

// Database makes an empty database on the server that the tests of one binary share, and gives its URL. The server ends with the
// test binary, however that ends.
func Database(t testing.TB) string {
	t.Helper()
	shared, fsync := &forTests, "off"
	if _, measured := t.(*testing.B); measured {
		shared, fsync = &forBenchmarks, "on"
	}
	shared.once.Do(func() { shared.server, shared.err = start(fsync, nil) })
	if shared.err != nil {
		absent(t, shared.err)
	}
	return shared.server.Database(t)
}

// New starts a server for one test, which may kill it.
func New(t testing.TB) *Server { return On(t, nil) }

// On starts a server for one test on a disk of its own: place is given the folder of a new cluster, with nobody in it yet, and says in
// which folder its copy is to be used. Where that folder is, is place's to say and to clean up; the server is told to stop before.
func On(t testing.TB, place func(cluster string) (string, error)) *Server {
	t.Helper()
	s, err := start("on", place)
	if err != nil {
		absent(t, err)
	}
	t.Cleanup(func() {
		s.stop.Close()
		_ = s.wait() // it was told to stop
	})
	return s
}

// Needed says whether tests without a server fail: in continuous integration, and in `make test`.
func Needed() bool { return os.Getenv("CI") == "true" || os.Getenv("TIDEWAITER_NEED_POSTGRES") == "1" }

func absent(t testing.TB, err error) {
	t.Helper()
	if !Needed() && errors.Is(err, errAbsent) {
		t.Skipf("SKIPPED: %v; scripts/setup installs it where it may, and `make test` runs this", err)
	}
	t.Fatalf("no PostgreSQL server for this test: %v; run scripts/setup", err)
}

var errAbsent = errors.New("PostgreSQL is not installed here")

// programs finds the folder that has initdb and postgres: the newest that is installed.
func programs() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "initdb")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/usr/local/pgsql/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		some, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, some...)
	}
	if len(found) == 0 {
		return "", errAbsent
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(version(a), version(b)) })
	return filepath.Dir(found[len(found)-1]), nil
}

// version is the number in a path, in a form that sorts.
func version(path string) string {
	return fmt.Sprintf("%12s", strings.Trim(path, strings.Trim(path, "0123456789")))
}

// start makes a cluster and starts its server. It is a child of a shell that waits for the end of its input, which comes when
// this process ends, whether it wants to or not; then the shell stops the server and removes the folder.
func start(fsync string, place func(string) (string, error)) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, fsync: fsync}
	if s.folder, err = os.MkdirTemp("/tmp", "twpg-"); err != nil { // not the test's own folder: a socket's path has 107 bytes at most
		return nil, err
	}
	if err := s.become(); err != nil {
		return nil, err
	}
	if err := s.run(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, fmt.Errorf("making a cluster: %w", err)
	}
	if place != nil {
		if s.disk, err = place(s.data()); err != nil {
			return nil, err
		}
	}
	if err := s.watch(); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// become finds a way to run the server: as ourselves, or, since it refuses to be run by root, as the user postgres.
func (s *Server) become() error {
	if os.Geteuid() != 0 {
		return nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: %w", err)
	}
	uid, err := strconv.Atoi(postgres.Uid)
	if err != nil {
		return err
	}
	if err := os.Chown(s.folder, uid, -1); err != nil {
		return err
	}
	for _, as := range [][]string{
		{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"}, {"runuser", "-u", "postgres", "--"},
	} {
		if _, err := exec.LookPath(as[0]); err == nil {
			s.as = as
			return nil
		}
	}
	return errors.New("PostgreSQL does not run as root, and neither setpriv nor runuser is there to become the user postgres")
}

func (s *Server) data() string {
	if s.disk != "" {
		return s.disk
	}
	return filepath.Join(s.folder, "data")
}

func (s *Server) command(args ...string) *exec.Cmd {
	args = append(slices.Clone(s.as), args...)
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // a server ends with the test binary, and not before
	cmd.Dir = s.folder
	return cmd
}

func (s *Server) run(args ...string) error {
	if out, err := s.command(args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	return nil
}

// watch starts the shell that cleans up.
func (s *Server) watch() error {
	cmd := s.command("sh", "-c", `trap '' INT TERM; cat >/dev/null; "$1/pg_ctl" -D "$3" -m immediate -w stop >/dev/null 2>&1; rm -rf "$2"`, "sh", s.bin, s.folder, s.data())
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.stop, s.wait = in, cmd.Wait
	return cmd.Start()
}

// Start starts the server, also after Kill, and returns when it answers.
func (s *Server) Start() error {
	options := "-c fsync=" + s.fsync + " -c listen_addresses='' -c unix_socket_directories='" + s.folder + "' -c max_connections=200 -c max_wal_size=4GB -c log_min_messages=fatal"
	if err := s.run(filepath.Join(s.bin, "pg_ctl"), "-D", s.data(), "-w", "-t", "60", "-l", filepath.Join(s.folder, "log"), "-o", options, "start"); err != nil {
		text, _ := os.ReadFile(filepath.Join(s.folder, "log"))
		return fmt.Errorf("starting the server: %w: %s", err, text[max(0, len(text)-1000):])
	}
	return nil
}

// Kill ends the server and all its sessions with SIGKILL, as a loss of power would but for what the disk had not written.
func (s *Server) Kill() error { return s.KillAnd(func() {}) }

// KillAnd is Kill, with something to do when the signals are sent and before the processes are waited for: one that waits for a disk dies
// only when the disk answers.
func (s *Server) KillAnd(then func()) error {
	// The postmaster is stopped first, so that it starts nobody and tells nobody to end in order.
	const kill = `for p in $(pgrep -f "postgres -D $1"); do kill -STOP $p; all="$all $p $(pgrep -P $p)"; done; [ -z "$all" ] || kill -9 $all; echo $all`
	out, err := s.command("sh", "-c", kill, "sh", s.data()).CombinedOutput()
	then()
	if err != nil {
		return fmt.Errorf("killing the server: %w: %s", err, out)
	}
	// When all are gone its lock is not one of a living process; where nobody reaps them they stay as zombies, and the locks are removed.
	const gone = `for i in $(seq 200); do left=$(ps -o stat= -p "$1" | grep -v Z); [ -z "$left" ] && break; sleep 0.05; done; rm -f "$2" "$2.lock" "$3" || true`
	pids := strings.Join(strings.Fields(string(out)), ",")
	return s.run("sh", "-c", gone, "sh", pids+",1000000000", filepath.Join(s.folder, ".s.PGSQL.5432"), s.lock())
}

// lock is the file by which a second server on the same cluster knows of the first.
func (s *Server) lock() string { return filepath.Join(s.data(), "postmaster.pid") }

// KillSession ends one session of a database's with SIGKILL, where there is one. The server then takes its memory for damaged, ends
// all sessions, and recovers.
func (s *Server) KillSession(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var pid int
	const query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC, random() LIMIT 1"
	if err := conn.QueryRow(ctx, query).Scan(&pid); err != nil {
		return err
	}
	return s.run("kill", "-9", strconv.Itoa(pid))
}

// Database makes an empty database for one test and gives its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("db%d", s.made.Add(1))
	s.Exec(t, s.url("postgres"), "CREATE DATABASE "+name)
	t.Cleanup(func() {
		_ = Exec(context.Background(), s.url("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") // else it goes with the server's folder
	})
	return s.url(name)
}

func (s *Server) url(database string) string {
	return "postgres://tester@/" + database + "?host=" + s.folder
}

// Exec runs statements as somebody beside the store.
func (s *Server) Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	if err := Exec(context.Background(), url, statements...); err != nil {
		t.Fatal(err)
	}
}

// Exec runs statements on the database at a URL.
func Exec(ctx context.Context, url string, statements ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
