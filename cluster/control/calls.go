package control

import (
	"context"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// What other nodes call, beside State.

// Nominate asks this node for its consent to a founder; the reason says why it is not granted, and
// is empty where it is.
func (c *Control) Nominate(founder uint64) (reason string) { return c.formation.nominate(founder) }

// Register has the meta group know a node as it is, where this node is its leader.
func (c *Control) Register(ctx context.Context, member *clusterv1.Member,
	shards uint32) (*clusterv1.ClusterState, error) {
	return c.meta.register(ctx, member, shards)
}

// OperateAsLeader changes the standing of a node, where this node is the leader of the meta group.
func (c *Control) OperateAsLeader(ctx context.Context, name string,
	standing clusterv1.Standing) (*clusterv1.ClusterState, error) {
	return c.meta.operate(ctx, name, standing)
}

// Standing is what the record says of a node, as this node knows it: unspecified where it does not
// name the node. Without a record nothing is known.
func (c *Control) Standing(node uint64) (standing clusterv1.Standing, known bool) {
	state := c.state.get()
	return findMember(state, node).GetStanding(), state != nil
}

// RecordOfRemoved is what a node that was removed may know of the record: that it was. It is nil
// for any other node.
func (c *Control) RecordOfRemoved(node uint64) *clusterv1.ClusterState {
	state := c.state.get()
	member := findMember(state, node)
	if member.GetStanding() != clusterv1.Standing_STANDING_REMOVED {
		return nil
	}
	return &clusterv1.ClusterState{
		Cluster: state.Cluster, Revision: state.Revision, Members: []*clusterv1.Member{member},
	}
}
