//go:build linux

package system_test

import (
	"slices"
	"testing"
	"time"
)

// several skips a test that needs more than one node.
func (r *rounds) several(t *testing.T) {
	t.Helper()
	if r.nodes < 3 {
		t.Skipf("needs three nodes, not %d", r.nodes)
	}
}

// TestPartitions cuts the network of a node: from all others, in one direction only, and from one
// of the others alone, while the provider still reaches every node and every node the provider.
// What an old leader then assumes must do no harm.
func TestPartitions(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	kinds := []func() fault{
		func() fault {
			m := r.pick(c)
			return r.cutting(c, "cut "+m.name+" from all", around(m.name, c.names()))
		},
		func() fault {
			a, b := r.pair(c)
			return r.cutting(c, "cut the way from "+a.name+" to "+b.name, oneWay(a.name, b.name))
		},
		func() fault {
			m := r.pick(c)
			deaf := slices.DeleteFunc(around(m.name, c.names()), func(c cut) bool { return c.from == m.name })
			return r.cutting(c, "cut what "+m.name+" receives", deaf)
		},
		func() fault {
			m := r.pick(c)
			mute := slices.DeleteFunc(around(m.name, c.names()), func(c cut) bool { return c.to == m.name })
			return r.cutting(c, "cut what "+m.name+" sends", mute)
		},
		func() fault {
			a, b := r.pair(c)
			return r.cutting(c, "cut "+a.name+" and "+b.name+" from each other", between(a.name, b.name))
		},
	}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	var faults []fault
	for i := range max(r.count, min(len(kinds), 2*r.count)) {
		faults = append(faults, kinds[i%len(kinds)]())
	}
	r.endure(t, c, faults).atMost(t, within)
}

// TestGossipCut cuts gossip alone, for so long that nodes are taken for dead. Gossip is a hint:
// leaders stay, and webhooks are accepted as if nothing were.
func TestGossipCut(t *testing.T) {
	r, c, faults := portCuts(t, "gossip", gossipPort)
	for i := range faults {
		faults[i].lasts += 5 * time.Second
		faults[i].harmless = true
	}
	r.endure(t, c, faults).atMost(t, 2*time.Second)
}

// TestRPCCut cuts the calls between nodes alone, while gossip says that all are well.
func TestRPCCut(t *testing.T) {
	r, c, faults := portCuts(t, "rpc", rpcPort)
	r.endure(t, c, faults).atMost(t, within)
}

func portCuts(t *testing.T, name string, port int) (*rounds, *cluster, []fault) {
	t.Helper()
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	var faults []fault
	for range max(1, r.count/3) {
		m := r.pick(c)
		faults = append(faults, r.cutting(c, "cut "+name+" of "+m.name, only(port, around(m.name, c.names()))))
	}
	return r, c, faults
}

// TestWayAround cuts two nodes from each other for long. What the one has for the other goes by way
// of the third: once that is found, no webhook waits.
func TestWayAround(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	x, y := r.pair(c)
	c.network.cut(t, between(x.name, y.name))
	time.Sleep(3 * time.Second) // the links are given up, and leads may move
	b.outages.begin(time.Now())
	time.Sleep(4 * time.Second)
	longest := b.outages.longest(time.Now())
	c.network.heal(t)
	l.mustLast(t)
	l.check(t, c)
	t.Logf("%s and %s were cut from each other: webhooks of a shard not accepted for at most %v", x.name, y.name,
		longest.Round(time.Millisecond))
	spans{longest}.atMost(t, 2*time.Second)
}

// pair draws two nodes.
func (r *rounds) pair(c *cluster) (*member, *member) {
	order := r.Perm(len(c.members))
	return c.members[order[0]], c.members[order[1]]
}

// TestSlowNetwork delays and loses packets, where the kernel can do that.
func TestSlowNetwork(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	c := newCluster(t, r.nodes)
	if err := c.network.slow(t, "20ms", "5ms", "1%"); err != nil {
		t.Skipf("this kernel has no slow network: %v", err)
	}
	c.start(t)
	r.endure(t, c, []fault{killing(r.pick(c), r.while())}).atMost(t, within)
}
