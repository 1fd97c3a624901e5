package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/wactor/wactor/persistence/record"
)

// filterPolicy answers 99 of 100 look-ups of what is not there (a new user, a new message id)
// without a read.
const filterPolicy = bloom.FilterPolicy(10)

// memTableBytes is the size of one memtable.
const memTableBytes = 64 << 20

// Options configure an Engine.
type Options struct {
	// Dir holds the files. It belongs to one process at a time.
	Dir string
	// FS is the file system. Default: the disk's.
	FS vfs.FS
	// CacheBytes is the size of the block cache. Default 128 MiB.
	CacheBytes int64
	// Fatal ends the process after an error of the disk: what the kernel dropped can't be known. It
	// must not return. It must be set.
	Fatal func(err error)
	// Reserve is how many bytes should stay free on the disk: with less the engine is Full. Default
	// a twentieth of the disk, at most 1 GiB.
	Reserve int64
	// AcceptLoss opens a store whose disk holds less than was synced, and writes down in a file
	// what may be missing.
	AcceptLoss bool
	// Replicated reports whether other nodes hold all that this disk holds. Then the engine ends
	// the process at the first damage that it finds in a table, and the next Open returns ErrLoss:
	// the other nodes serve better than one that can't read some of its conversations. It is called
	// on goroutines of the engine and must not block. Default: they do not, and damage is the error
	// of who reads it.
	Replicated func() bool
	// Logger gets the engine's errors, without keys. Default: none.
	Logger *slog.Logger
	// Tune changes the engine's own options, for tests that want small tables.
	Tune func(*pebble.Options)
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine is the one Pebble that holds the logs and the state of all shards of a node.
type Engine struct {
	*pebble.DB
	options  Options
	comparer *pebble.Comparer // for tables that are written beside the engine
	// failure is the disk's, after which nothing works any more.
	failure atomic.Pointer[error]
	damage  sync.Once // found, and given up for
	water   *highWater
	space   *space
	// stagings numbers the tables that are written beside the engine.
	stagings  atomic.Uint64
	closeOnce sync.Once
	closeErr  error
}

// ErrCorrupt: what the disk returned is not what was written.
var ErrCorrupt = errors.New("persistence: corrupt data")

// Open opens the engine of a directory, or creates it. It returns ErrLoss where the disk holds less
// than was synced, unless Options.AcceptLoss is set.
func Open(options Options) (*Engine, error) {
	e := &Engine{options: options.withDefaults()}
	fs := files{FS: e.options.FS, private: e.options.FS == vfs.Default}
	err := e.prepare(fs.private)
	if err == nil {
		e.water, err = openHighWater(fs.FS, e.options.Dir)
	}
	if err != nil {
		return nil, err
	}
	fs.water = e.water
	if err := e.checkLoss(); err != nil {
		return nil, errors.Join(err, e.water.close())
	}
	if e.DB, err = openPebble(e.options.Dir, e.pebbleOptions(fs)); err != nil {
		return nil, errors.Join(Error(err), e.water.close())
	}
	if err := e.prepare(fs.private); err != nil { // also what Pebble has just made
		return nil, errors.Join(err, e.DB.Close(), e.water.close())
	}
	e.space = newSpace(e, e.options.Reserve)
	if fs.private {
		e.space.start()
	}
	return e, nil
}

// prepare makes the directory.
func (e *Engine) prepare(private bool) error {
	var err error
	if private {
		err = keepPrivate(e.options.Dir)
	} else {
		err = e.options.FS.MkdirAll(e.options.Dir, dirPerm)
	}
	if err != nil {
		return fmt.Errorf("persistence: preparing %s failed: %w", e.options.Dir, err)
	}
	return nil
}

// checkLoss compares the files with the high-water record.
func (e *Engine) checkLoss() error {
	lost, err := e.water.verify()
	if err != nil {
		return err
	}
	var what []string
	for _, l := range lost {
		what = append(what, l.String())
	}
	damaged, err := e.options.FS.Stat(e.damageReport())
	if err == nil && damaged != nil {
		what = append(what, "a table was found damaged, see "+damageName)
	}
	if len(what) == 0 {
		return nil
	}
	if !e.options.AcceptLoss {
		return fmt.Errorf("%w: %s", ErrLoss, strings.Join(what, "; "))
	}
	report := fmt.Sprintf("At this start the disk did not hold what had been synced to it:\n\n%s\n\nWhat was "+
		"acknowledged last may be missing: messages, replies, the ids of messages, votes.\n", strings.Join(what, "\n"))
	name := fmt.Sprintf("%s%d.txt", lossPrefix, time.Now().Unix())
	if err := e.writeReport(name, report); err != nil {
		return fmt.Errorf("persistence: writing %s failed: %w", name, err)
	}
	e.options.Logger.Warn("the disk holds less than was synced, which is accepted: what was acknowledged last may be "+
		"missing", "report", name, "lost", strings.Join(what, "; "))
	if damaged != nil {
		if err := e.options.FS.Remove(e.damageReport()); err != nil {
			return fmt.Errorf("persistence: removing %s failed: %w", damageName, err)
		}
	}
	for _, l := range lost {
		if err := e.water.forget(l.File); err != nil {
			return err
		}
	}
	return nil
}

// lossPrefix is how the reports of accepted losses are named, in the directory of the files.
const lossPrefix = "accepted-loss-"

// damageName is the file that says which table was found damaged in service.
const damageName = "damaged.txt"

func (e *Engine) damageReport() string { return e.options.FS.PathJoin(e.options.Dir, damageName) }

// foundDamage gives up a disk whose data is elsewhere, too.
func (e *Engine) foundDamage(table string, err error) {
	if e.options.Replicated == nil || !e.options.Replicated() {
		return
	}
	e.damage.Do(func() {
		found := fmt.Errorf("%w: table %s: %w", ErrCorrupt, table, err)
		text := fmt.Sprintf("%s: %v\nOther nodes hold what was here: empty this directory and start the node.\n",
			time.Now().UTC().Format(time.RFC3339), found)
		report := e.writeReport(damageName, text)
		e.Fail(errors.Join(found, report, syncDir(e.options.FS, e.options.Dir)))
	})
}

func (e *Engine) writeReport(name, text string) error {
	fs := e.options.FS
	file, err := fs.Create(fs.PathJoin(e.options.Dir, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(text))
	return errors.Join(err, file.Sync(), file.Close())
}

// Fail ends the process by Options.Fatal. Where that returns all the same (tests), nothing of the
// engine works any more.
func (e *Engine) Fail(err error) {
	e.failure.Store(&err)
	e.options.Fatal(err)
}

// Failure is why Fail was called; nil where it was not.
func (e *Engine) Failure() error {
	if failure := e.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// Has reports whether there is a record.
func (e *Engine) Has(key []byte) (bool, error) {
	_, closer, err := e.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, Error(err)
	}
	return true, closer.Close()
}

// Bounds are the options of an iterator over a range.
func Bounds(r record.Range) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: r.From, UpperBound: r.To}
}

