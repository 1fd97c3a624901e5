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
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
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
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("node: no replica became leader of shard %d", shard)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// The cluster's state is the head of one conversation in the meta group, which has no others.
const stateName = "cluster"

func (h host) ReadState() (*clusterv1.ClusterState, error) {
	var state *clusterv1.ClusterState
	revision, err := h.Load(0, stateName, func(kind wactorv1.RecordKind, _, value []byte) error {
		if kind != wactorv1.RecordKind_RECORD_KIND_HEAD {
			return nil
		}
		state = &clusterv1.ClusterState{}
		return proto.Unmarshal(value, state)
	})
	if err != nil {
		return nil, fmt.Errorf("node: read the cluster's state: %w", err)
	}
	if state != nil {
		state.Revision = revision
	}
	return state, nil
}

func (h host) WriteState(ctx context.Context, revision uint64, state *clusterv1.ClusterState) error {
	state = proto.CloneOf(state)
	state.Revision = 0
	value, err := proto.Marshal(state)
	if err != nil {
		return err
	}
	command := &wactorv1.Command{Command: &wactorv1.Command_Commit{Commit: &wactorv1.Commit{
		Conversation: stateName, BaseRevision: revision,
		Puts: []*wactorv1.Put{{Kind: wactorv1.RecordKind_RECORD_KIND_HEAD, Value: value}},
	}}}
	done := make(chan error, 1)
	h.Propose(0, h.leaderships.term(0), command, func(_ uint64, err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
