//go:build linux

package system_test

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// TestStrangers lets nodes knock that are none of the cluster: one with another secret, and one of
// another cluster. Neither gets in or disturbs the others, and each log says why.
func TestStrangers(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	own := c.members
	b := newBalancer(t, c)

	c.secret = "another-secret-than-the-others"
	stranger := c.add(t, r.nodes)
	stranger.launch(t)
	c.await(t, "the node with another secret to say so", 20*time.Second,
		func() bool { return stranger.said("it has another secret") })
	c.await(t, "a node of the cluster to say so", 20*time.Second, func() bool {
		return anyone(own, "rejected gossip of a program with another secret")
	})
	c.secret = clusterSecret

	// The other cluster has one node, whose leaders have higher terms than this cluster's, after a
	// few starts.
	alone := &cluster{network: c.network, folder: c.folder, shards: c.shards, secret: c.secret}
	foreign := c.add(t, r.nodes)
	alone.configure(t, foreign, 1)
	for range 5 {
		foreign.launch(t)
		foreign.awaitReady(t)
		foreign.stop(t)
	}
	c.configure(t, foreign, r.nodes)
	foreign.launch(t)
	const says = "a node of another cluster is here, and is not let in"
	c.await(t, "the node of another cluster to say so", 20*time.Second, func() bool { return foreign.said(says) })
	c.await(t, "a node of the cluster to say so", 20*time.Second, func() bool { return anyone(own, says) })

	l := startLoad(t, b, r, plenty)
	time.Sleep(3 * time.Second)
	c.members = own
	l.check(t, c)
	b.mustTakeAll(t)
	c.mustBeOne(t, r.nodes)
	for _, m := range []*member{stranger, foreign} {
		if !m.running() {
			t.Errorf("%s ended: %v", m.name, m.process.err)
		}
		m.kill()
	}
}

func anyone(members []*member, text string) bool {
	for _, m := range members {
		if m.said(text) {
			return true
		}
	}
	return false
}

// said reports whether the node has logged a text.
func (m *member) said(text string) bool {
	log, _ := os.ReadFile(m.logs())
	return bytes.Contains(log, []byte(text))
}

// TestSecretRotation replaces the cluster's secret under load, as docs/cluster.md says: one restart
// after the other, three times. No webhook fails.
func TestSecretRotation(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	b.outages.begin(time.Now())
	const next = "system-test-next-cluster-secret"
	for _, secret := range []string{"[" + clusterSecret + ", " + next + "]", "[" + next + ", " + clusterSecret + "]",
		next} {
		c.secret = secret
		for _, m := range c.members {
			c.configure(t, m, r.nodes)
			m.stop(t)
			m.launch(t)
			m.awaitReady(t)
			c.mustBeOne(t, r.nodes) // as an operator waits before going on
		}
	}
	l.mustLast(t)
	longest := b.outages.longest(time.Now())
	l.check(t, c)
	b.mustTakeAll(t)
	if anyone(c.members, "another secret") {
		t.Error("nodes refused each other meanwhile")
	}
	t.Logf("webhooks of a shard not accepted for at most %v", longest.Round(time.Millisecond))
}
