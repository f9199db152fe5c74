package power

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/test/power/mount"
)

// round lets the hands work until the power goes, and looks at what is left.
func (d *deployment) round(t *testing.T, most int) error {
	t.Helper()
	if err := d.powered(t); err != nil {
		return err
	}
	d.arm(most)
	if d.failing {
		d.mount.Fail(mount.Faults{SyncsPass: d.rng.IntN(60), SyncsFail: 1 + d.rng.IntN(3)})
	}
	hands := d.work(t)
	at := d.off(t, func() {
		for _, h := range hands {
			if h.left != nil {
				h.left.kill()
			}
		}
		d.kill()
	})
	var doing []string
	for _, h := range hands {
		if h.err != nil {
			return h.err
		}
		if h.left == nil {
			continue
		}
		if h.left.wait() == 0 { // it had done everything when the power went
			d.note(t, h.args, strings.Join(h.left.said(), "\n")+"\n")
		}
		doing = append(doing, what(h.args))
	}
	t.Logf("seed %d: the power went at a %s, during %q; acknowledged so far: %d of %d documents, %d checkpoints, %d published, %d of %d backups, %d erasures, %d keys",
		d.seed, at, doing, len(d.kept), len(d.documents), len(d.signed), d.shown, d.acknowledgedBackups(), len(d.backups), len(d.erased), d.keys)
	if err := d.recover(t); err != nil {
		return err
	}
	return d.whole(t)
}

// what is a command in a word or two.
func what(args []string) string {
	if args[0] == "log" || args[0] == "entries" {
		return args[0] + " " + args[1]
	}
	return args[0]
}

func (d *deployment) acknowledgedBackups() (n int) {
	for _, ok := range d.backups {
		if ok {
			n++
		}
	}
	return n
}

// recover gives the machine power again, and looks; while that is so, the power may go again.
func (d *deployment) recover(t *testing.T) error {
	t.Helper()
	for again := d.rng.IntN(3); ; again-- {
		d.on(t)
		if again > 0 {
			d.arm(120)
		}
		booted := make(chan error, 1)
		go func() { booted <- d.boot() }()
		var err error
		select {
		case err = <-booted:
			h := &hand{d: d}
			if err == nil && len(d.kept) > 0 {
				h.do(t, "log", "fsck")
				err = h.err
			}
			if h.left != nil {
				d.off(t, func() { h.left.kill(); d.kill() })
				h.left.wait()
				continue
			}
		case <-d.mount.Gone():
			d.off(t, d.kill)
			<-booted
			continue
		}
		select {
		case <-d.mount.Gone():
			d.off(t, d.kill)
			continue
		default:
			d.mount.Arm(0, mount.Any, d.habits())
			return err
		}
	}
}

// whole sees that all that was acknowledged is there, and that everything goes on without anybody's hands.
func (d *deployment) whole(t *testing.T) error {
	t.Helper()
	var errs []error
	errs = append(errs, d.recordIsAhead(), d.erasedIsGone(t), d.webIsWhole(), d.backupsAreWhole(t))
	for _, name := range d.documents[max(0, len(d.documents)-8):] {
		errs = append(errs, d.captured(t, name))
	}
	_, err := d.run(t, "log", "fsck")
	errs = append(errs, err)
	out, err := d.run(t, "log", "key")
	if err != nil || strings.Count(out, "\n") < d.keys {
		errs = append(errs, fmt.Errorf("%d keys were acknowledged, and there are %q, %w", d.keys, out, err))
	}
	if out, err = d.run(t, "log", "checkpoint"); err == nil {
		d.note(t, []string{"log", "checkpoint"}, out)
	}
	return errors.Join(append(errs, err, d.views(t))...)
}

// run runs a command on the machine, which has power and keeps it.
func (d *deployment) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	h := &hand{d: d}
	out, ok := h.do(t, args...)
	if h.left != nil {
		h.left.kill()
		h.left.wait()
		return "", fmt.Errorf("tidewaiter %v does not come to an end: %s", args, h.left.stderr.String())
	}
	if !ok {
		return "", h.err
	}
	return out, nil
}

// captured captures a document again. It was kept as a whole or not at all; and when it was acknowledged, as a whole.
func (d *deployment) captured(t *testing.T, name string) error {
	t.Helper()
	out, err := d.run(t, "capture", name)
	if err != nil {
		return err
	}
	r := decode[struct{ Accepted, Duplicates, Rejected int }](t, out)
	if r.Rejected > 0 || r.Accepted > 0 && r.Duplicates > 0 || d.kept[name] && r.Accepted > 0 {
		return fmt.Errorf("%s, acknowledged: %t, and captured again: %s", filepath.Base(name), d.kept[name], out)
	}
	d.kept[name] = true
	return nil
}

// recordIsAhead sees that what is recorded as signed is no less than what has left the machine signed.
func (d *deployment) recordIsAhead() error {
	var most int64
	for _, c := range d.signed {
		most = max(most, c.Size)
	}
	most = max(most, d.shown)
	text, err := os.ReadFile(filepath.Join(d.data(), "log.signed"))
	if errors.Is(err, fs.ErrNotExist) && most == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := ledger.ParseBody(string(text))
	if err != nil {
		return fmt.Errorf("the record of the last checkpoint: %w", err)
	}
	if c.Size < most {
		return fmt.Errorf("a checkpoint over %d entries was given out, and the record says %d", most, c.Size)
	}
	return nil
}

