package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// Monitor follows a log from outside: it fetches what the log shows, believes none of it before it has proven it, and keeps a
// mirror, in the form in which the log is published. Whoever follows a log keeps it from showing two histories unnoticed.
type Monitor struct {
	URL      string         // prefix of the log
	Keys     *ledger.Keys   // from a source that is trusted
	Policy   *ledger.Policy // witnesses that must have cosigned; nil: none
	Dir      string         // the mirror
	Evidence string         // folder for evidence of what should not be
	Client   *http.Client
}

// Seen is what a look at the log showed.
type Seen struct {
	From int64  `json:"from"` // size that was known before
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Alarm is the error by which the log, or whoever serves it in its name, is shown to be at fault. What proves it was kept.
type Alarm struct {
	What string // in words
	Kept string // folder with what was seen before, what was shown, and a report
}

func (a *Alarm) Error() string { return "ALARM: " + a.What + "; the evidence is in " + a.Kept }

// seenName is the newest checkpoint that was proven to extend those before it. The mirror may be behind it.
const seenName = "seen"

// maxCheckpoint is more than a checkpoint with all its signatures takes.
const maxCheckpoint = 1 << 20

// Follow looks at the log once, and brings the mirror up to what it shows. The error is an *Alarm when the log is at fault.
func (m *Monitor) Follow(ctx context.Context) (Seen, error) {
	r := &remote{ctx: ctx, client: m.Client, url: m.URL, high: map[tlog.Tile][]byte{}}
	text, err := r.fetch(checkpointName, maxCheckpoint)
	if err != nil {
		return Seen{}, err
	}
	before, known, err := m.known(seenName)
	if err != nil {
		return Seen{}, err
	}
	c, err := m.check(text)
	if errors.Is(err, ledger.ErrNotProven) {
		return Seen{}, m.alarm(before, text, "the log shows a checkpoint that does not stand: %v", err)
	}
	if err != nil {
		return Seen{}, fmt.Errorf("%s shows no checkpoint: %w", m.URL, err)
	}
	if err := m.joins(r, before, known, text, c); err != nil {
		return Seen{}, err
	}
	w := &writer{dir: m.Dir, dirs: map[string]bool{}}
	if err := w.write(seenName, text); err != nil {
		return Seen{}, fmt.Errorf("mirror: %w", err)
	}
	return Seen{From: known.Size, Size: c.Size, Root: c.Root.String()}, m.mirror(r, w, text, c)
}

// check verifies a checkpoint's signatures.
func (m *Monitor) check(text []byte) (ledger.Checkpoint, error) {
	c, err := ledger.ParseCheckpoint(text, m.Keys)
	if err != nil || m.Policy == nil {
		return c, err
	}
	_, err = m.Policy.Witnessed(text)
	return c, err
}

// known reads a checkpoint that was kept. Where there is none it is that of the empty tree.
func (m *Monitor) known(name string) ([]byte, ledger.Checkpoint, error) {
	empty := ledger.Checkpoint{Origin: m.Keys.Name(), Root: new(ledger.Tree).Root()}
	text, err := os.ReadFile(filepath.Join(m.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, empty, nil
	}
	if err != nil {
		return nil, empty, fmt.Errorf("mirror: %w", err)
	}
	c, err := ledger.ParseCheckpoint(text, m.Keys)
	if err != nil {
		return nil, empty, fmt.Errorf("mirror: %s in %s is not of this log: %w; follow it into another folder", name, m.Dir, err)
	}
	return text, c, nil
}

// joins proves that what is shown extends what was seen before. It asks the log alone, so that a log that was rewritten proves
// that by its own tiles.
func (m *Monitor) joins(r *remote, before []byte, old ledger.Checkpoint, text []byte, c ledger.Checkpoint) error {
	switch {
	case c.Size < old.Size:
		return m.alarm(before, text, "the log has shrunk: it showed %d entries, and shows %d", old.Size, c.Size)
	case c.Size == old.Size && c.Root != old.Root:
		return m.alarm(before, text, "a split view: the log has signed two trees of %d entries, with the roots %v and %v", c.Size, old.Root, c.Root)
	case c.Size == old.Size:
		return nil
	}
	proof, err := ledger.ProveConsistency(tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tiles{remote: r}), old.Size, c.Size)
	if err := m.corrupt(before, text, c, err); err != nil {
		return err
	}
	err = ledger.CheckConsistency(proof, old, c)
	if errors.Is(err, ledger.ErrNotProven) {
		return m.alarm(before, text, "a split view: the log has signed two histories, one of %d entries with the root %v, and one of %d that does not have it in it", old.Size, old.Root, c.Size)
	}
	return err
}

// corrupt tells a tile that could not be fetched from one that is not of the tree.
func (m *Monitor) corrupt(before, text []byte, c ledger.Checkpoint, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fetchError](err); ok {
		return err
	}
	return m.alarm(before, text, "the log serves tiles that are not those of the tree of %d entries that it signed: %v", c.Size, err)
}

