package admin

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wactor/wactor/cluster/control"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// mostLag is how many entries a replica may be behind and still be counted on.
const mostLag = 1000

// WithoutNodes says what keeps the nodes that away selects from being stopped now: a sentence for
// each kind of trouble, none where every shard keeps a majority of its voters without them. Voters
// that are silent, far behind or without their state yet are not counted on.
func WithoutNodes(c *wactorv1.ClusterStatusResponse, away func(*wactorv1.NodeStatus) bool) []string {
	if !c.GetFormed() {
		return []string{"the cluster is not formed yet"}
	}
	gone := map[string]bool{}
	for _, n := range c.Nodes {
		if away(n) {
			gone[n.Name], gone[n.Name+"/"+n.Id] = true, true // the latter where two have one name
		}
	}
	var reasons []string
	add := func(shards []uint32, format string, args ...any) {
		if len(shards) > 0 {
			reasons = append(reasons, shardNames(shards)+" "+fmt.Sprintf(format, args...))
		}
	}
	var leaderless []uint32
	losing := map[string][]uint32{}
	for _, s := range c.Shards {
		voters, left := 0, []string{}
		holds := false
		for _, r := range s.Replicas {
			if !r.Voter {
				continue
			}
			voters++
			holds = holds || gone[r.Node]
			if r.Recent && !r.Snapshot && r.Lag <= mostLag && !gone[r.Node] {
				left = append(left, r.Node)
			}
		}
		switch {
		case s.Leader == "":
			leaderless = append(leaderless, s.Shard)
		case holds && 2*len(left) <= voters:
			slices.Sort(left)
			names := "none"
			if len(left) > 0 {
				names = strings.Join(left, " and ")
			}
			why := fmt.Sprintf("would lose the majority: of %d voters %s would be left", voters, names)
			losing[why] = append(losing[why], s.Shard)
		}
	}
	add(leaderless, "without a leader")
	for _, why := range slices.Sorted(maps.Keys(losing)) {
		add(losing[why], "%s", why)
	}
	return reasons
}

// shardNames names up to three shards, and counts the others.
func shardNames(shards []uint32) string {
	const most = 3
	var names []string
	for _, s := range shards[:min(most, len(shards))] {
		if s == 0 {
			names = append(names, "the meta group")
		} else {
			names = append(names, fmt.Sprint("shard ", s))
		}
	}
	text := strings.Join(names, ", ")
	if more := len(shards) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// UpgradeObjections says what speaks against stopping each node in turn and starting it as another
// version.
func UpgradeObjections(c *wactorv1.ClusterStatusResponse, to string) (reasons []string) {
	for _, node := range c.Nodes {
		if node.Standing == "lost" {
			continue
		}
		if !node.Answered {
			reasons = append(reasons, fmt.Sprintf("%s does not answer", node.Name))
		}
		if to != "" && !control.Compatible(node.Version, to) {
			reasons = append(reasons, fmt.Sprintf("%s runs %s, and %s is more than one minor version away", node.Name,
				node.Version, to))
		}
		for _, reason := range WithoutNodes(c, func(n *wactorv1.NodeStatus) bool { return n == node }) {
			reasons = append(reasons, fmt.Sprintf("without %s: %s", node.Name, reason))
		}
	}
	return reasons
}

// ScaleObjections says what speaks against so many nodes.
func ScaleObjections(c *wactorv1.ClusterStatusResponse, to int) (reasons []string) {
	var nodes []*wactorv1.NodeStatus
	for _, n := range c.Nodes {
		if n.Standing != "lost" {
			nodes = append(nodes, n)
		}
	}
	if to >= len(nodes) {
		return nil
	}
	slices.SortStableFunc(nodes, func(a, b *wactorv1.NodeStatus) int { return ordinal(a.Name) - ordinal(b.Name) })
	going := nodes[to:]
	for _, n := range going {
		switch {
		case n.Replicas > 0 || n.Wanted > 0:
			reasons = append(reasons, fmt.Sprintf("%s holds replicas: first run wactor cluster drain %s --wait", n.Name,
				n.Name))
		case !n.Answered:
			reasons = append(reasons, fmt.Sprintf("%s does not answer, so what it holds is not known: remove it first",
				n.Name))
		}
	}
	return append(reasons, WithoutNodes(c, func(n *wactorv1.NodeStatus) bool { return slices.Contains(going, n) })...)
}

// ordinal is the number at the end of a name, as a StatefulSet counts its pods; 0 without one.
func ordinal(name string) int {
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	n, _ := strconv.Atoi(digits)
	return n
}
