package replication

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// groupLog is the raft.Storage of one group over Pebble. It is used by the group's lane alone.
type groupLog struct {
	db      *engine.Engine
	shard   uint32
	machine StateMachine

	hard raftpb.HardState
	conf *raftpb.ConfState
	// members are the replicas with their nodes; replica is the id of this one.
	members *clusterv1.Members
	replica uint64
	// snapshot is what the consensus core asked for and was not sent yet; outgoing counts those of
	// all groups.
	snapshot *Snapshot
	outgoing *atomic.Int32
	// applying: what is applied is not all in the store.
	applying bool
	// direct: this replica is alone and writes no log; what it has appended is applied, and its
	// entries are in the cache until the consensus core has seen that. On the disk the log is
	// empty, and begins where it began when the positions were last written.
	direct bool
	// truncated is the entry before the first that is kept; last is the last entry. truncated <=
	// applied <= hard.Commit <= last.
	truncated, applied, last position
	cache                    entryCache
	buffer                   []byte // for encoding; kept for its memory
}

const maxBuffer = 64 << 10

// position names an entry.
type position struct{ index, term uint64 }

func positionOf(entry *raftpb.Entry) position { return position{entry.GetIndex(), entry.GetTerm()} }

func (p position) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.index), p.term)
}

func decodePosition(b []byte) (position, error) {
	if len(b) != 16 {
		return position{}, fmt.Errorf("a position of %d bytes", len(b))
	}
	return position{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
}

func openLog(db *engine.Engine, shard uint32, machine StateMachine) (*groupLog, error) {
	l := &groupLog{db: db, shard: shard, machine: machine, conf: &raftpb.ConfState{}, members: &clusterv1.Members{}}
	if err := l.load(record.ClassHardState, "hard state", func(b []byte) error {
		return proto.Unmarshal(b,
			&l.hard)
	}); err != nil {
		return nil, err
	}
	if err := l.load(record.ClassConfState, "voters", func(b []byte) error {
		return proto.Unmarshal(b,
			l.conf)
	}); err != nil {
		return nil, err
	}
	if err := l.load(record.ClassMembers, "members", func(b []byte) error {
		return proto.Unmarshal(b,
			l.members)
	}); err != nil {
		return nil, err
	}
	var err error
	if l.replica, err = l.number(record.ClassReplica, "replica id"); err != nil {
		return nil, err
	}
	if l.truncated, err = l.position(record.ClassTruncated, "start of the log"); err != nil {
		return nil, err
	}
	if l.applied, err = l.position(record.ClassApplied, "applied index"); err != nil {
		return nil, err
	}
	if l.applied.index > l.hard.GetCommit() {
		l.hard.Commit = new(l.applied.index)
	}
	l.last = l.truncated
	iter, err := db.NewIter(engine.Bounds(record.Log(shard)))
	if err != nil {
		return nil, engine.Error(err)
	}
	defer iter.Close()
	if iter.First() && !bytes.Equal(iter.Key(), record.LogKey(shard, l.truncated.index+1)) {
		return nil, fmt.Errorf("%w: shard %d: the log does not begin with entry %d", engine.ErrCorrupt, shard,
			l.truncated.index+1)
	}
	if iter.Last() {
		entry, err := l.entryAt(iter)
		if err != nil {
			return nil, err
		}
		l.last = positionOf(entry)
	}
	if err := iter.Error(); err != nil {
		return nil, engine.Error(err)
	}
	return l, l.consistent()
}

// consistent holds the parts against each other. Each pair was written so that no power cut can
// part them; where one is found parted, the disk did not keep what it was given, and the consensus
// core would panic or, worse, go on.
func (l *groupLog) consistent() error {
	commit := l.hard.GetCommit()
	switch {
	case l.truncated.index > l.applied.index || l.applied.index > commit || commit > l.last.index:
		return fmt.Errorf("%w: shard %d: log from %d to %d, committed %d, applied %d",
			engine.ErrCorrupt, l.shard, l.truncated.index+1, l.last.index, commit, l.applied.index)
	case l.last.term > l.hard.GetTerm() || l.applied.term > l.last.term:
		return fmt.Errorf("%w: shard %d: term %d, last entry of %d, applied of %d",
			engine.ErrCorrupt, l.shard, l.hard.GetTerm(), l.last.term, l.applied.term)
	case len(l.conf.GetVoters()) == 0 && l.applied.index > 0: // a replica that has nothing waits for a snapshot
		return fmt.Errorf("%w: shard %d has no voters", engine.ErrCorrupt, l.shard)
	}
	return nil
}

// load reads a record that every group has.
func (l *groupLog) load(class record.Class, what string, decode func([]byte) error) error {
	value, closer, err := l.db.Get(record.Key(l.shard, class))
	if errors.Is(err, pebble.ErrNotFound) {
		return fmt.Errorf("%w: shard %d has no %s", engine.ErrCorrupt, l.shard, what)
	}
	if err != nil {
		return engine.Error(err)
	}
	defer closer.Close()
	if err := decode(value); err != nil {
		return fmt.Errorf("%w: %s of shard %d: %w", engine.ErrCorrupt, what, l.shard, err)
	}
	return nil
}

func (l *groupLog) position(class record.Class, what string) (at position, err error) {
	err = l.load(class, what, func(b []byte) error {
		at, err = decodePosition(b)
		return err
	})
	return at, err
}

func (l *groupLog) number(class record.Class, what string) (n uint64, err error) {
	err = l.load(class, what, func(b []byte) error {
		if len(b) != 8 {
			return fmt.Errorf("a number of %d bytes", len(b))
		}
		n = binary.BigEndian.Uint64(b)
		return nil
	})
	return n, err
}

// entryAt decodes the entry at an iterator, whose key and value must tell the same index.
func (l *groupLog) entryAt(iter *pebble.Iterator) (*raftpb.Entry, error) {
	value, err := iter.ValueAndErr()
	if err != nil {
		return nil, engine.Error(err)
	}
	entry := &raftpb.Entry{}
	if err := proto.Unmarshal(value, entry); err != nil {
		return nil, fmt.Errorf("%w: log entry of shard %d: %w", engine.ErrCorrupt, l.shard, err)
	}
	if !bytes.Equal(iter.Key(), record.LogKey(l.shard, entry.GetIndex())) {
		return nil, fmt.Errorf("%w: entry %d of shard %d lies at another index", engine.ErrCorrupt, entry.GetIndex(),
			l.shard)
	}
	return entry, nil
}

// append adds entries and hard state to a batch. Entries replace what lies at their indexes and
// after.
func (l *groupLog) append(batch *pebble.Batch, hard *raftpb.HardState, entries []*raftpb.Entry) error {
	// A commit index that has moved on is not worth a record of its own: what is applied was
	// committed, and tells after a restart how far that was at least. But for changes of replicas:
	// who has one in its log knows that the one before is committed, and does not stand for
	// election, or vote, by an older configuration. Two steps behind, a majority need not overlap
	// with that of the others.
	write := l.writesHard(hard) || slices.ContainsFunc(entries, changesReplicas)
	l.keepHard(hard)
	if l.direct && (write || len(entries) > 0) {
		l.direct, l.truncated = false, l.last
		l.cache.drop(l.last.index)
		if !planted.Is(planted.PositionsLeftOut) {
			if err := setPositions(batch, l.shard, l.applied, l.truncated); err != nil {
				return err
			}
		}
	}
	if write {
		if err := l.setHard(batch); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	if first := entries[0].GetIndex(); first <= l.last.index {
		if err := batch.DeleteRange(record.LogKey(l.shard, first), record.LogKey(l.shard, l.last.index+1),
			nil); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		value, err := proto.MarshalOptions{}.MarshalAppend(l.buffer[:0], entry)
		if err != nil {
			return err
		}
		if cap(value) <= maxBuffer {
			l.buffer = value
		}
		if err := batch.Set(record.LogKey(l.shard, entry.GetIndex()), value, nil); err != nil {
			return err
		}
	}
	l.extend(entries, maxCacheBytes)
	return nil
}

// writesHard reports whether there is more to write of a hard state than a commit index.
func (l *groupLog) writesHard(hard *raftpb.HardState) bool {
	return hard != nil && (hard.GetTerm() != l.hard.GetTerm() || hard.GetVote() != l.hard.GetVote())
}

func (l *groupLog) keepHard(hard *raftpb.HardState) {
	if hard != nil {
		l.hard = raftpb.HardState{Term: hard.Term, Vote: hard.Vote, Commit: hard.Commit}
	}
}

func (l *groupLog) extend(entries []*raftpb.Entry, maxBytes int) {
	l.cache.append(entries, maxBytes)
	l.last = positionOf(entries[len(entries)-1])
}

func changesReplicas(entry *raftpb.Entry) bool { return entry.GetType() != raftpb.EntryNormal }

func (l *groupLog) setHard(batch *pebble.Batch) error {
	value, err := proto.Marshal(&l.hard)
	if err != nil {
		return err
	}
	return batch.Set(record.Key(l.shard, record.ClassHardState), value, nil)
}

// truncate drops the entries up to one that was applied.
func (l *groupLog) truncate(batch *pebble.Batch, upTo position) error {
	// From where the last truncation ended: range deletions that don't overlap stay cheap for
	// readers and compactions.
	if err := batch.DeleteRange(record.LogKey(l.shard, l.truncated.index+1), record.LogKey(l.shard, upTo.index+1),
		nil); err != nil {
		return err
	}
	l.truncated = upTo
	l.cache.drop(upTo.index)
	return batch.Set(record.Key(l.shard, record.ClassTruncated), upTo.encode(), nil)
}

// InitialState implements raft.Storage.
func (l *groupLog) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	return &l.hard, l.conf, nil
}

// FirstIndex implements raft.Storage.
func (l *groupLog) FirstIndex() (uint64, error) { return l.truncated.index + 1, nil }

// LastIndex implements raft.Storage.
func (l *groupLog) LastIndex() (uint64, error) { return l.last.index, nil }

// Term implements raft.Storage.
func (l *groupLog) Term(i uint64) (uint64, error) {
	switch {
	case i == l.truncated.index:
		return l.truncated.term, nil
	case i == l.last.index:
		return l.last.term, nil
	case i < l.truncated.index:
		return 0, raft.ErrCompacted
	case i > l.last.index:
		return 0, raft.ErrUnavailable
	}
	entries, err := l.Entries(i, i+1, 0)
	if err != nil {
		return 0, err
	}
	return entries[0].GetTerm(), nil
}

// Entries implements raft.Storage.
func (l *groupLog) Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error) {
	switch {
	case lo <= l.truncated.index:
		return nil, raft.ErrCompacted
	case hi > l.last.index+1:
		return nil, raft.ErrUnavailable
	}
	if entries, ok := l.cache.slice(lo, hi, maxSize); ok {
		return entries, nil
	}
	iter, err := l.db.NewIter(&pebble.IterOptions{LowerBound: record.LogKey(l.shard, lo),
		UpperBound: record.LogKey(l.shard, hi)})
	if err != nil {
		return nil, engine.Error(err)
	}
	defer iter.Close()
	entries := make([]*raftpb.Entry, 0, min(hi-lo, 256))
	var size uint64
	for valid := iter.First(); valid; valid = iter.Next() {
		entry, err := l.entryAt(iter)
		if err != nil {
			return nil, err
		}
		if entry.GetIndex() != lo+uint64(len(entries)) {
			break
		}
		if size += uint64(weight(entry)); len(entries) > 0 && size > maxSize {
			return entries, nil
		}
		entries = append(entries, entry)
	}
	if err := iter.Error(); err != nil {
		return nil, engine.Error(err)
	}
	if uint64(len(entries)) != hi-lo {
		return nil, fmt.Errorf("%w: shard %d has no entry %d", engine.ErrCorrupt, l.shard, lo+uint64(len(entries)))
	}
	return entries, nil
}
