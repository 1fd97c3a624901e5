package replication

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// recover makes what a house has left a cluster of one, while it is down.
func (h *house) recover(more func(*pebble.Batch) error) []RecoveredShard {
	h.town.t.Helper()
	db, err := engine.Open(engine.Options{Dir: "store", FS: h.fs, Fatal: func(err error) { panic(err) }})
	if err != nil {
		h.town.t.Fatal(err)
	}
	old := &Identity{db: db, shards: h.town.shards}
	if err := old.check(true); err != nil {
		h.town.t.Fatal(err)
	}
	found, cluster, err := Recover(db, h.town.shards, more)
	if err := errors.Join(err, db.Close()); err != nil {
		h.town.t.Fatal(err)
	}
	if cluster == 0 || cluster == old.Cluster() {
		h.town.t.Errorf("the cluster's id went from %d to %d", old.Cluster(), cluster)
	}
	return found
}

// TestOneOfThreeDisksIsAClusterAgain: what the last replica has, also what it did not know to be
// committed, is there, and it grows to three again. A shard that it did not hold begins anew.
func TestOneOfThreeDisksIsAClusterAgain(t *testing.T) {
	for name, leads := range map[string]bool{"the leader": true, "a follower": false} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 3, 2)
			for _, h := range w.houses[1:] {
				if err := h.Adopt(w.houses[0].Cluster()); err != nil {
					t.Fatal(err)
				}
			}
			w.spread(1)
			for i := range uint64(10) {
				w.mustCommit(1, "shop/1", i)
			}
			w.checkEqual(1)
			last := w.awaitLeader(1)
			for _, h := range w.houses {
				if !leads && h != w.leader(1) && h != w.houses[0] {
					last = h
				}
			}
			// What only two of three have acknowledged: the third does not learn that it is
			// committed.
			if err := w.commit(1, "shop/1", 10); err != nil {
				t.Fatal(err)
			}
			keeps := last.group(1).Last
			for _, h := range w.houses {
				h.crash()
			}
			w.wires = nil
			written := false
			found := last.recover(func(*pebble.Batch) error { written = true; return nil })
			if !written {
				t.Error("what the caller writes with it was left out")
			}
			one := found[1]
			if len(found) != 3 || !one.Held || !one.Voter || one.Replicas != 3 ||
				one.Last < keeps-1 || one.Last > keeps {
				t.Fatalf("found %+v, want shard 1 of 3 replicas up to entry %d", found, keeps)
			}
			if held := found[2].Held; held != (last == w.houses[0]) {
				t.Errorf("shard 2 was held: %v", held)
			}
			w.houses = []*house{last}
			last.down = false
			last.open(false)
			if at := last.counter(1, "shop/1"); at < 10 {
				t.Fatalf("the counter is at %d, at least 10 were acknowledged and on this disk", at)
			}
			at := last.counter(1, "shop/1")
			w.mustCommit(1, "shop/1", at)
			w.mustCommit(2, "shop/2", last.counter(2, "shop/2"))
			for range 2 {
				w.add(true)
			}
			w.spread(1)
			w.mustCommit(1, "shop/1", at+1)
			w.checkEqual(1)
			last.crash()
			w.mustCommit(1, "shop/1", at+2)
		})
	}
}

// TestAnUnappliedChangeOfReplicasIsNotTakenBack: it would make replicas voters that are gone.
func TestAnUnappliedChangeOfReplicasIsNotTakenBack(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	leader := w.awaitLeader(1)
	w.cut = func(from, to *house) bool { return true }
	var gone []uint64
	for _, m := range leader.group(1).Members {
		if m.Node != leader.Node() {
			gone = append(gone, m.Replica)
		}
	}
	if err := leader.ChangeReplicas(1, leader.leads[1].Term, Change{Remove: gone[:1]}); err != nil {
		t.Fatal(err)
	}
	leader.drive()
	before := leader.group(1)
	if before.Last == before.Applied {
		t.Fatal("the change was applied at once")
	}
	for _, h := range w.houses {
		h.crash()
	}
	w.wires, w.cut = nil, func(_, _ *house) bool { return false }
	leader.recover(func(*pebble.Batch) error { return nil })
	w.houses = []*house{leader}
	leader.down = false
	leader.open(false)
	if g := leader.group(1); len(g.Members) != 1 || g.Joint || !g.Members[0].Voter || g.Applied != g.Last {
		t.Errorf("the group is %+v", g)
	}
	w.mustCommit(1, "shop/1", 0)
}

// TestOnlyAClustersDiskIsRecovered: an empty directory is not, nor one with other shards.
func TestOnlyAClustersDiskIsRecovered(t *testing.T) {
	w := newTown(t, 1, 1)
	w.houses[0].crash()
	for name, c := range map[string]struct {
		dir    string
		shards int
	}{"empty": {"nothing", 1}, "other shards": {"store", 2}} {
		db, err := engine.Open(engine.Options{Dir: c.dir, FS: w.houses[0].fs, Fatal: func(err error) { panic(err) }})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = Recover(db, c.shards, func(*pebble.Batch) error { t.Error("written"); return nil })
		if !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
		if has, err := db.Has(record.Key(0, record.ClassStore)); c.dir == "nothing" && (has || err != nil) {
			t.Errorf("%s: a store was made: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
