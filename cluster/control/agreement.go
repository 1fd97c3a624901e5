package control

import (
	"fmt"
	"slices"
	"strings"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// All nodes should be configured for the same channels: a conversation lives on any of them. So
// each member reports its channels in the record, and each node compares them. What most members
// have is taken for right. While a change goes from node to node, nodes differ for a while: one
// that has more than the others can do all that they can, and one that lacks something can't.

// Difference is what a member's configuration has other than most members'.
type Difference struct {
	// Lacks are channels that most members have and it has not: it can't serve all conversations,
	// and should be the leader of no shard.
	Lacks []string
	// Alone are channels that it has and most members have not, and Other those that are of another
	// provider, number or bot there.
	Alone, Other []string
}

// None reports whether there is no difference.
func (d Difference) None() bool { return len(d.Lacks)+len(d.Alone)+len(d.Other) == 0 }

// Sentences describe the difference.
func (d Difference) Sentences() []string {
	var all []string
	say := func(format string, names []string) {
		if len(names) > 0 {
			all = append(all, fmt.Sprintf(format, strings.Join(names, ", ")))
		}
	}
	say("lacks channel %s, which most nodes have", d.Lacks)
	say("has channel %s, which most nodes lack", d.Alone)
	say("has another provider, number or bot for channel %s than most nodes", d.Other)
	return all
}

// Differences compares the configurations of the members that report theirs, and returns those that
// differ from what more than half of them have. Without such a majority no member is wrong: nothing
// says which.
func Differences(state *clusterv1.ClusterState) map[uint64]Difference {
	var members []*clusterv1.Member
	names, digests := map[string]int{}, map[string]map[uint64]int{}
	for _, m := range state.GetMembers() {
		if len(m.Channels) == 0 || m.Standing == clusterv1.Standing_STANDING_REMOVED ||
			m.Standing == clusterv1.Standing_STANDING_LOST {
			continue
		}
		members = append(members, m)
		for _, c := range m.Channels {
			names[c.Name]++
			if digests[c.Name] == nil {
				digests[c.Name] = map[uint64]int{}
			}
			digests[c.Name][c.Digest]++
		}
	}
	most := func(count int) bool { return 2*count > len(members) }
	out := map[uint64]Difference{}
	for _, m := range members {
		var d Difference
		own := map[string]bool{}
		for _, c := range m.Channels {
			own[c.Name] = true
			switch alike := digests[c.Name][c.Digest]; {
			case most(len(members) - names[c.Name]):
				d.Alone = append(d.Alone, c.Name)
			case most(names[c.Name]-alike) && !most(alike):
				d.Other = append(d.Other, c.Name)
			}
		}
		for name, count := range names {
			if most(count) && !own[name] {
				d.Lacks = append(d.Lacks, name)
			}
		}
		slices.Sort(d.Lacks)
		if !d.None() {
			out[m.Node] = d
		}
	}
	return out
}

// Lacks are the channels that most nodes have and this one has not.
func (c *Control) Lacks() []string { return Differences(c.state.get())[c.Identity.Node()].Lacks }

// servers are the nodes that should hold a shard, with those that lack a channel last: the first
// one is made its leader.
func servers(wanted []uint64, differences map[uint64]Difference) []uint64 {
	if len(differences) == 0 {
		return wanted
	}
	lacking := func(node uint64) int { return min(1, len(differences[node].Lacks)) }
	wanted = slices.Clone(wanted)
	slices.SortStableFunc(wanted, func(a, b uint64) int { return lacking(a) - lacking(b) })
	return wanted
}

// compare reports, once, which members' configurations differ.
func (w *watching) compare() {
	c := w.control
	now := Differences(c.state.get())
	for _, m := range c.state.get().GetMembers() {
		difference := now[m.Node]
		text := strings.Join(difference.Sentences(), "; ")
		if text == w.differing[m.Node] {
			continue
		}
		w.differing[m.Node] = text
		switch {
		case text == "":
			c.Logger.Info("a node's configuration is that of most nodes again", "peer", hexID(m.Node), "name", m.Name)
		case m.Node == c.Identity.Node() && len(difference.Lacks) > 0:
			c.Logger.Error("this node is not ready, and leads no shard: its configuration "+text, "name", m.Name)
		default:
			c.Logger.Warn("a node's configuration differs: it "+text, "peer", hexID(m.Node), "name", m.Name)
		}
	}
}
