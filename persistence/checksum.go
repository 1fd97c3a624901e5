package persistence

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/wactor/wactor/persistence/record"
)

// Checksum is a sum over all that a replica of this node has applied, up to the entry of the index
// that it returns: replicas of a shard that have applied the same entries have the same. It reads
// the whole shard, and holds up the shard's lane meanwhile; it returns ErrReplica where there is no
// replica here.
func (s *Store) Checksum(shard uint32) (sum, applied uint64, err error) {
	l := s.lane(shard)
	err = s.onLane(l, func() error {
		g := l.groups[shard]
		if g == nil {
			return ErrReplica
		}
		hash := xxhash.New()
		iter, err := s.db.NewIter(bounds(record.State(shard)))
		if err != nil {
			return engineError(err)
		}
		for valid := iter.First(); valid; valid = iter.Next() {
			for _, part := range [][]byte{iter.Key(), iter.Value()} {
				_, _ = hash.Write(binary.AppendUvarint(nil, uint64(len(part))))
				_, _ = hash.Write(part)
			}
		}
		sum, applied = hash.Sum64(), g.log.applied.index
		return engineError(iter.Close())
	})
	return sum, applied, err
}
