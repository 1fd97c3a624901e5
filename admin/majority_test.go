package admin

import (
	"fmt"
	"strings"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// three is a healthy cluster of three nodes with two shards beside the meta group.
func three() *wactorv1.ClusterStatusResponse {
	c := &wactorv1.ClusterStatusResponse{Formed: true}
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		c.Nodes = append(c.Nodes, &wactorv1.NodeStatus{Id: "id of " + name, Name: name})
	}
	for shard := range uint32(3) {
		s := &wactorv1.ShardStatus{Shard: shard, Leader: "node-1"}
		for _, n := range c.Nodes {
			s.Replicas = append(s.Replicas, &wactorv1.ShardReplica{Node: n.Name, Voter: true, Recent: true})
		}
		c.Shards = append(c.Shards, s)
	}
	return c
}

// TestNodesAreSparedWhileEveryShardKeepsAMajority: and otherwise the answer names the shards.
func TestNodesAreSparedWhileEveryShardKeepsAMajority(t *testing.T) {
	type alter = func(c *wactorv1.ClusterStatusResponse)
	onlyLearns := func(c *wactorv1.ClusterStatusResponse) {
		for _, s := range c.Shards {
			s.Replicas[2].Voter = false
		}
	}
	twins := func(c *wactorv1.ClusterStatusResponse) {
		c.Nodes[1].Name = "node-3"
		for _, s := range c.Shards {
			s.Replicas[1].Node, s.Replicas[2].Node = "node-3/id of node-2", "node-3/id of node-3"
		}
	}
	last := []string{"node-3"}
	for name, c := range map[string]struct {
		alter alter
		away  []string
		want  string
	}{
		"one of three": {nil, []string{"node-2"}, ""},
		"none":         {nil, nil, ""},
		"two of three": {nil, []string{"node-2", "node-3"},
			"the meta group, shard 1, shard 2 would lose the majority: of 3 voters node-1 would be left"},
		"all": {nil, []string{"node-1", "node-2", "node-3"}, "of 3 voters none would be left"},
		"another is silent": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[2].Replicas[0].Recent = false }, last,
			"shard 2 would lose the majority: of 3 voters node-2 would be left"},
		"another is behind": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[1].Replicas[1].Lag = mostLag + 1 },
			last, "shard 1 would"},
		"another gets its state": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[1].Replicas[1].Snapshot = true },
			last, "shard 1 would"},
		"the silent one itself": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[2].Replicas[2].Recent = false },
			last, ""},
		"it only learns": {onlyLearns, last, ""},
		"one of two voters": {
			func(c *wactorv1.ClusterStatusResponse) { c.Shards[1].Replicas = c.Shards[1].Replicas[:2] },
			[]string{"node-2"}, "shard 1 would lose the majority: of 2 voters node-1 would be left"},
		"no leader": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[1].Leader = "" }, last,
			"shard 1 without a leader"},
		"not formed": {
			func(c *wactorv1.ClusterStatusResponse) { c.Formed = false }, nil, "not formed"},
		"a node whose name another one has": {twins, []string{"id of node-3"}, ""},
	} {
		status := three()
		if c.alter != nil {
			c.alter(status)
		}
		got := strings.Join(WithoutNodes(status, func(n *wactorv1.NodeStatus) bool {
			for _, away := range c.away {
				if away == n.Name || away == n.Id {
					return true
				}
			}
			return false
		}), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// held is a cluster whose nodes have these standings; the first three hold all shards.
func held(standings ...string) *wactorv1.ClusterStatusResponse {
	c := three()
	c.Nodes = nil
	for i, standing := range standings {
		n := &wactorv1.NodeStatus{Name: fmt.Sprint("node-", i+1), Standing: standing, Answered: true}
		if i < 3 {
			n.Replicas, n.Wanted = 3, 3
		}
		c.Nodes = append(c.Nodes, n)
	}
	return c
}

// TestAClusterIsScaledOnlyWhereNothingIsLost: the nodes with the highest numbers go, once they hold
// nothing.
func TestAClusterIsScaledOnlyWhereNothingIsLost(t *testing.T) {
	four := held("active", "active", "active", "draining")
	away := held("active", "active", "active", "draining")
	away.Nodes[3].Answered = false
	lost := held("active", "active", "active", "lost")
	for name, c := range map[string]struct {
		status *wactorv1.ClusterStatusResponse
		to     int
		want   string
	}{
		"more":                  {held("active", "active", "active"), 5, ""},
		"as many":               {held("active", "active", "active"), 3, ""},
		"drained":               {four, 3, ""},
		"drained, but one more": {four, 2, "node-3 holds replicas: first run wactor cluster drain node-3 --wait"},
		"not drained":           {held("active", "active", "active"), 2, "node-3 holds replicas"},
		"two at once": {held("active", "active", "active"), 1,
			"would lose the majority: of 3 voters node-1 would be left"},
		"silent":               {away, 3, "node-4 does not answer"},
		"the lost one is gone": {lost, 3, ""},
	} {
		got := strings.Join(ScaleObjections(c.status, c.to), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := []int{ordinal("wactor-12"), ordinal("a1b2"), ordinal("node"), ordinal("")}; got[0] != 12 || got[1] != 2 ||
		got[2] != 0 || got[3] != 0 {
		t.Errorf("ordinals %v", got)
	}
}

// TestAnUpgradeNeedsEveryNodeToBeSpared: each of them is stopped in turn.
func TestAnUpgradeNeedsEveryNodeToBeSpared(t *testing.T) {
	versions := func(all ...string) *wactorv1.ClusterStatusResponse {
		c := held("active", "active", "active")
		for i, version := range all {
			c.Nodes[i].Version = version
		}
		return c
	}
	silent := versions()
	silent.Nodes[2].Answered = false
	for _, s := range silent.Shards {
		s.Replicas[2].Recent = false
	}
	for name, c := range map[string]struct {
		status *wactorv1.ClusterStatusResponse
		to     string
		want   string
	}{
		"well":      {versions(), "", ""},
		"one minor": {versions("v1.2.0", "v1.3.0", "v1.2.0"), "v1.3.0", ""},
		"two minors": {versions("v1.2.0", "v1.2.0", "v1.2.0"), "v1.4.0",
			"node-1 runs v1.2.0, and v1.4.0 is more than one minor version away"},
		"a node is away": {silent, "", "node-3 does not answer; without node-1: "},
	} {
		reasons := UpgradeObjections(c.status, c.to)
		got := strings.Join(reasons, "; ")
		switch {
		case (got == "") != (c.want == ""):
			t.Errorf("%s: %q, want %q", name, got, c.want)
		case name == "a node is away":
			if !strings.Contains(got, "node-3 does not answer") ||
				!strings.Contains(got, "without node-1: the meta group") ||
				strings.Contains(got, "without node-3") {
				t.Errorf("%s: %q", name, got)
			}
		case !strings.Contains(got, c.want):
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
