package store

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	"github.com/wactor/wactor/persistence/replication"
)

// View is the state of a shard at one moment, for a backup or a comparison: all that was applied up
// to an entry of the log, on the disk, and nothing behind it. It keeps the files of its moment
// until it is closed; closing the store waits for that.
type View struct {
	// Shard is whose state it is, and Index the entry that was applied last.
	Shard uint32
	Index uint64
	// At is where the shard's feed was: what is in the feed behind it may not be in the view, and
	// what is before it is.
	At Position

	iter    *pebble.Iterator
	release func()
}

// View takes a view of a shard. It waits for the round that the shard's lane is in, and holds the
// lane up for no longer than it takes to name the files. It returns replication.ErrReplica where
// there is no replica here.
func (s *Store) View(shard uint32) (*View, error) {
	release, err := s.Hold()
	if err != nil {
		return nil, err
	}
	var v *View
	err = s.Observe(shard, func(applied uint64, machine replication.StateMachine) error {
		iter, err := machine.Snapshot()
		if err != nil {
			return err
		}
		v = &View{Shard: shard, Index: applied, At: s.feeds[shard].Position(), iter: iter, release: release}
		return nil
	})
	if err != nil {
		release()
	}
	return v, err
}

// Each reads the records in the order of their keys, which begin with the class (see package
// record). Key and value are valid during the call only.
func (v *View) Each(each func(key, value []byte) error) error {
	for valid := v.iter.First(); valid; valid = v.iter.Next() {
		value, err := v.iter.ValueAndErr()
		if err != nil {
			return engine.Error(err)
		}
		if err := each(record.CutShard(v.iter.Key()), value); err != nil {
			return err
		}
	}
	return engine.Error(v.iter.Error())
}

// Close gives the view back.
func (v *View) Close() error {
	defer v.release()
	return engine.Error(v.iter.Close())
}

// Checksum is a sum over all that a replica of this node has applied, up to the entry of the index
// that it returns: replicas of a shard that have applied the same entries have the same. It reads
// the whole shard; it returns replication.ErrReplica where there is no replica here.
func (s *Store) Checksum(shard uint32) (sum, applied uint64, err error) {
	v, err := s.View(shard)
	if err != nil {
		return 0, 0, err
	}
	hash := xxhash.New()
	err = v.Each(func(key, value []byte) error {
		for _, part := range [][]byte{key, value} {
			_, _ = hash.Write(binary.AppendUvarint(nil, uint64(len(part))))
			_, _ = hash.Write(part)
		}
		return nil
	})
	if closed := v.Close(); err == nil {
		err = closed
	}
	return hash.Sum64(), v.Index, err
}
