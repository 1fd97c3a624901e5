package persistence

import (
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
)

// Options configure a Store.
type Options struct {
	// Dir holds the files. It belongs to one process at a time.
	Dir string
	// FS is the file system. Default: the disk's.
	FS vfs.FS
	// Shards is the number of groups of conversations, 1 to 4096; fixed when the store is created.
	// Shard 0 is the meta group: it holds the cluster's own state.
	Shards int
	// Joining leaves an empty directory without groups, until Found makes it a cluster or other
	// nodes have replicas created here. Otherwise an empty directory becomes a cluster of one at
	// once.
	Joining bool
	// Send takes messages for replicas on other nodes. It is called on a lane's goroutine and must
	// not block; what it can't take it drops, and tells by Unreachable. Messages are not to be
	// changed.
	Send func([]Message)
	// SendSnapshot takes the state of a shard for a replica that is too far behind. It is called on
	// a lane's goroutine and must not block. The snapshot must be closed, and SnapshotSent be
	// called, whatever becomes of it.
	SendSnapshot func(Message, *Snapshot)
	// Manual leaves the driving to the caller, by Tick and Drive on one goroutine: for simulations.
	// There are no goroutines then, and no ticks but these.
	Manual bool
	// Monotonic is a clock that never goes back, for leases. Default: the time since Open.
	Monotonic func() time.Duration
	// Lanes is the number of goroutines that share the groups. Each has a batch of its own under
	// way; the engine lets them share an fsync. Default: the number of CPUs, at most 2.
	Lanes int
	// CacheBytes is the size of the block cache. Default 128 MiB.
	CacheBytes int64
	// MaxQueue bounds the proposals that wait in a lane, and MaxQueueBytes their size. More are
	// refused. Defaults 16,384 and 64 MiB.
	MaxQueue      int
	MaxQueueBytes int64
	// LogBytes is how many bytes of applied log entries all groups together keep, about, for
	// replicas that were away for a moment; each drops the older half of its share in one go.
	// Default 64 MiB. A replica that is alone keeps none.
	LogBytes int
	// DedupWindow is how long message ids are remembered, at least: the longest that any
	// conversation asks for. Ids older than it are forgotten, a generation
	// (conversation.GenerationMs) at a time. 0: never.
	DedupWindow time.Duration
	// Now is the time that the window counts back from. Default time.Now.
	Now func() time.Time
	// LeadershipChanged is called when this node may use a shard in a term, or may no longer. It is
	// called on a lane's goroutine and must not block.
	LeadershipChanged func(shard uint32, now Leadership)
	// Fatal ends the process after an error of the disk: what the kernel dropped can't be known. It
	// must not return. Default: log and exit.
	Fatal      func(err error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// format is the highest format of entries that this version applies. Default: EntryFormat.
	format uint32
	// keepLog lets a replica that is alone keep a log as all others do, for tests of that.
	keepLog bool
	// tune changes the engine's options, for tests that want small tables.
	tune func(*pebble.Options)
}

// Leadership is the state of leadership of a shard.
type Leadership struct {
	Term uint64
	// Ready: this node leads the shard in Term and has applied an entry of that term, and so all
	// that was ever acknowledged.
	Ready bool
	// Node leads the shard, as far as this replica knows; 0 where it does not.
	Node uint64
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Lanes == 0 {
		o.Lanes = min(2, runtime.GOMAXPROCS(0))
	}
	o.Lanes = min(o.Lanes, o.Shards)
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = 16 << 10
	}
	if o.MaxQueueBytes == 0 {
		o.MaxQueueBytes = 64 << 20
	}
	if o.LogBytes == 0 {
		o.LogBytes = 64 << 20
	}
	o.format = max(o.format, EntryFormat)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Monotonic == nil {
		opened := time.Now()
		o.Monotonic = func() time.Duration { return time.Since(opened) }
	}
	if o.Send == nil {
		o.Send = func([]Message) {}
	}
	if o.SendSnapshot == nil {
		o.SendSnapshot = func(_ Message, snapshot *Snapshot) { snapshot.Close() }
	}
	if o.LeadershipChanged == nil {
		o.LeadershipChanged = func(uint32, Leadership) {}
	}
	if o.Fatal == nil {
		logger := o.Logger
		o.Fatal = func(err error) { exit(logger, err) }
	}
	return o
}

var (
	// ErrStale: the conversation is at another revision than the commit names. It was not applied,
	// and never will be.
	ErrStale = errors.New("persistence: the conversation is at another revision")
	// ErrMalformed: the command names no conversation, writes no head, or holds a record that has
	// no place. It was not applied.
	ErrMalformed = errors.New("persistence: malformed command")
	// ErrNotLeader: this node is not the leader of the shard in that term. Nothing was proposed.
	ErrNotLeader = errors.New("persistence: not the leader of the shard in this term")
	// ErrUnknown: leadership was lost before the outcome was known.
	ErrUnknown = errors.New("persistence: the fate of the proposal is unknown")
	// ErrOverloaded: too much is waiting already. Nothing was proposed.
	ErrOverloaded = errors.New("persistence: too many proposals are waiting")
	// ErrTooLarge: the command is larger than MaxCommand. Nothing was proposed.
	ErrTooLarge = errors.New("persistence: the command is too large")
	// ErrClosed: the store is closed or closing. A proposal under way may or may not have been
	// kept.
	ErrClosed = errors.New("persistence: closed")
	// ErrCorrupt: what the disk returned is not what was written.
	ErrCorrupt = errors.New("persistence: corrupt data")
	// ErrNewer: a log entry of a format that this node, or another one, can't apply.
	ErrNewer = errors.New("persistence: a log entry of a newer version")
	// ErrReplica: the replica can't be made here, since there is another one, or it was destroyed
	// before.
	ErrReplica = errors.New("persistence: no such replica can be here")
	// ErrChanged: the replicas are not those any more that a change was made for. Look again.
	ErrChanged = errors.New("persistence: the replicas of the shard have changed")
	// ErrMismatch: the directory belongs to a store with other settings.
	ErrMismatch = errors.New("persistence: the directory does not fit the configuration")
)

// MaxCommand bounds one command in bytes.
const MaxCommand = 32 << 20
