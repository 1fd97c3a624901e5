package cluster

import (
	"testing"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// TestWhoHasNothingHasNotCaughtUp: all of a short log is near its end, and a voter without anything is one less for a majority.
func TestWhoHasNothingHasNotCaughtUp(t *testing.T) {
	for match, want := range map[uint64]bool{0: false, 1: true, 10: true} {
		g := groupOf(1, &clusterv1.ReplicaStatus{
			Commit: 10, Members: []*clusterv1.Replica{{Id: 2, Node: 2}}, Progress: []*clusterv1.MemberStatus{{Learner: true, Match: match}},
		})
		if g.Replicas[0].CaughtUp != want {
			t.Errorf("who has entry %d of 10 has caught up: %v, want %v", match, g.Replicas[0].CaughtUp, want)
		}
	}
}

// TestAStepThatEndsDuringALookIsNotTakenAgain: the look may have seen the group as it was before.
func TestAStepThatEndsDuringALookIsNotTakenAgain(t *testing.T) {
	m := newMoves(nil)
	m.open()
	if !m.begin(1) || m.begin(1) {
		t.Error("a shard takes no step, or two at once")
	}
	m.open()
	m.end(1)
	if m.begin(1) {
		t.Error("a look that began before the step ended takes it again")
	}
	if !m.begin(2) {
		t.Error("another shard has to wait")
	}
	m.open()
	if !m.begin(1) {
		t.Error("the next look takes no step")
	}
}

func TestFewStepsAtOnce(t *testing.T) {
	m := newMoves(nil)
	m.open()
	for shard := range uint32(movesAtOnce) {
		if !m.begin(shard) {
			t.Fatalf("step %d is refused", shard)
		}
	}
	if m.begin(movesAtOnce) {
		t.Error("one step too many at once")
	}
	m.stop()
	m.end(0)
	if m.begin(7) {
		t.Error("a step after the stop")
	}
}
