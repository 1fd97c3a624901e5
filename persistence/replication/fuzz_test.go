package replication

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

func FuzzPosition(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(position{1, 2}.encode())
	f.Fuzz(func(t *testing.T, value []byte) {
		at, err := decodePosition(value)
		if (err == nil) != (len(value) == 16) {
			t.Fatalf("%d bytes: %v", len(value), err)
		}
		if err == nil && !bytes.Equal(at.encode(), value) {
			t.Fatalf("%x was read as %v", value, at)
		}
	})
}

// fuzzHost is a host that a fuzz target writes below, and opens itself.
func fuzzHost(t testing.TB) *Host {
	db, err := engine.Open(engine.Options{
		FS: vfs.NewMem(), Dir: "store", CacheBytes: 1 << 20, Fatal: func(err error) { panic(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return newHost(Options{
		Engine: db, Shards: 1, Limits: Limits{LogBytes: 1 << 20},
		Machine: func(shard uint32) StateMachine {
			return &counters{shard: shard, db: db, open: map[string]uint64{}}
		},
	}.withDefaults())
}

// FuzzOpenGroup: whatever lies where a group keeps its log, it is opened and led, or rejected as
// corrupt; never a panic.
func FuzzOpenGroup(f *testing.F) {
	marshal := func(m proto.Message) []byte {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	hard := marshal(&raftpb.HardState{Term: proto.Uint64(2), Vote: proto.Uint64(1), Commit: proto.Uint64(2)})
	conf := marshal(&raftpb.ConfState{Voters: []uint64{1}})
	entry := marshal(&raftpb.Entry{Index: proto.Uint64(2), Term: proto.Uint64(2),
		Data: step{"shop/1", 0, ""}.encode()})
	f.Add(hard, conf, position{1, 1}.encode(), position{1, 1}.encode(), entry)
	f.Add(hard, conf, position{1, 1}.encode(), position{2, 2}.encode(), entry)
	f.Add(hard, conf, position{3, 1}.encode(), position{2, 2}.encode(), []byte(nil))
	unknown := marshal(&raftpb.Entry{Index: proto.Uint64(2), Term: proto.Uint64(2), Data: []byte("002\x06000000")})
	f.Add(hard, conf, position{1, 1}.encode(), position{1, 1}.encode(), unknown)
	f.Add([]byte{1}, []byte{2}, []byte{3}, []byte{4}, []byte{5})
	f.Add([]byte(nil), marshal(&raftpb.ConfState{Voters: []uint64{1, 1}}), position{0, 0}.encode(),
		position{0, 0}.encode(), []byte{})
	s := fuzzHost(f)
	f.Fuzz(func(t *testing.T, hard, conf, truncated, applied, entry []byte) {
		batch := s.db.NewBatch()
		defer batch.Close()
		batch.DeleteRange(record.Key(1, 0), record.Key(2, 0), nil)
		batch.Set(record.Key(1, record.ClassHardState), hard, nil)
		batch.Set(record.Key(1, record.ClassConfState), conf, nil)
		batch.Set(record.Key(1, record.ClassTruncated), truncated, nil)
		batch.Set(record.Key(1, record.ClassApplied), applied, nil)
		batch.Set(record.Key(1, record.ClassMembers), nil, nil)
		batch.Set(record.Key(1, record.ClassReplica), binary.BigEndian.AppendUint64(nil, 1), nil)
		batch.Set(record.LogKey(1, 2), entry, nil)
		if err := batch.Commit(pebble.NoSync); err != nil {
			t.Fatal(err)
		}
		s.lanes = []*lane{newLane(s)}
		err := s.openGroups()
		if err != nil && !errors.Is(err, engine.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
