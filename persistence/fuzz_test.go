package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
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

// fuzzDB is an engine that a fuzz target writes into, without a store around it.
func fuzzDB(t testing.TB) *Store {
	s := newStore(Options{FS: vfs.NewMem(), Shards: 1, LogBytes: 1 << 20, Dir: "store",
		CacheBytes: 1 << 20}.withDefaults())
	s.metrics = newMetrics()
	s.expiry = newExpiry(s)
	var err error
	if s.db, err = pebble.Open("store", s.pebbleOptions()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	return s
}

// FuzzApply: an entry of the log is applied, refused or corrupt, the same way twice, and never a
// panic. What was applied changed one conversation by one revision.
func FuzzApply(f *testing.F) {
	for _, c := range []*wactorv1.Command{
		command(commitOf("shop/1", 0, put(seen, generation(1)+"id", ""), put(dueIndex, seq(1)+"t", ""))),
		command(commitOf("shop/2", 1)), {}, {Format: 1},
		{Command: &wactorv1.Command_ExpireSeen{ExpireSeen: &wactorv1.ExpireSeen{Before: 7}}},
	} {
		data, err := proto.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{0xff})
	s := fuzzDB(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var written [][]byte
		for range 2 {
			g := &group{shard: 1, db: s.db, log: &groupLog{}, revisions: newRevisionCache(10)}
			batch := s.db.NewBatch()
			applied, err := g.applyData(batch, data)
			if err != nil && !isRefusal(err) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
			if err != nil && !batch.Empty() {
				t.Fatalf("%v, but something is written", err)
			}
			var c wactorv1.Command
			if err == nil && proto.Unmarshal(data, &c) == nil && c.GetCommit() != nil &&
				applied.Revision != c.GetCommit().BaseRevision+1 {
				t.Fatalf("revision %d on %d", applied.Revision, c.GetCommit().BaseRevision)
			}
			written = append(written, bytes.Clone(batch.Repr()))
			batch.Close()
		}
		if !bytes.Equal(written[0], written[1]) {
			t.Fatal("applied twice, it wrote different things")
		}
	})
}

// FuzzOpenGroup: whatever lies where a group keeps its log, it is opened and led, or refused as
// corrupt or too new; never a panic.
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
		Data: marshal(command(commitOf("shop/1", 0)))})
	f.Add(hard, conf, position{1, 1}.encode(), position{1, 1}.encode(), entry)
	f.Add(hard, conf, position{1, 1}.encode(), position{2, 2}.encode(), entry)
	f.Add(hard, conf, position{3, 1}.encode(), position{2, 2}.encode(), []byte(nil))
	unknown := marshal(&raftpb.Entry{Index: proto.Uint64(2), Term: proto.Uint64(2), Data: []byte("002\x06000000")})
	f.Add(hard, conf, position{1, 1}.encode(), position{1, 1}.encode(), unknown)
	f.Add([]byte{1}, []byte{2}, []byte{3}, []byte{4}, []byte{5})
	f.Add([]byte(nil), marshal(&raftpb.ConfState{Voters: []uint64{1, 1}}), position{0, 0}.encode(),
		position{0, 0}.encode(), []byte{})
	s := fuzzDB(f)
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
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Fatal(err)
		}
	})
}
