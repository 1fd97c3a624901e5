package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func onMemoryAndDisk(t *testing.T, test func(t *testing.T, options setup)) {
	t.Run("memory", func(t *testing.T) {
		checkLeaks(t)
		test(t, setup{FS: vfs.NewMem(), Dir: "store"})
	})
	t.Run("disk", func(t *testing.T) {
		checkLeaks(t)
		test(t, setup{Dir: t.TempDir()})
	})
}

func TestCommitsAreLoadedAlsoAfterARestart(t *testing.T) {
	onMemoryAndDisk(t, func(t *testing.T, options setup) {
		r := open(t, options)
		r.mustCommit(3, commitOf("shop/1", 0, put(state, "", "{}"), put(inbox, seq(2), "b"), put(inbox, seq(1), "a"),
			put(journal, seq(1), "j")))
		r.mustCommit(3, commitOf("shop/12", 0)) // a neighbour whose name begins alike
		second := commitOf("shop/1", 1, put(state, "", "{1}"))
		second.Deletes = []*wactorv1.Key{key(inbox, seq(1))}
		r.mustCommit(3, second)
		want := []stored{{head, "", "head 2"}, {state, "", "{1}"}, {inbox, seq(2), "b"}}
		for range 3 {
			revision, records := r.load(3, "shop/1")
			if diff := cmp.Diff(want, records); diff != "" || revision != 2 {
				t.Fatalf("revision %d, records (-want +got):\n%s", revision, diff)
			}
			if diff := cmp.Diff([]stored{{journal, seq(1), "j"}}, r.scanned(3, "shop/1", journal)); diff != "" {
				t.Fatal(diff)
			}
			if revision, records := r.load(2, "shop/1"); revision != 0 || records != nil {
				t.Fatalf("another shard holds revision %d, %v", revision, records)
			}
			before := r.term(3)
			r = r.restart()
			if r.term(3) <= before {
				t.Fatalf("term %d follows term %d", r.term(3), before)
			}
		}
		r.mustCommit(3, commitOf("shop/1", 2))
	})
}

func TestStaleRevisionIsRefused(t *testing.T) {
	r := open(t, setup{})
	r.mustCommit(1, commitOf("shop/1", 0))
	for _, base := range []uint64{0, 2, 9} {
		wantErr(t, r.commit(1, commitOf("shop/1", base)), ErrStale)
	}
	wantErr(t, r.commit(1, commitOf("shop/2", 1)), ErrStale)
	if revision, _ := r.load(1, "shop/1"); revision != 1 {
		t.Fatalf("revision %d after refused commits", revision)
	}
}

// TestCommitBehindAForeignOneIsRefused: an activation ends with two commits under way, and the next
// one, which has read what was there before them, pipelines three of its own. The third names the
// revision that the older ones make.
func TestCommitBehindAForeignOneIsRefused(t *testing.T) {
	r := open(t, setup{})
	r.mustCommit(1, commitOf("shop/1", 0))
	chained := func(chain, base uint64, follows bool) *wactorv1.Commit {
		c := commitOf("shop/1", base, put(state, "", fmt.Sprint(chain)))
		c.Chain, c.Follows = chain, follows
		return c
	}
	for i, step := range []struct {
		commit *wactorv1.Commit
		want   error
	}{
		{chained(7, 1, false), nil},
		{chained(7, 2, true), nil},
		{chained(8, 1, false), ErrStale},
		{chained(8, 2, true), ErrStale},
		{chained(8, 3, true), ErrStale},
		{chained(7, 3, true), nil},
		{chained(9, 4, false), nil}, // it has read what the others made
		{chained(7, 4, true), ErrStale},
		{chained(7, 5, true), ErrStale},
		{chained(9, 5, true), nil},
	} {
		if i%2 == 1 {
			r = r.restart() // the chain is on the disk
		}
		if err := r.commit(1, step.commit); !errors.Is(err, step.want) {
			t.Fatalf("commit %d: %v, want %v", i, err, step.want)
		}
	}
}

