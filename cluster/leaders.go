package cluster

import (
	"github.com/wactor/wactor/cluster/gossip"
)

// Led tells who leads a shard in a term, as this node's replica knows it; usable where that is this
// node and it may use the shard. It does not block.
func (c *Cluster) Led(hint gossip.Hint, usable bool) {
	c.leadsMu.Lock()
	if usable {
		c.leads[hint.Shard] = hint
	} else {
		delete(c.leads, hint.Shard)
	}
	c.leadsMu.Unlock()
	if hint.Node != 0 {
		c.membership.Announce(hint)
	}
	if hint.Shard == 0 {
		c.meta.poke()
	}
	c.moves.poke()
}

// hinted takes a newer word on who leads a shard.
func (c *Cluster) hinted(hint gossip.Hint) {
	if stop := c.asking.Load(); stop != nil && hint.Shard == 0 {
		(*stop)() // whoever was asked may wait for this node by now
	}
	c.options.Hinted(hint)
}

// leading is the term in which this node leads a shard and may use it; 0 where it does not.
func (c *Cluster) leading(shard uint32) uint64 {
	c.leadsMu.Lock()
	defer c.leadsMu.Unlock()
	return c.leads[shard].Term
}

// Leader is the newest word on who leads a shard; false where there is none.
func (c *Cluster) Leader(shard uint32) (gossip.Hint, bool) { return c.membership.Leader(shard) }
