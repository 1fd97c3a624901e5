package persistence

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// format is the version of the key layout.
const format = 1

// identity is what a store was created with.
func (s *Store) identity() []byte {
	return fmt.Appendf(nil, "wactor store, format %d, %d shards, node %d", format, s.options.Shards, s.options.NodeID)
}

// checkIdentity refuses a directory that was created with other settings, and fills an empty one: all groups begin with this
// node as their only voter.
func (s *Store) checkIdentity() error {
	value, closer, err := s.db.Get(shardKey(0, 0))
	if err == nil {
		defer closer.Close()
		if string(value) != string(s.identity()) {
			return fmt.Errorf("%w: %s holds a %q, the configuration says %q; the number of shards is fixed when a store is created",
				ErrMismatch, s.options.Dir, value, s.identity())
		}
		return nil
	}
	if !errors.Is(err, pebble.ErrNotFound) {
		return engineError(err)
	}
	if err := s.checkEmpty(); err != nil {
		return err
	}
	return s.create()
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

// create writes what an empty store holds.
func (s *Store) create() error {
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
	if err := batch.Set(shardKey(0, 0), s.identity(), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}
