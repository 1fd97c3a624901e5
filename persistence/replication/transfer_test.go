package replication

import "testing"

// TestANewReplicaTakesLeadershipAtOnce: a leadership that no replica takes ends the shard's
// conversations for nothing, and stays for a while.
func TestANewReplicaTakesLeadershipAtOnce(t *testing.T) {
	w := newTown(t, 3, 1)
	began := w.now
	w.spread(1)
	old := w.awaitLeader(1)
	successor := w.houses[1]
	if err := old.TransferLeadership(1, old.leads[1].Term, successor.group(1).Replica); err != nil {
		t.Fatal(err)
	}
	old.drive()
	w.settle()
	if ticks := (w.now - began) / TickInterval; ticks >= electionTicks {
		t.Fatalf("%d ticks have gone by: too many to tell", ticks)
	}
	if !successor.leads[1].Ready {
		t.Error("leadership was not taken")
	}
}
