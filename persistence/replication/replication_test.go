package replication

import (
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
)

func TestOneGrowsToThree(t *testing.T) {
	w := newTown(t, 3, 2)
	w.mustCommit(1, "shop/1", 0)
	w.spread(1)
	w.mustCommit(1, "shop/1", 1)
	w.checkEqual(1)
	if g := w.awaitLeader(1).group(1); len(g.Members) != 3 || g.Joint {
		t.Errorf("members: %+v", g)
	}
	// Another shard is untouched.
	if g := w.houses[1].group(2); g != nil {
		t.Errorf("shard 2: %+v", g)
	}
}

func TestAnyOneMayDie(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	for round := range uint64(9) {
		w.mustCommit(1, "shop/1", 2*round)
		h := w.awaitLeader(1)
		if round%3 == 2 {
			h = w.houses[w.random.IntN(3)]
		}
		h.crash()
		w.mustCommit(1, "shop/1", 2*round+1)
		h.open(false)
		w.run(5)
	}
	w.checkEqual(1)
}

func TestAllDieAtOnce(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	for round := range uint64(5) {
		w.mustCommit(1, "shop/1", round)
		for _, h := range w.houses {
			h.crash()
		}
		w.wires = nil
		for _, h := range w.houses {
			h.open(false)
		}
	}
	if err := w.commit(1, "shop/1", 4); !errors.Is(err, errStale) {
		t.Errorf("an old revision: %v", err)
	}
	w.checkEqual(1)
}

func TestWhoIsFarBehindGetsASnapshot(t *testing.T) {
	w := newTown(t, 3, 1)
	w.tune = func(o *Options) { o.Limits.LogBytes = 4000 }
	for _, h := range w.houses[:1] {
		h.Close()
		h.open(false)
	}
	w.spread(1)
	away := w.houses[2]
	if w.awaitLeader(1) == away {
		away = w.houses[1]
	}
	away.crash()
	w.run(20) // no replica waits for it
	for i := range uint64(200) {
		w.mustCommit(1, "shop/1", i)
	}
	first, _ := w.awaitLeader(1).lane(1).groups[1].log.FirstIndex()
	away.open(false)
	if last := away.group(1).Last; last >= first {
		t.Fatalf("the log from %d reaches who has %d", first, last)
	}
	w.checkEqual(1)
	away.crash() // what was installed is on the disk
	away.open(false)
	w.checkEqual(1)
	w.mustCommit(1, "shop/1", 200)
	w.checkEqual(1)
}

func TestPausedLeaderHasNoLease(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	old := w.awaitLeader(1)
	w.run(20)
	term := old.leads[1].Term
	old.paused = true
	w.await("another leader", func() bool { return w.leader(1) != nil })
	if old.Leased(1, term) {
		t.Error("the old leader has a lease")
	}
	// It wakes up, and reads what waited in its sockets: answers to its last heartbeats.
	old.paused = false
	for _, one := range w.wires {
		if one.to == old {
			_ = old.Receive(one.m)
		}
	}
	old.drive()
	if old.Leased(1, term) {
		t.Error("answers of long ago made a lease")
	}
	w.wires = nil
	w.run(20)
	if w.awaitLeader(1) == old || old.leads[1].Ready {
		t.Error("the old leader still leads")
	}
}

// TestNoVoteLeavesUnderALease: a leader that receives a later term, and is asked for its vote in
// it, before it does anything else.
func TestNoVoteLeavesUnderALease(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	old := w.awaitLeader(1)
	w.run(20)
	term, group := old.leads[1].Term, old.group(1)
	other := group.Members[0]
	if other.Node == old.Node() {
		other = group.Members[1]
	}
	votes := 0
	w.cut = func(from, _ *house) bool {
		if from == old && !old.lane(1).groups[1].leads() {
			if votes++; old.Leased(1, term) {
				t.Error("who has a lease speaks in a later term")
			}
		}
		return true
	}
	later := func(kind raftpb.MessageType) *raftpb.Message {
		return &raftpb.Message{
			Type: kind.Enum(), From: new(other.Replica), To: new(group.Replica), Term: new(term + 1),
			Index: new(group.Last), LogTerm: new(term),
		}
	}
	for _, kind := range []raftpb.MessageType{raftpb.MsgAppResp, raftpb.MsgVote} {
		if err := old.Receive(Message{Shard: 1, Node: other.Node, Message: later(kind)}); err != nil {
			t.Fatal(err)
		}
	}
	old.drive()
	if votes == 0 {
		t.Error("it did not vote")
	}
}

