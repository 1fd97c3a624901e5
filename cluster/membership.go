package cluster

import (
	"fmt"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
)

// membership is gossip, as the cluster uses it: a hint of who is there. None of it blocks but
// Leave.
type membership interface {
	Peers() []gossip.Peer
	Alive(node uint64) bool
	Leader(shard uint32) (gossip.Hint, bool)
	Announce(gossip.Hint)
	Update(self gossip.Peer) error
	WithHost(address string) string
	Rejected() uint64
	Leave(timeout time.Duration) error
	Close()
}

// GossipRejected is the number of packets and streams of gossip that were rejected since the start,
// since no node sends such under this cluster's key.
func (c *Cluster) GossipRejected() uint64 { return c.membership.Rejected() }

// signal puts a value into a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hexID writes the id of a node or a cluster.
func hexID(id uint64) string { return fmt.Sprintf("%016x", id) }
