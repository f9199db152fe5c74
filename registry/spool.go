package registry

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/internal/durable"
)

// spool keeps a document's items aside between reading it and committing it, master data apart from events: who speaks is often
// told by master data that stands behind the events. Small documents stay in memory, where most single events come and go.
type spool struct {
	events, master section
}

// spoolInMemory is how many bytes a section holds before it makes a file.
const spoolInMemory = 1 << 20

type section struct {
	dir   string
	held  []byte
	file  *os.File // once there was too much to hold
	w     *bufio.Writer
	count int64
}

// spoolPrefix begins what files in the spool are called while they have a name.
const spoolPrefix = "spool-"

// ClearSpool removes what a loss of power brought back, and returns when that is durable: a spool has a name for a moment only, but the
// disk may have kept that it was made and not that it was removed, and some of what was in it.
func ClearSpool(dir string) error {
	if err := removeSpools(dir); err != nil {
		return err
	}
	return durable.SyncFolder(dir)
}

// removeSpools takes their names from files in the spool. One that is in use does not need it any more.
func removeSpools(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), spoolPrefix) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what is left of a document that was being read: %w", err)
		}
	}
	return nil
}

func newSpool(dir string) *spool { return &spool{events: section{dir: dir}, master: section{dir: dir}} }

func (s *spool) close() {
	for _, p := range []*section{&s.events, &s.master} {
		if p.file != nil {
			p.file.Close()
		}
	}
}

// small says whether all of the document is in memory.
func (s *spool) small() bool { return s.events.file == nil && s.master.file == nil }

// spill moves what is held to a file.
func (s *section) spill() error {
	if s.dir != "" { // the system's folder is not ours to clear
		if err := removeSpools(s.dir); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(s.dir, spoolPrefix+"*")
	if err != nil {
		return err
	}
	os.Remove(f.Name()) // gone when closed, even when we are killed
	s.file, s.w = f, bufio.NewWriterSize(f, 1<<16)
	_, err = s.w.Write(s.held)
	s.held = nil
	return err
}

func (s *spool) add(it epcis.Item) error {
	sec := &s.events
	if it.Kind == epcis.ItemMasterData {
		sec = &s.master
	}
	reason, at := "", ""
	if it.Err != nil {
		reason, at = it.Err.Reason, it.Err.Pointer
	}
	sec.count++
	for _, field := range [][]byte{binary.AppendUvarint(nil, uint64(it.Index)), []byte(it.Pointer), []byte(it.VocabularyType), []byte(reason), []byte(at), it.Raw} {
		if err := sec.put(field); err != nil {
			return aside(err)
		}
	}
	return nil
}

// flush ends the writing: from here on the spool is read, and a disk that is full can no longer surprise it.
func (s *spool) flush() error {
	for _, sec := range []*section{&s.events, &s.master} {
		if sec.file == nil {
			continue
		}
		if err := sec.w.Flush(); err != nil {
			return aside(err)
		}
	}
	return nil
}

func aside(err error) error {
	return fmt.Errorf("a copy of the document is put aside before any of it is committed, and could not be; nothing of it was kept: %w", err)
}

func back(err error) error {
	return fmt.Errorf("reading the document back from the copy that was put aside: %w", err)
}

func (s *section) put(field []byte) error {
	if s.file == nil {
		if len(s.held)+len(field) <= spoolInMemory {
			s.held = append(binary.AppendUvarint(s.held, uint64(len(field))), field...)
			return nil
		}
		if err := s.spill(); err != nil {
			return err
		}
	}
	if _, err := s.w.Write(binary.AppendUvarint(nil, uint64(len(field)))); err != nil {
		return err
	}
	_, err := s.w.Write(field)
	return err
}

// reader is what reads a section from its beginning.
type reader interface {
	io.Reader
	io.ByteReader
}

func (s *section) reader() (reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.held), nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(s.file, 1<<16), nil
}

// each calls fn for every item, in the document's order.
func (s *section) each(kind epcis.ItemKind, fn func(epcis.Item) error) error {
	r, err := s.reader()
	if err != nil {
		return back(err)
	}
	for {
		var fields [6][]byte
		for i := range fields {
			n, err := binary.ReadUvarint(r)
			if i == 0 && errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return back(err)
			}
			fields[i] = make([]byte, n)
			if _, err := io.ReadFull(r, fields[i]); err != nil {
				return back(err)
			}
		}
		index, _ := binary.Uvarint(fields[0])
		it := epcis.Item{Kind: kind, Index: int(index), Pointer: string(fields[1]), VocabularyType: string(fields[2]), Raw: fields[5]}
		if len(fields[3]) > 0 {
			it.Err = &epcis.Error{Pointer: string(fields[4]), Reason: string(fields[3])}
		}
		if err := fn(it); err != nil {
			return err
		}
	}
}
