package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// dir is where a node keeps its files, on a disk of its own.
const dir = "store"

// disk is a node's disk. A crash keeps what was synced and, of what the engine had written to its
// log since, a part that the seed says: all, nothing, or up to a torn write. Nothing else that the
// engine has under way in the background matters: tables and manifests only say in other words what
// is synced in the log.
type disk struct {
	fs *vfs.MemFS

	mu   sync.Mutex
	trap trap
	// wait is how often the trap's access is let pass before it springs.
	wait   int
	onTrap func()
	image  *image // what the trap has caught
	// linked: a received snapshot is becoming a part of the engine, which ends the process in the
	// midst of its locks where a sync fails then: power that goes must do for the test.
	linked bool
}

// trap is an access during which the power goes.
type trap int

const (
	noTrap      trap = iota
	trapSync         // before the log is synced: what follows in the same call does not happen any more
	trapError        // the sync fails instead, and the process that made it ends
	trapInstall      // before a received snapshot becomes a part of the engine
	trapTaken        // right after
)

func (t trap) String() string {
	return [...]string{"none", "sync", "sync error", "before a snapshot", "after a snapshot"}[t]
}

// springs reports whether an access is the one.
func (t trap) springs(op errorfs.Op) bool {
	switch t {
	case trapSync, trapError:
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
			return strings.HasSuffix(op.Path, ".log")
		}
	case trapInstall:
		return op.Kind == errorfs.OpLink
	case trapTaken:
		return takesStaged(op)
	}
	return false
}

// takesStaged reports whether an access removes a received snapshot, which is a part of the engine
// then.
func takesStaged(op errorfs.Op) bool {
	return op.Kind == errorfs.OpRemove && strings.Contains(op.Path, "staged-")
}

var errInjected = errors.New("sim: the disk failed")

func newDisk() *disk { return &disk{fs: vfs.NewCrashableMem()} }

// open is the file system for one process. The engine calls it from goroutines of its own.
func (d *disk) open() vfs.FS {
	return fresh{errorfs.Wrap(d.fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.linked = (d.linked || op.Kind == errorfs.OpLink) && !takesStaged(op)
		if !d.trap.springs(op) {
			return nil
		}
		if d.wait--; d.wait >= 0 {
			return nil
		}
		sprung := d.trap
		d.trap = noTrap
		d.image = d.take()
		if sprung == trapSync || sprung == trapError {
			d.image.readTail(d.fs)
		}
		d.onTrap()
		if sprung == trapError && !d.linked {
			return errInjected
		}
		return nil
	}))}
}

// fresh makes new files in place of used ones. Whether the engine has a log file to use again
// depends on what its goroutines have done in the background, so that one seed would be several
// runs; and no trap would see what is written to one.
type fresh struct{ vfs.FS }

// ReuseForWrite implements vfs.FS.
func (f fresh) ReuseForWrite(before, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(before); err != nil {
		return nil, err
	}
	return f.Create(name, category)
}

// flushes lets a snapshot be received only when the engine has moved it out of its queue of tables
// that wait: whether the next one overlaps with that queue decides how often the log is synced, and
// with it which access a trap catches. The engine would do it in the background, so that one seed
// would be several runs.
type flushes struct {
	mu   sync.Mutex
	more sync.Cond
	owed int // received, not yet moved
}

// tune is engine.Options.Tune.
func (f *flushes) tune(o *pebble.Options) {
	f.more.L = &f.mu
	o.EventListener.TableIngested = func(i pebble.TableIngestInfo) {
		queued := i.Err == nil && len(i.Tables) > 0 && i.Tables[0].Level < 0
		if !queued {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.owed++
		for f.owed > 0 {
			f.more.Wait()
		}
	}
	o.EventListener.FlushEnd = func(i pebble.FlushInfo) {
		if !i.Ingest || i.Err != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.owed--
		f.more.Broadcast()
	}
}

// opened forgets what the engine moved while it was opened.
func (f *flushes) opened() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed = 0
}

// set sets a trap, which calls onTrap when it springs, on the goroutine whose access it is.
func (d *disk) set(t trap, wait int, onTrap func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trap, d.wait, d.onTrap = t, wait, onTrap
}

// image is what a crash leaves.
type image struct {
	fs *vfs.MemFS
	// log is the newest log file, and base what of it was synced; tail lies behind the part that
	// both have in common.
	log    string
	base   []byte
	common int
	tail   []byte
}

// take makes an image of what is synced.
func (d *disk) take() *image {
	i := &image{fs: d.fs.CrashClone(vfs.CrashCloneCfg{})}
	names, err := i.fs.List(dir)
	if err != nil {
		return i
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".log") && name > i.log {
			i.log = name
		}
	}
	if i.log != "" {
		i.log = i.fs.PathJoin(dir, i.log)
		i.base, _ = i.fs.UnsafeGetFileDataBuffer(i.log)
	}
	return i
}

// readTail finds what the engine wrote since the last sync.
func (i *image) readTail(fs *vfs.MemFS) {
	if i.log == "" {
		return
	}
	now, err := fs.UnsafeGetFileDataBuffer(i.log)
	if err != nil {
		return
	}
	for i.common < len(now) && i.common < len(i.base) && now[i.common] == i.base[i.common] {
		i.common++
	}
	end := len(now)
	for len(now) == len(i.base) && end > i.common && now[end-1] == i.base[end-1] {
		end--
	}
	i.tail = append([]byte(nil), now[i.common:end]...)
}

// crash ends the life of the disk's process: end must close the engine. What is left is the disk
// from now on.
func (d *disk) crash(rng *rand.Rand, end func()) error {
	d.mu.Lock()
	d.trap = noTrap
	left := d.image
	d.image = nil
	d.mu.Unlock()
	if left == nil {
		left = d.take()
		end() // it writes what waits in memory
		left.readTail(d.fs)
	} else {
		end()
	}
	d.fs = left.fs
	return left.keep(rng)
}

// keep writes a part of the tail.
func (i *image) keep(rng *rand.Rand) error {
	share := rng.Float64()*1.6 - 0.3 // nothing, all, or something in between
	n := int(min(max(share, 0), 1) * float64(len(i.tail)))
	if n == 0 {
		return nil
	}
	file, err := i.fs.OpenReadWrite(i.log, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = file.WriteAt(i.tail[:n], int64(i.common))
	}
	if err == nil {
		err = errors.Join(file.Sync(), file.Close())
	}
	if err != nil {
		return fmt.Errorf("sim: leave a part of the log: %w", err)
	}
	return nil
}
