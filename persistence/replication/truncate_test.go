package replication

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// small makes a town of three whose shard 1 is on all, with logs that are truncated every few dozen
// commits. What it returns counts the snapshots that are sent from then on.
func small(t *testing.T) (*town, *int) {
	w, snapshots := newTown(t, 3, 1), 0
	w.tune = func(o *Options) {
		o.Limits.LogBytes = 4000
		send := o.Transport.SendSnapshot
		o.Transport.SendSnapshot = func(m Message, snapshot *Snapshot) {
			snapshots++
			send(m, snapshot)
		}
	}
	for _, h := range w.houses {
		h.Close()
		h.open(h != w.houses[0])
	}
	w.spread(1)
	snapshots = 0
	return w, &snapshots
}

func (w *town) follower(shard uint32) *house {
	leader := w.awaitLeader(shard)
	return w.houses[slices.IndexFunc(w.houses, func(h *house) bool { return h != leader })]
}

// TestWhoIsAwayForAMomentNeedsNoSnapshot: whenever it is, the log reaches back a little.
func TestWhoIsAwayForAMomentNeedsNoSnapshot(t *testing.T) {
	w, snapshots := small(t)
	revision := uint64(0)
	for range 40 {
		away := w.follower(1)
		w.cut = func(from, to *house) bool { return from == away || to == away }
		for range 3 {
			w.mustCommit(1, "shop/1", revision)
			revision++
		}
		w.cut = func(_, _ *house) bool { return false }
		w.run(10)
	}
	if *snapshots > 0 {
		t.Errorf("%d snapshots", *snapshots)
	}
	g := w.awaitLeader(1).lane(1).groups[1]
	if kept := g.log.last.index - g.log.truncated.index; kept > 80 {
		t.Errorf("%d entries are kept", kept)
	}
	w.checkEqual(1)
}

// TestTheLogWaitsForASnapshotOnItsWay: what is committed while a large snapshot travels is still in
// the log when it has arrived. Else a busy shard's replica would need one after the other, and
// never catch up.
func TestTheLogWaitsForASnapshotOnItsWay(t *testing.T) {
	w, snapshots := small(t)
	leader, away := w.awaitLeader(1), w.follower(1)
	revision := uint64(0)
	commit := func(n int) {
		for range n {
			w.mustCommit(1, "shop/1", revision)
			revision++
		}
	}
	w.cut = func(from, to *house) bool { return from == away || to == away }
	w.run(20) // nothing comes from it any more
	commit(100)
	held := []wire(nil)
	leader.options.Transport.SendSnapshot = func(m Message, snapshot *Snapshot) {
		defer snapshot.Close()
		*snapshots++
		before := len(w.wires)
		leader.post(m, snapshotRecords(t, snapshot))
		held, w.wires = append(held, w.wires[before:]...), w.wires[:before]
	}
	w.cut = func(_, _ *house) bool { return false }
	w.await("a snapshot", func() bool { return len(held) == 1 })
	commit(150)
	w.wires = append(w.wires, held...)
	w.settle()
	leader.SnapshotSent(Message{Shard: 1, Node: away.Node(), Message: held[0].m.Message}, nil)
	w.run(5)
	w.checkEqual(1)
	if *snapshots != 1 {
		t.Errorf("%d snapshots", *snapshots)
	}
	commit(80)
	w.run(5)
	g := leader.lane(1).groups[1]
	if kept := g.log.last.index - g.log.truncated.index; kept > 120 {
		t.Errorf("%d entries are kept", kept)
	}
}

// TestTheLogWaitsForNoReplicaForEver: one that is dead, or slower than the log can wait for, gets a
// snapshot.
func TestTheLogWaitsForNoReplicaForEver(t *testing.T) {
	w, _ := small(t)
	away := w.follower(1)
	w.cut = func(from, to *house) bool { return to == away } // it sends, and receives nothing
	for revision := range uint64(3000) {
		w.mustCommit(1, "shop/1", revision)
	}
	g := w.awaitLeader(1).lane(1).groups[1]
	if kept := g.log.last.index - g.log.truncated.index; kept > 2000 {
		t.Errorf("%d entries are kept", kept)
	}
}

// TestLongLogIsTruncatedAndGoesOn: a log keeps about what its limit says, also across restarts.
func TestLongLogIsTruncatedAndGoesOn(t *testing.T) {
	fs := vfs.NewMem()
	options := setup{FS: fs, Dir: "store", Options: Options{Shards: 1, Limits: Limits{LogBytes: 4 << 20},
		KeepLog: true}}
	r := open(t, options)
	for round := range uint64(3) {
		for i := range uint64(60) {
			r.mustCommit(1, step{"shop/1", round*60 + i, string(make([]byte, 100_000))})
		}
		r.Close()
		r = open(t, options)
		l := r.lane(1).groups[1].log
		if kept := l.last.index - l.truncated.index; kept > 50 {
			t.Fatalf("the log holds %d entries", kept)
		}
	}
	if revision := r.counter(1, "shop/1"); revision != 180 {
		t.Fatalf("revision %d", revision)
	}
}
