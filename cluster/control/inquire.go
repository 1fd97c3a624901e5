package control

import (
	"context"
	"sync"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// askWithin bounds a request to another node.
const askWithin = 2 * time.Second

// replicasOn asks a node how its replicas are.
func (c *Control) replicasOn(ctx context.Context, node uint64) ([]*clusterv1.ReplicaStatus, error) {
	if node == c.Identity.Node() {
		return c.Replicas.Replicas()
	}
	ctx, cancel := c.tasks.within(ctx, askWithin)
	defer cancel()
	return c.transport.Replicas(ctx, node)
}

// replicasAt asks several nodes at once; those that do not answer are left out.
func (c *Control) replicasAt(ctx context.Context, nodes []uint64) map[uint64][]*clusterv1.ReplicaStatus {
	var mu sync.Mutex
	out := map[uint64][]*clusterv1.ReplicaStatus{}
	asks := make([]func(), len(nodes))
	for i, node := range nodes {
		asks[i] = func() {
			replicas, err := c.replicasOn(ctx, node)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[node] = replicas
		}
	}
	c.Scheduler.All(asks...)
	return out
}

// ReplicasOfAll asks all nodes of the cluster how their replicas are; those that do not answer are
// left out.
func (c *Control) ReplicasOfAll(ctx context.Context) map[uint64][]*clusterv1.ReplicaStatus {
	var nodes []uint64
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			nodes = append(nodes, m.Node)
		}
	}
	return c.replicasAt(ctx, nodes)
}
