package replication

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/persistence/record"
)

// logged counts the entries that a store has on its disk.
func logged(s *Store, shard uint32) (entries int) {
	s.scan(record.Log(shard), func(_, _ []byte) { entries++ })
	return entries
}

// TestGroupsComeAndGoBetweenOneAndThree: who is alone keeps no log, and has one again, from where
// it is, as soon as there are others.
func TestGroupsComeAndGoBetweenOneAndThree(t *testing.T) {
	w := newTown(t, 3, 1)
	revision := uint64(0)
	commit := func() {
		for range 5 {
			w.mustCommit(1, "shop/1", revision)
			revision++
		}
	}
	restart := func(h *house) {
		h.crash()
		h.open(false)
	}
	alone := w.houses[0]
	for round := range 6 {
		commit()
		if n := logged(alone.Store, 1); n > 0 {
			t.Fatalf("round %d: who is alone has %d entries in its log", round, n)
		}
		if round%2 == 0 {
			restart(alone)
			if round%4 == 0 {
				commit()
				restart(alone)
			}
		}
		w.spread(1)
		if round%3 == 0 {
			restart(alone)
		}
		commit()
		if n := logged(w.awaitLeader(1).Store, 1); n == 0 {
			t.Fatalf("round %d: no log where there are others", round)
		}
		w.checkEqual(1)
		alone = w.awaitLeader(1)
		var others []uint64
		for _, m := range alone.group(1).Members {
			if m.Node != alone.Node() {
				others = append(others, m.Replica)
			}
		}
		w.change(1, Change{Remove: others})
		w.run(5)
		for _, h := range w.houses {
			if g := h.group(1); h != alone && g != nil {
				if err := h.DestroyReplica(1, g.Replica); err != nil {
					t.Fatal(err)
				}
			}
		}
		if round%2 == 1 {
			restart(alone)
		}
	}
	commit()
	if got := alone.counter(1, "shop/1"); got != revision {
		t.Fatalf("revision %d of %d", got, revision)
	}
}

// TestDeathRightAfterTheFirstLearner: the entry that makes another replica is in the log, and the
// log goes on behind it.
func TestDeathRightAfterTheFirstLearner(t *testing.T) {
	w := newTown(t, 2, 1)
	for i := range uint64(20) {
		w.mustCommit(1, "shop/1", i)
	}
	w.change(1, Change{Add: w.houses[1].Node()})
	w.await("a snapshot", func() bool { return w.houses[1].group(1).Applied == w.houses[0].group(1).Applied })
	if n := logged(w.houses[0].Store, 1); n == 0 {
		t.Fatal("there is another replica, and no log")
	}
	w.houses[0].crash()
	w.houses[0].open(false)
	w.mustCommit(1, "shop/1", 20)
	w.checkEqual(1)
}

// TestLogGivesWayToDirectWritesAndBack: stores with a log, and without, open each other's disks.
func TestLogGivesWayToDirectWritesAndBack(t *testing.T) {
	fs := vfs.NewCrashableMem()
	for i := range uint64(8) {
		r := open(t, setup{FS: fs, Dir: "store", Options: Options{KeepLog: i%2 == 0}})
		r.mustCommit(1, step{"shop/1", 2 * i, ""})
		r.mustCommit(1, step{"shop/1", 2*i + 1, ""})
		fs = fs.CrashClone(vfs.CrashCloneCfg{})
		r.Close()
	}
	if revision := open(t, setup{FS: fs, Dir: "store"}).counter(1, "shop/1"); revision != 16 {
		t.Fatalf("revision %d of 16", revision)
	}
}

// TestNewTermWhileAlone: whatever a stray replica says, the one that is alone leads again, and the
// next start finds positions that fit.
func TestNewTermWhileAlone(t *testing.T) {
	fs := vfs.NewCrashableMem()
	r := open(t, setup{FS: fs, Dir: "store", Options: Options{Shards: 1}})
	for i := range uint64(5) {
		r.mustCommit(1, step{"shop/1", i, ""})
	}
	l, term := r.lane(1), r.term(1)
	err := l.do(func() error {
		g := l.groups[1]
		stray := &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: new(uint64(9)), To: new(g.replica),
			Term: new(term + 3), Commit: new(uint64(0))}
		l.activate(g)
		return g.node.Step(stray)
	})
	if err != nil {
		t.Fatal(err)
	}
	for r.term(1) < term+4 {
		time.Sleep(time.Millisecond)
	}
	for i := uint64(5); i < 10; i++ {
		r.mustCommit(1, step{"shop/1", i, ""})
	}
	again := open(t, setup{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "store", Options: Options{Shards: 1}})
	if revision := again.counter(1, "shop/1"); revision != 10 {
		t.Fatalf("revision %d of 10", revision)
	}
}

// TestLargeRoundIsAppliedWhole: entries that are nowhere but in the cache are not dropped from it,
// however many there are.
func TestLargeRoundIsAppliedWhole(t *testing.T) {
	r := open(t, setup{Options: Options{Shards: 1}})
	large := string(make([]byte, 500_000))
	var outcomes []<-chan outcome
	for i := range uint64(30) { // more than the cache holds, and more than the consensus core hands out at once
		outcomes = append(outcomes, r.start(1, step{"shop/1", i, large}))
	}
	for _, out := range outcomes {
		if o := <-out; o.err != nil {
			t.Fatal(o.err)
		}
	}
	l := r.lane(1).groups[1].log
	if err := r.lane(1).do(func() error {
		if len(l.cache.entries) > 0 || l.truncated != l.last {
			return fmt.Errorf("%d entries are kept, from %v to %v", len(l.cache.entries), l.truncated, l.last)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
