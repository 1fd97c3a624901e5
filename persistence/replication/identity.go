package replication

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// format is the version of the key layout. Format 1 knew one node only: it had no meta group and no
// members.
const format = 2

// Identity is what a data directory is: what it was created with, which never changes, and the
// cluster that it belongs to.
type Identity struct {
	db     *engine.Engine
	shards int
	// node is this data directory's id in the cluster: an emptied directory is a new node.
	node uint64
	// cluster is the id of the cluster; 0 where this node has none yet.
	cluster atomic.Uint64
	// settled is 1 where this node was in its cluster when that had been formed.
	settled atomic.Uint64
	// consent is the node that this one last let found a cluster.
	consent atomic.Uint64
	// epoch is how often the cluster was restored from a backup, where that was to this node.
	epoch atomic.Uint64
}

// Epoch is how often the cluster of this node was restored from a backup: 0 also on a node that
// joined a restored cluster.
func (i *Identity) Epoch() uint64 { return i.epoch.Load() }

// Node is this data directory's id in the cluster.
func (i *Identity) Node() uint64 { return i.node }

// Cluster is the id of the cluster; 0 where this node has none yet.
func (i *Identity) Cluster() uint64 { return i.cluster.Load() }

// Consented is the node that this one last let found a cluster; 0 where it has let none.
func (i *Identity) Consented() uint64 { return i.consent.Load() }

// Settled reports whether this node was in its cluster when that had been formed.
func (i *Identity) Settled() bool { return i.settled.Load() != 0 }

const identityText = "wactor store, format %d, %d shards, node %d"

func (i *Identity) text() string { return fmt.Sprintf(identityText, format, i.shards, i.node) }

// check rejects a directory that was created with other settings, brings an older one to this
// format, and fills an empty one.
func (i *Identity) check(joining bool) error {
	value, closer, err := i.db.Get(record.Key(0, record.ClassStore))
	if errors.Is(err, pebble.ErrNotFound) {
		if err := i.checkEmpty(); err != nil {
			return err
		}
		return i.create(joining)
	}
	if err != nil {
		return engine.Error(err)
	}
	text := string(value)
	closer.Close()
	var shards, version int
	if _, err := fmt.Sscanf(text, identityText, &version, &shards, &i.node); err != nil || version < 1 ||
		version > format {
		return fmt.Errorf("%w: %s holds a %q, which this version does not know", ErrMismatch, i.db.Dir(), text)
	}
	if shards != i.shards {
		return fmt.Errorf("%w: %s holds a %q, the configuration says %d shards; their number is fixed when a store "+
			"is created", ErrMismatch, i.db.Dir(), text, i.shards)
	}
	if version == 1 {
		return i.upgrade()
	}
	return i.load()
}

// checkEmpty: a directory without an identity holds nothing, since all was created in one batch.
func (i *Identity) checkEmpty() error {
	iter, err := i.db.NewIter(nil)
	if err != nil {
		return engine.Error(err)
	}
	defer iter.Close()
	if iter.First() {
		return fmt.Errorf("%w: %s holds something that is not a store", ErrMismatch, i.db.Dir())
	}
	return engine.Error(iter.Error())
}

// create writes what a new store holds: its identity and, unless others are to be joined, a cluster
// of its own.
func (i *Identity) create(joining bool) error {
	i.node = randomID()
	return i.db.SyncedWrites(func(batch *pebble.Batch) error {
		if !joining {
			if err := i.foundCluster(batch, randomID()); err != nil {
				return err
			}
		}
		return batch.Set(record.Key(0, record.ClassStore), []byte(i.text()), nil)
	})
}

// Found makes what an engine holds the state of a new cluster, with a new id and this directory as
// its only node: nothing but states of shards may lie there. Before it the engine can't be opened
// as a store.
func Found(db *engine.Engine, shards int, epoch uint64) (cluster uint64, err error) {
	i := &Identity{db: db, shards: shards, node: randomID()}
	cluster = randomID()
	return cluster, db.SyncedWrites(func(batch *pebble.Batch) error {
		if err := i.foundCluster(batch, cluster); err != nil {
			return err
		}
		err := batch.Set(record.OwnKey(record.OwnEpoch), binary.BigEndian.AppendUint64(nil, epoch), nil)
		return errors.Join(err, batch.Set(record.Key(0, record.ClassStore), []byte(i.text()), nil))
	})
}

// randomID returns an id that is not used elsewhere.
func randomID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])>>1 | 1
}

