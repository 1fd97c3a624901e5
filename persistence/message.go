package persistence

import (
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
)

// Message is one message of a group to the replica of another node.
type Message struct {
	Shard uint32
	// Node is where it goes, or where it came from.
	Node uint64
	*raftpb.Message
}

// fromPeers are the types of messages that replicas send to each other. Anything else is made by a replica for itself.
var fromPeers = map[raftpb.MessageType]bool{
	raftpb.MsgApp: true, raftpb.MsgAppResp: true, raftpb.MsgVote: true, raftpb.MsgVoteResp: true, raftpb.MsgHeartbeat: true,
	raftpb.MsgHeartbeatResp: true, raftpb.MsgTimeoutNow: true, raftpb.MsgPreVote: true, raftpb.MsgPreVoteResp: true,
}

// checkMessage refuses what no correct replica sends: the consensus core would panic, or keep a log with a gap.
func checkMessage(m *raftpb.Message) error {
	if !fromPeers[m.GetType()] && m.GetType() != raftpb.MsgSnap {
		return fmt.Errorf("%w: a message of type %v", ErrMalformed, m.GetType())
	}
	if m.GetTo() == 0 || m.GetFrom() == 0 || m.GetTerm() == 0 {
		return fmt.Errorf("%w: a message without term, sender or addressee", ErrMalformed)
	}
	if m.GetType() != raftpb.MsgApp && len(m.Entries) > 0 {
		return fmt.Errorf("%w: entries in a message of type %v", ErrMalformed, m.GetType())
	}
	index, term := m.GetIndex(), m.GetLogTerm()
	for _, entry := range m.Entries {
		if index++; entry.GetIndex() != index || entry.GetTerm() < term || entry.GetTerm() > m.GetTerm() {
			return fmt.Errorf("%w: entries that do not follow each other", ErrMalformed)
		}
		term = entry.GetTerm()
	}
	return nil
}

// Receive takes a message from another node. It does not block; what can't be taken is dropped, as a network would.
func (s *Store) Receive(m Message) error {
	if err := checkMessage(m.Message); err != nil {
		return err
	}
	if int64(m.Shard) > int64(s.options.Shards) || m.GetType() == raftpb.MsgSnap {
		return fmt.Errorf("%w: a message for shard %d", ErrMalformed, m.Shard)
	}
	return s.lane(m.Shard).receive(m)
}

// Unreachable tells that messages to a node were lost. It does not block.
func (s *Store) Unreachable(node uint64) {
	for _, l := range s.lanes {
		_ = l.control(func() {
			l.each(func(g *group) {
				if replica := g.replicaOn(node); replica != 0 && g.leading {
					g.node.ReportUnreachable(replica)
					l.activate(g)
				}
			})
		})
	}
}
