package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Target is a place for backups: objects by names with slashes. Its methods are safe for concurrent
// use.
type Target interface {
	// Create begins an object. It can't be seen before Commit, and replaces one of its name.
	Create(ctx context.Context, name string) (Draft, error)
	// Open reads an object. The error is an ErrMissing where there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List names all objects below a prefix, in their order.
	List(ctx context.Context, prefix string) ([]string, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Draft is an object that is being written. Commit or Abort must follow; Abort after Commit does
// nothing.
type Draft interface {
	io.Writer
	// Commit makes it visible, on stable storage.
	Commit() error
	// Abort forgets it.
	Abort()
}

// ErrMissing: there is no object of that name.
var ErrMissing = errors.New("backup: no such object")

// OpenTarget returns the target of a URL: file:///folder. It is not touched yet.
func OpenTarget(address string) (Target, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("backup: %q is no URL: write file:///folder", address)
	}
	switch {
	case at.Scheme == "file" && at.Host == "" && filepath.IsAbs(at.Path) && filepath.Clean(at.Path) != "/":
		return folder(filepath.Clean(at.Path)), nil
	case at.Scheme == "file":
		return nil, fmt.Errorf("backup: %q names no folder: write file:///folder, with three slashes", address)
	}
	return nil, fmt.Errorf("backup: this version does not know targets such as %q: write file:///folder", address)
}

// folder is a Target on a file system: a disk of its own, or one that is mounted from elsewhere.
type folder string

const (
	folderMode, fileMode = 0o700, 0o600
	// draftSuffix ends the names of files that are being written.
	draftSuffix = ".draft"
)

func (f folder) path(name string) (string, error) {
	if !fs.ValidPath(name) || name == "." {
		return "", fmt.Errorf("backup: %q is no name of an object", name)
	}
	return filepath.Join(string(f), filepath.FromSlash(name)), nil
}

// Create implements Target.
func (f folder) Create(_ context.Context, name string) (Draft, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path+draftSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return nil, err
	}
	return &fileDraft{File: file, path: path}, nil
}

type fileDraft struct {
	*os.File
	path string
	done bool
}

// Commit implements Draft.
func (d *fileDraft) Commit() error {
	err := errors.Join(d.Sync(), d.Close())
	if err == nil {
		err = os.Rename(d.Name(), d.path)
	}
	if err != nil {
		return err
	}
	d.done = true
	return syncFolder(filepath.Dir(d.path))
}

// Abort implements Draft.
func (d *fileDraft) Abort() {
	if !d.done {
		d.done = true
		_ = d.Close()
		_ = os.Remove(d.Name())
	}
}

// syncFolder makes what was renamed in a folder stay renamed.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open implements Target.
func (f folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrMissing, name)
	}
	return file, err
}

// List implements Target.
func (f folder) List(_ context.Context, prefix string) ([]string, error) {
	if _, err := os.Stat(string(f)); err != nil {
		return nil, err // mistyped or not mounted, as a rule
	}
	var names []string
	err := filepath.WalkDir(string(f), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it was deleted meanwhile
			return nil
		case err != nil:
			return err
		case entry.IsDir() || strings.HasSuffix(path, draftSuffix):
			return nil
		}
		name, err := filepath.Rel(string(f), path)
		if name = filepath.ToSlash(name); err == nil && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}

// Delete implements Target. It removes folders with their last file.
func (f folder) Delete(_ context.Context, name string) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Dir(path)) // fails where others are left
	return nil
}
