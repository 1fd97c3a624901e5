package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// groupLog is the raft.Storage of one group over Pebble. It is used by the group's lane alone.
type groupLog struct {
	db    *pebble.DB
	shard uint32

	hard raftpb.HardState
	conf *raftpb.ConfState
	// truncated is the entry before the first that is kept; last is the last entry.
	truncated, last position
	cache           entryCache
}

type position struct{ index, term uint64 }

func (p position) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.index), p.term)
}

func decodePosition(b []byte) (position, error) {
	if len(b) != 16 {
		return position{}, fmt.Errorf("%w: position of %d bytes", ErrCorrupt, len(b))
	}
	return position{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
}

func openLog(db *pebble.DB, shard uint32) (*groupLog, error) {
	l := &groupLog{db: db, shard: shard, conf: &raftpb.ConfState{}}
	if err := l.load(classHardState, func(b []byte) error { return proto.Unmarshal(b, &l.hard) }); err != nil {
		return nil, err
	}
	if err := l.load(classConfState, func(b []byte) error { return proto.Unmarshal(b, l.conf) }); err != nil {
		return nil, err
	}
	err := l.load(classTruncated, func(b []byte) (err error) { l.truncated, err = decodePosition(b); return err })
	if err != nil {
		return nil, err
	}
	l.last = l.truncated
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: shardKey(shard, classLog), UpperBound: shardKey(shard, classLog+1)})
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	if iter.Last() {
		entry, err := decodeEntry(iter.Value())
		if err != nil {
			return nil, err
		}
		l.last = position{entry.GetIndex(), entry.GetTerm()}
	}
	return l, iter.Error()
}

func (l *groupLog) load(class byte, decode func([]byte) error) error {
	value, closer, err := l.db.Get(shardKey(l.shard, class))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	return decode(value)
}

func decodeEntry(b []byte) (*raftpb.Entry, error) {
	entry := &raftpb.Entry{}
	if err := proto.Unmarshal(b, entry); err != nil {
		return nil, fmt.Errorf("%w: log entry: %w", ErrCorrupt, err)
	}
	return entry, nil
}

// append adds entries and hard state to a batch. Entries replace what lies at their indexes and after.
func (l *groupLog) append(batch *pebble.Batch, hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if hard != nil {
		l.hard = raftpb.HardState{Term: hard.Term, Vote: hard.Vote, Commit: hard.Commit}
		if err := l.setHard(batch); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	if first := entries[0].GetIndex(); first <= l.last.index {
		if err := batch.DeleteRange(logKey(l.shard, first), logKey(l.shard, l.last.index+1), nil); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		value, err := proto.Marshal(entry)
		if err != nil {
			return err
		}
		if err := batch.Set(logKey(l.shard, entry.GetIndex()), value, nil); err != nil {
			return err
		}
	}
	l.cache.append(entries)
	end := entries[len(entries)-1]
	l.last = position{end.GetIndex(), end.GetTerm()}
	return nil
}

func (l *groupLog) setHard(batch *pebble.Batch) error {
	value, err := proto.Marshal(&l.hard)
	if err != nil {
		return err
	}
	return batch.Set(shardKey(l.shard, classHardState), value, nil)
}

// truncate drops the entries up to one that was applied.
func (l *groupLog) truncate(batch *pebble.Batch, upTo position) error {
	if err := batch.DeleteRange(logKey(l.shard, 0), logKey(l.shard, upTo.index+1), nil); err != nil {
		return err
	}
	l.truncated = upTo
	l.cache.drop(upTo.index)
	return batch.Set(shardKey(l.shard, classTruncated), upTo.encode(), nil)
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
	iter, err := l.db.NewIter(&pebble.IterOptions{LowerBound: logKey(l.shard, lo), UpperBound: logKey(l.shard, hi)})
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	var entries []*raftpb.Entry
	var size uint64
	for valid := iter.First(); valid; valid = iter.Next() {
		entry, err := decodeEntry(iter.Value())
		if err != nil {
			return nil, err
		}
		if entry.GetIndex() != lo+uint64(len(entries)) {
			return nil, fmt.Errorf("%w: shard %d has no entry %d", ErrCorrupt, l.shard, lo+uint64(len(entries)))
		}
		if size += uint64(len(iter.Value())); len(entries) > 0 && size > maxSize {
			break
		}
		entries = append(entries, entry)
	}
	if err := iter.Error(); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, raft.ErrUnavailable
	}
	return entries, nil
}

// Snapshot implements raft.Storage. A group whose voters are all on this node never asks.
func (l *groupLog) Snapshot() (*raftpb.Snapshot, error) {
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

// entryCache keeps the most recent entries, without a gap up to the last one.
type entryCache struct {
	entries []*raftpb.Entry
	bytes   int
}

// maxCacheBytes bounds one group's cache; what was just appended and is about to be applied lies in it.
const maxCacheBytes = 1 << 20

func (c *entryCache) append(entries []*raftpb.Entry) {
	if n := len(c.entries); n > 0 && c.entries[n-1].GetIndex()+1 != entries[0].GetIndex() {
		c.entries, c.bytes = nil, 0 // a new leader's entries replace old ones: rare, and the store has them all
	}
	for _, entry := range entries {
		c.bytes += len(entry.Data) + 64
	}
	c.entries = append(c.entries, entries...)
	for len(c.entries) > 1 && c.bytes > maxCacheBytes {
		c.shift()
	}
}

func (c *entryCache) shift() {
	c.bytes -= len(c.entries[0].Data) + 64
	c.entries[0] = nil
	c.entries = c.entries[1:]
}

// drop forgets the entries up to an index.
func (c *entryCache) drop(index uint64) {
	for len(c.entries) > 0 && c.entries[0].GetIndex() <= index {
		c.shift()
	}
}

func (c *entryCache) slice(lo, hi, maxSize uint64) ([]*raftpb.Entry, bool) {
	if len(c.entries) == 0 || lo < c.entries[0].GetIndex() {
		return nil, false
	}
	first := c.entries[0].GetIndex()
	entries := c.entries[lo-first : hi-first]
	var size uint64
	for i, entry := range entries {
		if size += uint64(len(entry.Data)) + 16; i > 0 && size > maxSize {
			entries = entries[:i]
			break
		}
	}
	return entries[:len(entries):len(entries)], true
}
