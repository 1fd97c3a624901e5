package persistence

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/encoding/protowire"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// proposeIn proposes a commit as an entry of a format.
func (r *rig) proposeIn(format uint32, c *wactorv1.Commit) error {
	entry := command(c)
	entry.Format = format
	out := make(chan error, 1)
	r.Propose(1, r.term(1), entry, func(_ Applied, err error) { out <- err })
	return <-out
}

// TestNobodyWritesWhatOthersCanNotApply: neither what some other node does not know, nor what this
// one does not.
func TestNobodyWritesWhatOthersCanNotApply(t *testing.T) {
	r := open(t, Options{format: 2})
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
			newer := open(t, Options{FS: fs, Dir: "store", format: 7, keepLog: true})
			newer.AllowFormat(7)
			newer.mustCommit(1, commitOf("shop/1", 0))
			data, err := marshal(entry)
			if err != nil {
				t.Fatal(err)
			}
			// A version that knows the kind would not refuse it; here it is handed to the log as it
			// is.
			done := make(chan error, 1)
			known := command(commitOf("shop/1", 1))
			if err := newer.lane(1).post(&proposal{shard: 1, term: newer.term(1), command: known, data: data,
				done: func(_ Applied, err error) { done <- err }}); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			cut := fs.CrashClone(vfs.CrashCloneCfg{}) // what was applied is applied again
			_, err = tryOpen(t, Options{FS: cut, Dir: "store"})
			wantErr(t, err, ErrNewer)
			if text := err.Error(); !strings.Contains(text, "applies up to 0") || !strings.Contains(text,
				"run the version that the other nodes run") {
				t.Errorf("it says %q", text)
			}
			if name == "format" {
				again := open(t, Options{FS: cut, Dir: "store", format: 7})
				if revision, _ := again.load(1, "shop/1"); revision != 2 {
					t.Errorf("revision %d after the version is new again", revision)
				}
			}
		})
	}
}
