package control

import (
	"context"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Identity is who this node is, on stable storage: what changes it returns when the change is
// there.
type Identity interface {
	// Node is this node's id, made with its data directory; never 0.
	Node() uint64
	// Cluster is the id of the cluster that this node belongs to, 0 where it has none yet.
	Cluster() uint64
	// Consented is the node that this one last let found a cluster; 0 where it has let none.
	Consented() uint64
	// Consent remembers another one.
	Consent(founder uint64) error
	// Settled reports whether this node was in its cluster when that had been formed.
	Settled() bool
	// Settle remembers that.
	Settle() error
	// Found makes this node the first of a new cluster: the only voter of every group.
	Found(cluster uint64) error
	// Adopt makes this node one of a cluster that is there, without any replica. It fails where it
	// belongs to another one.
	Adopt(cluster uint64) error
}

// Replicas are those of this node.
type Replicas interface {
	// Replicas describes this node's replicas, by shard.
	Replicas() ([]*clusterv1.ReplicaStatus, error)
	// CreateReplica makes an empty replica, unless it is there. One with a lower id makes room.
	CreateReplica(shard uint32, replica uint64) error
	// DestroyReplica removes a replica that has left its group, with all that it holds.
	DestroyReplica(shard uint32, replica uint64) error
	// AddLearner adds the replica that was created on a node to a group that this node leads in a
	// term, if it gets that id. It returns when that is proposed, and says nothing about whether it
	// will be.
	AddLearner(shard uint32, term, node, replica uint64) error
	// ChangeVoters promotes learners and removes replicas of a group that this node leads in a
	// term, in one step. It returns when that is proposed.
	ChangeVoters(shard uint32, term uint64, promote, remove []uint64) error
	// Transfer makes another replica the leader of a shard, once what is being sent for it is done.
	// Where that takes too long this node stays the leader, or with insist it does so all the same:
	// a reply is in doubt then. It returns when the shard has another leader, or stays here.
	Transfer(ctx context.Context, shard uint32, term uint64, to uint64, insist bool) error
}

// Record is where the cluster's record lies, in the log of the meta group.
type Record interface {
	// ReadState reads the record as this node's replica of the meta group knows it; nil where it
	// has none.
	ReadState() (*clusterv1.ClusterState, error)
	// WriteState replaces the record that has a revision. Only the leader of the meta group can.
	WriteState(ctx context.Context, revision uint64, state *clusterv1.ClusterState) error
}

// Transport calls other nodes, and knows which of them answer. Calls return when ctx ends. Where
// the other node answered that it can't be, and trying again does not help, the error is an
// ErrRejected.
type Transport interface {
	// Nominate asks a node for its consent to this one as a founder; the reason says why it was not
	// granted.
	Nominate(ctx context.Context, node uint64) (granted bool, reason string, err error)
	// Join has the meta group, by way of a node, know this one.
	Join(ctx context.Context, node uint64, self *clusterv1.Member, shards uint32) (*clusterv1.ClusterState, error)
	// State asks a node for a record that is newer than a revision. It waits there for one.
	State(ctx context.Context, node, revision uint64) (*clusterv1.ClusterState, error)
	// Operate has the meta group, by way of a node, change the standing of a member.
	Operate(ctx context.Context, node uint64, name string, standing clusterv1.Standing) (*clusterv1.ClusterState, error)
	// CreateReplica has a node make an empty replica.
	CreateReplica(ctx context.Context, node uint64, shard uint32, replica uint64) error
	// Replicas asks a node how its replicas are.
	Replicas(ctx context.Context, node uint64) ([]*clusterv1.ReplicaStatus, error)

	// Readdress says where nodes are called, host:port.
	Readdress(addresses map[uint64]string)
	// Reset breaks the connection to a node, so that nothing waits for it; the next call makes
	// another one.
	Reset(node uint64)
	// Reaches reports whether deliveries to a node arrive, as far as is known.
	Reaches(node uint64) bool
}

// Gossip is a hint of who is there. Nothing of it blocks.
type Gossip interface {
	// Peers are the other nodes that are alive, by node id.
	Peers() []gossip.Peer
	// Alive reports whether a node is among them, or is this one.
	Alive(node uint64) bool
	// Leader is the newest hint on the leader of a shard; false where there is none.
	Leader(shard uint32) (gossip.Hint, bool)
	// Announce passes a hint on.
	Announce(gossip.Hint)
	// Update reports a change of this node, such as its cluster's id.
	Update(self gossip.Peer) error
	// WithHost completes an address without a host by that of this node's gossip.
	WithHost(address string) string
}

// Scheduler is the clock, and runs what runs beside its caller.
type Scheduler interface {
	// Now returns the time.
	Now() time.Time
	// AfterFunc calls f, which does not block, after a while, unless it is stopped before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
	// Go runs a task beside its caller. The task may block, in calls of the seams of this package
	// only.
	Go(task func())
	// All runs tasks beside each other and returns when all have returned.
	All(tasks ...func())
	// Sleep blocks a task for d. It returns false, at once, where ctx ended before.
	Sleep(ctx context.Context, d time.Duration) bool
}
