package placement

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWantKeepsItsPromises changes a cluster again and again, and holds every placement to what
// Want says of it.
func TestWantKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.Uint32Range(0, 70).Draw(t, "shards")
		zones := rapid.SampledFrom([][]string{{""}, {"a", "b"}, {"a", "b", "c"}, {"", "a", "b", "b", "b"},
			{"a", "b", "c", "d", "e"}}).Draw(t, "zones")
		var previous [][]uint64
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			replicas := rapid.SampledFrom([]int{1, 3, 3, 3, 5, 7}).Draw(t, "replicas")
			nodes := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Node {
				return Node{ID: rapid.Uint64Range(1, 12).Draw(t, "id"), Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
			}), 1, 9, func(n Node) uint64 { return n.ID }).Draw(t, "nodes")

			wanted := Want(previous, shards, replicas, nodes)
			checkPlacement(t, wanted, shards, replicas, nodes)
			if diff := cmp.Diff(wanted, Want(wanted, shards, replicas, nodes)); diff != "" {
				t.Fatalf("not a fixed point:\n%s", diff)
			}
			shuffled := rapid.Permutation(nodes).Draw(t, "shuffled")
			if diff := cmp.Diff(wanted, Want(previous, shards, replicas, shuffled)); diff != "" {
				t.Fatalf("the order of nodes matters:\n%s", diff)
			}
			previous = wanted
		}
	})
}

// TestWantTakesAnyPrevious feeds placements that Want never made: of other sizes, with repeated,
// unknown and crowded nodes.
func TestWantTakesAnyPrevious(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		previous := rapid.SliceOfN(rapid.SliceOfN(rapid.Uint64Range(0, 9), 0, 9), 0, 40).Draw(t, "previous")
		nodes := plain(rapid.IntRange(1, 8).Draw(t, "nodes"))
		for i := range nodes {
			nodes[i].Zone = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone")
		}
		before := fmt.Sprint(previous)
		checkPlacement(t, Want(previous, 30, 3, nodes), 30, 3, nodes)
		if fmt.Sprint(previous) != before {
			t.Fatalf("previous was changed from %s to %v", before, previous)
		}
	})
}

func checkPlacement(t *rapid.T, wanted [][]uint64, shards uint32, replicas int, nodes []Node) {
	if len(wanted) != int(shards)+1 {
		t.Fatalf("%d shards, want %d", len(wanted), shards+1)
	}
	zone, size := map[uint64]string{}, map[string]int{}
	for _, node := range nodes {
		zone[node.ID] = node.Zone
		if node.Zone == "" {
			zone[node.ID] = fmt.Sprint("alone ", node.ID)
		}
		size[zone[node.ID]]++
	}
	count := min(replicas, len(nodes))
	count -= 1 - count%2
	held := map[uint64]int{}
	for shard, ids := range wanted {
		inZone := map[string]int{}
		for place, id := range ids {
			if zone[id] == "" || slices.Contains(ids[:place], id) || place > 1 && ids[place-1] >= id {
				t.Fatalf("shard %d: %v of nodes %v", shard, ids, nodes)
			}
			held[id]++
			inZone[zone[id]]++
		}
		if len(ids) != count {
			t.Fatalf("shard %d has %v, want %d", shard, ids, count)
		}
		for a := range size {
			for b := range size {
				if inZone[a] > inZone[b]+1 && inZone[b] < size[b] {
					t.Fatalf("shard %d: %d replicas in zone %q, %d in zone %q, though there are %d nodes", shard,
						inZone[a], a, inZone[b], b, size[b])
				}
			}
		}
	}
	checkLoads(t, len(wanted), count, held, zone, size)
	checkLeads(t, wanted, nodes)
}

// checkLoads computes, by trying levels, the load that is even but for zones at one of their ends,
// and wants each node's load to be it, rounded up or down.
func checkLoads(t *rapid.T, groups, replicas int, held map[uint64]int, zone map[uint64]string, size map[string]int) {
	// Fill the zones in turn: what a full round brought all of them have, the last round only some.
	fewest, most := map[string]int{}, map[string]int{}
	for placed := 0; placed < replicas; {
		for name := range size {
			fewest[name] = most[name]
		}
		for name := range size {
			if most[name] < size[name] {
				most[name]++
				placed++
			}
		}
	}
	load := func(name string, level float64) float64 {
		n, all := float64(size[name]), float64(groups)
		return min(max(level*n, all*float64(fewest[name])), all*float64(most[name])) / n
	}
	low, high := 0.0, float64(groups)
	for range 100 {
		total, level := 0.0, (low+high)/2
		for name, n := range size {
			total += load(name, level) * float64(n)
		}
		if total < float64(groups*replicas) {
			low = level
		} else {
			high = level
		}
	}
	const rounding = 1e-6
	for id, name := range zone {
		if even := load(name, high); held[id] < int(math.Floor(even+rounding)) ||
			held[id] > int(math.Ceil(even-rounding)) {
			t.Fatalf("node %d in zone %q of %v holds %d of %d shards, even is %.2f", id, name, size, held[id], groups,
				even)
		}
	}
}

// checkLeads holds the preferred leads to what any choice among the holders could reach: some node
// of a set leads at least their part of the shards that only they hold, and some node at most their
// part of those that any of them holds.
func checkLeads(t *rapid.T, wanted [][]uint64, nodes []Node) {
	leads, position := make([]int, len(nodes)), map[uint64]int{}
	for i, node := range nodes {
		position[node.ID] = i
	}
	masks := make([]uint, len(wanted))
	for shard, ids := range wanted {
		leads[position[ids[0]]]++
		for _, id := range ids {
			masks[shard] |= 1 << position[id]
		}
	}
	highest, lowest := 0, len(wanted)
	for set := uint(1); set < 1<<len(nodes); set++ {
		within, touching := 0, 0
		for _, mask := range masks {
			if mask&^set == 0 {
				within++
			}
			if mask&set != 0 {
				touching++
			}
		}
		n := bits.OnesCount(set)
		highest, lowest = max(highest, (within+n-1)/n), min(lowest, touching/n)
	}
	if slices.Max(leads) != highest || slices.Min(leads) != lowest {
		t.Fatalf("leads %v, could be %d to %d", leads, lowest, highest)
	}
	if alone := !slices.ContainsFunc(nodes, func(n Node) bool { return n.Zone != "" }); alone && highest > lowest+1 {
		t.Fatalf("leads %v differ by more than one without zones", leads)
	}
}
