//go:build linux

package system_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// TestRollingRestart stops each node with SIGTERM and starts it again, one after the other, under
// load. No webhook fails.
func TestRollingRestart(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	b.outages.begin(time.Now())
	for _, m := range c.members {
		time.Sleep(calm)
		stopped := m.stop(t)
		m.launch(t)
		t.Logf("%s: stopped in %v, ready again after %v", m.name, stopped.Round(time.Millisecond),
			m.awaitReady(t).Round(time.Millisecond))
	}
	l.mustLast(t)
	longest := b.outages.longest(time.Now())
	l.check(t, c)
	b.mustTakeAll(t)
	t.Logf("webhooks of a shard not accepted for at most %v", longest.Round(time.Millisecond))
	spans{longest}.atMost(t, within)
}

// TestJoinAndDrain lets one more node join under load, and drains it again. No webhook fails.
func TestJoinAndDrain(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	b := newBalancer(t, c)
	const slot = 20 * time.Second
	l := startLoad(t, b, r, plenty)
	b.outages.begin(time.Now())
	joined := c.add(t, r.nodes)
	joined.launch(t)
	t.Logf("%s: ready after %v", joined.name, joined.awaitReady(t).Round(time.Millisecond))
	b.add(t.Context(), joined)
	first := c.members[0]
	c.await(t, "shards to move to the new node", slot, func() bool {
		return settled(first.status(t), r.nodes+1, 3) &&
			joined.leads(t) > 0
	})
	t.Logf("joined:\n%s", c.operate(t, "status"))
	t.Logf("drain:\n%s", c.operate(t, "drain", joined.name))
	id := idOf(t, first.status(t), joined.name)
	c.await(t, "all shards to move away again", slot, func() bool {
		s := first.status(t)
		is, replicas, _ := standing(s, id)
		return is == "draining" && replicas == 0 && settled(s, r.nodes+1, 3)
	})
	t.Logf("drained:\n%s", c.operate(t, "status"))
	joined.stop(t)
	l.mustLast(t)
	longest := b.outages.longest(time.Now())
	l.check(t, c)
	b.mustTakeAll(t)
	t.Logf("webhooks of a shard not accepted for at most %v", longest.Round(time.Millisecond))
	spans{longest}.atMost(t, within)
}

// operate runs `wactor cluster` against the first node and returns what it printed.
func (c *cluster) operate(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, c.operator(args...))
}

// refuses runs `wactor cluster` against the first node, which must refuse it, and returns what it
// said.
func (c *cluster) refuses(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.operator(args...).CombinedOutput()
	if err == nil {
		t.Errorf("%v was done:\n%s", args, out)
	}
	return string(out)
}

func (c *cluster) operator(args ...string) *exec.Cmd {
	command := exec.Command(binary(), append([]string{"cluster"}, args...)...)
	command.Args = append(command.Args, "--admin", "http://"+c.members[0].admin())
	command.Env = append(os.Environ(), "WACTOR_ADMIN_TOKEN="+adminToken)
	return command
}

// await waits until something is true, and fails the test where that takes too long.
func (c *cluster) await(t *testing.T, what string, longest time.Duration, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > patience(longest) {
			t.Fatalf("waited %v for %s", time.Since(begin).Round(time.Second), what)
		}
	}
}

// leads returns how many shards the node leads.
func (m *member) leads(t *testing.T) int {
	t.Helper()
	return int(ask(t, m, wactorv1connect.AdminServiceClient.Status, &wactorv1.StatusRequest{}).ShardsLed)
}

// status asks a node how the cluster is.
func (m *member) status(t *testing.T) *wactorv1.ClusterStatusResponse {
	t.Helper()
	return ask(t, m, wactorv1connect.AdminServiceClient.ClusterStatus, &wactorv1.ClusterStatusRequest{})
}

// ask asks a node's admin API.
func ask[Q, A any](
	t *testing.T, m *member, call func(wactorv1connect.AdminServiceClient, context.Context,
		*connect.Request[Q]) (*connect.Response[A], error), question *Q,
) *A {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request := connect.NewRequest(question)
	request.Header().Set("Authorization", "Bearer "+adminToken)
	response, err := call(wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+m.admin()), ctx, request)
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	return response.Msg
}

// settled reports whether a node says that so many nodes are there, and that each shard has a
// leader and so many replicas, all of them up to date.
func settled(s *wactorv1.ClusterStatusResponse, nodes, replicas int) bool {
	if !s.Formed || len(s.Nodes) != nodes || len(s.Shards) == 0 {
		return false
	}
	for _, shard := range s.Shards {
		if shard.Leader == "" || shard.Moving || len(shard.Replicas) != replicas {
			return false
		}
		for _, r := range shard.Replicas {
			if !r.Recent || !r.Voter {
				return false
			}
		}
	}
	return true
}

// standing is how the cluster takes a node, by what a node says: its standing, and how many
// replicas are there and are wanted.
func standing(s *wactorv1.ClusterStatusResponse, id string) (standing string, replicas, wanted int) {
	for _, n := range s.Nodes {
		if n.Id == id {
			return n.Standing, int(n.Replicas), int(n.Wanted)
		}
	}
	return "", 0, 0
}

// idOf is a node's id.
func idOf(t *testing.T, s *wactorv1.ClusterStatusResponse, name string) string {
	t.Helper()
	for _, n := range s.Nodes {
		if n.Name == name {
			return n.Id
		}
	}
	t.Fatalf("there is no %s: %v", name, s.Nodes)
	return ""
}
