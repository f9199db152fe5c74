package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

type doctorCmd struct{}

// Help is shown by --help.
func (c *doctorCmd) Help() string {
	return `Looks, in a few seconds and without changing anything: at the folder, the log's key and the record of what was signed last, free space, the
clock, the schema, the ledger's end, the views, leases, the database server's settings, and how much no checkpoint covers. One line each:
ok, warn or fail, and what to do. It does not read the whole ledger: "log fsck" does. Exits with 3 when something fails. With --json:
{"check","status","says","do"}.`
}

// checkup is one line of what doctor prints.
type checkup struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn or fail
	Says   string `json:"says"`
	Do     string `json:"do,omitempty"`
}

// doctor is one visit.
type doctor struct {
	env  *env
	d    *deployment
	head store.Head
	list []checkup
}

func (v *doctor) say(status, check, do, format string, args ...any) {
	v.list = append(v.list, checkup{Check: check, Status: status, Says: fmt.Sprintf(format, args...), Do: do})
}

func (v *doctor) ok(check, format string, args ...any) { v.say("ok", check, "", format, args...) }

func (v *doctor) warn(check, do, format string, args ...any) {
	v.say("warn", check, do, format, args...)
}

func (v *doctor) fail(check, do, format string, args ...any) {
	v.say("fail", check, do, format, args...)
}

func (c *doctorCmd) Run(e *env) error {
	v := &doctor{env: e}
	v.visit()
	failed := 0
	for _, line := range v.list {
		if line.Status == "fail" {
			failed++
		}
		if err := e.printCheckup(line); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %s failed; what to do stands with each", errNo, plural(failed, "check"))
	}
	return nil
}

func (e *env) printCheckup(c checkup) error {
	if e.cli.JSON {
		return e.printJSON(c)
	}
	text := fmt.Sprintf("%-4s  %-10s  %s\n", c.Status, c.Check, c.Says)
	if c.Do != "" {
		text += fmt.Sprintf("%18s%s\n", "", wrap(c.Do, 100, fmt.Sprintf("%18s", "")))
	}
	return e.print([]byte(text))
}

// visit asks everything that can be asked. Where the ledger does not open, the rest cannot.
func (v *doctor) visit() {
	v.folder()
	v.space()
	v.disk()
	v.schema()
	d, err := v.env.openLooking()
	if err != nil {
		v.fail("ledger", "see what it says; damage: restore a backup (docs/operators.md)", "it does not open: %v", err)
		return
	}
	defer d.Close()
	v.d = d
	if !v.ledger() {
		return
	}
	v.key()
	v.clock()
	v.views()
	v.erased()
	v.leases()
	v.server()
	v.checkpoint()
}

// openLooking opens what is there, and begins nothing.
func (e *env) openLooking() (*deployment, error) {
	if err := e.exists(); err != nil {
		return nil, err
	}
	return e.openUnsigned(true)
}

// folder looks at who may read the data folder, and whether we may write in it.
func (v *doctor) folder() {
	path := v.env.cli.Data
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && v.env.cli.Database != "":
		v.warn("folder", "name the folder that has log.key with --data", "%s is not there", path)
		return
	case err != nil:
		v.fail("folder", "name the data folder with --data, or capture something first", "%v", err)
		return
	case !info.IsDir():
		v.fail("folder", "name a folder with --data", "%s is no folder", path)
		return
	}
	f, err := os.CreateTemp(path, ".doctor-*")
	if err != nil {
		v.fail("folder", "give this user the right to write in it, or look how the disk is mounted; until then nothing is captured", "%v", err)
		return
	}
	f.Close()
	os.Remove(f.Name())
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		v.warn("folder", "chmod 700 "+path, "others than its owner may look into %s (%v)", path, mode)
		return
	}
	v.ok("folder", "%s can be written, and only by its owner", path)
}

// Room, in bytes: below the first nothing more is sure to be kept, and below the second a person should look.
const (
	leastRoom = 256 << 20
	goodRoom  = 2 << 30
)

// space compares what is free with what the write-ahead log, and a backup or an erasure, need.
func (v *doctor) space() {
	free, known := freeSpace(v.env.cli.Data)
	if !known {
		return
	}
	ledger := int64(0)
	if info, err := os.Stat(v.env.inData(ledgerFile)); err == nil {
		ledger = info.Size()
	}
	switch text := fmt.Sprintf("%s free; the ledger takes %s", bytesText(free), bytesText(ledger)); {
	case free < leastRoom:
		v.fail("space", "make room: when none is left nothing more is captured (what was kept stays whole)", "%s", text)
	case free < max(goodRoom, 2*ledger):
		v.warn("space", "an erasure writes the ledger anew and needs twice its size for a while; so may growth", "%s", text)
	default:
		v.ok("space", "%s", text)
	}
}

