package replication

import (
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/persistence/engine"
)

// Options configure a Host.
type Options struct {
	// Engine holds logs and state. The host does not close it.
	Engine *engine.Engine
	// Shards is the number of groups, 1 to 4096; fixed when the store is created. Shard 0 is the
	// meta group, which comes besides.
	Shards int
	// Machine makes the state machine of a shard. It is called once for each replica.
	Machine func(shard uint32) StateMachine
	// Encode makes the stored form of a command. Its error is the proposal's: nothing is proposed.
	Encode func(value any) ([]byte, error)
	// Joining leaves an empty directory without groups, until Found makes it a cluster or other
	// nodes have replicas created here. Otherwise an empty directory becomes a cluster of one at
	// once.
	Joining   bool
	Transport Transport
	// Manual leaves the driving to the caller, by Tick and Drive on one goroutine: for simulations.
	// There are no goroutines then, and no ticks but these.
	Manual bool
	// Monotonic is a clock that never goes back, for leases. Default: the time since Open.
	Monotonic func() time.Duration
	Limits    Limits
	// LeadershipChanged is called when this node may use a shard in a term, or may no longer. It is
	// called on a lane's goroutine and must not block.
	LeadershipChanged func(shard uint32, now Leadership)
	Logger            *slog.Logger
	Registerer        prometheus.Registerer

	// KeepLog lets a replica that is alone keep a log as all others do, for tests.
	KeepLog bool
}

// Transport takes what goes to other nodes. Its functions are called on a lane's goroutine and must
// not block. By default all is lost.
type Transport struct {
	// Send takes messages for replicas on other nodes. What it can't take it drops, and reports by
	// Unreachable. Messages must not be changed.
	Send func([]Message)
	// SendSnapshot takes the state of a shard for a replica that is too far behind. The snapshot
	// must be closed, and SnapshotSent be called, whatever becomes of it.
	SendSnapshot func(Message, *Snapshot)
}

// Limits bound what a host uses.
type Limits struct {
	// Lanes is the number of goroutines that share the groups. Each has a batch of its own under
	// way; the engine lets them share an fsync. Default: the number of CPUs, at most 2.
	Lanes int
	// Queue bounds the proposals that wait in a lane, and QueueBytes their size. More are rejected.
	// Defaults 16,384 and 64 MiB.
	Queue      int
	QueueBytes int64
	// LogBytes is how many bytes of applied log entries all groups together keep, about, for
	// replicas that were away for a moment; each drops the older half of its share in one go.
	// Default 64 MiB. A replica that is alone keeps none.
	LogBytes int
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
	if o.Limits.Lanes == 0 {
		o.Limits.Lanes = min(2, runtime.GOMAXPROCS(0))
	}
	o.Limits.Lanes = min(o.Limits.Lanes, o.Shards)
	if o.Limits.Queue == 0 {
		o.Limits.Queue = 16 << 10
	}
	if o.Limits.QueueBytes == 0 {
		o.Limits.QueueBytes = 64 << 20
	}
	if o.Limits.LogBytes == 0 {
		o.Limits.LogBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Monotonic == nil {
		opened := time.Now()
		o.Monotonic = func() time.Duration { return time.Since(opened) }
	}
	if o.Transport.Send == nil {
		o.Transport.Send = func([]Message) {}
	}
	if o.Transport.SendSnapshot == nil {
		o.Transport.SendSnapshot = func(_ Message, snapshot *Snapshot) { snapshot.Close() }
	}
	if o.LeadershipChanged == nil {
		o.LeadershipChanged = func(uint32, Leadership) {}
	}
	return o
}

var (
	// ErrMalformed: what was given can't be stored. Nothing was changed.
	ErrMalformed = NewRejection("malformed", "persistence: malformed command")
	// ErrTooLarge: the command is larger than MaxCommand. Nothing was proposed.
	ErrTooLarge = NewRejection("malformed", "persistence: the command is too large")
	// ErrNotLeader: this node is not the leader of the shard in that term. Nothing was proposed.
	ErrNotLeader = errors.New("persistence: not the leader of the shard in this term")
	// ErrUnknown: leadership was lost before the outcome was known.
	ErrUnknown = errors.New("persistence: the outcome of the proposal is unknown")
	// ErrOverloaded: too much is waiting already. Nothing was proposed.
	ErrOverloaded = errors.New("persistence: too many proposals are waiting")
	// ErrClosed: the store is closed or closing. A proposal under way may or may not have been
	// kept.
	ErrClosed = errors.New("persistence: closed")
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
