// Package fresh keeps a value that is read from files, and reads it again when they have changed.
package fresh

import (
	"os"
	"sync"
	"time"
)

// every is how often files are looked at, at most.
const every = time.Second

// Files is a value of type T that is read from files. It is safe for concurrent use. Where changed
// files can't be used, the value before stays in use, and they are read again until they can:
// replacing several files is not one step.
type Files[T any] struct {
	names []string
	read  func() (T, error)
	now   func() time.Time

	mu      sync.Mutex
	checked time.Time
	seen    []os.FileInfo
	value   T
	err     error
}

// Open reads the files by the function for the first time.
func Open[T any](read func() (T, error), now func() time.Time, names ...string) (*Files[T], error) {
	f := &Files[T]{names: names, read: read, now: now}
	if _, err := f.Get(); err != nil {
		return nil, err
	}
	return f, nil
}

// Get returns the value, of the files as they are now or were up to a second ago. The error tells
// why the files as they are can't be used; the value is then that of before.
func (f *Files[T]) Get() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	return f.value, f.err
}

func (f *Files[T]) refresh() {
	now := f.now()
	if passed := now.Sub(f.checked); passed >= 0 && passed < every && !f.checked.IsZero() {
		return
	}
	f.checked = now
	// The files are looked at before they are read: a change in between is seen the next time.
	seen, err := f.stat()
	if err == nil && f.err == nil && f.unchanged(seen) {
		return
	}
	if err != nil {
		f.err = err
		return
	}
	value, err := f.read()
	if f.err = err; err == nil {
		f.value, f.seen = value, seen
	}
}

func (f *Files[T]) stat() ([]os.FileInfo, error) {
	seen := make([]os.FileInfo, len(f.names))
	for i, name := range f.names {
		var err error
		if seen[i], err = os.Stat(name); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

func (f *Files[T]) unchanged(seen []os.FileInfo) bool {
	if f.seen == nil {
		return false
	}
	for i, before := range f.seen {
		if !os.SameFile(before, seen[i]) || before.Size() != seen[i].Size() ||
			!before.ModTime().Equal(seen[i].ModTime()) {
			return false
		}
	}
	return true
}
