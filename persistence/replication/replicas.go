package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Consent remembers, for good, that this node lets another one found a cluster.
func (h *Host) Consent(founder uint64) error {
	return h.keep(record.OwnKey(record.OwnConsent), &h.consent, founder)
}

// Settle remembers, for good, that the cluster was formed.
func (h *Host) Settle() error { return h.keep(record.OwnKey(record.OwnSettled), &h.settled, 1) }

// keep writes a number of this node's own.
func (h *Host) keep(key []byte, in *atomic.Uint64, value uint64) error {
	return h.lanes[0].do(func() error {
		err := h.db.SyncedWrites(func(batch *pebble.Batch) error {
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
func (h *Host) Found(cluster uint64) error {
	return onAllLanes(h.lanes, func() error {
		if h.Cluster() != 0 {
			return fmt.Errorf("%w: it belongs to a cluster", ErrMismatch)
		}
		if err := h.db.SyncedWrites(func(batch *pebble.Batch) error {
			return h.foundCluster(batch,
				cluster)
		}); err != nil {
			return err
		}
		for shard := uint32(0); shard <= uint32(h.options.Shards); shard++ {
			if err := h.openNew(shard); err != nil {
				return err
			}
		}
		return nil
	})
}

// openNew opens a group with a replica that was just made. It votes at once: other than one that
// was started again it has promised nothing to a leader.
func (h *Host) openNew(shard uint32) error {
	if err := h.openGroup(shard); err != nil {
		return err
	}
	h.lane(shard).groups[shard].ticks = electionTicks
	return nil
}

// Adopt makes a node that has no cluster one of a cluster.
func (h *Host) Adopt(cluster uint64) error {
	return onAllLanes(h.lanes, func() error {
		if known := h.Cluster(); known != 0 {
			if known != cluster {
				return fmt.Errorf("%w: it belongs to another cluster", ErrMismatch)
			}
			return nil
		}
		return h.db.SyncedWrites(func(batch *pebble.Batch) error { return h.setCluster(batch, cluster) })
	})
}

// CreateReplica makes an empty replica of a shard, which the shard's leader is about to make a
// learner. A replica that is here already is kept. An id that was here and is destroyed never comes
// back: it may have voted.
func (h *Host) CreateReplica(shard uint32, replica uint64) error {
	if int64(shard) > int64(h.options.Shards) || replica == 0 {
		return fmt.Errorf("%w: replica %d of shard %d", ErrMalformed, replica, shard)
	}
	l := h.lane(shard)
	return l.do(func() error {
		if g := l.groups[shard]; g != nil {
			if g.replica == replica {
				return nil
			}
			return fmt.Errorf("%w: shard %d has replica %d", ErrReplica, shard, g.replica)
		}
		destroyed, err := tombstone(h.db, shard)
		if err != nil {
			return err
		}
		if replica <= destroyed {
			return fmt.Errorf("%w: replica %d of shard %d was destroyed", ErrReplica, replica, shard)
		}
		err = h.db.SyncedWrites(func(batch *pebble.Batch) error {
			return errors.Join(
				setLocal(batch, shard, &raftpb.HardState{}, &raftpb.ConfState{}, position{}, position{}),
				setProto(batch, record.Key(shard, record.ClassMembers), &clusterv1.Members{}),
				batch.Set(record.Key(shard, record.ClassReplica), binary.BigEndian.AppendUint64(nil, replica), nil),
			)
		})
		if err != nil {
			return err
		}
		return h.openNew(shard)
	})
}

// DestroyReplica removes a replica that is no member of its group any more, with all that it holds.
func (h *Host) DestroyReplica(shard uint32, replica uint64) error {
	l := h.lane(shard)
	return l.do(func() error {
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
	g.proposals.abandon(ErrUnknown)
	g.endStaged(errNotTaken)
	g.log.dropSnapshot()
	l.host.leases[g.shard].set(0, 0)
	all := record.All(g.shard)
	err := l.host.db.SyncedWrites(func(batch *pebble.Batch) error {
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
		l.host.options.LeadershipChanged(g.shard, g.leadership)
	}
	return err
}

// destroyRemoved destroys the replicas that a change of this round has removed.
func (l *lane) destroyRemoved(round []work) error {
	for _, w := range round {
		if w.log.removed() && !w.gone {
			l.host.options.Logger.Info("a replica was moved away", "shard", w.shard, "replica", w.replica)
			if err := l.destroy(w.group); err != nil {
				return err
			}
		}
	}
	return nil
}

// removed reports whether this replica was a member and is none any more.
func (l *groupLog) removed() bool {
	c := l.conf
	if l.applied.index == 0 {
		return false // it waits to become one
	}
	for _, ids := range [][]uint64{c.GetVoters(), c.GetLearners(), c.GetVotersOutgoing(), c.GetLearnersNext()} {
		if slices.Contains(ids, l.replica) {
			return false
		}
	}
	return true
}

// tombstone is the highest id of a replica of the shard that was destroyed here; 0 where none was.
func tombstone(db *engine.Engine, shard uint32) (uint64, error) {
	value, closer, err := db.Get(record.Key(shard, record.ClassTombstone))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, engine.Error(err)
	}
	defer closer.Close()
	if len(value) != 8 {
		return 0, fmt.Errorf("%w: tombstone of shard %d", engine.ErrCorrupt, shard)
	}
	return binary.BigEndian.Uint64(value), nil
}
