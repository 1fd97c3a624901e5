package persistence

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// format is the version of the key layout. Format 1 knew one node only: it had no meta group and no
// members.
const format = 2

// identity is what a store was created with: it never changes.
type identity struct {
	shards int
	// node is this data directory's id in the cluster: whoever empties the directory is a new node.
	node uint64
}

const identityText = "wactor store, format %d, %d shards, node %d"

func (i identity) String() string { return fmt.Sprintf(identityText, format, i.shards, i.node) }

// checkIdentity refuses a directory that was created with other settings, brings an older one to
// this format, and fills an empty one.
func (s *Store) checkIdentity() error {
	value, closer, err := s.db.Get(record.Key(0, record.ClassStore))
	if errors.Is(err, pebble.ErrNotFound) {
		if err := s.checkEmpty(); err != nil {
			return err
		}
		return s.create()
	}
	if err != nil {
		return engineError(err)
	}
	text := string(value)
	closer.Close()
	var found identity
	var version int
	if _, err := fmt.Sscanf(text, identityText, &version, &found.shards, &found.node); err != nil || version < 1 ||
		version > format {
		return fmt.Errorf("%w: %s holds a %q, which this version does not know", ErrMismatch, s.options.Dir, text)
	}
	if found.shards != s.options.Shards {
		return fmt.Errorf("%w: %s holds a %q, the configuration says %d shards; their number is fixed when a store "+
			"is created",
			ErrMismatch, s.options.Dir, text, s.options.Shards)
	}
	s.identity = found
	if version == 1 {
		return s.upgrade()
	}
	return s.loadCluster()
}

// checkEmpty: a directory without an identity holds nothing, since all was created in one batch.
func (s *Store) checkEmpty() error {
	iter, err := s.db.NewIter(nil)
	if err != nil {
		return engineError(err)
	}
	defer iter.Close()
	if iter.First() {
		return fmt.Errorf("%w: %s holds something that is not a store", ErrMismatch, s.options.Dir)
	}
	return engineError(iter.Error())
}

// create writes what a new store holds: its identity and, unless others are to be joined, a cluster
// of its own.
func (s *Store) create() error {
	s.identity = identity{shards: s.options.Shards, node: randomID()}
	batch := s.db.NewBatch()
	defer batch.Close()
	if !s.options.Joining {
		if err := s.foundCluster(batch, randomID()); err != nil {
			return err
		}
	}
	if err := batch.Set(record.Key(0, record.ClassStore), []byte(s.identity.String()), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// randomID returns an id that nobody else has.
func randomID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])>>1 | 1
}

// upgrade brings a store of format 1 to this one: its node gets an id of its own, its groups get
// members, and there is a meta group.
func (s *Store) upgrade() error {
	s.identity.node = randomID()
	batch := s.db.NewBatch()
	defer batch.Close()
	for shard := uint32(1); shard <= uint32(s.options.Shards); shard++ {
		if err := s.setMembers(batch, shard); err != nil {
			return err
		}
	}
	if err := s.foundGroup(batch, 0); err != nil {
		return err
	}
	if err := s.setCluster(batch, randomID()); err != nil {
		return err
	}
	if err := batch.Set(record.Key(0, record.ClassStore), []byte(s.identity.String()), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

func (s *Store) loadCluster() error {
	return errors.Join(
		s.loadNumber(record.OwnKey(record.OwnCluster), &s.cluster, "id of the cluster"),
		s.loadNumber(record.OwnKey(record.OwnConsent), &s.consent, "id of the founder"),
		s.loadNumber(record.OwnKey(record.OwnSettled), &s.settled, "mark of a formed cluster"),
	)
}

func (s *Store) loadNumber(key []byte, into *atomic.Uint64, what string) error {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return engineError(err)
	}
	defer closer.Close()
	if len(value) != 8 {
		return fmt.Errorf("%w: the %s", ErrCorrupt, what)
	}
	into.Store(binary.BigEndian.Uint64(value))
	return nil
}

func (s *Store) setCluster(batch *pebble.Batch, cluster uint64) error {
	s.cluster.Store(cluster)
	return batch.Set(record.OwnKey(record.OwnCluster), binary.BigEndian.AppendUint64(nil, cluster), nil)
}

// foundCluster makes this node a cluster of its own: all groups begin with it as their only voter.
func (s *Store) foundCluster(batch *pebble.Batch, cluster uint64) error {
	for shard := uint32(0); shard <= uint32(s.options.Shards); shard++ {
		if err := s.foundGroup(batch, shard); err != nil {
			return err
		}
	}
	return s.setCluster(batch, cluster)
}

// foundGroup writes a group whose only voter is replica 1, on this node.
func (s *Store) foundGroup(batch *pebble.Batch, shard uint32) error {
	// The log begins behind an entry that never was: a replica that has nothing is behind it, and
	// gets a snapshot.
	start := position{1, 1}
	hard := &raftpb.HardState{Term: proto.Uint64(1), Vote: proto.Uint64(0), Commit: proto.Uint64(1)}
	if err := setLocal(batch, shard, hard, &raftpb.ConfState{Voters: []uint64{1}}, start, start); err != nil {
		return err
	}
	return s.setMembers(batch, shard)
}

// setMembers makes this node's replica 1 the only member of a group.
func (s *Store) setMembers(batch *pebble.Batch, shard uint32) error {
	members := &clusterv1.Members{Replicas: []*clusterv1.Replica{{Id: 1, Node: s.identity.node}}, Next: 2}
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
