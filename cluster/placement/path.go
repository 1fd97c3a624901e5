package placement

import (
	"cmp"
	"slices"
)

// shortestPath returns the nodes of a shortest path from a source to a target, or nothing if there
// is none. Of several it prefers earlier sources, then earlier targets.
func shortestPath(nodes int, sources, targets []int, edge func(from, to int) bool) []int {
	const unseen, source = -2, -1
	before := make([]int, nodes)
	for node := range before {
		before[node] = unseen
	}
	for _, node := range sources {
		before[node] = source
	}
	for reached := sources; len(reached) > 0; {
		// All of these are as far away. Whether one ends a path is asked before any is followed
		// further: mostly one does.
		for _, from := range reached {
			for _, to := range targets {
				if before[to] == unseen && edge(from, to) {
					path := []int{to}
					for node := from; node != source; node = before[node] {
						path = append(path, node)
					}
					slices.Reverse(path)
					return path
				}
			}
		}
		var next []int
		for _, from := range reached {
			for to := range before {
				if before[to] == unseen && edge(from, to) {
					before[to] = from
					next = append(next, to)
				}
			}
		}
		reached = next
	}
	return nil
}

// ranked returns the nodes for which score is positive, the highest first.
func ranked(nodes int, score func(node int) int) []int {
	var found []int
	for node := range nodes {
		if score(node) > 0 {
			found = append(found, node)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int { return cmp.Compare(score(b), score(a)) })
	return found
}