// upgrade brings a store of format 1 to this one: its node gets an id of its own, its groups get
// members, and there is a meta group.
func (i *Identity) upgrade() error {
	i.node = randomID()
	return i.db.SyncedWrites(func(batch *pebble.Batch) error {
		for shard := uint32(1); shard <= uint32(i.shards); shard++ {
			if err := i.setMembers(batch, shard); err != nil {
				return err
			}
		}
		if err := i.foundGroup(batch, 0); err != nil {
			return err
		}
		if err := i.setCluster(batch, randomID()); err != nil {
			return err
		}
		return batch.Set(record.Key(0, record.ClassStore), []byte(i.text()), nil)
	})
}

func (i *Identity) load() error {
	return errors.Join(
		i.loadNumber(record.OwnKey(record.OwnCluster), &i.cluster, "id of the cluster"),
		i.loadNumber(record.OwnKey(record.OwnConsent), &i.consent, "id of the founder"),
		i.loadNumber(record.OwnKey(record.OwnSettled), &i.settled, "mark of a formed cluster"),
		i.loadNumber(record.OwnKey(record.OwnEpoch), &i.epoch, "epoch of the cluster"),
	)
}

func (i *Identity) loadNumber(key []byte, into *atomic.Uint64, what string) error {
	value, closer, err := i.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return engine.Error(err)
	}
	defer closer.Close()
	if len(value) != 8 {
		return fmt.Errorf("%w: the %s", engine.ErrCorrupt, what)
	}
	into.Store(binary.BigEndian.Uint64(value))
	return nil
}

func (i *Identity) setCluster(batch *pebble.Batch, cluster uint64) error {
	i.cluster.Store(cluster)
	return batch.Set(record.OwnKey(record.OwnCluster), binary.BigEndian.AppendUint64(nil, cluster), nil)
}

// foundCluster makes this node a cluster of its own: all groups begin with it as their only voter.
func (i *Identity) foundCluster(batch *pebble.Batch, cluster uint64) error {
	for shard := uint32(0); shard <= uint32(i.shards); shard++ {
		if err := i.foundGroup(batch, shard); err != nil {
			return err
		}
	}
	return i.setCluster(batch, cluster)
}

// foundGroup writes a group whose only voter is replica 1, on this node.
func (i *Identity) foundGroup(batch *pebble.Batch, shard uint32) error {
	// The log begins behind an entry that never was: a replica that has nothing is behind it, and
	// gets a snapshot.
	start := position{1, 1}
	hard := &raftpb.HardState{Term: proto.Uint64(1), Vote: proto.Uint64(0), Commit: proto.Uint64(1)}
	if err := setLocal(batch, shard, hard, &raftpb.ConfState{Voters: []uint64{1}}, start, start); err != nil {
		return err
	}
	return i.setMembers(batch, shard)
}

// setMembers makes this node's replica 1 the only member of a group.
func (i *Identity) setMembers(batch *pebble.Batch, shard uint32) error {
	members := &clusterv1.Members{Replicas: []*clusterv1.Replica{{Id: 1, Node: i.node}}, Next: 2}
	if err := setProto(batch, record.Key(shard, record.ClassMembers), members); err != nil {
		return err
	}
	return batch.Set(record.Key(shard, record.ClassReplica), binary.BigEndian.AppendUint64(nil, 1), nil)
}

// setLocal writes what a replica knows of its own log.
func setLocal(w writer, shard uint32, hard *raftpb.HardState, conf *raftpb.ConfState, applied,
	truncated position) error {
	if err := setProto(w, record.Key(shard, record.ClassHardState), hard); err != nil {
		return err
	}
	if err := setPositions(w, shard, applied, truncated); err != nil {
		return err
	}
	return setProto(w, record.Key(shard, record.ClassConfState), conf)
}

// setPositions writes what is applied, and behind which entry the log begins.
func setPositions(w writer, shard uint32, applied, truncated position) error {
	if err := w.Set(record.Key(shard, record.ClassApplied), applied.encode(), nil); err != nil {
		return err
	}
	return w.Set(record.Key(shard, record.ClassTruncated), truncated.encode(), nil)
}

// writer is a batch, or a table that is being written: keys in their order.
type writer interface {
	Set(key, value []byte, _ *pebble.WriteOptions) error
}

func setProto(w writer, key []byte, message proto.Message) error {
	value, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	return w.Set(key, value, nil)
}
