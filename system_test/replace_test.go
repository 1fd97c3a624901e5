//go:build linux

package system_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestReplacement lets a node be gone for longer than cluster.replace_after, where a spare one can
// take its place, and come back.
func TestReplacement(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for half a minute")
	}
	r := newRounds(t)
	r.several(t)
	c := newCluster(t, 0)
	c.more = "  replace_after: 10s\n"
	for range 4 {
		c.add(t, 4)
	}
	c.start(t)
	b := newBalancer(t, c)
	gone := c.members[1+r.IntN(3)] // not the first, which is asked
	id := idOf(t, c.members[0].status(t), gone.name)
	l := startLoad(t, b, r, plenty)
	b.outages.begin(time.Now())
	gone.kill()
	c.await(t, "its replicas to be replaced", 40*time.Second, func() bool {
		s := c.members[0].status(t)
		is, _, wanted := standing(s, id)
		return is == "lost" && wanted == 0 && settled(s, 4, 3)
	})
	t.Logf("replaced after %v:\n%s", time.Since(l.begun).Round(time.Millisecond), c.operate(t, "status"))
	gone.launch(t)
	c.await(t, "it to be active and to hold replicas again", 30*time.Second, func() bool {
		s := c.members[0].status(t)
		is, replicas, wanted := standing(s, id)
		return is == "active" && wanted > 0 && replicas == wanted && settled(s, 4, 3)
	})
	l.mustLast(t)
	t.Logf("back after %v", time.Since(l.begun).Round(time.Millisecond))
	longest := b.outages.longest(time.Now())
	l.check(t, c)
	spans{longest}.atMost(t, within)
}

// TestRemoval drains and removes a node, which learns so when it comes back, and replaces another
// one whose disk was emptied. No webhook is lost.
func TestRemoval(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, 4)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	first, removed, emptied := c.members[0], c.members[3], c.members[2]
	if said := c.refuses(t, "remove", removed.name); !strings.Contains(said, "drain it first") {
		t.Errorf("a node that holds replicas is to be removed: %s", said)
	}
	if said := c.refuses(t, "drain", "absent"); !strings.Contains(said, `no node "absent"`) {
		t.Errorf("an absent node is to be drained: %s", said)
	}
	c.operate(t, "drain", removed.name)
	id := idOf(t, first.status(t), removed.name)
	c.await(t, "the node to be drained", 30*time.Second, func() bool {
		s := first.status(t)
		is, replicas, _ := standing(s, id)
		return is == "draining" && replicas == 0 && settled(s, 4, 3)
	})
	removed.stop(t)
	b.mustTakeAll(t)
	t.Log(c.operate(t, "remove", removed.name))
	for range 2 { // it does not forget
		removed.launch(t)
		c.await(t, "the removed node to end", 20*time.Second, func() bool { return !removed.running() })
		if removed.process.err == nil || !removed.said("this node was removed from its cluster") {
			t.Errorf("it ended with %v:\n%s", removed.process.err, removed.tail(3))
		}
	}
	c.members = c.members[:3]

	old := idOf(t, first.status(t), emptied.name)
	emptied.kill()
	if err := os.RemoveAll(emptied.dataDir()); err != nil {
		t.Fatal(err)
	}
	emptied.launch(t)
	emptied.awaitReady(t)
	if said := c.refuses(t, "remove", emptied.name); !strings.Contains(said, "give the id") {
		t.Errorf("one of two nodes of a name is to be removed: %s", said)
	}
	c.await(t, "the old node to be taken for dead", 20*time.Second, func() bool {
		for _, n := range first.status(t).Nodes {
			if n.Id == old {
				return !n.Alive
			}
		}
		return false
	})
	t.Log(c.operate(t, "remove", old))
	c.await(t, "the new node to take the place of the old", 30*time.Second,
		func() bool { return settled(first.status(t), 3, 3) })
	t.Logf("in its place after %v:\n%s", time.Since(l.begun).Round(time.Millisecond), c.operate(t, "status"))
	l.mustLast(t)
	l.check(t, c)
}
