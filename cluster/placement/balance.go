package placement

import "slices"

// balance moves replicas until every node holds as many shards as its share allows. A node that has too many need not be
// able to swap with one that has too few, since zones can forbid it: then it hands a shard to a third, which hands another one
// on. These are the shortest augmenting paths of the flow that shares speaks of, so the bounds are always met in the end.
func (l *layout) balance() {
	room := func(node int) int { return l.room(node) }
	over := func(node int) int { return -l.room(node) }
	lacks := func(node int) int { return l.zones[l.zone[node]].fewestGroups - len(l.shards[node]) }
	spare := func(node int) int { return -lacks(node) }

	// Who has the most room comes first, and that is mostly who lacks some too: then one move serves both ends.
	for l.handOn(ranked(len(l.nodes), over), ranked(len(l.nodes), room)) {
	}
	for l.handOn(ranked(len(l.nodes), spare), ranked(len(l.nodes), lacks)) {
	}
}

// handOn moves one replica from a source to a target, by way of others where it must, and reports whether there was a way.
func (l *layout) handOn(sources, targets []int) bool {
	if len(sources) == 0 || len(targets) == 0 {
		return false
	}
	path := shortestPath(len(l.nodes), sources, targets, func(from, to int) bool {
		return slices.ContainsFunc(l.shards[from], func(shard int) bool { return l.movable(shard, from, to) })
	})
	if path == nil {
		return false
	}
	// The shards are chosen before the first one moves. Two of these moves can't stand in each other's way: only two that both
	// change zones in the same shard could, and then one from the first's source to the second's target would be a shorter path.
	moved := make([]int, len(path)-1)
	for i := range moved {
		moved[i] = l.dearest(l.shards[path[i]], path[i+1], func(shard int) bool { return l.movable(shard, path[i], path[i+1]) })
	}
	for i, shard := range moved {
		l.release(shard, path[i])
		l.hold(shard, path[i+1])
	}
	return true
}

// movable reports whether a shard that is held by one node may be held by another one instead.
func (l *layout) movable(shard, from, to int) bool {
	if slices.Contains(l.holders[shard], to) {
		return false
	}
	source, target := l.zone[from], l.zone[to]
	return source == target ||
		l.inZone(shard, source) > l.zones[source].fewest && l.inZone(shard, target) < l.zones[target].most
}

// dearest returns the shard to which a node has the highest weight, of those that are eligible. There must be one.
func (l *layout) dearest(shards []int, node int, eligible func(shard int) bool) int {
	chosen, highest := nobody, uint64(0)
	for _, shard := range shards {
		if weight := l.weight(shard, node); (chosen == nobody || weight > highest) && eligible(shard) {
			chosen, highest = shard, weight
		}
	}
	return chosen
}