func TestCutOffLeaderCannotCommit(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	old := w.awaitLeader(1)
	w.cut = func(from, to *house) bool { return from == old || to == old }
	var outcome error
	old.Propose(1, old.leads[1].Term, (step{"shop/1", 0, ""}), func(_ uint64, err error) { outcome = err })
	old.drive()
	w.run(40)
	if !errors.Is(outcome, ErrUnknown) || old.leads[1].Ready {
		t.Errorf("cut off: %v, %+v", outcome, old.leads[1])
	}
	w.mustCommit(1, "shop/1", 0)
	w.cut = func(_, _ *house) bool { return false }
	w.run(20)
	w.checkEqual(1)
}

func TestLeadershipIsTransferred(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	w.run(20)
	from := w.awaitLeader(1)
	for _, m := range from.group(1).Members {
		if m.Node != from.Node() {
			if err := from.TransferLeadership(1, from.leads[1].Term, m.Replica); err != nil {
				t.Fatal(err)
			}
			if from.Leased(1, from.leads[1].Term) {
				t.Error("a lease during the transfer")
			}
			from.drive()
			w.settle()
			if to := w.house(m.Node); w.awaitLeader(1) != to {
				t.Error("it was not taken")
			}
			break
		}
	}
	w.mustCommit(1, "shop/1", 0)
}

// TestLoneReplicaMovesThoughTheEndIsLost: the only replica is replaced by another one, which is not
// notified that the joint configuration has ended, and so needs a vote of the first one still.
func TestLoneReplicaMovesThoughTheEndIsLost(t *testing.T) {
	w := newTown(t, 2, 1)
	old, successor := w.houses[0], w.houses[1]
	w.mustCommit(1, "shop/1", 0)
	w.change(1, Change{Add: successor.Node()})
	w.await("the learner", func() bool { return successor.group(1).Applied >= old.group(1).Commit })
	joint := old.group(1).Last + 1
	w.cut = func(from, _ *house) bool {
		g := from.group(1)
		return from == old && (g == nil || g.Last > joint && g.Commit == g.Last)
	}
	err := old.ChangeReplicas(1, old.leads[1].Term, Change{Promote: []uint64{successor.group(1).Replica},
		Remove: []uint64{old.group(1).Replica}})
	if err != nil {
		t.Fatal(err)
	}
	w.await("the end of leadership", func() bool { return !old.leads[1].Ready })
	w.run(5)
	if !successor.group(1).Joint {
		t.Fatal("the end was received")
	}
	w.cut = func(_, _ *house) bool { return false }
	if w.awaitLeader(1) != successor {
		t.Error("leadership did not move")
	}
	w.mustCommit(1, "shop/1", 1)
	w.change(1, Change{Remove: []uint64{old.group(1).Replica}})
}

// TestWhoRefusesAVoteTellsWhatIsCommitted: the one that leaves has entries behind the one that ends
// the joint configuration, and so refuses its vote to the successor, which needs it for as long as
// it does not know of that end.
func TestWhoRefusesAVoteTellsWhatIsCommitted(t *testing.T) {
	w := newTown(t, 2, 1)
	old, successor := w.houses[0], w.houses[1]
	w.change(1, Change{Add: successor.Node()})
	w.await("the learner", func() bool { return successor.group(1).Applied >= old.group(1).Commit })
	term, end := old.leads[1].Term, old.group(1).Last+2
	w.cut = func(from, _ *house) bool {
		return from == old && from.group(1).Last >= end && from.group(1).Commit >= end
	}
	err := old.ChangeReplicas(1, term, Change{Promote: []uint64{successor.group(1).Replica},
		Remove: []uint64{old.group(1).Replica}})
	if err != nil {
		t.Fatal(err)
	}
	old.drive()
	if g := old.group(1); !g.Joint || g.Last != end {
		t.Fatalf("not about to leave: %+v, want the end at %d", g, end)
	}
	old.Propose(1, term, (step{"shop/1", 0, ""}), func(uint64, error) {})
	old.drive()
	w.wires = slices.DeleteFunc(w.wires, func(one wire) bool {
		n := len(one.m.Entries)
		return n > 0 &&
			one.m.Entries[n-1].GetIndex() > end
	})
	w.settle()
	w.await("the end of leadership", func() bool { return !old.leads[1].Ready })
	if g := old.group(1); successor.group(1).Last >= g.Last || successor.group(1).Commit >= end {
		t.Fatalf("the successor has %+v of %+v", successor.group(1), g)
	}
	w.cut = func(_, _ *house) bool { return false }
	w.await("the successor", func() bool { return w.leader(1) == successor })
	successor.crash()
	successor.open(false)
	w.mustCommit(1, "shop/1", 0)
}

