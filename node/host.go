package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/cluster/peer"
	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// host is what the cluster sees of this node's store and actors.
type host struct {
	*store.Store
	runtime     *actors.Runtime
	leaderships *leaderships
}

var _ cluster.Host = host{}

func (h host) Receive(from uint64, shard uint32, message []byte) error {
	m := &raftpb.Message{}
	if err := proto.Unmarshal(message, m); err != nil {
		return fmt.Errorf("node: a message of a replica: %w", err)
	}
	return h.Store.Receive(replication.Message{Shard: shard, Node: from, Message: m})
}

func (h host) Stage(shard uint32) (peer.Stage, error) {
	staged, err := h.Store.Stage(shard)
	if err != nil {
		return nil, err
	}
	return stage{staged, shard}, nil
}

// stage is a snapshot that is received.
type stage struct {
	*replication.Staged
	shard uint32
}

func (s stage) Commit(from uint64, message []byte, done func(error)) {
	m := &raftpb.Message{}
	if err := proto.Unmarshal(message, m); err != nil {
		s.Discard()
		done(fmt.Errorf("node: a message of a replica: %w", err))
		return
	}
	s.Staged.Commit(replication.Message{Shard: s.shard, Node: from, Message: m}, done)
}

func (h host) Replicas() ([]*clusterv1.ReplicaStatus, error) {
	groups, err := h.Groups()
	if err != nil {
		return nil, err
	}
	out := make([]*clusterv1.ReplicaStatus, len(groups))
	for i, g := range groups {
		r := &clusterv1.ReplicaStatus{
			Shard: g.Shard, Replica: g.Replica, Term: g.Leadership.Term, Leading: g.Leading, Leader: g.Leadership.Node,
			Applied: g.Applied, Last: g.Last,
			Next: g.Next, Commit: g.Commit,
		}
		for _, m := range g.Members {
			r.Members = append(r.Members, &clusterv1.Replica{Id: m.Replica, Node: m.Node})
			r.Progress = append(r.Progress, &clusterv1.MemberStatus{
				Voter: m.Voter, Learner: m.Learner, Outgoing: m.Outgoing, Match: m.Match, Recent: m.Recent,
				Snapshot: m.ReceivingSnapshot,
			})
		}
		out[i] = r
	}
	return out, nil
}

// CreateReplica makes room first where an older replica is left: the leader that asks has none of
// that node among its members, and gives ids in ascending order, so the older one has left the
// group for good.
func (h host) CreateReplica(shard uint32, replica uint64) error {
	err := h.Store.CreateReplica(shard, replica)
	if !errors.Is(err, replication.ErrReplica) {
		return err
	}
	groups, groupsErr := h.Groups()
	if groupsErr != nil {
		return groupsErr
	}
	for _, g := range groups {
		if g.Shard == shard && g.Replica < replica {
			if err := h.DestroyReplica(shard, g.Replica); err != nil {
				return err
			}
			return h.Store.CreateReplica(shard, replica)
		}
	}
	return err
}

func (h host) AddLearner(shard uint32, term, node, replica uint64) error {
	return h.ChangeReplicas(shard, term, replication.Change{Add: node, Replica: replica})
}

func (h host) ChangeVoters(shard uint32, term uint64, promote, remove []uint64) error {
	return h.ChangeReplicas(shard, term, replication.Change{Promote: promote, Remove: remove})
}

const (
	// prepareWithin is how long the sends of a shard may take to end. The shard's webhooks wait
	// meanwhile, and then for the new leader: together less than routing.Within.
	prepareWithin = 4 * time.Second
	// transferWithin bounds a leadership transfer: the consensus core gives up after an election
	// timeout, and ignores a replica that comes later. The shard takes nothing meanwhile.
	transferWithin = 700 * time.Millisecond
)

// Transfer ends the activations of a shard cleanly, so that no reply is left in doubt, and makes
// another replica its leader.
func (h host) Transfer(ctx context.Context, shard uint32, term, to uint64, insist bool) error {
	defer h.runtime.CancelTransfer(shard) // where no replica took it; otherwise it does nothing
	ending, cancel := context.WithTimeout(ctx, prepareWithin)
	defer cancel()
	if err := h.runtime.PrepareTransfer(ending, shard); err != nil && !insist {
		return fmt.Errorf("node: end the conversations of shard %d: %w", shard, err)
	}
	if err := h.TransferLeadership(shard, term, to); err != nil {
		return err
	}
	deadline := time.Now().Add(transferWithin)
	for h.leaderships.term(shard) == term {
		if time.Now().After(deadline) || !pause.For(ctx, 2*time.Millisecond) {
			return fmt.Errorf("node: no replica became leader of shard %d", shard)
		}
	}
	return nil
}

func (h host) ReadState() (*clusterv1.ClusterState, error) {
	value, revision, err := h.ReadCluster()
	if err != nil {
		return nil, fmt.Errorf("node: reading the cluster's state failed: %w", err)
	}
	if revision == 0 {
		return nil, nil
	}
	state := &clusterv1.ClusterState{}
	if err := proto.Unmarshal(value, state); err != nil {
		return nil, fmt.Errorf("node: the cluster's state: %w", err)
	}
	state.Revision = revision
	return state, nil
}

func (h host) WriteState(ctx context.Context, revision uint64, state *clusterv1.ClusterState) error {
	state = proto.CloneOf(state)
	state.Revision = 0
	value, err := proto.Marshal(state)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	h.ProposeCluster(h.leaderships.term(0), revision, value, func(_ uint64, err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