// mirrorBatch is how many tiles are fetched and verified together.
const mirrorBatch = 64

// mirror fetches what is new, verifies it against the signed root, and keeps it; the checkpoint last.
func (m *Monitor) mirror(r *remote, w *writer, text []byte, c ledger.Checkpoint) error {
	_, done, err := m.known(checkpointName)
	if err != nil {
		return err
	}
	list := tlog.NewTiles(ledger.TileHeight, done.Size, c.Size)
	for len(list) > 0 {
		n := min(mirrorBatch, len(list))
		if err := m.keep(r, w, list[:n], text, c); err != nil {
			return err
		}
		list = list[n:]
	}
	if err := w.finish(text); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	return nil
}

// keep fetches some tiles and the bundles beneath them, verifies them, and writes them.
func (m *Monitor) keep(r *remote, w *writer, list []tlog.Tile, text []byte, c ledger.Checkpoint) error {
	verified := map[tlog.Tile][]byte{}
	reader := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tiles{r, func(t tlog.Tile, data []byte) { verified[t] = data }})
	var first []int64 // a hash of each tile: whoever asks for one gets the whole tile verified
	for _, t := range list {
		first = append(first, tlog.StoredHashIndex(t.L*ledger.TileHeight, t.N<<ledger.TileHeight))
	}
	_, err := reader.ReadHashes(first)
	if err := m.corrupt(nil, text, c, err); err != nil {
		return err
	}
	bundles := make([][]byte, len(list))
	err = each(len(list), func(i int) (err error) {
		if list[i].L == 0 {
			bundles[i], err = r.bundle(list[i])
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, t := range list {
		if t.L == 0 {
			if err := m.corrupt(nil, text, c, fits(bundles[i], t, verified[t])); err != nil {
				return err
			}
			if err := w.write(ledger.TilePath(ledger.BundleOf(t)), bundles[i]); err != nil {
				return fmt.Errorf("mirror: %w", err)
			}
		}
		if err := w.write(ledger.TilePath(t), verified[t]); err != nil {
			return fmt.Errorf("mirror: %w", err)
		}
	}
	return nil
}

// fits says why a bundle does not hold the entries of which a verified tile has the leaf hashes.
func fits(bundle []byte, t tlog.Tile, leaves []byte) error {
	path := ledger.TilePath(ledger.BundleOf(t))
	entries, err := ledger.ParseBundle(bundle, t.W)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, data := range entries {
		if h := tlog.RecordHash(data); h != tlog.Hash(leaves[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return fmt.Errorf("%s: entry %d is not that of the leaf", path, t.N*ledger.TileWidth+int64(i))
		}
	}
	return nil
}

// alarm keeps what was seen before and what is shown now, which is signed by the log and so speaks for itself, and a report.
func (m *Monitor) alarm(before, text []byte, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if before == nil {
		before, _ = os.ReadFile(filepath.Join(m.Dir, seenName)) // what is not there was not seen
	}
	fail := func(err error) error {
		return errors.Join(&Alarm{What: what, Kept: "nothing, for it could not be kept"}, err)
	}
	if err := os.MkdirAll(m.Evidence, 0o755); err != nil {
		return fail(err)
	}
	now := time.Now().UTC()
	dir, err := os.MkdirTemp(m.Evidence, now.Format("20060102T150405Z-"))
	if err != nil {
		return fail(err)
	}
	w := &writer{dir: dir, dirs: map[string]bool{}}
	report := fmt.Sprintf("%s\n\nLog: %s, at %s\nSeen at: %s\n\n\"before\" is the newest checkpoint that was proven to extend all that were seen before it, and \"shown\" is what the log\nshowed then. Both are as they were received, with the log's signature.\n",
		what, m.Keys.Name(), m.URL, now.Format(time.RFC3339))
	for name, data := range map[string][]byte{"before": before, "shown": text, "report.txt": []byte(report)} {
		if data == nil {
			continue
		}
		if err := w.write(name, data); err != nil {
			return fail(err)
		}
	}
	if err := durable.SyncFolder(dir); err != nil {
		return fail(err)
	}
	return &Alarm{What: what, Kept: dir}
}
