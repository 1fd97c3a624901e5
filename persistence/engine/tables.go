package engine

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Table is a table of the engine that is being written, beside it.
type Table struct {
	*sstable.Writer
	fs vfs.FS
	// Path is that of the file.
	Path   string
	closed bool
}

const stagedPrefix = "staged-"

// NewTable begins a table beside the engine, for an ingestion. Close it, and then Remove it:
// ingesting links the file under a name of the engine's.
func (e *Engine) NewTable() (*Table, error) {
	fs := e.options.FS
	path := fs.PathJoin(e.options.Dir, fmt.Sprintf("%s%d", stagedPrefix, e.stagings.Add(1)))
	file, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("persistence: receive a snapshot: %w", err)
	}
	writer := sstable.NewWriter(objstorageprovider.NewFileWritable(file), sstable.WriterOptions{
		Comparer: e.comparer, TableFormat: e.TableFormat(), FilterPolicy: filterPolicy,
	})
	return &Table{Writer: writer, fs: fs, Path: path}, nil
}

// Set adds a record.
func (t *Table) Set(key, value []byte, _ *pebble.WriteOptions) error { return t.Writer.Set(key, value) }

// Close writes the table to the disk.
func (t *Table) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	return t.Writer.Close()
}

// Remove removes the file: the engine has linked it under a name of its own, or it is not needed.
func (t *Table) Remove() {
	_ = t.Close()
	_ = t.fs.Remove(t.Path)
}

// RemoveTables removes the tables that a crash has left.
func (e *Engine) RemoveTables() error {
	names, err := e.options.FS.List(e.options.Dir)
	if err != nil {
		return fmt.Errorf("persistence: look for unfinished snapshots: %w", err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, stagedPrefix) {
			_ = e.options.FS.Remove(e.options.FS.PathJoin(e.options.Dir, name))
		}
	}
	return nil
}
