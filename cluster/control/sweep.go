package control

import (
	"context"
	"maps"
	"slices"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// sweepEvery is how often a node looks for replicas that no group has any more.
const sweepEvery = 10 * time.Second

// sweeper destroys replicas that were removed from their groups while this node was away: no member
// sends to them any more, so they can't find out by their logs. A replica's id is never given
// twice. So where a member of the group has applied that the ids up to some number were given, and
// that this one is none of the members, it never will be one again.
type sweeper struct{ *Control }

func (c sweeper) run(ctx context.Context) {
	for c.sleep(ctx, sweepEvery) {
		own, err := c.Replicas.Replicas()
		if err != nil || c.Identity.Cluster() == 0 {
			continue
		}
		orphans := map[uint64][]*clusterv1.ReplicaStatus{}
		for _, r := range own {
			if r.Leading || r.Leader != 0 && votes(r) {
				continue
			}
			if node := c.holder(r.Shard); node != 0 {
				orphans[node] = append(orphans[node], r)
			}
		}
		for _, node := range slices.Sorted(maps.Keys(orphans)) {
			theirs, err := c.replicasOn(ctx, node)
			if err != nil {
				continue
			}
			for _, r := range orphans[node] {
				if gone(r, c.Identity.Node(), theirs) {
					c.Logger.Info("a replica was removed while this node was away", "shard", r.Shard, "replica",
						r.Replica)
					if err := c.Replicas.DestroyReplica(r.Shard, r.Replica); err != nil {
						c.Logger.Warn("a replica was not destroyed", "shard", r.Shard, "replica", r.Replica, "error",
							err)
					}
				}
			}
		}
	}
}

// votes reports whether a replica would stand for election when it no longer receives anything, and
// so notice that its leader is none any more. One that became a learner before it was removed knows
// its last leader for ever.
func votes(r *clusterv1.ReplicaStatus) bool {
	for i, m := range r.Members {
		if m.Id == r.Replica {
			return i < len(r.Progress) && r.Progress[i].Voter
		}
	}
	return false
}

// holder is another node that should hold a shard.
func (c sweeper) holder(shard uint32) uint64 {
	if hint, known := c.gossip.Leader(shard); known && hint.Node != c.Identity.Node() {
		return hint.Node
	}
	for _, node := range c.Wanted(shard) {
		if node != c.Identity.Node() {
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
