package replication

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// Group is how a replica of this node is.
type Group struct {
	Shard      uint32
	Replica    uint64
	Leadership Leadership
	// Leading: this replica leads, perhaps not Ready yet.
	Leading       bool
	Commit        uint64
	Applied, Last uint64
	Joint         bool
	Next          uint64 // the id of the replica that is added next
	Members       []Member
}

// Member is one replica of a group. What a leader knows of it is in the last three.
type Member struct {
	Replica, Node             uint64
	Voter, Outgoing, Learner  bool
	Match                     uint64
	Recent, ReceivingSnapshot bool
}

// Groups tells how the replicas of this node are, by shard. It asks one lane after the other: none
// waits for another's disk.
func (h *Host) Groups() ([]Group, error) {
	var out []Group
	for _, l := range h.lanes {
		err := l.do(func() error {
			for _, g := range l.groups {
				out = append(out, g.status())
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return int(a.Shard) - int(b.Shard) })
	return out, nil
}

func (g *group) status() Group {
	c := g.log.conf
	basic := g.node.BasicStatus()
	out := Group{
		Shard: g.shard, Replica: g.replica, Leadership: g.leadership, Leading: basic.RaftState == raft.StateLeader,
		Commit:  g.log.hard.GetCommit(),
		Applied: g.log.applied.index, Last: g.log.last.index, Joint: len(c.GetVotersOutgoing()) > 0,
		Next: g.log.members.Next,
	}
	for _, r := range g.log.members.Replicas {
		out.Members = append(out.Members, Member{
			Replica: r.Id, Node: r.Node, Voter: slices.Contains(c.GetVoters(), r.Id),
			Outgoing: slices.Contains(c.GetVotersOutgoing(), r.Id),
			Learner:  slices.Contains(c.GetLearners(), r.Id) || slices.Contains(c.GetLearnersNext(), r.Id),
			Recent:   r.Id == g.replica || g.isRecent(r.Id),
		})
	}
	if out.Leading {
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
			for i := range out.Members {
				if out.Members[i].Replica == id {
					out.Members[i].Match, out.Members[i].ReceivingSnapshot = p.Match, p.State == tracker.StateSnapshot
				}
			}
		})
	}
	return out
}

// isRecent reports whether another replica has sent something within an election timeout.
func (g *group) isRecent(replica uint64) bool {
	return g.peers.received[replica] > 0 && g.fencing.now()-g.peers.received[replica] < recently
}

// recently is how old a follower's last message may be for it to count as alive.
const recently time.Duration = electionTicks * TickInterval
