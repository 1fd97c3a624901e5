package main

import (
	"slices"
	"strings"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// statusOf is a cluster whose nodes have these standings, all well and with one shard beside the
// meta group.
func statusOf(standings ...string) *wactorv1.ClusterStatusResponse {
	c := &wactorv1.ClusterStatusResponse{Cluster: "c", Formed: true, Replicas: 3}
	for i, standing := range standings {
		number := string('1' + rune(i))
		c.Nodes = append(c.Nodes, &wactorv1.NodeStatus{
			Id: "id" + number, Name: "node-" + number, Standing: standing, Alive: true, Answered: true, Replicas: 2,
			Wanted: 2,
		})
	}
	for shard := range uint32(2) {
		c.Shards = append(c.Shards, &wactorv1.ShardStatus{Shard: shard, Leader: "node-1"})
	}
	return c
}

// TestObjections: what an operator may regret takes --force, and nothing else does.
func TestObjections(t *testing.T) {
	const drain, remove, activate = wactorv1.NodeChange_NODE_CHANGE_DRAIN, wactorv1.NodeChange_NODE_CHANGE_REMOVE,
		wactorv1.NodeChange_NODE_CHANGE_ACTIVATE
	for name, c := range map[string]struct {
		standings []string
		node      string
		change    wactorv1.NodeChange
		alter     func(n *wactorv1.NodeStatus)
		want      string
	}{
		"three to two": {[]string{"active", "active", "active"}, "node-3", drain, nil,
			"with 2 nodes left each shard is kept once"},
		"by its id":     {[]string{"active", "active", "active"}, "id3", drain, nil, "kept once"},
		"four to three": {[]string{"active", "active", "active", "active"}, "node-3", drain, nil, ""},
		"the fourth is draining": {[]string{"active", "active", "active", "draining"}, "node-3", drain, nil,
			"kept once"},
		"it is draining":          {[]string{"active", "active", "draining"}, "node-3", drain, nil, ""},
		"once already":            {[]string{"active", "active"}, "node-2", drain, nil, ""},
		"the last one":            {[]string{"active"}, "node-1", drain, nil, ""},
		"activate":                {[]string{"active", "active", "active"}, "node-3", activate, nil, ""},
		"nobody":                  {[]string{"active", "active", "active"}, "nobody", drain, nil, ""},
		"the cluster will refuse": {[]string{"active", "active"}, "node-2", remove, nil, ""},
		"it runs": {[]string{"active", "draining"}, "node-2", remove,
			func(n *wactorv1.NodeStatus) { n.Replicas = 0 }, "node node-2 still runs: stop it first"},
		"it is gone": {[]string{"active", "draining"}, "node-2", remove, func(n *wactorv1.NodeStatus) {
			n.Replicas,
				n.Answered = 0, false
		}, ""},
	} {
		status := statusOf(c.standings...)
		if c.alter != nil {
			c.alter(status.Nodes[len(status.Nodes)-1])
		}
		err := objection(status, c.node, c.change)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	cut := statusOf("active", "active", "active")
	cut.Shards[0].Leader = ""
	if err := objection(cut, "node-3", drain); err != nil {
		t.Errorf("without a majority: %v", err)
	}
	twins := statusOf("active", "active", "active")
	twins.Nodes[0].Name = "node-3"
	if err := objection(twins, "node-3", drain); err != nil {
		t.Errorf("of two nodes with one name: %v", err)
	}
}

// TestAilments: health is claimed only where nothing is wrong.
func TestAilments(t *testing.T) {
	const well = "all shards are where they are wanted\n"
	for name, c := range map[string]struct {
		alter     func(c *wactorv1.ClusterStatusResponse)
		ailments  []string
		last      string
		unhealthy bool
	}{
		"well": {func(*wactorv1.ClusterStatusResponse) {}, nil, well, false},
		"a node is dead": {func(c *wactorv1.ClusterStatusResponse) { c.Nodes[1].Answered = false },
			[]string{"node-2 does not answer: its 2 replicas are missing"}, "are missing\n", true},
		"a drained one is dead": {func(c *wactorv1.ClusterStatusResponse) {
			c.Nodes[1].Answered,
				c.Nodes[1].Wanted = false, 0
		},
			[]string{"node-2 does not answer; no replica is wanted on it"}, "wanted on it\n", true},
		"one is lost": {func(c *wactorv1.ClusterStatusResponse) {
			c.Nodes[1].Answered, c.Nodes[1].Standing = false,
				"lost"
		}, nil, well, false},
		"no leaders": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[0].Leader, c.Shards[1].Leader = "", "" },
			[]string{"no leader that could be asked: 1 shard and the meta group"}, "the meta group\n", true},
		"a node lacks a channel": {func(c *wactorv1.ClusterStatusResponse) {
			c.Nodes[1].Differs = []string{"lacks channel shop, which most nodes have"}
		}, []string{"node-2 lacks channel shop, which most nodes have"}, "most nodes have\n", true},
		"not formed": {func(c *wactorv1.ClusterStatusResponse) { c.Formed = false },
			[]string{"the cluster is not formed yet: no webhook is taken before"}, "before\n", true},
		"moving": {func(c *wactorv1.ClusterStatusResponse) { c.Shards[0].Moving = true }, nil,
			"on the move: the meta group\n", false},
	} {
		status := statusOf("active", "active", "active")
		c.alter(status)
		if got := ailments(status); !slices.Equal(got, c.ailments) {
			t.Errorf("%s: %q, want %q", name, got, c.ailments)
		}
		var out strings.Builder
		printCluster(&out, status, false)
		if !strings.HasSuffix(out.String(), c.last) || c.unhealthy && strings.Contains(out.String(), well) ||
			!strings.Contains(out.String(), ", 1 shard and the meta group, ") {
			t.Errorf("%s:\n%s", name, out.String())
		}
	}
}
