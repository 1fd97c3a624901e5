package placement

import (
	"cmp"
	"slices"
)

// Node is a node that may hold replicas.
type Node struct {
	// ID is never 0, and differs from node to node.
	ID uint64
	// Zone names what fails together: a rack, a data centre. A node without one is a zone of its
	// own.
	Zone string
}

// Want returns, for each shard from 0 to shards, the nodes that should hold it. The first is the
// preferred leader, the others follow by id. Previous is the former result, or nothing in a new
// cluster; without nodes the result is shards+1 empty lists.
//
//   - Each shard has replicas nodes (1, 3, 5 or 7; an even number counts as the odd one below), or
//     the largest odd number that there are nodes for: two nodes never hold a shard as two voters,
//     since either's death would stop it.
//   - The nodes of a shard lie in as many zones as there are, as evenly as the zones' sizes allow.
//     This goes before balance.
//   - No node holds more than the average number of shards rounded up, nor less than it rounded
//     down: the bound of rendezvous hashing with bounded loads is 1, without slack. Zones that are
//     too small or too large for the average have one of their own, which is the same for all nodes
//     of a zone (see shares).
//   - The numbers of leaders on two nodes differ by at most one, or as little as their shards
//     allow.
//   - What meets all this already stays. So a result is a fixed point. While the number of replicas
//     and the zones are the same, one node more takes its share, 1/(n+1) of the replicas rounded up
//     at most, and nothing else moves; of one node less, what it held moves, and little more: of
//     small clusters, tests find at most one replica for each node that is left. Zones can ask for
//     more: where two nodes may not swap, several hand shards on.
//
// The result depends on the set of nodes, not on their order. Rendezvous hashing (of shard and
// node) chooses where the rules above leave a choice. It alone, without the previous placement,
// would need slack: bounds that move by one with every node would reshuffle shards without
// need.
func Want(previous [][]uint64, shards uint32, replicas int, nodes []Node) [][]uint64 {
	groups := int(shards) + 1
	if len(nodes) == 0 {
		return make([][]uint64, groups)
	}
	nodes = slices.SortedFunc(slices.Values(nodes), func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Zone, b.Zone))
	})
	nodes = slices.CompactFunc(nodes, func(a, b Node) bool { return a.ID == b.ID })

	l := newLayout(groups, Copies(len(nodes), replicas), nodes)
	l.keep(previous)
	for shard := range groups {
		l.trim(shard)
	}
	for shard := range groups {
		l.fill(shard)
	}
	l.balance()
	leaders := l.chooseLeaders()

	wanted := make([][]uint64, groups)
	for shard, holders := range l.holders {
		slices.Sort(holders) // positions: by id
		wanted[shard] = append(make([]uint64, 0, len(holders)), nodes[leaders[shard]].ID)
		for _, node := range holders {
			if node != leaders[shard] {
				wanted[shard] = append(wanted[shard], nodes[node].ID)
			}
		}
	}
	return wanted
}

// Copies is how many replicas a shard gets of those that are wanted from so many nodes: an odd
// number, and at least 1.
func Copies(nodes, wanted int) int {
	n := min(nodes, wanted)
	return max(1, n-1+n%2)
}
