package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plain returns nodes 1 to n, each a zone of its own.
func plain(n int) []Node {
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i].ID = uint64(i + 1)
	}
	return nodes
}

func TestWantReplicas(t *testing.T) {
	for _, c := range []struct{ replicas, nodes, want int }{
		{1, 1, 1}, {1, 5, 1}, {3, 1, 1}, {3, 2, 1}, {3, 3, 3}, {3, 9, 3}, {5, 3, 3}, {5, 4, 3}, {5, 5, 5}, {7, 6, 5},
		{7, 7, 7}, {4, 7, 3}, {0, 3, 1},
	} {
		for shard, nodes := range Want(nil, 16, c.replicas, plain(c.nodes)) {
			if len(nodes) != c.want {
				t.Fatalf("%d replicas on %d nodes: shard %d wants %v", c.replicas, c.nodes, shard, nodes)
			}
		}
	}
	if diff := cmp.Diff([][]uint64{nil, nil, nil}, Want([][]uint64{{1}}, 2, 3, nil)); diff != "" {
		t.Errorf("without nodes: %s", diff)
	}
}

// TestWantIsStable pins a small placement: nodes of two releases must agree on it, and so must
// architectures.
func TestWantIsStable(t *testing.T) {
	nodes := []Node{{ID: 11, Zone: "a"}, {ID: 12, Zone: "a"}, {ID: 13, Zone: "b"}, {ID: 14, Zone: "b"},
		{ID: 15, Zone: "c"}}
	want := [][]uint64{{13, 11, 15}, {12, 13, 15}, {15, 12, 13}, {14, 12, 15}, {15, 11, 14}, {11, 14, 15}}
	if diff := cmp.Diff(want, Want(nil, 5, 3, nodes)); diff != "" {
		t.Errorf("(-pinned +now):\n%s", diff)
	}
}

func TestWantSpreadsOverZones(t *testing.T) {
	for _, c := range []struct {
		zones    string
		replicas int
		held     []int // by each node, of 60 shards
	}{
		{"aabbcc", 3, []int{30, 30, 30, 30, 30, 30}},
		{"abccc", 3, []int{60, 60, 20, 20, 20}},                     // one in each zone, though two zones are small
		{"aaab", 3, []int{40, 40, 40, 60}},                          // two in a, one in b
		{"aabb", 3, []int{45, 45, 45, 45}},                          // two in one, one in the other
		{"aaaabbbbc", 5, []int{30, 30, 30, 30, 30, 30, 30, 30, 60}}, // 2 + 2 + 1, never 3 + 1 + 1
		{"aabbbb--", 3, []int{30, 30, 15, 15, 15, 15, 30, 30}},      // nodes without a zone
	} {
		t.Run(fmt.Sprint(c.zones, c.replicas), func(t *testing.T) {
			var nodes []Node
			for i, zone := range c.zones {
				nodes = append(nodes, Node{ID: uint64(i + 1), Zone: string(zone)})
				if zone == '-' {
					nodes[i].Zone = ""
				}
			}
			held := make([]int, len(nodes))
			for _, ids := range Want(nil, 59, c.replicas, nodes) {
				for _, id := range ids {
					held[id-1]++
				}
			}
			if diff := cmp.Diff(c.held, held); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWantMoves grows and shrinks clusters without zones, where the number of moves is known
// exactly.
func TestWantMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.Uint32Range(0, 200).Draw(t, "shards")
		replicas := rapid.SampledFrom([]int{1, 3, 5, 7}).Draw(t, "replicas")
		n := rapid.IntRange(replicas, 14).Draw(t, "nodes")
		fewer, more := plain(n), plain(n+1)
		before := Want(nil, shards, replicas, fewer)
		grown := Want(before, shards, replicas, more)
		total := (int(shards) + 1) * replicas
		if moved, bound := moves(before, grown), (total+n)/(n+1); moved > bound {
			t.Fatalf("adding a node to %d moved %d of %d replicas, more than %d", n, moved, total, bound)
		}
		gone := rapid.IntRange(0, n).Draw(t, "gone")
		shrunk := Want(grown, shards, replicas, slices.Delete(slices.Clone(more), gone, gone+1))
		held := 0
		for _, ids := range grown {
			if slices.Contains(ids, more[gone].ID) {
				held++
			}
		}
		if moved := moves(grown, shrunk); moved > held+n {
			t.Fatalf("removing a node that held %d moved %d", held, moved)
		}
	})
}

// TestWantMovesWithinZones adds a node to one of several zones: only what it takes over moves, as
// long as the zones share the shards as before.
func TestWantMovesWithinZones(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.Uint32Range(0, 200).Draw(t, "shards")
		var nodes []Node
		for _, zone := range []string{"a", "b", "c"} {
			for range rapid.IntRange(1, 4).Draw(t, zone) {
				nodes = append(nodes, Node{ID: uint64(len(nodes) + 1), Zone: zone})
			}
		}
		added := Node{ID: 99, Zone: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone")}
		before := Want(nil, shards, 3, nodes)
		after := Want(before, shards, 3, append(slices.Clone(nodes), added))
		held := 0
		for _, ids := range after {
			if slices.Contains(ids, added.ID) {
				held++
			}
		}
		if moved := moves(before, after); moved != held {
			t.Fatalf("the added node holds %d, but %d moved", held, moved)
		}
	})
}

