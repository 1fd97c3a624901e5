package cluster

import (
	"context"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// sweepEvery is how often a node looks for replicas that nobody knows any more.
const sweepEvery = 10 * time.Second

// sweep destroys replicas that were removed from their groups while this node was away: nobody
// sends to them any more, so they can't find out by their logs. A replica's id is never given
// twice. So where a member of the group has applied that the ids up to some number were given, and
// that this one is none of the members, it never will be one again.
func (c *Cluster) sweep(ctx context.Context) {
	for pause(ctx, jitter(sweepEvery)) {
		own, err := c.host.Replicas()
		if err != nil || c.host.Cluster() == 0 {
			continue
		}
		orphans := map[uint64][]*clusterv1.ReplicaStatus{}
		for _, r := range own {
			if r.Leading || r.Leader != 0 {
				continue
			}
			if node := c.holder(r.Shard); node != 0 {
				orphans[node] = append(orphans[node], r)
			}
		}
		for node, suspects := range orphans {
			theirs, err := c.replicas(ctx, node)
			if err != nil {
				continue
			}
			for _, r := range suspects {
				if gone(r, c.host.Node(), theirs) {
					c.log.Info("a replica was removed while this node was away", "shard", r.Shard, "replica", r.Replica)
					if err := c.host.DestroyReplica(r.Shard, r.Replica); err != nil {
						c.log.Warn("a replica was not destroyed", "shard", r.Shard, "replica", r.Replica, "error", err)
					}
				}
			}
		}
	}
}

// holder is another node that should hold a shard.
func (c *Cluster) holder(shard uint32) uint64 {
	if hint, known := c.membership.Leader(shard); known && hint.Node != c.host.Node() {
		return hint.Node
	}
	for _, node := range c.Wanted(shard) {
		if node != c.host.Node() {
			return node
		}
	}
	return 0
}

// gone reports whether a replica of a node has left its group, by what a member of the group says.
// A replica that was created here and whose id was then given to another node is none either.
func gone(r *clusterv1.ReplicaStatus, node uint64, theirs []*clusterv1.ReplicaStatus) bool {
	for _, t := range theirs {
		if t.Shard != r.Shard || t.Next <= r.Replica || len(t.Members) == 0 {
			continue
		}
		known, member := false, false
		for _, m := range t.Members {
			member = member || m.Id == t.Replica
			known = known || m.Id == r.Replica && m.Node == node
		}
		return member && !known
	}
	return false
}
