package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
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
		"unknown":                 {[]string{"active", "active", "active"}, "unknown", drain, nil, ""},
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

// TestDrainProgress: a drain is done when the node holds no replica and none is wanted on it; of a
// node that does not answer, the leaders of all shards tell.
func TestDrainProgress(t *testing.T) {
	held := func(c *wactorv1.ClusterStatusResponse, names ...string) {
		for i, name := range names {
			c.Shards[i].Replicas = append(c.Shards[i].Replicas, &wactorv1.ShardReplica{Node: name})
		}
	}
	for name, c := range map[string]struct {
		standing string
		alter    func(c *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus)
		line     string
		done     bool
	}{
		"not begun": {"active", func(_ *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Replicas, n.Wanted = 0, 0
		}, "the drain begins", false},
		"on the way": {"draining", func(_ *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Wanted = 0
		}, "2 replicas left", false},
		"one": {"draining", func(_ *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Wanted, n.Replicas = 0, 1
		}, "1 replica left", false},
		"wanted still": {"draining", func(_ *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Replicas = 0
		}, "2 replicas left", false},
		"done": {"draining", func(_ *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Wanted, n.Replicas = 0, 0
		}, "holds no replica", true},
		"dead, some left": {"draining", func(c *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Answered, n.Wanted, n.Replicas = false, 0, 0
			held(c, "node-2", "node-2/id2")
		}, "2 replicas left", false},
		"dead, done": {"draining", func(c *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Answered, n.Wanted, n.Replicas = false, 0, 0
			held(c, "node-1", "node-1")
		}, "holds no replica", true},
		"dead, no leader": {"lost", func(c *wactorv1.ClusterStatusResponse, n *wactorv1.NodeStatus) {
			n.Answered, n.Wanted, n.Replicas = false, 0, 0
			c.Shards[1].Leader = ""
		}, "does not answer, and some shards have no leader", false},
	} {
		status := statusOf("active", c.standing)
		c.alter(status, status.Nodes[1])
		if line, done := drainProgress(status, status.Nodes[1]); line != c.line || done != c.done {
			t.Errorf("%s: %q, %t, want %q, %t", name, line, done, c.line, c.done)
		}
	}
}

// drainedCluster is the admin API of a cluster whose node-2 loses a replica with each look.
type drainedCluster struct {
	wactorv1connect.UnimplementedAdminServiceHandler
	left atomic.Int32
}

func (d *drainedCluster) ChangeNode(context.Context, *connect.Request[wactorv1.ChangeNodeRequest],
) (*connect.Response[wactorv1.ChangeNodeResponse], error) {
	return connect.NewResponse(&wactorv1.ChangeNodeResponse{Active: 1, Copies: 1}), nil
}

func (d *drainedCluster) ClusterStatus(context.Context, *connect.Request[wactorv1.ClusterStatusRequest],
) (*connect.Response[wactorv1.ClusterStatusResponse], error) {
	status := statusOf("active", "draining")
	status.Nodes[1].Wanted, status.Nodes[1].Replicas = 0, uint32(max(0, d.left.Add(-1)))
	return connect.NewResponse(status), nil
}

// TestDrainWaits: drain --wait ends with 0 when the node is empty, with 1 after its timeout.
func TestDrainWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left      int32
		args      string
		code      int
		out, errs string
	}{
		{4, "--wait", 0, "drain: node-2; 1 node holds the shards, each shard is kept once\n" +
			"node-2: 2 replicas left\nnode-2: 1 replica left\nnode-2: holds no replica\n", ""},
		{1, "--wait --json", 0, "{\n  \"node\": \"node-2\",\n  \"change\": \"drain\",\n  \"active\": 1,\n  " +
			"\"copies\": 1,\n  \"drained\": true\n}\n", "node-2: holds no replica\n"},
		{1, "--json", 0, "{\n  \"node\": \"node-2\",\n  \"change\": \"drain\",\n  \"active\": 1,\n  " +
			"\"copies\": 1\n}\n", ""},
		{100, "--wait --timeout 100ms", 1, "drain: node-2; 1 node holds the shards, each shard is kept once\n" +
			"node-2: 98 replicas left\n", "wactor: not drained after 100ms; the drain of node-2 goes on (at last: " +
			"98 replicas left)\n"},
		{1, "--timeout 1s", 1, "", "wactor: --timeout is how long --wait waits: a positive duration, with --wait\n"},
	} {
		cluster := &drainedCluster{}
		cluster.left.Store(c.left)
		path, handler := wactorv1connect.NewAdminServiceHandler(cluster)
		mux := http.NewServeMux()
		mux.Handle(path, handler)
		server := httptest.NewServer(mux)
		out, errs, code := runMain(t, t.TempDir(), append(strings.Fields("cluster drain node-2 "+c.args), "--admin",
			server.URL)...)
		server.Close()
		if out != c.out || errs != c.errs || code != c.code {
			t.Errorf("drain %s: exit status %d, want %d\n%q, want\n%q\n%q, want\n%q", c.args, code, c.code, out, c.out,
				errs, c.errs)
		}
	}
}
