package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Store is the replicated log of this node's shards, and the state that was applied from it.
type Store struct {
	options  Options
	db       *pebble.DB
	comparer *pebble.Comparer // the engine's, for tables that are written beside it
	identity identity
	// cluster is the id of the cluster; 0 where this node has none yet.
	cluster atomic.Uint64
	// settled is 1 where this node was in its cluster when that had been formed.
	settled atomic.Uint64
	// consent is the node that this one last let found a cluster.
	consent atomic.Uint64
	// allowed is the highest format of entries that may be written.
	allowed atomic.Uint32
	metrics *metrics
	lanes   []*lane
	leases  []lease // by shard
	// unsynced is closed when what a lane applies directly is on the disk, by shard; nil where
	// nothing is on its way.
	unsynced []atomic.Pointer[chan struct{}]
	// outgoing counts the snapshots that are being sent; stagings numbers those that are received.
	outgoing atomic.Int32
	stagings atomic.Uint64
	refusals refusals
	expiry   *expiry
	clock    *clock

	closeOnce sync.Once
	closeErr  error
	gate      gate
	// failure is the disk's, after which nothing works any more.
	failure atomic.Pointer[error]
}

// Applied is the outcome of a command.
type Applied struct {
	// Revision is the conversation's revision after a commit.
	Revision uint64
}

// Open opens a store, or creates one in an empty directory. Shards are led, and
// Options.LeadershipChanged was told so, when it returns.
func Open(options Options) (*Store, error) {
	options = options.withDefaults()
	if options.Shards < 1 || options.Shards > 4096 {
		return nil, fmt.Errorf("%w: %d shards, want 1 to 4096", ErrMismatch, options.Shards)
	}
	s := newStore(options)
	s.expiry = newExpiry(s)
	s.clock = newClock(s)
	s.metrics = newMetrics()
	var err error
	if s.db, err = openEngine(options.Dir, s.pebbleOptions()); err != nil {
		return nil, engineError(err)
	}
	err = s.open()
	if err == nil {
		err = s.metrics.register(options.Registerer)
	}
	if err != nil {
		for _, l := range s.lanes {
			l.end() // what LeadershipChanged had proposed
		}
		return nil, errors.Join(err, closeEngine(s.db))
	}
	if options.Manual {
		return s, nil
	}
	for _, l := range s.lanes {
		l.stopped.Go(l.run)
	}
	s.clock.start()
	if options.DedupWindow > 0 {
		s.expiry.start()
	}
	return s, nil
}

func newStore(options Options) *Store {
	groups := options.Shards + 1
	return &Store{
		options: options, leases: make([]lease, groups), unsynced: make([]atomic.Pointer[chan struct{}], groups),
		refusals: refusals{said: map[string]time.Duration{}},
	}
}

func (s *Store) open() error {
	if err := s.checkIdentity(); err != nil {
		return err
	}
	for range s.options.Lanes {
		s.lanes = append(s.lanes, newLane(s))
	}
	return s.openGroups()
}

// openGroups opens the groups and performs what they ask for, until those led by this node alone
// are led.
func (s *Store) openGroups() (err error) {
	defer recovered(&err)
	if err := s.removeStaged(); err != nil {
		return err
	}
	for shard := uint32(0); shard <= uint32(s.options.Shards); shard++ {
		exists, err := s.has(record.Key(shard, record.ClassReplica))
		if err != nil {
			return err
		}
		if exists {
			if err := s.openGroup(shard); err != nil {
				return err
			}
		}
	}
	for _, l := range s.lanes {
		if err := l.cycle(inputs{}); err != nil {
			return err
		}
	}
	return nil
}

