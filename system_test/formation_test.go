//go:build linux

package system_test

import (
	"testing"
	"time"
)

// TestFormation forms clusters of nodes that start in any order, one of which dies half-way, and
// comes back. There is one cluster in the end, with all of them.
func TestFormation(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	for range r.count {
		t.Run("round", func(t *testing.T) {
			c := newCluster(t, r.nodes)
			victim, after := r.pick(c), r.between(0, 2*time.Second)
			for _, i := range r.Perm(len(c.members)) {
				c.members[i].launch(t)
				time.Sleep(r.between(0, 500*time.Millisecond))
			}
			time.Sleep(after)
			victim.kill()
			t.Logf("%s died %v after the last had started; it had logged:\n%s", victim.name,
				after.Round(time.Millisecond), victim.tail(3))
			c.start(t)
			c.mustBeOne(t, r.nodes)
		})
	}
}

// TestTwoStartLate starts one node of three, and the others when it has waited. Alone it founds
// nothing, and takes nothing.
func TestTwoStartLate(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := newCluster(t, r.nodes)
	first := r.pick(c)
	first.launch(t)
	c.await(t, "the first to wait for the others", 10*time.Second,
		func() bool { return first.said("waiting for the nodes that found the cluster") })
	time.Sleep(2 * time.Second) // in which it could do something wrong
	if first.ready(t.Context()) || first.said("founded a cluster") {
		t.Error("a node of three founds a cluster alone")
	}
	c.start(t)
	c.mustBeOne(t, r.nodes)
}

// mustBeOne fails the test where the nodes do not say that they are one cluster, with all replicas
// where they are wanted.
func (c *cluster) mustBeOne(t *testing.T, nodes int) {
	t.Helper()
	first := c.members[0].status(t)
	for _, m := range c.members {
		c.await(t, m.name+" to find all replicas in their places", 30*time.Second,
			func() bool { return settled(m.status(t), nodes, min(nodes, 3)) })
		if s := m.status(t); s.Cluster != first.Cluster {
			t.Errorf("%s is of cluster %s, %s of %s", c.members[0].name, first.Cluster, m.name, s.Cluster)
		}
	}
}

// TestGrow begins with one node that waits for no other, and adds two under load. Then the first
// may die.
func TestGrow(t *testing.T) {
	r := newRounds(t)
	c := startCluster(t, 1)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	b.outages.begin(time.Now())
	for range 2 {
		m := c.add(t, 1)
		m.launch(t)
		t.Logf("%s: ready after %v", m.name, m.awaitReady(t).Round(time.Millisecond))
		b.add(t.Context(), m)
	}
	c.mustBeOne(t, 3)
	grown := time.Since(l.begun)
	t.Logf("grown after %v, webhooks of a shard not accepted for at most %v", grown.Round(time.Millisecond),
		b.outages.longest(time.Now()).Round(time.Millisecond))
	b.mustTakeAll(t)
	b.outages.begin(time.Now())
	c.members[0].kill()
	time.Sleep(calm)
	c.members[0].launch(t)
	c.members[0].awaitReady(t)
	time.Sleep(calm)
	l.mustLast(t)
	longest := b.outages.longest(time.Now())
	l.check(t, c)
	t.Logf("the first was killed: webhooks of a shard not accepted for at most %v", longest.Round(time.Millisecond))
	spans{longest}.atMost(t, within)
}
