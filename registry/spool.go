package registry

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// spool keeps a document's items, on disk if they are many, between reading it and committing it, master data apart from events: who speaks is
// often told by master data that stands behind the events.
type spool struct {
	events, master *section
}

// section stays in memory as long as it is small: a document of one event needs no file.
type section struct {
	dir   string
	small bytes.Buffer
	file  *os.File // nil: all of it is in small
	w     *bufio.Writer
	count int64
}

// spoolMemory is how much of a section is kept in memory before it becomes a file.
const spoolMemory = 256 << 10

func newSpool(dir string) *spool {
	return &spool{events: &section{dir: dir}, master: &section{dir: dir}}
}

func (s *spool) close() {
	for _, sec := range []*section{s.events, s.master} {
		if sec.file != nil {
			sec.file.Close()
		}
	}
}

// write adds bytes, in memory or to the file.
func (s *section) write(b []byte) error {
	if s.file == nil && s.small.Len()+len(b) <= spoolMemory {
		s.small.Write(b)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "spool-*")
		if err != nil {
			return err
		}
		os.Remove(f.Name()) // gone when closed, even when we are killed
		s.file, s.w = f, bufio.NewWriterSize(f, 1<<16)
		if _, err := s.small.WriteTo(s.w); err != nil {
			return err
		}
		s.small = bytes.Buffer{}
	}
	_, err := s.w.Write(b)
	return err
}

// reader reads the section from its beginning.
func (s *section) reader() (*bufio.Reader, error) {
	if s.file == nil {
		return bufio.NewReader(bytes.NewReader(s.small.Bytes())), nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return bufio.NewReaderSize(s.file, 1<<16), err
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
	if err := s.write(binary.AppendUvarint(nil, uint64(len(field)))); err != nil {
		return err
	}
	return s.write(field)
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
