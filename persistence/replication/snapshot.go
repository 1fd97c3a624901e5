package replication

import (
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// A snapshot is the state of a shard as of an applied entry, for a replica that the log does not
// reach any more. The consensus core handles its index, term and voters; the records are streamed
// beside it.

// maxOutgoing bounds the snapshots that a node sends at once: each keeps the files of its moment.
const maxOutgoing = 4

// Snapshot is the state of a shard at one moment. It belongs to the caller that got it, which must
// close it.
type Snapshot struct {
	position
	shard uint32
	// iter, not a snapshot of the engine: its files stay even where an ingestion cuts the shard's
	// range out.
	iter     *pebble.Iterator
	outgoing func()
	once     sync.Once
}

// Each reads the records in the order of their keys, without the shard. Key and value are valid
// during the call only.
func (s *Snapshot) Each(each func(key, value []byte) error) error {
	for valid := s.iter.First(); valid; valid = s.iter.Next() {
		value, err := s.iter.ValueAndErr()
		if err != nil {
			return engine.Error(err)
		}
		if err := each(record.CutShard(s.iter.Key()), value); err != nil {
			return err
		}
	}
	return engine.Error(s.iter.Error())
}

// Close gives the snapshot back.
func (s *Snapshot) Close() {
	s.once.Do(func() {
		_ = s.iter.Close()
		s.outgoing()
	})
}

// Snapshot implements raft.Storage: it takes a view of the applied state. Between two rounds all
// that is applied is in the store. But the consensus core also asks while it applies a change of
// replicas; then nothing of the round is in the store yet, and the voters are still those of
// before. It asks again with the next answer to a heartbeat.
func (l *groupLog) Snapshot() (*raftpb.Snapshot, error) {
	if l.applying {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	l.dropSnapshot()
	if l.outgoing.Add(1) > maxOutgoing {
		l.outgoing.Add(-1)
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	iter, err := l.machine.Snapshot()
	if err != nil {
		l.outgoing.Add(-1)
		return nil, err
	}
	outgoing := l.outgoing
	l.snapshot = &Snapshot{position: l.applied, shard: l.shard, iter: iter, outgoing: func() { outgoing.Add(-1) }}
	members, err := proto.Marshal(l.members)
	if err != nil {
		return nil, err
	}
	return &raftpb.Snapshot{Data: members, Metadata: &raftpb.SnapshotMetadata{
		ConfState: proto.CloneOf(l.conf), Index: new(l.applied.index), Term: new(l.applied.term),
	}}, nil
}

func (l *groupLog) dropSnapshot() {
	if l.snapshot != nil {
		l.snapshot.Close()
		l.snapshot = nil
	}
}

// takeSnapshot gives away the view that belongs to a message.
func (l *groupLog) takeSnapshot(m *raftpb.Message) (*Snapshot, error) {
	snapshot := l.snapshot
	if snapshot == nil || snapshot.index != m.GetSnapshot().GetMetadata().GetIndex() {
		return nil, fmt.Errorf("persistence: no view of shard %d at entry %d", l.shard,
			m.GetSnapshot().GetMetadata().GetIndex())
	}
	l.snapshot = nil
	return snapshot, nil
}

// SnapshotSent tells what became of a snapshot: without it the replica gets nothing any more. It
// does not block.
func (h *Host) SnapshotSent(m Message, err error) {
	status := raft.SnapshotFinish
	if err != nil {
		status = raft.SnapshotFailure
	}
	l := h.lane(m.Shard)
	_ = l.control(func() {
		if g := l.groups[m.Shard]; g != nil && g.replica == m.GetFrom() {
			g.node.ReportSnapshot(m.GetTo(), status)
			l.activate(g)
		}
	})
}
