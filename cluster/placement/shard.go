package placement

import "github.com/cespare/xxhash/v2"

// ShardOf returns the shard of a conversation's identity: 1 to shards. Shard 0 is not for
// conversations. The function is part of the stored format: it must never change for a given number
// of shards.
func ShardOf(identity string, shards uint32) uint32 {
	return 1 + uint32(xxhash.Sum64String(identity)%uint64(shards))
}