// TestWantMovesLeaderships: a node that is added takes its share of the preferred leads, others
// keep theirs but for a few that they hand on to it.
func TestWantMovesLeaderships(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.Uint32Range(0, 200).Draw(t, "shards")
		replicas := rapid.SampledFrom([]int{1, 3, 5}).Draw(t, "replicas")
		n := rapid.IntRange(replicas, 14).Draw(t, "nodes")
		before := Want(nil, shards, replicas, plain(n))
		after := Want(before, shards, replicas, plain(n+1))
		if changed, bound := leaderChanges(before, after), (int(shards)+1+n)/(n+1)+n; changed > bound {
			t.Fatalf("%d of %d leads changed, more than %d", changed, shards+1, bound)
		}
	})
}

// TestWantGivesUpInBalance: shards that get fewer replicas give up those of full nodes, so that no
// other moves, and keep who leads.
func TestWantGivesUpInBalance(t *testing.T) {
	before := Want(nil, 15, 5, plain(8))
	after := Want(before, 15, 3, plain(8))
	if moved, changed := moves(before, after), leaderChanges(before, after); moved > 0 || changed > 0 {
		t.Errorf("%d replicas moved, %d leads changed", moved, changed)
	}
}

// TestWantFillsANewZone: two replicas in each of two zones and one in a third make room for a
// fourth zone, though none has too many.
func TestWantFillsANewZone(t *testing.T) {
	var nodes []Node
	for i, zone := range "aabbccdd" {
		nodes = append(nodes, Node{ID: uint64(i + 1), Zone: string(zone)})
	}
	before := Want(nil, 62, 5, nodes[:6])
	for shard, ids := range Want(before, 62, 5, nodes) {
		if !slices.Contains(ids, 7) && !slices.Contains(ids, 8) {
			t.Errorf("shard %d has no replica in the new zone: %v", shard, ids)
		}
	}
}

func leaderChanges(before, after [][]uint64) int {
	changed := 0
	for shard := range after {
		if before[shard][0] != after[shard][0] {
			changed++
		}
	}
	return changed
}

// moves counts the replicas of a placement that a former one does not have.
func moves(before, after [][]uint64) int {
	moved := 0
	for shard, ids := range after {
		for _, id := range ids {
			if shard >= len(before) || !slices.Contains(before[shard], id) {
				moved++
			}
		}
	}
	return moved
}

func BenchmarkWant(b *testing.B) {
	const shards, n = 4096, 20
	zoned := plain(n + 1)
	for i := range zoned {
		zoned[i].Zone = string(rune('a' + i%3))
	}
	uneven := plain(n + 1)
	for i := range uneven {
		uneven[i].Zone = []string{"a", "b", "b", "c", "c", "c", "d", "d", "d", "d"}[i%10]
	}
	scrambled := make([][]uint64, shards+1)
	random := rand.New(rand.NewPCG(1, 2))
	for shard := range scrambled {
		for _, node := range random.Perm(n)[:3] {
			scrambled[shard] = append(scrambled[shard], uint64(node/2+1))
		}
	}
	for _, c := range []struct {
		name  string
		nodes []Node
	}{{"plain", plain(n + 1)}, {"zoned", zoned}, {"uneven", uneven}} {
		former := Want(nil, shards, 3, c.nodes[:n])
		for _, r := range []struct {
			name     string
			previous [][]uint64
			nodes    []Node
		}{
			{"new", nil, c.nodes[:n]}, {"same", former, c.nodes[:n]}, {"grown", former, c.nodes}, {"shrunk", former,
				c.nodes[1:n]},
			{"expanded", Want(nil, shards, 3, c.nodes[:1]), c.nodes[:n]}, {"scrambled", scrambled, c.nodes[:n]},
		} {
			b.Run(c.name+"/"+r.name, func(b *testing.B) {
				for b.Loop() {
					Want(r.previous, shards, 3, r.nodes)
				}
			})
		}
	}
}
