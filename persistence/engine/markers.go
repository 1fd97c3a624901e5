package engine

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// markerFS makes names reach the disk in the order in which they refer to each other. The engine
// points to its manifest by an empty file named "marker.*", created right after the manifest in the
// same directory; where the file system is free to keep the second name and lose the first, a power
// cut between them leaves a store that can't be opened (pebble issue 5825, mended after v2.1 in
// pull request 5915). So the directory is synced before a marker is created: once in some gigabytes
// of writes.
type markerFS struct{ vfs.FS }

// Create implements vfs.FS.
func (f markerFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return f.FS.Create(name, category)
}

// Unwrap implements vfs.FS.
func (f markerFS) Unwrap() vfs.FS { return f.FS }

func syncDir(fs vfs.FS, name string) error {
	dir, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