// SyncedWrites makes a batch of its own, and commits it synced.
func (e *Engine) SyncedWrites(fill func(*pebble.Batch) error) error {
	batch := e.NewBatch()
	defer batch.Close()
	if err := fill(batch); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// pebbleOptions are those of the one Pebble that holds logs and state.
func (e *Engine) pebbleOptions(fs files) *pebble.Options {
	comparer := *pebble.DefaultComparer
	comparer.FormatKey = func(key []byte) fmt.Formatter { return hiddenKey(key) }
	o := &pebble.Options{
		Comparer: &comparer,
		FS:       fs,
		// Where there was a store a new one must not be made in its place.
		ErrorIfNotExists: e.water.used(),
		// The engine takes its memtables out of the cache. Without room for them there would be no
		// cache at all while one is flushed, and every read of a conversation that is not in memory
		// would load filters and indexes from the disk.
		CacheSize: e.options.CacheBytes + 2*memTableBytes,
		// What is written and deleted again soon (inbox, outbox) should die in memory: two large
		// memtables.
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 4,
		// Level 0 is allowed to grow a little: reads are rare beside writes, and filters keep them
		// cheap.
		L0CompactionThreshold:      4,
		L0StopWritesThreshold:      24,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		// Table files reach the disk bit by bit, so that no fsync of the log waits behind a burst
		// of theirs.
		BytesPerSync: 1 << 20,
		// Named, not "newest": an upgrade of the engine must not change files in a way that a
		// roll-back can't read.
		FormatMajorVersion: pebble.FormatValueSeparation,
		Logger:             engineLogger{e.options.Logger, e.Fail},
	}
	// Damage that a read meets is the reader's error; the default would end the process for one
	// conversation's block.
	o.EventListener = &pebble.EventListener{
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			damage := harmless("%v", info.Details)
			table := filepath.Base(info.Path)
			e.options.Logger.Error("storage engine: a file is damaged", "file", table, "error", damage)
			e.foundDamage(table, errors.New(damage))
		},
		BackgroundError: sparse(time.Second, func(err error) {
			e.options.Logger.Error("storage engine: work in the background failed, and is tried again", "error",
				harmless("%v", err))
		}),
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = filterPolicy
	}
	if e.options.Tune != nil {
		e.options.Tune(o)
	}
	e.comparer = &comparer
	return o
}

