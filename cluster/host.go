package cluster

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Host is this node's replicas. Its methods are called on many goroutines; those that change
// something return when it is on stable storage.
type Host interface {
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

	// Receive takes a message of the consensus core of another node. It does not block.
	Receive(from uint64, shard uint32, message []byte) error
	// Unreachable tells that messages to a node were lost.
	Unreachable(node uint64)
	// Stage begins to receive the state of a shard.
	Stage(shard uint32) (Stage, error)

	// Replicas tells how this node's replicas are, by shard.
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
	// Transfer gives a shard's lead away, once what is being sent for it is done. Where that takes
	// too long the lead stays, or with insist goes all the same: a reply is in doubt then. It
	// returns when the lead is gone, or stays.
	Transfer(ctx context.Context, shard uint32, term uint64, to uint64, insist bool) error

	// ReadState reads the cluster's state as this node's replica of the meta group knows it; nil
	// where it has none.
	ReadState() (*clusterv1.ClusterState, error)
	// WriteState replaces the state that has a revision. Only the leader of the meta group can.
	WriteState(ctx context.Context, revision uint64, state *clusterv1.ClusterState) error
}

// Stage is the state of a shard while it is received. Commit or Discard must follow.
type Stage interface {
	// Add adds a record. Keys come in their order, without the shard.
	Add(key, value []byte) error
	// Commit makes the state the replica's, if the consensus message that came with it asks for it.
	// done is called once.
	Commit(from uint64, message []byte, done func(error))
	// Discard forgets what came.
	Discard()
}

// Snapshot is the state of a shard while it is sent. It must be closed.
type Snapshot interface {
	// Each reads the records in the order of their keys, without the shard. Key and value are valid
	// during the call only.
	Each(each func(key, value []byte) error) error
	// Close gives the snapshot back.
	Close()
}

// RaftMessage is a message of the consensus core to another node. It is not changed any more.
type RaftMessage struct {
	Shard   uint32
	Node    uint64
	Message proto.Message
}

// Work answers what other nodes ask for the conversations that this node leads.
type Work interface {
	// Deliver takes a delivery; with relay, to the leader, which its sender can't reach. It does
	// not block.
	Deliver(e delivery.Envelope, relay bool, done delivery.Done)
	// Admin answers a call of the admin API.
	Admin(ctx context.Context, procedure string, request []byte) ([]byte, error)
}
