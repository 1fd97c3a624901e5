package persistence

import (
	"go.etcd.io/raft/v3/raftpb"
)

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

// queue addresses messages. One to a replica whose node nobody knows is lost.
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
		l.store.SnapshotSent(m, errNotTaken)
		return
	}
	l.store.options.SendSnapshot(m, snapshot)
}

func (l *lane) flush() {
	if len(l.sends) > 0 {
		l.store.options.Send(l.sends)
		l.sends = nil // they belong to whoever took them
	}
}
