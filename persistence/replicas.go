package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Node is this data directory's id in the cluster.
func (s *Store) Node() uint64 { return s.identity.node }

// Cluster is the id of the cluster; 0 where this node has none yet.
func (s *Store) Cluster() uint64 { return s.cluster.Load() }

// Consented is the node that this one last let found a cluster; 0 where it has let none.
func (s *Store) Consented() uint64 { return s.consent.Load() }

// Consent remembers, for good, that this node lets another one found a cluster.
func (s *Store) Consent(founder uint64) error {
	return s.keep(record.OwnKey(record.OwnConsent), &s.consent, founder)
}

// Settled reports whether this node was in its cluster when that had been formed.
func (s *Store) Settled() bool { return s.settled.Load() != 0 }

// Settle remembers, for good, that the cluster was formed.
func (s *Store) Settle() error { return s.keep(record.OwnKey(record.OwnSettled), &s.settled, 1) }

// keep writes a number of this node's own.
func (s *Store) keep(key []byte, in *atomic.Uint64, value uint64) error {
	return s.onLane(s.lanes[0], func() error {
		err := s.writeSynced(func(batch *pebble.Batch) error {
			return batch.Set(key, binary.BigEndian.AppendUint64(nil, value), nil)
		})
		if err == nil {
			in.Store(value)
		}
		return err
	})
}

// Found makes a node that has no cluster the first of a new one: all groups begin with it as their
// only voter.
func (s *Store) Found(cluster uint64) error {
	return s.onAllLanes(func() error {
		if s.Cluster() != 0 {
			return fmt.Errorf("%w: it belongs to a cluster", ErrMismatch)
		}
		if err := s.writeSynced(func(batch *pebble.Batch) error { return s.foundCluster(batch, cluster) }); err != nil {
			return err
		}
		for shard := uint32(0); shard <= uint32(s.options.Shards); shard++ {
			if err := s.openNew(shard); err != nil {
				return err
			}
		}
		return nil
	})
}

// openNew opens a group with a replica that was just made. It votes at once: other than one that
// was started again it has promised nothing to a leader.
func (s *Store) openNew(shard uint32) error {
	if err := s.openGroup(shard); err != nil {
		return err
	}
	s.lane(shard).groups[shard].ticks = electionTicks
	return nil
}

// Adopt makes a node that has no cluster one of a cluster.
func (s *Store) Adopt(cluster uint64) error {
	return s.onAllLanes(func() error {
		if known := s.Cluster(); known != 0 {
			if known != cluster {
				return fmt.Errorf("%w: it belongs to another cluster", ErrMismatch)
			}
			return nil
		}
		return s.writeSynced(func(batch *pebble.Batch) error { return s.setCluster(batch, cluster) })
	})
}

// CreateReplica makes an empty replica of a shard, which the shard's leader is about to make a
// learner. A replica that is here already is kept. An id that was here and is destroyed never comes
// back: it may have voted.
func (s *Store) CreateReplica(shard uint32, replica uint64) error {
	if int64(shard) > int64(s.options.Shards) || replica == 0 {
		return fmt.Errorf("%w: replica %d of shard %d", ErrMalformed, replica, shard)
	}
	l := s.lane(shard)
	return s.onLane(l, func() error {
		if g := l.groups[shard]; g != nil {
			if g.replica == replica {
				return nil
			}
			return fmt.Errorf("%w: shard %d has replica %d", ErrReplica, shard, g.replica)
		}
		destroyed, err := tombstone(s.db, shard)
		if err != nil {
			return err
		}
		if replica <= destroyed {
			return fmt.Errorf("%w: replica %d of shard %d was destroyed", ErrReplica, replica, shard)
		}
		err = s.writeSynced(func(batch *pebble.Batch) error {
			return errors.Join(
				setLocal(batch, shard, &raftpb.HardState{}, &raftpb.ConfState{}, position{}, position{}),
				setProto(batch, record.Key(shard, record.ClassMembers), &clusterv1.Members{}),
				batch.Set(record.Key(shard, record.ClassReplica), binary.BigEndian.AppendUint64(nil, replica), nil),
			)
		})
		if err != nil {
			return err
		}
		return s.openNew(shard)
	})
}

// DestroyReplica removes a replica that is no member of its group any more, with all that it holds.
func (s *Store) DestroyReplica(shard uint32, replica uint64) error {
	l := s.lane(shard)
	return s.onLane(l, func() error {
		g := l.groups[shard]
		if g == nil || g.replica != replica {
			return nil
		}
		return l.destroy(g)
	})
}

// destroy removes a replica and leaves a tombstone.
func (l *lane) destroy(g *group) error {
	g.gone = true
	delete(l.groups, g.shard)
	g.abandon(ErrUnknown)
	g.endStaged(errNotTaken)
	g.log.dropSnapshot()
	l.store.leases[g.shard].set(0, 0)
	all := record.All(g.shard)
	err := l.store.writeSynced(func(batch *pebble.Batch) error {
		if planted.Is(planted.TombstoneLeftOut) {
			return batch.DeleteRange(all.From, all.To, nil)
		}
		return errors.Join(
			batch.DeleteRange(all.From, all.To, nil),
			batch.Set(record.Key(g.shard, record.ClassTombstone), binary.BigEndian.AppendUint64(nil, g.replica), nil),
		)
	})
	if g.leadership != (Leadership{}) {
		g.leadership = Leadership{}
		l.store.leadershipChanged(g.shard, g.leadership)
	}
	return err
}

// destroyRemoved destroys the replicas that a change of this round has removed.
func (l *lane) destroyRemoved(round []work) error {
	for _, w := range round {
		if w.removed() && !w.gone {
			l.store.options.Logger.Info("a replica was moved away", "shard", w.shard, "replica", w.replica)
			if err := l.destroy(w.group); err != nil {
				return err
			}
		}
	}
	return nil
}

// removed reports whether this replica was a member and is none any more.
func (g *group) removed() bool {
	c := g.log.conf
	if g.log.applied.index == 0 {
		return false // it waits to become one
	}
	for _, ids := range [][]uint64{c.GetVoters(), c.GetLearners(), c.GetVotersOutgoing(), c.GetLearnersNext()} {
		if slices.Contains(ids, g.replica) {
			return false
		}
	}
	return true
}

// tombstone is the highest id of a replica of the shard that was destroyed here; 0 where none was.
func tombstone(db *pebble.DB, shard uint32) (uint64, error) {
	value, closer, err := db.Get(record.Key(shard, record.ClassTombstone))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, engineError(err)
	}
	defer closer.Close()
	if len(value) != 8 {
		return 0, fmt.Errorf("%w: tombstone of shard %d", ErrCorrupt, shard)
	}
	return binary.BigEndian.Uint64(value), nil
}

// writeSynced writes a batch of its own, synced.
func (s *Store) writeSynced(fill func(*pebble.Batch) error) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	if err := fill(batch); err != nil {
		return err
	}
	return s.write(batch, true)
}

// onLane runs fn between two rounds of a lane and returns its error. With Options.Manual it runs at
// once.
func (s *Store) onLane(l *lane, fn func() error) (err error) {
	if s.options.Manual {
		return fn()
	}
	done := make(chan error, 1)
	if err := l.control(func() { done <- fn() }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-l.ended:
		return ErrClosed
	}
}

// onAllLanes runs fn while no lane does anything.
func (s *Store) onAllLanes(fn func() error) error {
	run := fn
	for _, l := range s.lanes {
		inner := run
		run = func() error { return s.onLane(l, inner) }
	}
	return run()
}
