package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Store is the replicated log of this node's shards, and the state that was applied from it.
type Store struct {
	options Options
	db      *pebble.DB
	metrics *metrics
	lanes   []*lane

	closeOnce sync.Once
	closeErr  error
	// readers keeps the database open while it is read.
	readers sync.RWMutex
	closed  bool
}

// Applied is the outcome of a command.
type Applied struct {
	// Revision is the conversation's revision after a commit.
	Revision uint64
}

// Open opens a store, or creates one in an empty directory. Shards are led, and Options.Lead was told so, when it returns.
func Open(options Options) (*Store, error) {
	options = options.withDefaults()
	if options.Shards < 1 || options.Shards > 4096 {
		return nil, fmt.Errorf("%w: %d shards, want 1 to 4096", ErrMismatch, options.Shards)
	}
	s := &Store{options: options}
	s.metrics = newMetrics(options.Registerer)
	var err error
	if s.db, err = pebble.Open(options.Dir, s.pebbleOptions()); err != nil {
		return nil, fmt.Errorf("persistence: open %s: %w", options.Dir, err)
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	for _, l := range s.lanes {
		l.stopped.Go(l.run)
	}
	return s, nil
}

func (s *Store) open() error {
	if err := s.checkIdentity(); err != nil {
		return err
	}
	for range s.options.Lanes {
		s.lanes = append(s.lanes, &lane{store: s, groups: map[uint32]*group{}, wake: make(chan struct{}, 1)})
	}
	for shard := uint32(1); shard <= uint32(s.options.Shards); shard++ {
		g, err := openGroup(s.db, shard, &s.options)
		if err != nil {
			return err
		}
		s.lane(shard).groups[shard] = g
	}
	for _, l := range s.lanes {
		for _, g := range l.groups {
			// The only voter need not wait for an election timeout to find out that it is alone.
			if g.alone(s.options.NodeID) {
				if err := g.node.Campaign(); err != nil {
					return fmt.Errorf("persistence: campaign in shard %d: %w", g.shard, err)
				}
			}
			l.activate(g)
		}
		if err := l.cycle(nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) lane(shard uint32) *lane { return s.lanes[int(shard)%len(s.lanes)] }

// Propose proposes a command to a shard's log, in a term. It never blocks; done is called exactly once, perhaps before
// Propose returns, and must not block: it holds up the lane.
func (s *Store) Propose(shard uint32, term uint64, command *wactorv1.Command, done func(Applied, error)) {
	if shard < 1 || int(shard) > s.options.Shards {
		done(Applied{}, ErrNotLeader)
		return
	}
	data, err := proto.Marshal(command)
	if err == nil && len(data) > MaxCommand {
		err = ErrTooLarge
	}
	if err == nil {
		err = s.lane(shard).post(&proposal{shard: shard, term: term, data: data, done: done, began: time.Now()})
	}
	if err != nil {
		s.metrics.refused(err)
		done(Applied{}, err)
	}
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

// Close stops the lanes and closes the files. Proposals under way are answered ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		for _, l := range s.lanes {
			l.close()
		}
		s.readers.Lock()
		defer s.readers.Unlock()
		s.closed = true
		s.closeErr = s.db.Close()
	})
	return s.closeErr
}

func (s *Store) fatal(err error) { s.options.Fatal(err) }

// exit ends the process: after a failed write the kernel may have dropped what it was given, and nobody can say what is on
// disk but the next start, which reads it.
func exit(logger *slog.Logger, err error) {
	logger.Error("the disk failed; the process ends, since what it holds can only be known by reading it anew", "error", err)
	os.Exit(70)
}

// format is the version of the key layout.
const format = 1

// identity is what a store was created with.
func (s *Store) identity() []byte {
	return fmt.Appendf(nil, "wactor store, format %d, %d shards, node %d", format, s.options.Shards, s.options.NodeID)
}

// checkIdentity refuses a directory that was created with other settings, and marks an empty one: all groups begin with this
// node as their only voter.
func (s *Store) checkIdentity() error {
	key := shardKey(0, 0)
	value, closer, err := s.db.Get(key)
	if err == nil {
		defer closer.Close()
		if string(value) != string(s.identity()) {
			return fmt.Errorf("%w: %s holds a %q, the configuration says %q; the number of shards is fixed when a store is created",
				ErrMismatch, s.options.Dir, value, s.identity())
		}
		return nil
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	batch := s.db.NewBatch()
	defer batch.Close()
	conf, err := proto.Marshal(&raftpb.ConfState{Voters: []uint64{s.options.NodeID}})
	if err != nil {
		return err
	}
	// The log begins behind an entry that never was, so that every replica that is added later can begin there too.
	start := position{1, 1}
	hard, err := proto.Marshal(&raftpb.HardState{Term: proto.Uint64(1), Vote: proto.Uint64(0), Commit: proto.Uint64(1)})
	if err != nil {
		return err
	}
	for shard := uint32(1); shard <= uint32(s.options.Shards); shard++ {
		for class, value := range map[byte][]byte{
			classConfState: conf, classTruncated: start.encode(), classApplied: start.encode(), classHardState: hard,
		} {
			if err := batch.Set(shardKey(shard, class), value, nil); err != nil {
				return err
			}
		}
	}
	if err := batch.Set(key, s.identity(), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}