// TestLateWordToTakeOverIsNotFollowed: the replica that should become leader is notified only when
// the leader has given up waiting and has a lease again. So is the other one, of whom a vote is
// asked.
func TestLateWordToTakeOverIsNotFollowed(t *testing.T) {
	for _, late := range []raftpb.MessageType{raftpb.MsgTimeoutNow, raftpb.MsgVote} {
		t.Run(late.String(), func(t *testing.T) {
			w := newTown(t, 3, 1)
			w.spread(1)
			w.run(20)
			from := w.awaitLeader(1)
			successor := from.group(1).Members[0]
			if successor.Node == from.Node() {
				successor = from.group(1).Members[1]
			}
			if err := from.TransferLeadership(1, from.leads[1].Term, successor.Replica); err != nil {
				t.Fatal(err)
			}
			from.drive()
			var held []wire
			for range 3 {
				wires := w.wires
				w.wires = nil
				for _, one := range wires {
					if one.m.GetType() == late {
						held = append(held, one)
						continue
					}
					if err := one.to.Receive(one.m); err != nil {
						t.Fatal(err)
					}
					one.to.drive()
				}
			}
			if len(held) == 0 {
				t.Fatal("nothing was said")
			}
			if late == raftpb.MsgVote {
				w.cut = func(a, _ *house) bool { return a.Node() == successor.Node } // it asks in vain
			}
			w.await("the old leadership", func() bool { return from.Leased(1, from.leads[1].Term) })
			w.cut = func(_, _ *house) bool { return false }
			w.wires = append(w.wires, held...)
			w.settle()
			if w.leader(1) != from {
				t.Error("leadership was taken")
			}
		})
	}
}

// TestNewestChangeTellsThatTheOneBeforeIsCommitted: a replica that has the entry that ends a joint
// configuration knows after a crash, too, that it was entered. Here the successor would take itself
// for a learner otherwise, as the other one does, and none would stand.
func TestNewestChangeTellsThatTheOneBeforeIsCommitted(t *testing.T) {
	w := newTown(t, 2, 1)
	old, successor := w.houses[0], w.houses[1]
	w.change(1, Change{Add: successor.Node()})
	w.await("the learner", func() bool { return successor.group(1).Applied >= old.group(1).Commit })
	end := old.group(1).Last + 2
	err := old.ChangeReplicas(1, old.leads[1].Term, Change{Promote: []uint64{successor.group(1).Replica},
		Remove: []uint64{old.group(1).Replica}})
	if err != nil {
		t.Fatal(err)
	}
	w.cut = func(from, _ *house) bool { return from == old && from.group(1).Commit >= end }
	old.drive()
	for _, one := range w.wires { // in one go: the last one tells that the change is committed, and brings its end
		if err := successor.Receive(one.m); err != nil {
			t.Fatal(err)
		}
	}
	w.wires = nil
	successor.drive()
	w.await("the end of leadership", func() bool { return !old.leads[1].Ready })
	if g := successor.group(1); g.Last != end || g.Commit >= end {
		t.Fatalf("the successor has %+v, want the end at %d", g, end)
	}
	successor.fs = successor.fs.CrashClone(vfs.CrashCloneCfg{}) // nothing that was not synced is left
	successor.Close()
	successor.open(false)
	w.cut = func(_, _ *house) bool { return false }
	w.await("the successor", func() bool { return w.leader(1) == successor })
}

