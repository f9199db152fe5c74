package publish_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
)

// world is a log with a key, whose entries say things that must not be seen.
type world struct {
	t      *testing.T
	store  *memory.Store
	signer *ledger.Signer
	key    note.Verifier
	log    *publish.Log
	signed []byte
}

const secret = "secret"

func newWorld(t *testing.T) *world {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey("tidewaiter.org/log/test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: memory.New()}
	if w.signer, err = ledger.LoadSigner(skey); err != nil {
		t.Fatal(err)
	}
	if w.key, err = ledger.LoadVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	w.log = &publish.Log{Store: w.store, Keys: func(context.Context) (*ledger.Keys, error) {
		return ledger.NewKeys(ledger.Key{Verifier: w.key})
	}, Last: func(context.Context) ([]byte, error) { return w.signed, nil }}
	return w
}

// grow appends entries until there are n, and signs.
func (w *world) grow(n int64) {
	w.t.Helper()
	err := w.store.Append(w.t.Context(), func(tx store.Appender) error {
		for i := tx.Head().Size; i < n; i++ {
			name := fmt.Sprintf("%s-name-%d", secret, i)
			e := ledger.Entry{Kind: ledger.KindEvent, Recorded: time.Unix(1e9+i, 0), Speaker: secret + "-speaker", Name: name, Body: []byte(secret + "-body")}
			if _, err := tx.Append(e, store.Key([]byte(fmt.Sprintf("%032d", i)))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.sign(n)
}

func (w *world) sign(n int64) {
	w.t.Helper()
	root, err := tlog.TreeHash(n, w.store.HashReader(w.t.Context()))
	if err != nil {
		w.t.Fatal(err)
	}
	if w.signed, err = ledger.Sign(w.signer, n, root); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) publish(dir string) publish.Published {
	w.t.Helper()
	p, err := w.log.Folder(w.t.Context(), dir, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// files reads a folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fromFolder reads tiles, unchecked, as a client gets them.
type fromFolder map[string][]byte

func (f fromFolder) Height() int                         { return ledger.TileHeight }
func (f fromFolder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f fromFolder) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		d, ok := f[ledger.TilePath(t)]
		if !ok {
			return nil, fmt.Errorf("%s is missing", ledger.TilePath(t))
		}
		data = append(data, d)
	}
	return data, nil
}

// checkTree proves every leaf of the tree of one size from the folder alone, and that the bundles hold what the leaves commit to.
func checkTree(t *testing.T, f fromFolder, c tlog.Tree) {
	t.Helper()
	r := tlog.TileHashReader(c, f)
	for seq := int64(0); seq < c.N; seq++ {
		got, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, seq)})
		if err != nil {
			t.Fatalf("size %d, leaf %d: %v", c.N, seq, err)
		}
		width := min(ledger.TileWidth, int(c.N-seq/ledger.TileWidth*ledger.TileWidth))
		b := ledger.BundleOf(tlog.Tile{H: ledger.TileHeight, N: seq / ledger.TileWidth, W: width})
		entries, err := ledger.ParseBundle(f[ledger.TilePath(b)], width)
		if err != nil {
			t.Fatalf("size %d, %s: %v", c.N, ledger.TilePath(b), err)
		}
		if data := entries[seq%ledger.TileWidth]; len(data) != 32 || tlog.RecordHash(data) != got[0] {
			t.Fatalf("size %d: entry %d in the bundle is not that of the leaf", c.N, seq)
		}
	}
}

// Every size that was ever published can be proven from the folder, and the folder tells nothing of what entries say.
func TestFolderShowsEverySizeAndNoContent(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	var trees []tlog.Tree
	for _, n := range []int64{0, 1, 2, 255, 256, 257, 511, 513, 770} {
		w.grow(n)
		p := w.publish(dir)
		if p.Size != n {
			t.Errorf("published %+v, want size %d", p, n)
		}
		if again := w.publish(dir); again.Files != 0 || again.From != n {
			t.Errorf("published again: %+v", again)
		}
		c, err := ledger.ParseCheckpoint(files(t, dir)["checkpoint"], w.key)
		if err != nil || c.Size != n {
			t.Fatalf("%+v, %v", c, err)
		}
		trees = append(trees, tlog.Tree{N: c.Size, Hash: c.Root})
	}
	all := files(t, dir)
	for _, tree := range trees {
		checkTree(t, all, tree)
	}
	for name, data := range all {
		if bytes.Contains(data, []byte(secret)) || strings.Contains(name, ".new") {
			t.Errorf("%s should not be there, or not say that", name)
		}
	}
}

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return rec
}

// Over HTTP there are the same bytes as in the folder.
func TestHandlerServesTheFolder(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	for _, n := range []int64{3, 256, 600} {
		w.grow(n)
		w.publish(dir)
	}
	h := w.log.Handler(func(err error) { t.Error(err) })
	for name, data := range files(t, dir) {
		rec := get(t, h, http.MethodGet, "/"+name)
		if rec.Code != http.StatusOK || !bytes.Equal(rec.Body.Bytes(), data) {
			t.Errorf("%s: %d, %d bytes, want %d", name, rec.Code, rec.Body.Len(), len(data))
		}
		immutable := strings.Contains(rec.Header().Get("Cache-Control"), "immutable")
		if immutable == (name == "checkpoint") {
			t.Errorf("%s: Cache-Control %q", name, rec.Header().Get("Cache-Control"))
		}
		head := get(t, h, http.MethodHead, "/"+name)
		if head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(data)) {
			t.Errorf("HEAD %s: %d bytes, Content-Length %s", name, head.Body.Len(), head.Header().Get("Content-Length"))
		}
	}
	if kind := get(t, h, http.MethodGet, "/checkpoint").Header().Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("the checkpoint is %s", kind)
	}
}

