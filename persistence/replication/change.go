package replication

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Change is one step of moving replicas. Ids name replicas, but for Add.
type Change struct {
	// Add makes a new replica on a node a learner. Its id is Members.Next; it must have been
	// created there. Replica is that id, as the caller created it; with 0 it is whatever comes
	// next.
	Add, Replica uint64
	// Promote makes learners voters, and Remove removes learners, all at once by joint consensus. A
	// voter in Remove is made a learner by it, and has to be removed once more: it votes for as
	// long as some replica may still be in the joint configuration. Destroyed at its end, it could
	// be missed for ever by one that does not know of that end.
	Promote, Remove []uint64
}

// ChangeReplicas proposes a change to a group that this node leads in a term. That it returns
// without an error says only that it was proposed: look at Groups. One change is made at a time;
// the consensus core drops what comes before the last is done.
func (h *Host) ChangeReplicas(shard uint32, term uint64, change Change) error {
	l := h.lane(shard)
	return l.do(func() error {
		g := l.groups[shard]
		if g == nil || !g.leadership.Ready || g.leadership.Term != term {
			return ErrNotLeader
		}
		if len(g.log.conf.GetVotersOutgoing()) > 0 {
			return fmt.Errorf("%w: another change is under way", ErrOverloaded)
		}
		if err := g.log.fits(change); err != nil {
			return err
		}
		proposed, err := g.log.change(change)
		if err != nil {
			return err
		}
		if err := g.node.ProposeConfChange(proposed); err != nil {
			return fmt.Errorf("persistence: change the replicas of shard %d: %w", shard, err)
		}
		l.activate(g)
		return nil
	})
}

// fits rejects a change that was made for other replicas than there are: a caller that looked
// before the last change was applied would add a learner that no node has created, or make a voter
// of a replica that is gone.
func (l *groupLog) fits(c Change) error {
	conf := l.conf
	if c.Add != 0 && c.Replica != 0 && c.Replica != l.members.Next {
		return fmt.Errorf("%w: the next replica of shard %d is %d, not %d", ErrChanged, l.shard, l.members.Next,
			c.Replica)
	}
	for _, id := range c.Promote {
		if !slices.Contains(conf.GetLearners(), id) {
			return fmt.Errorf("%w: replica %d of shard %d is no learner", ErrChanged, id, l.shard)
		}
	}
	for _, id := range c.Remove {
		if !slices.Contains(conf.GetLearners(), id) && !slices.Contains(conf.GetVoters(), id) {
			return fmt.Errorf("%w: shard %d has no replica %d", ErrChanged, l.shard, id)
		}
	}
	return nil
}

// change is the entry of a change; its context holds the members afterwards.
func (l *groupLog) change(c Change) (*raftpb.ConfChangeV2, error) {
	out := &raftpb.ConfChangeV2{}
	add := func(kind raftpb.ConfChangeType, id uint64) {
		out.Changes = append(out.Changes, &raftpb.ConfChangeSingle{Type: kind.Enum(), NodeId: new(id)})
	}
	members := proto.CloneOf(l.members)
	if c.Add != 0 {
		add(raftpb.ConfChangeAddLearnerNode, members.Next)
		members.Replicas = append(members.Replicas, &clusterv1.Replica{Id: members.Next, Node: c.Add})
		members.Next++
	}
	for _, id := range c.Promote {
		add(raftpb.ConfChangeAddNode, id)
	}
	for _, id := range c.Remove {
		if slices.Contains(l.conf.GetVoters(), id) && !planted.Is(planted.VoterDestroyed) {
			add(raftpb.ConfChangeAddLearnerNode, id)
		} else {
			add(raftpb.ConfChangeRemoveNode, id)
		}
	}
	if len(out.Changes) == 0 {
		return nil, fmt.Errorf("%w: an empty change", ErrMalformed)
	}
	context, err := proto.Marshal(members)
	out.Context = context
	return out, err
}

// applyChange applies a change of replicas. Members that left are kept until the group has left the
// joint configuration: until then they vote.
func (l *groupLog) applyChange(batch *pebble.Batch, node *raft.RawNode, entry *raftpb.Entry) error {
	change := &raftpb.ConfChangeV2{}
	if entry.GetType() != raftpb.EntryConfChangeV2 {
		return fmt.Errorf("%w: a change of replicas of another kind", engine.ErrCorrupt)
	}
	if err := proto.Unmarshal(entry.Data, change); err != nil {
		return fmt.Errorf("%w: a change of replicas: %w", engine.ErrCorrupt, err)
	}
	members := l.members
	if len(change.Context) > 0 {
		members = &clusterv1.Members{}
		if err := proto.Unmarshal(change.Context, members); err != nil {
			return fmt.Errorf("%w: members: %w", engine.ErrCorrupt, err)
		}
	}
	l.conf = proto.CloneOf(node.ApplyConfChange(change))
	c := l.conf
	members.Replicas = slices.DeleteFunc(members.Replicas, func(r *clusterv1.Replica) bool {
		return !slices.Contains(c.GetVoters(), r.Id) && !slices.Contains(c.GetLearners(), r.Id) &&
			!slices.Contains(c.GetVotersOutgoing(), r.Id) && !slices.Contains(c.GetLearnersNext(), r.Id)
	})
	if planted.Is(planted.ReplicaIDReused) {
		members.Next = 1
		for _, r := range members.Replicas {
			members.Next = max(members.Next, r.Id+1)
		}
	}
	l.members = members
	if err := setProto(batch, record.Key(l.shard, record.ClassConfState), c); err != nil {
		return err
	}
	return setProto(batch, record.Key(l.shard, record.ClassMembers), members)
}

// soleVoter reports whether this replica is the only one that votes: it elects itself.
func (l *groupLog) soleVoter() bool {
	return len(l.conf.Voters) == 1 && l.conf.Voters[0] == l.replica && len(l.conf.VotersOutgoing) == 0
}

// alone reports whether this is the only replica.
func (l *groupLog) alone() bool {
	return l.soleVoter() && len(l.conf.Learners) == 0 && len(l.conf.LearnersNext) == 0
}

// nodeOf is the node of a replica; 0 where it is not known.
func (l *groupLog) nodeOf(replica uint64) uint64 {
	for _, r := range l.members.Replicas {
		if r.Id == replica {
			return r.Node
		}
	}
	return 0
}

// replicaOn is the replica on a node; 0 where there is none.
func (l *groupLog) replicaOn(node uint64) uint64 {
	var found *clusterv1.Replica
	for _, r := range l.members.Replicas {
		if r.Node == node && (found == nil || r.Id > found.Id) {
			found = r
		}
	}
	return found.GetId()
}