func TestMalformedCommandIsRefused(t *testing.T) {
	r := open(t, setup{})
	headless := &wactorv1.Commit{Conversation: "shop/1", Puts: []*wactorv1.Put{put(state, "", "x")}}
	deletesHead := commitOf("shop/1", 0)
	deletesHead.Deletes = []*wactorv1.Key{key(head, "")}
	for name, c := range map[string]*wactorv1.Command{
		"empty":           {},
		"nil commit":      {Command: &wactorv1.Command_Commit{}},
		"no conversation": command(commitOf("", 0)),
		"no head":         command(headless),
		"head is deleted": command(deletesHead),
		"head with suffix": command(&wactorv1.Commit{Conversation: "shop/1", Puts: []*wactorv1.Put{put(head, "x",
			"")}}),
		"state suffix":     command(commitOf("shop/1", 0, put(state, "x", ""))),
		"unknown kind":     command(commitOf("shop/1", 0, put(99, "x", ""))),
		"short generation": command(commitOf("shop/1", 0, put(seen, "abcd", ""))),
		"short due time":   command(commitOf("shop/1", 0, put(dueIndex, "12345678", ""))),
	} {
		out := make(chan error, 1)
		r.Propose(1, r.term(1), c, func(_ uint64, err error) { out <- err })
		if err := <-out; !errors.Is(err, replication.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.mustCommit(1, commitOf("shop/1", 0)) // and the log goes on
	r.restart()
}

func TestPipelinedCommitsAreAChain(t *testing.T) {
	checkLeaks(t)
	r := open(t, setup{})
	var outcomes []<-chan outcome
	for i := range uint64(500) {
		outcomes = append(outcomes, r.start(1, commitOf("shop/1", i, put(inbox, seq(i), "m"))))
	}
	for i, out := range outcomes {
		if o := <-out; o.err != nil || o.Revision != uint64(i)+1 {
			t.Fatalf("commit %d: %v", i, o)
		}
	}
	if revision, records := r.load(1, "shop/1"); revision != 500 || len(records) != 501 {
		t.Fatalf("revision %d, %d records", revision, len(records))
	}
}

func TestChainEndsWhereOneLinkFails(t *testing.T) {
	r := open(t, setup{})
	var outcomes []<-chan outcome
	for i := range uint64(20) {
		base := i
		if i == 7 {
			base = 99
		}
		outcomes = append(outcomes, r.start(1, commitOf("shop/1", base, put(inbox, seq(i), "m"))))
	}
	for i, out := range outcomes {
		switch o := <-out; {
		case i < 7 && o.err != nil:
			t.Fatalf("link %d: %v", i, o.err)
		case i >= 7 && !errors.Is(o.err, ErrStale):
			t.Fatalf("link %d behind the broken one: %v", i, o.err)
		}
	}
	if revision, records := r.load(1, "shop/1"); revision != 7 || len(records) != 8 {
		t.Fatalf("revision %d, %d records", revision, len(records))
	}
}

func TestProposalOfAnotherTermIsRefused(t *testing.T) {
	r := open(t, setup{})
	old := r.term(1)
	r = r.restart()
	for _, term := range []uint64{0, old, r.term(1) + 1} {
		wantErr(t, (<-r.startIn(1, term, commitOf("shop/1", 0))).err, replication.ErrNotLeader)
	}
	for _, shard := range []uint32{5, 1 << 31} {
		wantErr(t, (<-r.startIn(shard, r.term(1), commitOf("shop/1", 0))).err, replication.ErrNotLeader)
	}
	r.mustCommit(1, commitOf("shop/1", 0))
}

// TestOverloadIsRefused holds the lane up in a callback, so that what is proposed meanwhile waits.
func TestOverloadIsRefused(t *testing.T) {
	for name, options := range map[string]setup{"proposals": {MaxQueue: 3}, "bytes": {MaxQueueBytes: 3000}} {
		t.Run(name, func(t *testing.T) {
			r := open(t, options)
			held, release := make(chan struct{}), make(chan struct{})
			r.Propose(1, r.term(1), command(commitOf("shop/0", 0)), func(uint64, error) {
				close(held)
				<-release
			})
			<-held
			var outcomes []<-chan outcome
			for i := range 4 {
				outcomes = append(outcomes, r.start(1, commitOf(fmt.Sprintf("shop/%d", i+1), 0, put(state, "",
					string(make([]byte, 900))))))
			}
			wantErr(t, (<-outcomes[3]).err, replication.ErrOverloaded) // at once, while the lane is held
			close(release)
			for _, out := range outcomes[:3] {
				if o := <-out; o.err != nil {
					t.Fatal(o.err)
				}
			}
			r.mustCommit(1, commitOf("shop/4", 0))
		})
	}
}

func TestTooLargeIsRefused(t *testing.T) {
	if raced {
		t.Skip("32 MiB take most of a minute under the race detector, which has nothing to find here")
	}
	r := open(t, setup{})
	wantErr(t, r.commit(1, commitOf("shop/1", 0, put(state, "", string(make([]byte, replication.MaxCommand))))),
		replication.ErrTooLarge)
	r.mustCommit(1, commitOf("shop/1", 0, put(state, "", string(make([]byte, replication.MaxCommand-1000)))))
	r = r.restart()
	if _, records := r.load(1, "shop/1"); len(records) != 2 || len(records[1].Value) != replication.MaxCommand-1000 {
		t.Fatalf("%d records", len(records))
	}
}

func TestCloseAnswersWhatWaits(t *testing.T) {
	checkLeaks(t)
	r := open(t, setup{Shards: 1})
	held, release := make(chan struct{}), make(chan struct{})
	r.Propose(1, r.term(1), command(commitOf("shop/0", 0)), func(uint64, error) {
		close(held)
		<-release
	})
	<-held
	var outcomes []<-chan outcome
	for i := range 100 {
		outcomes = append(outcomes, r.start(1, commitOf(fmt.Sprintf("shop/%d", i+1), 0)))
	}
	closed := make(chan error, 1)
	go func() { closed <- r.Close() }()
	stray := replication.Message{Shard: 1, Message: &raftpb.Message{
		Type: raftpb.MsgHeartbeat.Enum(), From: new(uint64(8)), To: new(uint64(9)), Term: new(uint64(1)),
	}}
	for !errors.Is(r.Receive(stray), replication.ErrClosed) { // Close has begun once the lane takes nothing more
		time.Sleep(time.Millisecond)
	}
	close(release)
	for i, out := range outcomes {
		if o := <-out; o.err != nil && !errors.Is(o.err, replication.ErrClosed) {
			t.Fatalf("proposal %d: %v", i, o.err)
		}
	}
	if err := errors.Join(<-closed, r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	wantErr(t, (<-r.start(1, commitOf("shop/1", 0))).err, replication.ErrClosed)
	_, err := r.Load(1, "shop/1", nil)
	wantErr(t, err, replication.ErrClosed)
	_, err = r.Seen(1, "shop/1", 1, "id")
	wantErr(t, err, replication.ErrClosed)
	wantErr(t, r.Work(1, nil), replication.ErrClosed)
	wantErr(t, r.Due(1, 1, nil), replication.ErrClosed)
	wantErr(t, r.Conversations(1, "", nil), replication.ErrClosed)
	wantErr(t, r.Scan(1, "shop/1", journal, nil), replication.ErrClosed)
}

func TestReadInsideARead(t *testing.T) {
	r := open(t, setup{Shards: 1})
	r.mustCommit(1, commitOf("shop/1", 0, put(workIndex, "", "")))
	closed := make(chan error, 1)
	err := r.Work(1, func(conversation string) error {
		go func() { closed <- r.Close() }()
		for _, err := r.Seen(1, "x", 1, "y"); !errors.Is(err, replication.ErrClosed); _, err = r.Seen(1, "x", 1, "y") {
			if err != nil {
				return err
			}
		}
		_, err := r.Load(1, conversation, nil)
		return err
	})
	wantErr(t, err, replication.ErrClosed)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryOfAnotherConfigurationIsRefused(t *testing.T) {
	checkLeaks(t)
	options := setup{FS: vfs.NewMem(), Dir: "store", Shards: 2}
	r := open(t, options)
	r.Close()
	for _, other := range []setup{{Shards: 3}} {
		other.FS, other.Dir = options.FS, options.Dir
		_, err := tryOpen(t, other)
		wantErr(t, err, replication.ErrMismatch)
	}
	for _, shards := range []int{-1, 4097} {
		_, err := tryOpen(t, setup{Shards: shards})
		wantErr(t, err, replication.ErrMismatch)
	}
	open(t, options)
}

// TestConversationsAreNamed: all of a shard, also those behind any of them, whatever bytes their
// names have.
func TestConversationsAreNamed(t *testing.T) {
	r := open(t, setup{Shards: 2})
	dead := wactorv1.RecordKind_RECORD_KIND_DEAD
	names := []string{"shop/", "shop/1", "shop/1\x00", "shop/1\x002", "shop/10", "shop/2", "shop/é"}
	var all []string
	for i, name := range names {
		commit := commitOf(name, 0, put(journal, seq(1), "j"), put(workIndex, "", ""))
		if i%2 == 0 {
			commit.Puts = append(commit.Puts, put(dead, seq(uint64(i+1)), "letter"))
		}
		r.mustCommit(1, commit)
		r.mustCommit(2, commitOf(fmt.Sprint("other/", i), 0, put(dead, seq(1), "letter")))
		all = append(all, fmt.Sprintf("%q %v", name, i%2 == 0))
	}
	if err := r.db.Flush(); err != nil {
		t.Fatal(err)
	}
	for i, behind := range append([]string{""}, names...) {
		var got []string
		err := r.Conversations(1, behind, func(name string, letters bool) error {
			got = append(got, fmt.Sprintf("%q %v", name, letters))
			return nil
		})
		if diff := cmp.Diff(strings.Join(all[i:], "\n"), strings.Join(got, "\n")); diff != "" || err != nil {
			t.Errorf("behind %q: %v\n%s", behind, err, diff)
		}
	}
	enough := errors.New("enough")
	wantErr(t, r.Conversations(1, "", func(string, bool) error { return enough }), enough)
}
