package registry

import (
	"bufio"
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

// spool keeps a document's items on disk between reading it and committing it, master data apart from events: who speaks is
// often told by master data that stands behind the events.
type spool struct {
	events, master *section
}

type section struct {
	file  *os.File
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

func newSpool(dir string) (*spool, error) {
	if dir != "" { // the system's folder is not ours to clear
		if err := removeSpools(dir); err != nil {
			return nil, aside(err)
		}
	}
	s := &spool{}
	for _, p := range []**section{&s.events, &s.master} {
		f, err := os.CreateTemp(dir, spoolPrefix+"*")
		if err != nil {
			s.close()
			return nil, aside(err)
		}
		os.Remove(f.Name()) // gone when closed, even when we are killed
		*p = &section{file: f, w: bufio.NewWriterSize(f, 1<<16)}
	}
	return s, nil
}

func (s *spool) close() {
	for _, p := range []*section{s.events, s.master} {
		if p != nil {
			p.file.Close()
		}
	}
}

func (s *spool) add(it epcis.Item) error {
	sec := s.events
	if it.Kind == epcis.ItemMasterData {
		sec = s.master
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
	for _, sec := range []*section{s.events, s.master} {
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
	if _, err := s.w.Write(binary.AppendUvarint(nil, uint64(len(field)))); err != nil {
		return err
	}
	_, err := s.w.Write(field)
	return err
}

// each calls fn for every item, in the document's order.
func (s *section) each(kind epcis.ItemKind, fn func(epcis.Item) error) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return back(err)
	}
	r := bufio.NewReaderSize(s.file, 1<<16)
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
