package placement

import (
	"fmt"
	"testing"
)

// TestShardOfIsStable pins values: where a conversation lives must not change with a release.
func TestShardOfIsStable(t *testing.T) {
	for identity, want := range map[string]uint32{"shop/4915112345678": 19, "shop/US.13491208655302741918": 2, "": 26} {
		if got := ShardOf(identity, 32); got != want {
			t.Errorf("ShardOf(%q, 32) = %d, want %d", identity, got, want)
		}
	}
}

func TestShardOfSpreads(t *testing.T) {
	const shards, identities = 32, 32_000
	counts := map[uint32]int{}
	for i := range identities {
		shard := ShardOf(fmt.Sprintf("shop/49151%08d", i), shards)
		if shard < 1 || shard > shards {
			t.Fatalf("shard %d", shard)
		}
		counts[shard]++
	}
	for shard := uint32(1); shard <= shards; shard++ {
		if n := counts[shard]; n < 800 || n > 1200 {
			t.Errorf("shard %d holds %d of %d conversations", shard, n, identities)
		}
	}
}
