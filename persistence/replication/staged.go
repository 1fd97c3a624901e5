package replication

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// Staged is a snapshot that is being received: a table beside the store, which becomes a part of it
// in one step or never.
type Staged struct {
	host  *Host
	shard uint32
	table *engine.Table
	last  []byte
	done  func(error)
}

// Stage begins to receive the state of a shard. Commit or Discard must follow.
func (h *Host) Stage(shard uint32) (*Staged, error) {
	if int64(shard) > int64(h.options.Shards) {
		return nil, fmt.Errorf("%w: a snapshot of shard %d", ErrMalformed, shard)
	}
	return &Staged{host: h, shard: shard}, nil
}

// Add adds a record. Keys come in their order, without the shard.
func (st *Staged) Add(key, value []byte) error {
	whole, ok := record.PutShard(st.shard, key)
	if !ok || bytes.Compare(key, st.last) <= 0 {
		return fmt.Errorf("%w: a key of a snapshot of shard %d", ErrMalformed, st.shard)
	}
	st.last = append(st.last[:0], key...)
	if st.table == nil {
		table, err := st.host.db.NewTable()
		if err != nil {
			return err
		}
		st.table = table
	}
	return st.table.Set(whole, value, nil)
}

// Commit makes the state the replica's, if the message asks for it in time. done is called once, on
// a lane's goroutine, when the replica has it, or will not take it.
func (st *Staged) Commit(m Message, done func(error)) {
	err := checkMessage(m.Message)
	if err == nil && (m.GetType() != raftpb.MsgSnap || m.Shard != st.shard) {
		err = wrong("snapshot", "with a snapshot of another shard, or with none")
	}
	st.host.rejections.note(m, err)
	if err == nil && st.table != nil {
		err = st.table.Close()
	}
	if err == nil {
		st.done = done
		l := st.host.lane(st.shard)
		err = l.control(func() { l.stage(m, st) })
	}
	if err != nil {
		st.Discard()
		done(err)
	}
}

// Discard removes what was received.
func (st *Staged) Discard() {
	if st.table != nil {
		st.table.Remove()
		st.table = nil
	}
}

// errNotTaken: the replica has got on without the snapshot, or is another one.
var errNotTaken = errors.New("persistence: the snapshot is not needed")

// stage steps the message of a snapshot whose records are here. The consensus core decides whether
// it is newer than what it has.
func (l *lane) stage(m Message, st *Staged) {
	g := l.groups[m.Shard]
	if g == nil || m.GetTo() != g.replica || g.staged != nil {
		st.end(errNotTaken)
		return
	}
	g.staged = st
	g.step(m)
	l.activate(g)
	if !g.node.HasReady() { // it changed nothing
		g.endStaged(errNotTaken)
	}
}

func (st *Staged) end(err error) {
	st.Discard()
	st.done(err)
}

// endStaged ends the snapshot that is being received.
func (g *group) endStaged(err error) {
	if st := g.staged; st != nil {
		g.staged = nil
		st.end(err)
	}
}

// install makes a snapshot the state of the group, in one atomic and durable step: the shard's
// range is cut out, and the tables with the received records, and with what this replica knows of
// its log, are put in its place.
func (g *group) install(hard *raftpb.HardState, snapshot *raftpb.Snapshot) error {
	meta := snapshot.GetMetadata()
	at := position{meta.GetIndex(), meta.GetTerm()}
	members := g.log.members
	if err := proto.Unmarshal(snapshot.GetData(), members); err != nil {
		return fmt.Errorf("%w: members in a snapshot of shard %d: %w", engine.ErrCorrupt, g.shard, err)
	}
	if hard == nil {
		hard = &g.log.hard
	}
	conf := meta.GetConfState()
	if planted.Is(planted.SnapshotWithoutVoters) {
		conf = g.log.conf
	}
	hard = &raftpb.HardState{Term: hard.Term, Vote: hard.Vote, Commit: new(max(hard.GetCommit(), at.index))}
	local, err := g.host.db.NewTable()
	if err != nil {
		return err
	}
	defer local.Remove()
	err = errors.Join(
		setLocal(local, g.shard, hard, conf, at, at),
		setProto(local, record.Key(g.shard, record.ClassMembers), members),
		local.Set(record.Key(g.shard, record.ClassReplica), binary.BigEndian.AppendUint64(nil, g.replica), nil),
		g.log.keepTombstone(local),
		local.Close(),
	)
	if err != nil {
		return err
	}
	paths := []string{local.Path}
	if g.staged.table != nil {
		paths = append(paths, g.staged.table.Path)
	}
	all := record.All(g.shard)
	span := pebble.KeyRange{Start: all.From, End: all.To}
	if _, err := g.host.db.IngestAndExcise(context.Background(), paths, nil, nil, span); err != nil {
		return engine.Error(err)
	}
	g.log.restored(hard, meta.GetConfState(), at)
	if !planted.Is(planted.SnapshotWithOldRevisions) {
		g.machine.Ingest()
	}
	g.cut.bytes, g.cut.half = 0, at
	return nil
}

// keepTombstone writes the mark of destroyed replicas again: it lies in the range that is cut out.
func (l *groupLog) keepTombstone(local *engine.Table) error {
	destroyed, err := tombstone(l.db, l.shard)
	if err != nil || destroyed == 0 {
		return err
	}
	return local.Set(record.Key(l.shard, record.ClassTombstone), binary.BigEndian.AppendUint64(nil, destroyed), nil)
}

// restored takes the log for one that begins behind an entry.
func (l *groupLog) restored(hard *raftpb.HardState, conf *raftpb.ConfState, at position) {
	l.dropSnapshot()
	l.keepHard(hard)
	l.conf, l.truncated, l.applied, l.last = conf, at, at, at
	l.cache, l.direct = entryCache{}, false
}