// How long a disk may take to make a small write durable. Each capture waits for it.
const (
	slowDisk    = 100 * time.Millisecond
	stalledDisk = 5 * time.Second
)

// disk measures how long a small write takes.
func (v *doctor) disk() {
	took, err := timeSync(v.env.cli.Data)
	if err != nil {
		return // the folder's line says so
	}
	v.judgeDisk(took)
}

func (v *doctor) judgeDisk(took time.Duration) {
	switch text := "a small write is durable after " + took.Round(time.Microsecond).String(); {
	case took > stalledDisk:
		v.fail("disk", "look at the disk and at what else writes to it: others who capture give up after a minute (the store is busy), and nothing of theirs is kept", "%s", text)
	case took > slowDisk:
		v.warn("disk", "each capture waits for it; look at the disk and at what else writes to it", "%s", text)
	default:
		v.ok("disk", "%s", text)
	}
}

// timeSync writes a page into a folder and waits until it is durable.
func timeSync(folder string) (time.Duration, error) {
	f, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, sqlite.PageSize)); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = f.Sync()
	return time.Since(begin), err
}

func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// schema looks at the file's version before it is opened, which would lead it forward.
func (v *doctor) schema() {
	if v.env.cli.Database != "" {
		return // with the server's settings
	}
	has, makes, err := sqlite.Version(v.env.ctx, v.env.inData(ledgerFile))
	switch {
	case errors.Is(err, fs.ErrNotExist): // said when it is opened
	case err != nil:
		v.fail("schema", "run the version of tidewaiter that wrote it, or a later one; damage: restore a backup", "%v", err)
	default:
		v.ok("schema", "version %d of %d", has, makes)
	}
}

// ledger looks at its end: the head, its entry, and the tree over it.
func (v *doctor) ledger() bool {
	var err error
	if v.head, err = v.d.store.Head(v.env.ctx); err == nil {
		var r backupReport
		if r, err = v.env.stands(v.d.store); err == nil {
			v.ok("ledger", "%s entries, root %s", thousands(r.Entries), r.Root)
			return true
		}
	}
	v.fail("ledger", "run 'tidewaiter log fsck' to see what is affected, then restore a backup", "%v", err)
	return false
}

// key looks at the private key, and at whether the log may sign with it.
func (v *doctor) key() {
	path := v.env.inData(keyFile)
	signer, err := loadKey(path)
	if err != nil {
		v.fail("key", "put it back from where it was kept, or go on with a new log (tidewaiter log succeed)", "%v", err)
		return
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		v.fail("key", "chmod 600 "+path+"; if somebody may have read it, replace it (tidewaiter log key rotate)", "others than its owner may read it (%v): whoever has it signs as this log", info.Mode().Perm())
	} else {
		v.ok("key", "%s", signer.VerifierKey())
	}
	v.d.log.Signer = signer
	switch err := v.d.log.Check(v.env.ctx); {
	case errors.Is(err, registry.ErrFork):
		v.fail("record", "see 'After a restore' in docs/operators.md", "%v", err)
	case err != nil:
		v.fail("record", "see what it says", "%v", err)
	default:
		v.ok("record", "the ledger extends what was signed last, as %s says", v.d.log.Record)
	}
}

// clock compares this machine's with what was recorded last.
func (v *doctor) clock() {
	if v.head.Size == 0 {
		return
	}
	last := time.UnixMicro(v.head.Recorded)
	err := registry.CheckClock(v.env.ctx, v.d.store, v.env.now())
	switch behind := last.Sub(v.env.now()); {
	case err != nil:
		v.fail("clock", "", "%v", err)
	case behind > 0:
		v.warn("clock", "see that the clock is kept by NTP", "this clock is %s behind the ledger's last entry", behind.Round(time.Millisecond))
	default:
		v.ok("clock", "the last entry was recorded %s ago, at %s", age(-behind), stamp(last))
	}
}

// views looks how far they are behind the ledger.
func (v *doctor) views() {
	at, err := v.d.store.Cursor(v.env.ctx, casework.Name)
	switch lag := v.head.Size - at; {
	case err != nil:
		v.fail("views", "run 'tidewaiter views rebuild'", "%v", err)
	case lag < 0:
		v.fail("views", "run 'tidewaiter views rebuild'", "they have taken in %s entries, and the ledger has %s: they are another ledger's", thousands(at), thousands(v.head.Size))
	case lag > 100000:
		v.warn("views", "the next question waits until they have caught up; run 'tidewaiter views digest' to let them", "%s entries behind the ledger", thousands(lag))
	default:
		v.ok("views", "%s entries behind the ledger", thousands(lag))
	}
}