// Nothing else is there: no listing, nothing beyond what was published, no other spelling, and nothing can be written.
func TestHandlerServesNothingElse(t *testing.T) {
	w := newWorld(t)
	h := w.log.Handler(func(err error) { t.Error(err) })
	if rec := get(t, h, http.MethodGet, "/checkpoint"); rec.Code != http.StatusNotFound || !strings.Contains(rec.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("before the first checkpoint: %d", rec.Code)
	}
	w.grow(600)
	w.sign(300) // the rest is there, and not published
	for _, path := range []string{
		"/", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/001", "/tile/0/001.p/45", "/tile/0/001.p/256", "/tile/0/001.p/0", "/tile/0/1.p/1",
		"/tile/0/x000/000", "/tile/00/000", "/tile/1/000", "/tile/1/000.p/2", "/tile/2/000.p/1", "/tile/64/000", "/tile/63/000.p/1", "/tile/-1/000", "/tile/8/0/000",
		"/tile/data/000", "/tile/entries/001", "/tile/entries/001.p/45", "/tile/entries/002.p/1", "/tile/8/data/000", "/tile/0/x999/x999/x999/x999/x999/x999/999", "/checkpoint/", "/ledger.db",
		"/tile/0/../../checkpoint",
	} {
		if rec := get(t, h, http.MethodGet, path); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	for _, path := range []string{"/tile/0/000", "/tile/0/001.p/44", "/tile/0/001.p/1", "/tile/1/000.p/1", "/tile/entries/001.p/44", "/tile/entries/000.p/7"} {
		if rec := get(t, h, http.MethodGet, path); rec.Code != http.StatusOK {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if rec := get(t, h, method, "/checkpoint"); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, rec.Code)
		}
	}
}

// A store that fails is not the asker's business; the operator is told.
func TestHandlerTellsTheOperator(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	w.store.Fail = func(string) error { return store.ErrBusy }
	var told error
	rec := get(t, w.log.Handler(func(err error) { told = err }), http.MethodGet, "/tile/0/000.p/3")
	if rec.Code != http.StatusInternalServerError || !errors.Is(told, store.ErrBusy) || strings.Contains(rec.Body.String(), "busy") {
		t.Errorf("%d %q; told %v", rec.Code, rec.Body, told)
	}
}

// Interrupted at any moment, the folder shows what it showed before, and repeating ends where it should have.
func TestFolderInterrupted(t *testing.T) {
	w, calm := newWorld(t), t.TempDir()
	w.grow(300)
	first := w.signed
	dir := t.TempDir()
	w.publish(dir)
	w.publish(calm)
	w.grow(900)
	w.publish(calm)
	for after := 1; ; after++ {
		reads := 0
		w.store.Fail = func(string) error {
			if reads++; reads > after {
				return store.ErrBusy
			}
			return nil
		}
		_, err := w.log.Folder(t.Context(), dir, nil)
		w.store.Fail = nil
		if err == nil {
			break
		}
		all := files(t, dir)
		if !errors.Is(err, store.ErrBusy) || !bytes.Equal(all["checkpoint"], first) {
			t.Fatalf("after %d reads: %v", after, err)
		}
		c, err := ledger.ParseCheckpoint(first, w.key)
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, all, tlog.Tree{N: c.Size, Hash: c.Root})
	}
	if want, got := files(t, calm), files(t, dir); fmt.Sprint(want) != fmt.Sprint(got) {
		t.Error("the folder that was interrupted is not as the other")
	}
}

// A folder that shows another log, another history or more is left as it is.
func TestFolderOfAnotherLog(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.grow(5)
	w.publish(dir)
	before := fmt.Sprint(files(t, dir))
	other := newWorld(t)
	other.grow(9)
	forked := newWorld(t)
	forked.signer, forked.key = w.signer, w.key
	forked.grow(9)
	w.sign(4)
	for want, l := range map[string]*publish.Log{"it shows another log": other.log, "it shows another history": forked.log, "it shows 5 entries already": w.log} {
		if _, err := l.Folder(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if after := fmt.Sprint(files(t, dir)); after != before {
		t.Error("the folder was changed")
	}
}

// What was changed behind the ledger's back is not published.
func TestChangedEntryIsNotPublished(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	w.log.Store = changed{w.store}
	if _, err := w.log.Folder(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "entry 1 is not what was recorded") {
		t.Errorf("%v", err)
	}
}

// changed is a store in which entry 1 says something else.
type changed struct{ *memory.Store }

func (c changed) Entries(ctx context.Context, from, to int64, fn func(ledger.Entry) error) error {
	return c.Store.Entries(ctx, from, to, func(e ledger.Entry) error {
		if e.Seq == 1 {
			e.Body = []byte("something else")
		}
		return fn(e)
	})
}
