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

// TestRollingRestart stops each node with SIGTERM and starts it again, one after the other, under load. No webhook fails.
func TestRollingRestart(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	b := newBalancer(t, c)
	const each = 4 * time.Second
	l := startLoad(t, b, r, time.Duration(r.nodes+1)*each)
	b.outages.begin(time.Now())
	for _, m := range c.members {
		time.Sleep(each / 2)
		stopped := m.stop(t)
		m.launch(t)
		t.Logf("%s: stopped in %v, ready again after %v", m.name, stopped.Round(time.Millisecond), m.awaitReady(t).Round(time.Millisecond))
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
	l := startLoad(t, b, r, 2*slot)
	b.outages.begin(time.Now())
	joined := c.add(t, r.nodes)
	joined.launch(t)
	t.Logf("%s: ready after %v", joined.name, joined.awaitReady(t).Round(time.Millisecond))
	b.add(t.Context(), joined)
	c.await(t, "the new node to lead shards", slot, func() bool { return joined.leads(t) > 0 })
	t.Logf("joined:\n%s", c.operate(t, "status"))
	t.Logf("drain:\n%s", c.operate(t, "drain", joined.name))
	c.await(t, "the drained node to lead none", slot, func() bool { return joined.leads(t) == 0 })
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
	command := exec.Command(binary(), append([]string{"cluster"}, args...)...)
	command.Args = append(command.Args, "--admin", "http://"+c.members[0].admin())
	command.Env = append(os.Environ(), "WACTOR_ADMIN_TOKEN="+adminToken)
	return run(t, command)
}

// await waits until something is true, and fails the test where that takes too long.
func (c *cluster) await(t *testing.T, what string, longest time.Duration, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > longest {
			t.Fatalf("waited %v for %s", longest, what)
		}
	}
}

// leads returns how many shards the node leads.
func (m *member) leads(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request := connect.NewRequest(&wactorv1.StatusRequest{})
	request.Header().Set("Authorization", "Bearer "+adminToken)
	response, err := wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+m.admin()).Status(ctx, request)
	if err != nil {
		t.Fatalf("%s: status: %v", m.name, err)
	}
	return int(response.Msg.ShardsLed)
}
