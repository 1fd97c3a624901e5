package replication

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// Host keeps the replicas of this node.
type Host struct {
	*Identity
	options  Options
	db       *engine.Engine
	metrics  *metrics
	lanes    []*lane
	leases   []lease // by shard
	unsynced unsynced
	// outgoing counts the snapshots that are being sent.
	outgoing   atomic.Int32
	rejections rejections
	clock      *clock
	gate       gate
	closeOnce  sync.Once
	closeErr   error
}

// Open opens the replicas that the engine holds, or founds those of a new store. Where this node is
// the only voter of a shard it is the leader, and Options.LeadershipChanged was called, when it
// returns.
func Open(options Options) (*Host, error) {
	options = options.withDefaults()
	if options.Shards < 1 || options.Shards > 4096 {
		return nil, fmt.Errorf("%w: %d shards, want 1 to 4096", ErrMismatch, options.Shards)
	}
	h := newHost(options)
	err := h.open()
	if err == nil {
		err = h.metrics.register(options.Registerer)
	}
	if err != nil {
		for _, l := range h.lanes {
			l.end() // what LeadershipChanged had proposed
		}
		return nil, err
	}
	if options.Manual {
		return h, nil
	}
	for _, l := range h.lanes {
		l.stopped.Go(l.run)
	}
	h.clock.start()
	return h, nil
}

func newHost(options Options) *Host {
	groups := options.Shards + 1
	h := &Host{
		options: options, db: options.Engine, metrics: newMetrics(options.Engine), leases: make([]lease, groups),
		Identity: &Identity{db: options.Engine, shards: options.Shards},
		unsynced: make(unsynced, groups),
	}
	h.rejections = rejections{
		logged: map[string]time.Duration{}, metrics: h.metrics, logger: options.Logger, now: options.Monotonic,
	}
	h.clock = newClock(h)
	return h
}

func (h *Host) open() error {
	if err := h.check(h.options.Joining); err != nil {
		return err
	}
	for range h.options.Limits.Lanes {
		h.lanes = append(h.lanes, newLane(h))
	}
	return h.openGroups()
}

// openGroups opens the groups and performs what they ask for, until those led by this node alone
// are led.
func (h *Host) openGroups() (err error) {
	defer recovered(&err)
	if err := h.db.RemoveTables(); err != nil {
		return err
	}
	for shard := uint32(0); shard <= uint32(h.options.Shards); shard++ {
		exists, err := h.db.Has(record.Key(shard, record.ClassReplica))
		if err != nil {
			return err
		}
		if exists {
			if err := h.openGroup(shard); err != nil {
				return err
			}
		}
	}
	for _, l := range h.lanes {
		if err := l.cycle(inputs{}); err != nil {
			return err
		}
	}
	return nil
}

// openGroup opens a group that is on the disk.
func (h *Host) openGroup(shard uint32) error {
	g, err := openGroup(h, shard)
	if err != nil {
		return err
	}
	l := h.lane(shard)
	l.groups[shard] = g
	// The only voter need not wait for an election timeout to find out that it is alone.
	if g.log.soleVoter() {
		if err := g.node.Campaign(); err != nil {
			return fmt.Errorf("persistence: campaign in shard %d: %w", shard, err)
		}
	}
	l.activate(g)
	return nil
}

func (h *Host) lane(shard uint32) *lane { return h.lanes[int(shard)%len(h.lanes)] }

// Propose proposes a command to a shard's log, in a term. The command is the host's from now on. It
// never blocks; done is called exactly once, perhaps before Propose returns, and must not block: it
// holds up the lane. The result is the state machine's.
func (h *Host) Propose(shard uint32, term uint64, command any, done func(result uint64, err error)) {
	h.propose(&proposal{shard: shard, term: term, command: Command{Value: command}, done: done})
}

// ProposeLazy is Propose for a command whose outcome no caller waits for. It waits up to lazyWithin
// for others, whose fsync, and whose messages to other nodes, it can share; what is proposed after
// it is behind it all the same. With Options.Manual it is Propose.
func (h *Host) ProposeLazy(shard uint32, term uint64, command any, done func(result uint64, err error)) {
	h.propose(&proposal{
		shard: shard, term: term, command: Command{Value: command}, done: done, lazy: !h.options.Manual,
	})
}

func (h *Host) propose(p *proposal) {
	if int64(p.shard) > int64(h.options.Shards) {
		p.done(0, ErrNotLeader)
		return
	}
	var err error
	if p.command.Data, err = h.options.Encode(p.command.Value); err == nil && len(p.command.Data) > MaxCommand {
		err = fmt.Errorf("%w: %d bytes", ErrTooLarge, len(p.command.Data))
	}
	if err == nil {
		p.began = time.Now()
		err = h.lane(p.shard).post(p)
	}
	if err != nil {
		h.metrics.failed(err)
		p.done(0, err)
	}
}

// Observe calls fn between two rounds of a shard's lane, when all that is applied of the shard, up
// to the index, is in the engine and on the disk. It returns fn's error, and ErrReplica where there
// is no replica here.
func (h *Host) Observe(shard uint32, fn func(applied uint64, machine StateMachine) error) error {
	if int64(shard) > int64(h.options.Shards) {
		return ErrReplica
	}
	l := h.lane(shard)
	return l.do(func() error {
		g := l.groups[shard]
		if g == nil {
			return ErrReplica
		}
		return fn(g.log.applied.index, g.machine)
	})
}

// write commits a batch, and counts the fsync.
func (h *Host) write(batch *pebble.Batch, sync bool) error {
	if batch.Empty() {
		return nil
	}
	if !sync {
		return batch.Commit(pebble.NoSync)
	}
	began := time.Now()
	err := batch.Commit(pebble.Sync)
	h.metrics.synced(time.Since(began))
	return err
}

// Close stops the lanes. Proposals that wait are answered ErrClosed. It waits for reads under way;
// it must not be called from a callback of the host.
func (h *Host) Close() error {
	h.closeOnce.Do(func() {
		h.clock.close()
		for _, l := range h.lanes {
			l.shut() // all at once: each ends with the cycle that it is in
		}
		if h.closeErr = h.db.Failure(); h.closeErr != nil {
			// The process is ending. The engine gives up its locks no more, and what it would write
			// now it must not.
			return
		}
		for _, l := range h.lanes {
			l.close()
			if h.options.Manual {
				l.end()
			}
		}
		h.gate.close()
		h.metrics.unregister(h.options.Registerer)
	})
	return h.closeErr
}
