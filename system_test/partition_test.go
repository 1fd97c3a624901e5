//go:build linux

package system_test

import (
	"slices"
	"testing"
)

// several skips a test that needs more than one node.
func (r *rounds) several(t *testing.T) {
	t.Helper()
	if r.nodes < 3 {
		t.Skipf("needs three nodes, not %d", r.nodes)
	}
}

// TestPartitions cuts the network of a node: from all others, in one direction only, and from one of the others alone, while
// the provider still reaches every node and every node the provider. What an old leader then believes must do no harm.
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
			return r.cutting(c, "let "+m.name+" hear nobody", deaf)
		},
		func() fault {
			m := r.pick(c)
			mute := slices.DeleteFunc(around(m.name, c.names()), func(c cut) bool { return c.to == m.name })
			return r.cutting(c, "let nobody hear "+m.name, mute)
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

// TestGossipCut cuts gossip alone. Gossip is a hint: leaders stay, and webhooks are accepted as if nothing were.
func TestGossipCut(t *testing.T) { testPortCut(t, "gossip", gossipPort) }

// TestRPCCut cuts the calls between nodes alone, while gossip says that all are well.
func TestRPCCut(t *testing.T) { testPortCut(t, "rpc", rpcPort) }

func testPortCut(t *testing.T, name string, port int) {
	r := newRounds(t)
	r.several(t)
	c := startCluster(t, r.nodes)
	var faults []fault
	for range max(1, r.count/3) {
		m := r.pick(c)
		faults = append(faults, r.cutting(c, "cut "+name+" of "+m.name, only(port, around(m.name, c.names()))))
	}
	r.endure(t, c, faults).atMost(t, within)
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
