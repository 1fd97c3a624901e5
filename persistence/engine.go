package persistence

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/redact"
	"go.etcd.io/raft/v3"
)

// filterPolicy answers 99 of 100 look-ups of what is not there (a new user, a new message id)
// without a read.
const filterPolicy = bloom.FilterPolicy(10)

// memTableBytes is the size of one memtable.
const memTableBytes = 64 << 20

// pebbleOptions are those of the one engine that holds logs and state.
func (s *Store) pebbleOptions() *pebble.Options {
	comparer := *pebble.DefaultComparer
	comparer.FormatKey = func(key []byte) fmt.Formatter { return hiddenKey(key) }
	o := &pebble.Options{
		Comparer: &comparer,
		FS:       markerFS{s.options.FS},
		// The engine takes its memtables out of the cache. Without room for them there would be no
		// cache at all while one is flushed, and every read of a conversation that is not in memory
		// would load filters and indexes from the disk.
		CacheSize: s.options.CacheBytes + 2*memTableBytes,
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
		Logger:             engineLogger{s.options.Logger, s.fatal},
	}
	// Damage that a read meets is the reader's error; the default would end the process for one
	// conversation's block.
	o.EventListener = &pebble.EventListener{
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			s.options.Logger.Error("storage engine: a file is damaged", "file", filepath.Base(info.Path), "error",
				harmless("%v", info.Details))
		},
		BackgroundError: sparse(time.Second, func(err error) {
			s.options.Logger.Error("storage engine: work in the background failed, and is tried again", "error",
				harmless("%v", err))
		}),
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = filterPolicy
	}
	if s.options.tune != nil {
		s.options.tune(o)
	}
	s.comparer = &comparer
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

// openEngine opens the engine. While that replays its log it would try for ever what fails in the
// background, such as a flush to a full disk, and nothing could end it; here the first such failure
// is the error. What was begun is closed, should it ever come to its end.
func openEngine(dir string, options *pebble.Options) (*pebble.DB, error) {
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
					_ = closeEngine(o.db)
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

// engineError classes an error of the engine. One of damage quotes keys, which hold names: only its
// constant parts are kept.
func engineError(err error) error {
	switch {
	case err == nil:
		return nil
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %s", ErrCorrupt, harmless("%v", err))
	}
	return fmt.Errorf("persistence: storage engine: %w", err)
}

// closeEngine closes the engine. It panics where it was left in disorder, as its own reads do that
// find a damaged block.
func closeEngine(db *pebble.DB) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("persistence: close the storage engine: %s", harmless("%v", r))
		}
	}()
	return engineError(db.Close())
}

// hiddenKey keeps names out of the engine's messages: of a key they show the shard, the class and
// the length.
type hiddenKey []byte

// Format implements fmt.Formatter.
func (k hiddenKey) Format(f fmt.State, _ rune) {
	if len(k) < 5 {
		fmt.Fprintf(f, "key of %d bytes", len(k))
		return
	}
	fmt.Fprintf(f, "shard %d class %#x key of %d bytes", binary.BigEndian.Uint32(k), k[4], len(k))
}

// engineLogger passes the engine's errors on and keeps its chatter at debug level. It never logs a
// key: what the engine does not know to be harmless is left out.
type engineLogger struct {
	logger *slog.Logger
	fatal  func(error)
}

func (l engineLogger) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("storage engine: " + harmless(format, args...))
	}
}

func (l engineLogger) Errorf(format string, args ...any) {
	l.logger.Error("storage engine: " + harmless(format, args...))
}

// Fatalf must not return: the engine goes on as if nothing had happened.
func (l engineLogger) Fatalf(format string, args ...any) {
	l.fatal(fmt.Errorf("persistence: storage engine: %s", harmless(format, args...)))
	panic("persistence: the process goes on after a fatal error of the disk")
}

func harmless(format string, args ...any) string {
	line, _, _ := strings.Cut(string(redact.Sprintf(format, args...).Redact()), "\n") // a stack may follow
	return line
}

// raftLogger passes warnings and errors of the consensus core on.
type raftLogger struct{ logger *slog.Logger }

var _ raft.Logger = raftLogger{}

func (l raftLogger) Debug(...any)                {}
func (l raftLogger) Debugf(string, ...any)       {}
func (l raftLogger) Info(...any)                 {}
func (l raftLogger) Infof(string, ...any)        {}
func (l raftLogger) Warning(v ...any)            { l.logger.Warn("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Warningf(f string, v ...any) { l.logger.Warn("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Error(v ...any)              { l.logger.Error("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Errorf(f string, v ...any)   { l.logger.Error("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Fatal(v ...any)              { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Fatalf(f string, v ...any)   { panic("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Panic(v ...any)              { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Panicf(f string, v ...any)   { panic("raft: " + fmt.Sprintf(f, v...)) }
