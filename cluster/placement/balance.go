package placement

import (
	"cmp"
	"slices"
)

// balance moves replicas until every node holds as many shards as its share allows. A node that has
// too many need not be able to swap with one that has too few, since zones can forbid it: then it
// hands a shard to a third, which hands another one on. These are the shortest augmenting paths of
// the flow that shares speaks of, so the bounds are always met in the end.
func (l *layout) balance() {
	over := func(node int) int { return -l.room(node) }
	lacks := func(node int) int { return l.zones[l.zone[node]].fewestGroups - len(l.shards[node]) }
	spare := func(node int) int { return -lacks(node) }

	// First only replicas that no node has yet: to choose another node for these costs nothing.
	for _, may := range []move{l.unbuilt, l.movable} {
		// Who has the most room comes first, and that is mostly who lacks some too: then one move
		// serves both ends.
		for l.handOn(over, l.room, may) {
		}
		for l.handOn(spare, lacks, may) {
		}
	}
}

// move tells whether a shard that is held by one node may be held by another one instead.
type move func(shard, from, to int) bool

// handOn moves replicas from a node with an excess to one in need, by way of others where it must,
// and reports whether there was a way.
func (l *layout) handOn(excess, need func(node int) int, may move) bool {
	path := shortestPath(len(l.nodes), ranked(len(l.nodes), excess), ranked(len(l.nodes), need),
		func(from, to int) bool {
			return slices.ContainsFunc(l.shards[from], func(shard int) bool { return may(shard, from, to) })
		})
	if path == nil {
		return false
	}
	// As many go as can, chosen before the first one moves. They can't stand in each other's way:
	// at one stage of the path they are of different shards, and two of one shard at two stages
	// could only do so if both changed zones, but then one move from the first's source to the
	// second's target would have made a shorter path.
	count := min(excess(path[0]), need(path[len(path)-1]))
	moved := make([][]int, len(path)-1)
	for i := range moved {
		moved[i] = l.dearest(path[i], path[i+1], may)
		count = min(count, len(moved[i]))
	}
	for i, shards := range moved {
		for _, shard := range shards[:count] {
			l.release(shard, path[i])
			l.hold(shard, path[i+1])
		}
	}
	return true
}

// unbuilt is the move of a replica that the previous placement did not have.
func (l *layout) unbuilt(shard, from, to int) bool {
	return !slices.Contains(l.former[shard], from) && l.movable(shard, from, to)
}

// movable is any move that leaves the shard within the bounds of its zones.
func (l *layout) movable(shard, from, to int) bool {
	if slices.Contains(l.holders[shard], to) {
		return false
	}
	source, target := l.zone[from], l.zone[to]
	return source == target ||
		l.inZone(shard, source) > l.zones[source].fewest && l.inZone(shard, target) < l.zones[target].most
}

// dearest returns those of a node's shards that are eligible to go to another one, whose weight for
// them falls. Those of which the node is leader come last: a leadership that stays needs no
// transfer over.
func (l *layout) dearest(from, to int, eligible move) []int {
	shards := slices.DeleteFunc(slices.Clone(l.shards[from]), func(shard int) bool {
		return !eligible(shard, from,
			to)
	})
	leads := func(shard int) int {
		if l.leaders[shard] == from {
			return 1
		}
		return 0
	}
	slices.SortFunc(shards, func(a, b int) int {
		return cmp.Or(cmp.Compare(leads(a), leads(b)), cmp.Compare(l.weight(b, to), l.weight(a, to)))
	})
	return shards
}
