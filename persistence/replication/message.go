package replication

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
func (h *Host) Receive(m Message) error {
	err := checkMessage(m.Message)
	if err == nil && (int64(m.Shard) > int64(h.options.Shards) || m.GetType() == raftpb.MsgSnap) {
		err = wrong("address", "of type %v for shard %d", m.GetType(), m.Shard)
	}
	if err != nil {
		h.rejections.note(m, err)
		return err
	}
	return h.lane(m.Shard).receive(m)
}

// Unreachable reports that messages to a node were lost. It does not block.
func (h *Host) Unreachable(node uint64) {
	for _, l := range h.lanes {
		_ = l.control(func() {
			l.each(func(g *group) {
				if replica := g.log.replicaOn(node); replica != 0 && g.leading {
					g.node.ReportUnreachable(replica)
					l.activate(g)
				}
			})
		})
	}
}

// sendEarly sends what need not wait for the disk.
func (l *lane) sendEarly(round []work) {
	for _, w := range round {
		if w.early {
			l.queue(w.group, w.ready.Messages)
		}
	}
	l.flush()
}

// send sends the rest.
func (l *lane) send(round []work) {
	for _, w := range round {
		if !w.early {
			l.queue(w.group, w.ready.Messages)
		}
	}
	l.flush()
}

// queue addresses messages. One to a replica whose node is unknown is lost.
func (l *lane) queue(g *group, messages []*raftpb.Message) {
	for _, m := range messages {
		to := Message{Shard: g.shard, Node: g.nodeOf(m.GetTo()), Message: m}
		switch {
		case m.GetType() == raftpb.MsgSnap:
			l.sendSnapshot(g, to)
		case to.Node != 0:
			g.stamp(m)
			g.teach(m)
			l.sends = append(l.sends, to)
		}
	}
}

func (l *lane) sendSnapshot(g *group, m Message) {
	snapshot, err := g.log.takeSnapshot(m.Message)
	if err != nil || m.Node == 0 {
		if snapshot != nil {
			snapshot.Close()
		}
		l.host.SnapshotSent(m, errNotTaken)
		return
	}
	l.host.options.Transport.SendSnapshot(m, snapshot)
}

func (l *lane) flush() {
	if len(l.sends) > 0 {
		l.host.options.Transport.Send(l.sends)
		l.sends = nil // they belong to the transport now
	}
}