func TestReplicaMovesAndLeavesNothing(t *testing.T) {
	w := newTown(t, 4, 1)
	fourth := w.houses[3]
	w.houses = w.houses[:3]
	w.spread(1)
	w.houses = append(w.houses, fourth)
	w.mustCommit(1, "shop/1", 0)
	leader := w.awaitLeader(1)
	leaver := w.houses[0]
	if leaver == leader {
		leaver = w.houses[1]
	}
	old, next := leaver.group(1).Replica, leader.group(1).Next
	w.change(1, Change{Add: fourth.Node()})
	w.await("the learner", func() bool { return fourth.group(1).Applied >= leader.group(1).Commit })
	w.change(1, Change{Promote: []uint64{next}, Remove: []uint64{old}})
	w.mustCommit(1, "shop/1", 1)
	w.await("it is gone", func() bool { return leaver.group(1) == nil })
	if got := leaver.content(1); got != "" {
		t.Errorf("left behind: %s", got)
	}
	if err := leaver.CreateReplica(1, old); !errors.Is(err, ErrReplica) {
		t.Errorf("a destroyed replica came back: %v", err)
	}
	// It may come back under another id.
	back := w.awaitLeader(1).group(1).Next
	w.change(1, Change{Add: leaver.Node()})
	w.await("it is back", func() bool { return leaver.group(1).Applied > 1 })
	w.change(1, Change{Promote: []uint64{back}, Remove: []uint64{fourth.group(1).Replica}})
	w.checkEqual(1)
}

// TestChangesThatWereMadeForOtherReplicasAreRefused: a step that is taken twice, by who looked
// before the first was applied, would add a learner that no node created, and leave the one that
// was created behind; or make a voter of who has left.
func TestChangesThatWereMadeForOtherReplicasAreRefused(t *testing.T) {
	w := newTown(t, 2, 1)
	old, successor := w.houses[0], w.houses[1]
	next := w.awaitLeader(1).group(1).Next
	w.change(1, Change{Add: successor.Node(), Replica: next})
	before := old.group(1)
	for name, c := range map[string]Change{
		"the same learner again":    {Add: successor.Node(), Replica: next},
		"a voter that is none":      {Promote: []uint64{next + 1}},
		"a voter that is one":       {Promote: []uint64{old.group(1).Replica}},
		"a removal that was done":   {Remove: []uint64{next + 1}},
		"a learner, and a stranger": {Promote: []uint64{next}, Remove: []uint64{next + 1}},
	} {
		if err := old.ChangeReplicas(1, old.leads[1].Term, c); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v, want %v", name, err, ErrChanged)
		}
	}
	w.run(3)
	if g := old.group(1); g.Next != before.Next || len(g.Members) != len(before.Members) {
		t.Errorf("members: %+v", g.Members)
	}
}

// TestNoSnapshotOfHalfARound: the consensus core asks for a snapshot also while it applies a change
// of replicas. What is applied in that round is not in the store then, and the voters are still
// those of before the change.
func TestNoSnapshotOfHalfARound(t *testing.T) {
	w := newTown(t, 4, 1)
	w.tune = func(o *Options) { o.Limits.LogBytes = 4000 }
	w.houses[0].Close()
	w.houses[0].open(false)
	fourth := w.houses[3]
	w.houses = w.houses[:3]
	w.spread(1)
	w.houses = append(w.houses, fourth)
	for i := range uint64(200) {
		w.mustCommit(1, "shop/1", i)
	}
	leader := w.awaitLeader(1)
	leaver := w.houses[0]
	if leaver == leader {
		leaver = w.houses[1]
	}
	next := leader.group(1).Next
	leader.outgoing.Store(maxOutgoing) // others are sent as many as may be at once
	w.change(1, Change{Add: fourth.Node()})
	w.run(5)
	if fourth.group(1).Last != 0 {
		t.Fatal("the learner needs no snapshot")
	}
	change := leader.group(1).Last + 1
	w.cut = func(from, _ *house) bool {
		if from == leader && leader.group(1).Commit >= change { // the round in which it is applied
			leader.outgoing.Store(0)
		}
		return false
	}
	err := leader.ChangeReplicas(1, leader.leads[1].Term, Change{Promote: []uint64{next},
		Remove: []uint64{leaver.group(1).Replica}})
	if err != nil {
		t.Fatal(err)
	}
	w.await("the learner gets all", func() bool { g := fourth.group(1); return g.Applied > change && !g.Joint })
	w.mustCommit(1, "shop/1", 200)
	w.checkEqual(1)
}