// sparse calls fn at most once in an interval: what fails in the background does so hundreds of
// times a second.
func sparse(interval time.Duration, fn func(error)) func(error) {
	var mu sync.Mutex
	var last time.Time
	return func(err error) {
		mu.Lock()
		late := last.IsZero() || time.Since(last) >= interval
		if late {
			last = time.Now()
		}
		mu.Unlock()
		if late {
			fn(err)
		}
	}
}

// openPebble opens Pebble. While that replays its log it would try for ever what fails in the
// background, such as a flush to a full disk, and nothing could end it; here the first such failure
// is the error. What was begun is closed, should it ever come to its end.
func openPebble(dir string, options *pebble.Options) (*pebble.DB, error) {
	type outcome struct {
		db       *pebble.DB
		err      error
		panicked any
	}
	failed, opened, gone := make(chan error, 1), make(chan outcome), make(chan struct{})
	report := options.EventListener.BackgroundError
	options.EventListener.BackgroundError = func(err error) {
		report(err)
		select {
		case failed <- err:
		default:
		}
	}
	go func() {
		o := outcome{err: errors.New("persistence: the storage engine gave up while it opened")}
		defer func() {
			o.panicked = recover()
			select {
			case opened <- o:
			case <-gone:
				if o.db != nil {
					_ = closePebble(o.db)
				}
			}
		}()
		o.db, o.err = pebble.Open(dir, options)
	}()
	select {
	case o := <-opened:
		if o.panicked != nil {
			panic(o.panicked)
		}
		return o.db, o.err
	case err := <-failed:
		select {
		case o := <-opened: // it came to its end all the same
			return o.db, o.err
		default:
		}
		close(gone)
		return nil, err
	}
}

// Error classes an error of the engine. One of damage quotes keys, which hold names: only its
// constant parts are kept.
func Error(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return fmt.Errorf("%w: its manifest, or the marker that names it, is gone", ErrLoss)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %s", ErrCorrupt, harmless("%v", err))
	}
	return fmt.Errorf("persistence: storage engine: %w", err)
}

// Close closes the files. It may be called again.
func (e *Engine) Close() error {
	e.space.close()
	e.closeOnce.Do(func() { e.closeErr = errors.Join(closePebble(e.DB), e.water.close()) })
	return e.closeErr
}

// closePebble closes Pebble, which panics where it was left in disorder, as its own reads do that
// find a damaged block.
func closePebble(db *pebble.DB) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("persistence: closing the storage engine failed: %s", harmless("%v", r))
		}
	}()
	return Error(db.Close())
}

// Dir is the directory of the files.
func (e *Engine) Dir() string { return e.options.Dir }
