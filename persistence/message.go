package persistence

import "go.etcd.io/raft/v3/raftpb"

// Message is one message of a group to the replica of another node.
type Message struct {
	Shard uint32
	// Node is where it goes, or where it came from.
	Node uint64
	*raftpb.Message
}

// fromPeers are the types of messages that replicas send to each other. Anything else is made by a
// replica for itself.
var fromPeers = map[raftpb.MessageType]bool{
	raftpb.MsgApp: true, raftpb.MsgAppResp: true, raftpb.MsgVote: true, raftpb.MsgVoteResp: true,
	raftpb.MsgHeartbeat:     true,
	raftpb.MsgHeartbeatResp: true, raftpb.MsgTimeoutNow: true, raftpb.MsgPreVote: true, raftpb.MsgPreVoteResp: true,
}

// Receive takes a message from another node. It does not block; what can't be taken is dropped, as
// a network would.
func (s *Store) Receive(m Message) error {
	err := checkMessage(m.Message)
	if err == nil && (int64(m.Shard) > int64(s.options.Shards) || m.GetType() == raftpb.MsgSnap) {
		err = wrong("address", "of type %v for shard %d", m.GetType(), m.Shard)
	}
	if err != nil {
		s.refuse(m, err)
		return err
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
