package placement

import (
	"cmp"
	"slices"
)

// chooseLeaders chooses the preferred leader of each shard: the one before, if it still holds the
// shard, else the holder with the fewest. Then nodes that have two more than others pass shards on,
// again by shortest paths, until no such pair can be evened out. A preferred leader costs no copy,
// so here balance goes before rest.
func (l *layout) chooseLeaders() []int {
	led := make([][]int, len(l.nodes)) // shards, by their leader
	leads := func(node int) int { return len(led[node]) }
	for shard, leader := range l.leaders {
		if leader != none && slices.Contains(l.holders[shard], leader) {
			led[leader] = append(led[leader], shard)
		} else {
			l.leaders[shard] = none
		}
	}
	for shard, leader := range l.leaders {
		if leader == none {
			l.leaders[shard] = slices.MaxFunc(l.holders[shard], func(a, b int) int {
				return cmp.Or(cmp.Compare(leads(b), leads(a)), cmp.Compare(l.weight(shard, a), l.weight(shard, b)))
			})
			led[l.leaders[shard]] = append(led[l.leaders[shard]], shard)
		}
	}
	for slices.ContainsFunc(ranked(len(l.nodes), leads), func(node int) bool { return l.passLeadership(led, node) }) {
	}
	return l.leaders
}

// passLeadership moves one leadership from a node towards one that has at least two fewer, and
// reports whether there was a way.
func (l *layout) passLeadership(led [][]int, from int) bool {
	targets := ranked(len(led), func(node int) int { return len(led[from]) - len(led[node]) - 1 })
	if len(targets) == 0 {
		return false
	}
	path := shortestPath(len(led), []int{from}, targets, func(a, b int) bool {
		return slices.ContainsFunc(led[a], func(shard int) bool { return slices.Contains(l.holders[shard], b) })
	})
	for i := range max(0, len(path)-1) {
		// Each shard has one leader, so no two moves of a path are of the same shard.
		a, b := path[i], path[i+1]
		place := slices.IndexFunc(led[a], func(shard int) bool { return slices.Contains(l.holders[shard], b) })
		shard := led[a][place]
		led[a] = slices.Delete(led[a], place, place+1)
		led[b] = append(led[b], shard)
		l.leaders[shard] = b
	}
	return path != nil
}