// openGroup opens a group that is on the disk.
func (s *Store) openGroup(shard uint32) error {
	g, err := openGroup(s, shard)
	if err != nil {
		return err
	}
	l := s.lane(shard)
	l.groups[shard] = g
	// The only voter need not wait for an election timeout to find out that it is alone.
	if g.soleVoter() {
		if err := g.node.Campaign(); err != nil {
			return fmt.Errorf("persistence: campaign in shard %d: %w", shard, err)
		}
	}
	l.activate(g)
	return nil
}

func (s *Store) lane(shard uint32) *lane { return s.lanes[int(shard)%len(s.lanes)] }

// Propose proposes a command to a shard's log, in a term. The command is the store's from now on.
// It never blocks; done is called exactly once, perhaps before Propose returns, and must not block:
// it holds up the lane.
func (s *Store) Propose(shard uint32, term uint64, command *wactorv1.Command, done func(Applied, error)) {
	s.propose(&proposal{shard: shard, term: term, command: command, done: done})
}

// ProposeLazy is Propose for what nobody waits for. It waits up to LazyWithin for others, whose
// fsync, and whose messages to other nodes, it can share; what is proposed after it is behind it
// all the same. With Options.Manual it is Propose.
func (s *Store) ProposeLazy(shard uint32, term uint64, command *wactorv1.Command, done func(Applied, error)) {
	s.propose(&proposal{shard: shard, term: term, command: command, done: done, lazy: !s.options.Manual})
}

func (s *Store) propose(p *proposal) {
	if int64(p.shard) > int64(s.options.Shards) {
		p.done(Applied{}, ErrNotLeader)
		return
	}
	err := errors.Join(check(p.command), s.mayWrite(p.command))
	if err == nil {
		p.data, err = marshal(p.command)
	}
	if err == nil {
		p.began = time.Now()
		err = s.lane(p.shard).post(p)
	}
	if err != nil {
		s.metrics.refused(err)
		p.done(Applied{}, err)
	}
}

func marshal(command *wactorv1.Command) ([]byte, error) {
	data, err := proto.Marshal(command)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	case len(data) > MaxCommand:
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	return data, nil
}

// leadershipChanged passes on news of leadership, on a lane's goroutine.
func (s *Store) leadershipChanged(shard uint32, now Leadership) {
	s.expiry.observe(shard, now)
	s.options.LeadershipChanged(shard, now)
}

// write commits a batch, and counts the fsync.
func (s *Store) write(batch *pebble.Batch, sync bool) error {
	if batch.Empty() {
		return nil
	}
	if !sync {
		return batch.Commit(pebble.NoSync)
	}
	began := time.Now()
	err := batch.Commit(pebble.Sync)
	s.metrics.synced(time.Since(began))
	return err
}

// Close stops the lanes and closes the files. Proposals that wait are answered ErrClosed. It waits
// for reads under way; it must not be called from a callback of the store.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.clock.close()
		s.expiry.close()
		for _, l := range s.lanes {
			l.shut() // all at once: each ends with the cycle that it is in
		}
		if failure := s.failure.Load(); failure != nil {
			// The process is ending. The engine gives up its locks no more, and what it would write
			// now it must not.
			s.closeErr = *failure
			return
		}
		for _, l := range s.lanes {
			l.close()
			if s.options.Manual {
				l.end()
			}
		}
		s.gate.close()
		s.metrics.unregister(s.options.Registerer)
		s.closeErr = closeEngine(s.db)
	})
	return s.closeErr
}

// fatal ends the process.
func (s *Store) fatal(err error) {
	s.failure.Store(&err)
	s.options.Fatal(err)
}

// exit ends the process. After a failed write the kernel may have dropped what it was given, and
// nobody can say what is on disk but the next start, which reads it.
func exit(logger *slog.Logger, err error) {
	if errors.Is(err, ErrNewer) {
		logger.Error("the log holds what only a newer version can apply; the process ends", "error", err)
		os.Exit(70)
	}
	logger.Error("the disk failed; the process ends, since what it holds can only be known by reading it anew", "error",
		err)
	os.Exit(70)
}
