package control

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// watching follows what gossip and the record say: where nodes are called, which are back or gone,
// how many share the work. Only its loop uses its fields.
type watching struct {
	control *Control
	loop    *loop

	addresses map[uint64]string // where nodes are called
	alive     map[uint64]bool   // the others that gossip knew last
	foreign   map[uint64]bool   // the nodes of other clusters that gossip knew last
	size      int               // how many nodes share the work
	differing map[uint64]string // how configurations differed, as it was reported
}

func newWatching(c *Control) *watching {
	w := &watching{control: c, alive: map[uint64]bool{}, size: 1, differing: map[uint64]string{}}
	w.loop = newLoop(c.tasks, w.look)
	return w
}

func (w *watching) look(context.Context) (next time.Duration) {
	c := w.control
	w.readdress()
	w.complain()
	w.compare()
	w.reconnect()
	c.Events.Allow(c.state.get().GetFormat())
	w.settle()
	if size := w.sharing(); size != w.size {
		w.size = size
		c.Events.Sized(size)
	}
	c.meta.loop.poke()
	c.moves.loop.poke()
	return 0 // until something changes
}

// reconnect breaks connections to nodes that are gone, and to those that are back, so that a call
// does not wait until the connection is tried again.
func (w *watching) reconnect() {
	now := map[uint64]bool{}
	for _, p := range w.peers() {
		now[p.Node] = true
	}
	transport := w.control.transport
	for _, node := range slices.Sorted(maps.Keys(w.alive)) {
		if !now[node] && !transport.Reaches(node) { // gossip alone may be cut
			transport.Reset(node)
		}
	}
	for _, node := range slices.Sorted(maps.Keys(now)) {
		if !w.alive[node] && !transport.Reaches(node) {
			transport.Reset(node)
		}
	}
	w.alive = now
}

// settle remembers, for a start without the others, that the cluster was formed.
func (w *watching) settle() {
	c := w.control
	if c.Identity.Settled() || !c.state.get().GetSettled() {
		return
	}
	if err := c.Identity.Settle(); err != nil {
		c.Logger.Warn("this node can't write down that the cluster is formed", "error", err)
	}
}

// sharing is how many nodes share the work.
func (w *watching) sharing() int {
	size := 0
	for _, n := range eligible(w.control.state.get()) {
		if w.control.gossip.Alive(n.ID) {
			size++
		}
	}
	return max(1, size)
}

// peers are the others that are alive and of this cluster, or of none yet; of any, where this node
// has none.
func (w *watching) peers() []gossip.Peer {
	own := w.control.Identity.Cluster()
	return slices.DeleteFunc(w.control.gossip.Peers(), func(p gossip.Peer) bool {
		return own != 0 && p.Cluster != 0 && p.Cluster != own
	})
}

// complain says once that a node of another cluster is here.
func (w *watching) complain() {
	c := w.control
	own, foreign := c.Identity.Cluster(), map[uint64]bool{}
	for _, p := range c.gossip.Peers() {
		if own == 0 || p.Cluster == 0 || p.Cluster == own {
			continue
		}
		if foreign[p.Node] = true; !w.foreign[p.Node] {
			c.Logger.Error("a node of another cluster is here, and is not let in; it has the data directory of "+
				"another cluster, or two clusters share a secret and know each other's addresses",
				"peer", hexID(p.Node), "name", p.Name, "gossip", p.Gossip, "its_cluster", hexID(p.Cluster), "cluster",
				hexID(own))
		}
	}
	w.foreign = foreign
}

// readdress reads anew where nodes are called: as they report it, else as the record has it.
func (w *watching) readdress() {
	c := w.control
	addresses := map[uint64]string{}
	for _, p := range w.peers() {
		addresses[p.Node] = p.RPC
	}
	for _, m := range c.state.get().GetMembers() {
		if _, gossips := addresses[m.Node]; !gossips && m.Standing != clusterv1.Standing_STANDING_REMOVED {
			addresses[m.Node] = m.Rpc
		}
	}
	delete(addresses, c.Identity.Node())
	if maps.Equal(addresses, w.addresses) {
		return
	}
	before := w.addresses
	w.addresses = addresses
	c.transport.Readdress(maps.Clone(addresses))
	for _, node := range slices.Sorted(maps.Keys(before)) {
		if _, known := addresses[node]; !known {
			c.transport.Reset(node) // it is not called any more
		}
	}
}