// erased looks whether an erasure was cut off before the file was written anew.
func (v *doctor) erased() {
	if _, ok := v.d.store.(store.Scrubber); !ok {
		return
	}
	switch due, err := registry.ScrubDue(v.env.ctx, v.d.store); {
	case err != nil:
		v.fail("erased", "see what it says", "%v", err)
	case due:
		v.fail("erased", "run 'tidewaiter entries scrub'", "something was erased, and remains of it may still stand in the file")
	}
}

// leases names who does what only one should do. One that ran out is no harm: the next who wants it takes it.
func (v *doctor) leases() {
	s, ok := v.d.store.(store.Lessor)
	if !ok {
		return
	}
	list, err := s.LeasesNow(v.env.ctx)
	if err != nil {
		v.fail("leases", "see what it says", "%v", err)
		return
	}
	for _, l := range list {
		switch {
		case l.Left > time.Hour:
			v.warn("leases", "a clock was wrong when it was taken: delete its row if the holder is gone", "%s is held by %s for %s more", l.Name, l.Holder, l.Left.Round(time.Second))
		case l.Left > 0:
			v.ok("leases", "%s is held by %s for %s more", l.Name, l.Holder, l.Left.Round(time.Second))
		default:
			v.warn("leases", "see whether the process that should do it runs", "%s was held by %s until %s ago, and by nobody since", l.Name, l.Holder, (-l.Left).Round(time.Second))
		}
	}
}

// server looks at the settings of a database server on which durability rests.
func (v *doctor) server() {
	s, ok := v.d.store.(*postgres.Store)
	if !ok {
		return
	}
	set, err := s.Settings(v.env.ctx)
	if err != nil {
		v.fail("server", "see what it says", "%v", err)
		return
	}
	v.ok("schema", "version %d of %d", set.Schema, set.Makes)
	v.durable(set)
	switch {
	case set.Number < 140000:
		v.fail("server", "run PostgreSQL 14 or later", "PostgreSQL %s is not supported", set.Version)
	case set.Standby:
		v.fail("server", "name the primary", "it is a standby: nothing can be captured")
	case set.Connections > set.MaxConnections*9/10:
		v.warn("server", "raise max_connections, or run fewer processes", "%d of %d connections are in use", set.Connections, set.MaxConnections)
	default:
		v.ok("server", "PostgreSQL %s, %d of %d connections in use", set.Version, set.Connections, set.MaxConnections)
	}
	if off := v.env.now().Sub(set.Now).Abs(); off > time.Minute {
		v.warn("clock", "set both by NTP", "the server's clock and this one are %s apart", off.Round(time.Second))
	}
}

// durable looks at whether what is acknowledged survives a loss of power.
func (v *doctor) durable(set postgres.Settings) {
	switch {
	case !set.Fsync:
		v.fail("durability", "set fsync = on, and restart the server", "fsync is off: a loss of power loses or damages what was acknowledged")
	case !set.FullPages:
		v.fail("durability", "set full_page_writes = on, unless the file system never tears a page", "full_page_writes is off: a loss of power may damage pages")
	default:
		v.ok("durability", "fsync and full_page_writes are on, synchronous_commit is %s", set.SynchronousCommit)
	}
}

// dueAfter is how old the oldest entry may be that no checkpoint covers.
const dueAfter = 24 * time.Hour

// checkpoint looks how much no checkpoint covers, and since when.
func (v *doctor) checkpoint() {
	if v.d.log.Signer == nil {
		return
	}
	last, _, err := v.d.log.Last(v.env.ctx)
	if err != nil {
		v.fail("checkpoint", "run 'tidewaiter log fsck'", "%v", err)
		return
	}
	size := int64(0)
	if last != nil {
		size = last.Size
	}
	if size >= v.head.Size {
		v.ok("checkpoint", "the last one covers all %s entries", thousands(size))
		return
	}
	first, err := v.d.entry(size)
	if err != nil {
		v.fail("checkpoint", "run 'tidewaiter log fsck'", "%v", err)
		return
	}
	text := fmt.Sprintf("%s entries since %s are covered by none", thousands(v.head.Size-size), stamp(first.Recorded))
	if v.env.now().Sub(first.Recorded) > dueAfter {
		v.warn("checkpoint", "sign one (tidewaiter log checkpoint), or publish (tidewaiter log publish) from a timer", "%s", text)
		return
	}
	v.ok("checkpoint", "%s", text)
}
