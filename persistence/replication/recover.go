package replication

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// RecoveredShard is what a recovery found of a shard.
type RecoveredShard struct {
	Shard uint32
	// Held: there was a replica with a state. Otherwise all of the shard is gone, and it begins
	// anew.
	Held bool
	// Voter: the replica had a vote; a learner may have been behind by any number of entries.
	Voter bool
	// Replicas is how many the group had, this one included, as far as it knew.
	Replicas int
	// Last is the last entry of its log. What other replicas acknowledged behind it without this
	// one is gone.
	Last uint64
	// Unconfirmed is how many of the last entries this replica did not know to be committed. They
	// count from now on: some may never have been acknowledged.
	Unconfirmed uint64
}

// Recover makes what one node has left a cluster of its own, with a new id: for a cluster of which
// a majority of the disks is gone for good. Each replica becomes the only one of its group, and all
// that is in its log counts as committed. No Host may have the engine open. All is one synced
// batch; it returns ErrMismatch for a directory that holds no store with so many shards.
func Recover(db *engine.Engine, shards int, more func(*pebble.Batch) error) (found []RecoveredShard, cluster uint64,
	err error) {
	i := &Identity{db: db, shards: shards}
	has, err := db.Has(record.Key(0, record.ClassStore))
	if err != nil {
		return nil, 0, err
	}
	if !has {
		return nil, 0, errors.Join(ErrMismatch, errors.New("the directory holds no store"))
	}
	if err := i.check(true); err != nil {
		return nil, 0, err
	}
	if i.Cluster() == 0 {
		return nil, 0, errors.Join(ErrMismatch, errors.New("the node never was in a cluster"))
	}
	cluster = randomID()
	err = db.SyncedWrites(func(batch *pebble.Batch) error {
		for shard := uint32(0); shard <= uint32(shards); shard++ {
			one, err := i.recoverShard(batch, shard)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		if err := batch.Delete(record.OwnKey(record.OwnConsent), nil); err != nil {
			return err
		}
		if err := i.setCluster(batch, cluster); err != nil {
			return err
		}
		return more(batch)
	})
	return found, cluster, err
}

// recoverShard makes this node's replica the only one of its group.
func (i *Identity) recoverShard(batch *pebble.Batch, shard uint32) (RecoveredShard, error) {
	out := RecoveredShard{Shard: shard}
	has, err := i.db.Has(record.Key(shard, record.ClassReplica))
	if err != nil {
		return out, err
	}
	var log *groupLog
	if has {
		if log, err = openLog(i.db, shard, nil); err != nil {
			return out, err
		}
	}
	if log == nil || log.applied.index == 0 { // there is none, or it was still waiting for its state
		all := record.All(shard)
		if err := batch.DeleteRange(all.From, all.To, nil); err != nil {
			return out, err
		}
		return out, i.foundGroup(batch, shard)
	}
	out.Held, out.Last = true, log.last.index
	out.Unconfirmed = log.last.index - log.hard.GetCommit()
	out.Replicas = len(log.members.GetReplicas())
	for _, voter := range log.conf.GetVoters() {
		out.Voter = out.Voter || voter == log.replica
	}
	return out, recoverLog(batch, log, i.node)
}

// recoverLog makes all of a log committed, and its replica the only voter.
func recoverLog(batch *pebble.Batch, l *groupLog, node uint64) error {
	// A change of replicas that is not applied yet would bring those back that are gone.
	var entries []*raftpb.Entry
	if l.applied.index < l.last.index {
		var err error
		if entries, err = l.Entries(l.applied.index+1, l.last.index+1, uint64(unbounded)); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		if !changesReplicas(entry) {
			continue
		}
		empty := &raftpb.Entry{Index: entry.Index, Term: entry.Term, Type: raftpb.EntryNormal.Enum()}
		if err := setProto(batch, record.LogKey(l.shard, entry.GetIndex()), empty); err != nil {
			return err
		}
	}
	hard := &raftpb.HardState{Term: proto.Uint64(l.hard.GetTerm()), Vote: proto.Uint64(0),
		Commit: proto.Uint64(l.last.index)}
	conf := &raftpb.ConfState{Voters: []uint64{l.replica}}
	if err := setLocal(batch, l.shard, hard, conf, l.applied, l.truncated); err != nil {
		return err
	}
	members := &clusterv1.Members{Replicas: []*clusterv1.Replica{{Id: l.replica, Node: node}},
		Next: max(l.members.GetNext(), l.replica+1)}
	if err := setProto(batch, record.Key(l.shard, record.ClassMembers), members); err != nil {
		return err
	}
	return batch.Set(record.Key(l.shard, record.ClassReplica), binary.BigEndian.AppendUint64(nil, l.replica), nil)
}
