package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// files is the file system as Pebble sees it.
//
// It makes names reach the disk in the order in which they refer to each other. Pebble points to
// its manifest by an empty file named "marker.*", created right after the manifest in the same
// directory; where the file system is free to keep the second name and lose the first, a power cut
// between them leaves a store that can't be opened (pebble issue 5825, fixed after v2.1 in pull
// request 5915). So the directory is synced before a marker is created: once in some gigabytes of
// writes.
//
// It keeps the high-water record of what is synced (highwater.go). And it gives files to their
// owner alone: they hold what users write.
type files struct {
	vfs.FS
	water *highWater
	// private: the files are on the disk of this machine, and not in a test's memory.
	private bool
}

// Create implements vfs.FS.
func (f files) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	if err := f.water.forget(f.PathBase(name)); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name, category)
	return f.opened(name, file, err)
}

// ReuseForWrite implements vfs.FS.
func (f files) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.water.forget(f.PathBase(oldname), f.PathBase(newname)); err != nil {
		return nil, err
	}
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.opened(newname, file, err)
}

func (f files) opened(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if f.private {
		if err := os.Chmod(name, filePerm); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	if base := f.PathBase(name); appended(base) {
		w := &watched{File: file, name: base, water: f.water}
		if strings.HasPrefix(base, "MANIFEST-") {
			w.named = func() error { return syncDir(f.FS, f.PathDir(name)) }
		}
		return w, nil
	}
	return file, nil
}

// Remove implements vfs.FS.
func (f files) Remove(name string) error {
	if err := f.water.forget(f.PathBase(name)); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// Unwrap implements vfs.FS.
func (f files) Unwrap() vfs.FS { return f.FS }

func syncDir(fs vfs.FS, name string) error {
	dir, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// What the owner alone may read: a directory, a file.
const dirPerm, filePerm = 0o700, 0o600

// keepPrivate makes a directory, and takes it and its files from everyone but their owner, also
// those that an older version left open. What another owner left can't be changed, and is an error.
func keepPrivate(dir string) error {
	if err := os.MkdirAll(dir, dirPerm); err != nil {
		return err
	}
	if err := restrict(dir, dirPerm); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			if err := restrict(filepath.Join(dir, entry.Name()), filePerm); err != nil {
				return err
			}
		}
	}
	return nil
}

// restrict takes away what perm does not allow. A file that is gone needs nothing: Pebble removes
// old ones while the directory is read.
func restrict(path string, perm os.FileMode) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Perm()&^perm == 0 {
		return nil
	}
	if err := os.Chmod(path, info.Mode().Perm()&perm); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
