package inventory

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// archive is a tree unpacked into memory, by the path of its resources.
type archive map[string][]byte

// OpenArchive reads a captured tree from a .tar.gz file. The folder that holds redfish/v1 may lie anywhere in it.
func OpenArchive(file string) (Source, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the archive: %w", err)
	}
	defer f.Close()
	a, err := readArchive(f)
	if err != nil {
		return nil, fmt.Errorf("reading the archive %s: %w", file, err)
	}
	return a, nil
}

func readArchive(r io.Reader) (archive, error) {
	packed, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("not a gzip file: %w", err)
	}
	a := archive{}
	left := int64(maxArchive)
	for files := tar.NewReader(packed); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		name := resourcePath(h.Name)
		if h.Typeflag != tar.TypeReg || name == "" || h.Size > maxBody {
			continue // an oversize resource is then absent, and named so if anything leads to it
		}
		if left -= h.Size + 512; left < 0 {
			return nil, fmt.Errorf("its resources are larger than %d MiB together", maxArchive>>20)
		}
		body, err := io.ReadAll(files)
		if err != nil {
			return nil, err
		}
		a[name] = body
	}
	if a[rootPath] == nil {
		return nil, errors.New("it holds no redfish/v1/index.json")
	}
	return a, nil
}

// resourcePath returns the path of the resource that a file of an archive holds, or nothing when it holds none.
func resourcePath(file string) string {
	dir, name := path.Split(path.Clean("/" + file))
	at := strings.Index(dir, rootPath+"/")
	if name != "index.json" || at < 0 {
		return ""
	}
	return strings.TrimSuffix(dir[at:], "/")
}

func (a archive) Get(_ context.Context, name string) ([]byte, error) {
	body, ok := a[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return body, nil
}