// erasedIsGone sees that no file of the data folder has a byte of what was said to be erased.
func (d *deployment) erasedIsGone(t *testing.T) error {
	t.Helper()
	if d.database != "" {
		return nil // PostgreSQL keeps what is overwritten, and says so
	}
	return filepath.WalkDir(d.data(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreAbsent(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, serial := range d.erased {
			if strings.Contains(string(text), serial) {
				return fmt.Errorf("%s was erased, and stands in %s", serial, filepath.Base(path))
			}
		}
		return nil
	})
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// webIsWhole sees that the published folder shows as much as was said, and proves it.
func (d *deployment) webIsWhole() error {
	text, err := os.ReadFile(filepath.Join(d.web(), "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) && d.shown == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("size %d was published: %w", d.shown, err)
	}
	body, _, _ := strings.Cut(string(text), "\n\n")
	c, err := ledger.ParseBody(body + "\n")
	if err != nil {
		return fmt.Errorf("the published checkpoint: %w", err)
	}
	if c.Size < d.shown {
		return fmt.Errorf("size %d was published, and %d is shown", d.shown, c.Size)
	}
	d.signed = append(d.signed, c)
	if root, err := published(d.web(), c, c.Size); err != nil || root != c.Root {
		return fmt.Errorf("the published folder does not prove its checkpoint over %d entries: %w", c.Size, err)
	}
	for n := int64(0); n*ledger.TileWidth < c.Size; n++ {
		tile := tlog.Tile{H: ledger.TileHeight, L: 0, N: n, W: int(min(ledger.TileWidth, c.Size-n*ledger.TileWidth))}
		data, err := os.ReadFile(filepath.Join(d.web(), ledger.TilePath(ledger.BundleOf(tile))))
		if err == nil {
			_, err = ledger.ParseBundle(data, tile.W)
		}
		if err != nil {
			return fmt.Errorf("the published folder: %w", err)
		}
	}
	return nil
}

// published is the root over the first entries of a log that is published in a folder, of which c is proven.
func published(dir string, c ledger.Checkpoint, size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, folderTiles(dir)))
}

// folderTiles reads tiles from a published folder.
type folderTiles string

func (folderTiles) Height() int { return ledger.TileHeight }

func (f folderTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), ledger.TilePath(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (folderTiles) SaveTiles([]tlog.Tile, [][]byte) {}

// backupsAreWhole restores each backup that is there on another machine; those that were acknowledged are there.
func (d *deployment) backupsAreWhole(t *testing.T) error {
	t.Helper()
	for name, acknowledged := range d.backups {
		if _, err := os.Stat(name); err != nil {
			if acknowledged {
				return fmt.Errorf("a backup was acknowledged: %w", err)
			}
			delete(d.backups, name)
			continue
		}
		elsewhere := filepath.Join(t.TempDir(), "restored")
		for _, args := range [][]string{{"restore", name}, {"log", "fsck"}} {
			cmd := d.command(t, args...)
			cmd.Args[2] = elsewhere
			if out, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(out), "holds no entries") && !strings.Contains(string(out), "no ledger") {
				return fmt.Errorf("%v: %w: %s", args, err, out)
			}
		}
		if err := errors.Join(os.Remove(name), os.Remove(name+".key")); err != nil {
			return err
		}
		delete(d.backups, name)
	}
	return nil
}

// views sees that the views are those that the ledger makes.
func (d *deployment) views(t *testing.T) error {
	t.Helper()
	digest, err := d.run(t, "--json", "views", "digest")
	if err != nil {
		return err
	}
	again, err := d.run(t, "--json", "views", "rebuild")
	if err == nil && digest != again {
		err = fmt.Errorf("the views are %s, and made again %s", digest, again)
	}
	return err
}

// oneHistory sees that every checkpoint that was ever given out is over the beginning of the log that there is now, and that every
// document is there.
func (d *deployment) oneHistory(t *testing.T) {
	t.Helper()
	for _, name := range d.documents {
		if err := d.captured(t, name); err != nil {
			t.Error(err)
		}
	}
	web := filepath.Join(t.TempDir(), "web")
	if _, err := d.run(t, "log", "publish", web); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(web, "checkpoint"))
	must(t, err)
	body, _, _ := strings.Cut(string(text), "\n\n")
	now, err := ledger.ParseBody(body + "\n")
	must(t, err)
	for _, c := range d.signed {
		if root, err := published(web, now, c.Size); err != nil || root != c.Root || c.Origin != now.Origin {
			t.Errorf("a checkpoint over %d entries was given out, root %v, and now it is %v, of %s (%v)", c.Size, c.Root, root, now.Origin, err)
		}
	}
	t.Logf("%d documents, all there; %d checkpoints were given out, all of one history of %d entries", len(d.documents), len(d.signed), now.Size)
}

func deploymentCuts(t *testing.T, failing bool, engineOf func(t *testing.T) *engine) {
	t.Helper()
	for from := 0; from < *cuts; from += each {
		t.Run(fmt.Sprintf("machine%d", from/each), func(t *testing.T) {
			d := newDeployment(t, engineOf(t))
			d.failing = failing
			for i := from; i < min(from+each, *cuts); i++ {
				d.sow(seedOf(i))
				if err := d.round(t, 2000); err != nil {
					t.Fatalf("cut %d, seed %d: %v", i+1, d.seed, err)
				}
			}
			d.oneHistory(t)
		})
	}
	t.Logf("the power went %d times", *cuts)
}

func TestPowerCutDeploymentSQLite(t *testing.T)   { deploymentCuts(t, false, onSQLite) }
func TestPowerCutDeploymentPostgres(t *testing.T) { deploymentCuts(t, false, onPostgres) }

// Now and then a sync fails, and what it was to make durable is lost without another word, as Linux does it. Whoever is told so
// acknowledges nothing.
func TestFailingSyncsSQLite(t *testing.T) { deploymentCuts(t, true, onSQLite) }
