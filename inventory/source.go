package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Limits of what is read. The real DGX H100 tree needs some 400 requests; its largest resource in use has 60 kB.
const (
	maxBody    = 4 << 20   // of one resource
	maxArchive = 256 << 20 // of all resources of an archive, unpacked
)

// rootPath is where every Redfish service begins (DSP0266 §6.6).
const rootPath = "/redfish/v1"

// Source is a Redfish tree that can be read.
type Source interface {
	// Get returns the resource at path, which begins with /redfish/v1 and may carry a query ("…/PCIeDevices?$skip=75").
	// An error that is fs.ErrNotExist says that there is no such resource; one that is ErrUnreachable, that nothing answers.
	Get(ctx context.Context, path string) ([]byte, error)
}

// ErrUnreachable is returned (wrapped) by a Source from which nothing can be read for now.
var ErrUnreachable = errors.New("no answer")

// folder is a tree on disk: the resource at /redfish/v1/X is the file redfish/v1/X/index.json.
type folder struct {
	fsys fs.FS
	base string // the folder that holds redfish/v1; empty for the root
}

// OpenDir opens a captured tree on disk. dir holds redfish/v1/index.json, at most two folders down. The second result closes it.
func OpenDir(dir string) (Source, io.Closer, error) {
	root, err := os.OpenRoot(dir) // a link inside the tree cannot lead out of it
	if err != nil {
		return nil, nil, fmt.Errorf("opening the Redfish tree: %w", err)
	}
	for _, pattern := range []string{"redfish/v1/index.json", "*/redfish/v1/index.json", "*/*/redfish/v1/index.json"} {
		found, err := fs.Glob(root.FS(), pattern)
		if err != nil || len(found) == 0 {
			continue
		}
		return folder{fsys: root.FS(), base: strings.TrimSuffix(strings.TrimSuffix(found[0], "redfish/v1/index.json"), "/")}, root, nil
	}
	root.Close()
	return nil, nil, fmt.Errorf("%s holds no redfish/v1/index.json: give the folder that Redfish-Mockup-Creator wrote", dir)
}

func (f folder) Get(_ context.Context, name string) ([]byte, error) {
	file, err := f.fsys.Open(path.Join(f.base, strings.TrimPrefix(name, "/"), "index.json"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

// readBounded reads all of r, and fails when that is more than one resource may hold.
func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("larger than %d MiB", maxBody>>20)
	}
	return body, nil
}
