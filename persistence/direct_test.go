package persistence

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/persistence/record"
)

// logged counts the entries that a store has on its disk.
func logged(t *testing.T, s *Store, shard uint32) (entries int) {
	t.Helper()
	err := s.scan(record.Log(shard), func(_, _ []byte) error {
		entries++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
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
		if n := logged(t, alone.Store, 1); n > 0 {
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
		if n := logged(t, w.awaitLeader(1).Store, 1); n == 0 {
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
	if got, _ := loaded(t, alone.Store, 1, "shop/1"); got != revision {
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
	if n := logged(t, w.houses[0].Store, 1); n == 0 {
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
		r := open(t, Options{FS: fs, Dir: "store", keepLog: i%2 == 0})
		r.mustCommit(1, commitOf("shop/1", 2*i))
		r.mustCommit(1, commitOf("shop/1", 2*i+1))
		fs = fs.CrashClone(vfs.CrashCloneCfg{})
		r.Close()
	}
	if revision, _ := open(t, Options{FS: fs, Dir: "store"}).load(1, "shop/1"); revision != 16 {
		t.Fatalf("revision %d of 16", revision)
	}
}

// TestNewTermWhileAlone: whatever a stray replica says, the one that is alone leads again, and the
// next start finds positions that fit.
func TestNewTermWhileAlone(t *testing.T) {
	fs := vfs.NewCrashableMem()
	r := open(t, Options{FS: fs, Dir: "store", Shards: 1})
	for i := range uint64(5) {
		r.mustCommit(1, commitOf("shop/1", i))
	}
	l, term := r.lane(1), r.term(1)
	err := r.onLane(l, func() error {
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
		r.mustCommit(1, commitOf("shop/1", i))
	}
	again := open(t, Options{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "store", Shards: 1})
	if revision, _ := again.load(1, "shop/1"); revision != 10 {
		t.Fatalf("revision %d of 10", revision)
	}
}

// gatedSync holds up syncs of the log while it is armed.
type gatedSync struct {
	armed, arrived, open chan struct{}
}

func (g *gatedSync) String() string { return "gate" }

// MaybeError implements errorfs.Injector.
func (g *gatedSync) MaybeError(op errorfs.Op) error {
	if op.Kind == errorfs.OpFileSyncData && strings.HasSuffix(op.Path, ".log") {
		select {
		case <-g.armed:
			close(g.arrived)
			<-g.open
		default:
		}
	}
	return nil
}

// TestReadersSeeWhatIsOnTheDisk: the engine shows a batch before it is synced. Who reads of it gets
// it only then.
func TestReadersSeeWhatIsOnTheDisk(t *testing.T) {
	checkLeaks(t)
	g := &gatedSync{make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
	disk := vfs.NewCrashableMem()
	r := open(t, Options{FS: errorfs.Wrap(disk, g), Dir: "store", Shards: 2})
	r.mustCommit(2, commitOf("shop/2", 0))
	release := sync.OnceFunc(func() { close(g.open) })
	defer release()
	g.armed <- struct{}{}
	committed := r.start(1, commitOf("shop/1", 0, put(seen, generation(1)+"id", "")))
	<-g.arrived
	// the engine shows a batch while it is being synced, and sometimes only after the sync began
	awaitShown := func() bool {
		for range 10_000 {
			if exists, err := r.exists(1, "shop/1"); err != nil || exists {
				return err == nil
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if !awaitShown() {
		t.Fatal("the engine does not show the batch")
	}
	reads := make(chan string, 3)
	go func() {
		revision, _ := loaded(t, r.Store, 1, "shop/1")
		reads <- fmt.Sprint("revision ", revision)
	}()
	go func() {
		known, err := r.Seen(1, "shop/1", 1, "id")
		reads <- fmt.Sprint("seen ", known, ", ", err)
	}()
	go func() {
		enough := errors.New("enough")
		err := r.Scan(1, "shop/1", head, func(_, _ []byte) error { return enough })
		reads <- fmt.Sprint("scanned ", errors.Is(err, enough))
	}()
	if revision, _ := r.load(2, "shop/2"); revision != 1 { // another shard's readers do not wait
		t.Fatalf("revision %d", revision)
	}
	select {
	case read := <-reads:
		t.Fatalf("%s, which is not on the disk", read)
	case <-committed:
		t.Fatal("a commit was acknowledged before it was synced")
	case <-time.After(50 * time.Millisecond): // time enough to do it wrong
	}
	lost := open(t, Options{FS: disk.CrashClone(vfs.CrashCloneCfg{}), Dir: "store", Shards: 2})
	if revision, _ := lost.load(1, "shop/1"); revision != 0 {
		t.Fatal("the batch was on the disk before it was synced")
	}
	release()
	if o := <-committed; o.err != nil {
		t.Fatal(o.err)
	}
	got := map[string]bool{<-reads: true, <-reads: true, <-reads: true}
	if !got["revision 1"] || !got["seen true, <nil>"] || !got["scanned true"] {
		t.Fatalf("read: %v", got)
	}
}

// TestLargeRoundIsAppliedWhole: entries that are nowhere but in the cache are not dropped from it,
// however many there are.
func TestLargeRoundIsAppliedWhole(t *testing.T) {
	r := open(t, Options{Shards: 1})
	large := string(make([]byte, 500_000))
	var outcomes []<-chan outcome
	for i := range uint64(30) { // more than the cache holds, and more than the consensus core hands out at once
		outcomes = append(outcomes, r.start(1, commitOf("shop/1", i, put(state, "", large))))
	}
	for _, out := range outcomes {
		if o := <-out; o.err != nil {
			t.Fatal(o.err)
		}
	}
	l := r.lane(1).groups[1].log
	if err := r.onLane(r.lane(1), func() error {
		if len(l.cache.entries) > 0 || l.truncated != l.last {
			return fmt.Errorf("%d entries are kept, from %v to %v", len(l.cache.entries), l.truncated, l.last)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
