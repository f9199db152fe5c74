package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/internal/durable"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// checkpointName is the checkpoint's name, in a folder and beneath a prefix.
const checkpointName = "checkpoint"

// Published says what a folder was given.
type Published struct {
	From  int64 `json:"from"`  // the size that it showed before
	Size  int64 `json:"size"`  // the size that it shows now
	Files int   `json:"files"` // files written
}

// Folder writes to dir what is not there yet, and the checkpoint last: whoever reads the folder meanwhile sees the log as it
// was or as it is. It may be interrupted and repeated; a file is there whole or not at all. Tiles of earlier sizes stay.
//
// It refuses a folder that shows another log, or more than this log has: then something was restored or mixed up, and
// publishing would show a second history to everybody. progress, which may be nil, is told of tiles done and in all.
func (l *Log) Folder(ctx context.Context, dir string, progress func(done, total int64)) (Published, error) {
	text, c, err := l.Checkpoint(ctx)
	if err != nil {
		return Published{}, err
	}
	shown, err := l.shown(ctx, dir, c)
	if err != nil {
		return Published{}, fmt.Errorf("publish to %s: %w", dir, err)
	}
	if shown == 0 { // it may be new, and so may those above it
		if err := durable.MakeFolder(dir, 0o755); err != nil {
			return Published{}, fmt.Errorf("publish to %s: %w", dir, err)
		}
	}
	p := Published{From: shown, Size: c.Size}
	w := writer{dir: dir, dirs: map[string]bool{}}
	tiles := tlog.NewTiles(ledger.TileHeight, shown, c.Size)
	for i, t := range tiles {
		if progress != nil {
			progress(int64(i), int64(len(tiles)))
		}
		if err := l.write(ctx, &w, t); err != nil {
			return p, fmt.Errorf("publish to %s: %w", dir, err)
		}
	}
	if err := errors.Join(w.finish(text), w.tidy()); err != nil {
		return p, fmt.Errorf("publish to %s: %w", dir, err)
	}
	p.Files = w.files
	return p, nil
}

// write writes a tile and, beneath leaf hashes, the bundle.
func (l *Log) write(ctx context.Context, w *writer, t tlog.Tile) error {
	all := []tlog.Tile{t}
	if t.L == 0 {
		all = append(all, ledger.BundleOf(t))
	}
	for _, t := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		data, err := l.Tile(ctx, t)
		if err != nil {
			return err
		}
		if err := w.write(ledger.TilePath(t), data); err != nil {
			return err
		}
	}
	return nil
}

// shown is the size that the folder shows, once it is proven that this tree extends it.
func (l *Log) shown(ctx context.Context, dir string, c ledger.Checkpoint) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, checkpointName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	old, err := l.parse(ctx, text)
	if err != nil {
		return 0, fmt.Errorf("it shows another log: %w; publish to a folder of its own", err)
	}
	if old.Size > c.Size {
		return 0, fmt.Errorf("it shows %d entries already, and this log has signed %d: was the ledger restored from an older backup?", old.Size, c.Size)
	}
	proof, err := ledger.ProveConsistency(l.Store.HashReader(ctx), old.Size, c.Size)
	if err != nil {
		return 0, err
	}
	if err := ledger.CheckConsistency(proof, old, c); err != nil {
		return 0, fmt.Errorf("it shows another history: %w", err)
	}
	return old.Size, nil
}

// writer writes files whole or not at all, and makes their names durable before the checkpoint names them.
type writer struct {
	dir   string
	dirs  map[string]bool // made or written to since the last sync
	files int
}

func (w *writer) write(name string, data []byte) error {
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	dir := filepath.Dir(path)
	if !w.dirs[dir] {
		if err := w.makeDir(dir); err != nil {
			return err
		}
	}
	if err := w.place(path, data); err != nil {
		return err
	}
	w.files++
	return nil
}

// makeDir makes a folder and those above it, all of which are to be synced.
func (w *writer) makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for top := filepath.Clean(w.dir); ; dir = filepath.Dir(dir) {
		w.dirs[dir] = true
		if dir == top || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// finish makes durable what was written, and shows it by writing the checkpoint, unless it is there already.
func (w *writer) finish(checkpoint []byte) error {
	for dir := range w.dirs {
		if err := durable.SyncFolder(dir); err != nil {
			return err
		}
	}
	if old, err := os.ReadFile(filepath.Join(w.dir, checkpointName)); err == nil && string(old) == string(checkpoint) {
		return durable.SyncFolder(w.dir) // who wrote it may have been killed before this
	}
	if err := w.write(checkpointName, checkpoint); err != nil {
		return err
	}
	return durable.SyncFolder(w.dir)
}

// place puts a file in place in one step.
func (w *writer) place(path string, data []byte) error {
	f, err := os.CreateTemp(w.dir, unfinished)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is there by that name once it was renamed
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// unfinished names files that are being written. One that was left by a process that was killed is taken away an hour later,
// when nobody can be writing it any more.
const unfinished = ".new-*"

func (w *writer) tidy() error {
	left, err := filepath.Glob(filepath.Join(w.dir, unfinished))
	if err != nil {
		return err
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
