package placement

import "sort"

// share is what the nodes of one zone may hold. The bounds of all zones can be met together: they
// enclose one fractional placement in which every node of a zone holds the same part of every
// group, and where such a placement exists, one of whole replicas within the same whole bounds does
// too (the choice is a flow, and flows with whole bounds have whole solutions).
type share struct {
	fewest, most             int // replicas of one group in this zone
	fewestGroups, mostGroups int // groups that one node of this zone holds
}

// shares divides groups of the given number of replicas among zones of the given sizes, whose sum
// is at least replicas.
//
// Inside a group the zones are filled as evenly as they go: level is the smallest number such that
// no zone needs to hold more than level replicas, and every zone holds level-1 or all it can. So
// the loss of any one zone costs as few replicas as possible.
//
// Among the nodes the load is as even as that allows: all of them get the same, but for those whose
// zone can't take as much, or can't do with as little. All is done with whole numbers, so that
// every machine gets the same result.
func shares(groups, replicas int, sizes []int) []share {
	level := sort.Search(replicas, func(level int) bool { return sumUpTo(sizes, level) >= replicas })
	rest := groups * (replicas - sumUpTo(sizes, level-1)) // what lies on the top level
	// held is what a zone holds of all groups when its nodes hold perNode each, or as near to that
	// as it can.
	held := func(size, perNode int) int {
		return min(max(perNode*size, groups*min(size, level-1)), groups*min(size, level))
	}
	top := func(perNode int) int {
		total := 0
		for _, size := range sizes {
			total += held(size, perNode) - groups*min(size, level-1)
		}
		return total
	}
	above := sort.Search(groups, func(perNode int) bool { return top(perNode) >= rest })
	below := above
	if top(above) > rest { // the even load is no whole number
		below--
	}
	divided := make([]share, len(sizes))
	for zone, size := range sizes {
		divided[zone] = share{
			fewest: min(size, level-1), most: min(size, level),
			fewestGroups: held(size, below) / size, mostGroups: (held(size, above) + size - 1) / size,
		}
	}
	return divided
}

// sumUpTo adds the sizes, each counted up to limit.
func sumUpTo(sizes []int, limit int) int {
	sum := 0
	for _, size := range sizes {
		sum += min(size, limit)
	}
	return sum
}
