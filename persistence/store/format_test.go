package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// proposeIn proposes a commit as an entry of a format.
func (r *rig) proposeIn(format uint32, c *wactorv1.Commit) error {
	entry := command(c)
	entry.Format = format
	out := make(chan error, 1)
	r.Propose(1, r.term(1), entry, func(_ uint64, err error) { out <- err })
	return <-out
}

// TestNoNodeWritesWhatOthersCanNotApply: neither what some other node does not know, nor what this
// one does not.
func TestNoNodeWritesWhatOthersCanNotApply(t *testing.T) {
	r := open(t, setup{format: 2})
	for i, step := range []struct{ allowed, format uint32 }{{0, 1}, {1, 2}, {9, 3}} {
		r.AllowFormat(step.allowed)
		wantErr(t, r.proposeIn(step.format, commitOf("shop/1", uint64(i))), ErrNewer)
		if revision, _ := r.load(1, "shop/1"); revision != uint64(i) {
			t.Fatalf("revision %d after an entry that was refused", revision)
		}
		if err := r.proposeIn(min(step.allowed, 2), commitOf("shop/1", uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOlderVersionStopsAtANewerEntry: it says which format it lacks and what to do, and harms
// nothing: the newer version goes on there.
func TestOlderVersionStopsAtANewerEntry(t *testing.T) {
	var unknown wactorv1.Command
	unknown.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.VarintType), 1))
	for name, entry := range map[string]*wactorv1.Command{
		"format": {Format: 7, Command: command(commitOf("shop/1", 1)).Command}, "kind": &unknown,
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewCrashableMem()
			newer := open(t, setup{FS: fs, Dir: "store", format: 7, KeepLog: true})
			newer.AllowFormat(7)
			newer.mustCommit(1, commitOf("shop/1", 0))
			newer.mustCommit(1, commitOf("shop/1", 1))
			cut := fs.CrashClone(vfs.CrashCloneCfg{}) // what was applied is applied again
			putEntry(t, cut, newer.last(1), entry)
			_, err := tryOpen(t, setup{FS: cut, Dir: "store"})
			wantErr(t, err, ErrNewer)
			applies := fmt.Sprint("applies up to ", EntryFormat)
			if text := err.Error(); !strings.Contains(text, applies) ||
				!strings.Contains(text, "run the version that the other nodes run") {
				t.Errorf("it says %q", text)
			}
			if name == "format" {
				again := open(t, setup{FS: cut, Dir: "store", format: 7})
				if revision, _ := again.load(1, "shop/1"); revision != 2 {
					t.Errorf("revision %d after the version is new again", revision)
				}
			}
		})
	}
}

// putEntry replaces the command of an entry of shard 1's log.
func putEntry(t *testing.T, fs vfs.FS, index uint64, command *wactorv1.Command) {
	t.Helper()
	db, err := engine.Open(engine.Options{Dir: "store", FS: fs, Fatal: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	value, closer, err := db.Get(record.LogKey(1, index))
	if err != nil {
		t.Fatal(err)
	}
	entry := &raftpb.Entry{}
	err = proto.Unmarshal(value, entry)
	closer.Close()
	if err == nil {
		entry.Data, err = proto.Marshal(command)
	}
	if err == nil {
		value, err = proto.Marshal(entry)
	}
	if err == nil {
		err = db.SyncedWrites(func(b *pebble.Batch) error { return b.Set(record.LogKey(1, index), value, nil) })
	}
	if err != nil {
		t.Fatal(err)
	}
}
