package control

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// TestWhoHasNothingHasNotCaughtUp: all of a short log is near its end, and a voter without anything
// is one less for a majority.
func TestWhoHasNothingHasNotCaughtUp(t *testing.T) {
	for match, want := range map[uint64]bool{0: false, 1: true, 10: true} {
		g := groupOf(1, &clusterv1.ReplicaStatus{
			Commit: 10, Members: []*clusterv1.Replica{{Id: 2, Node: 2}},
			Progress: []*clusterv1.MemberStatus{{Learner: true, Match: match}},
		})
		if g.Replicas[0].CaughtUp != want {
			t.Errorf("who has entry %d of 10 has caught up: %v, want %v", match, g.Replicas[0].CaughtUp, want)
		}
	}
}

// TestAStepThatEndsDuringALookIsNotTakenAgain: the look may have seen the group as it was before.
func TestAStepThatEndsDuringALookIsNotTakenAgain(t *testing.T) {
	m := newLeader().control.moves
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
	m := newLeader().control.moves
	m.open()
	for shard := range uint32(movesAtOnce) {
		if !m.begin(shard) {
			t.Fatalf("step %d is refused", shard)
		}
	}
	if m.begin(movesAtOnce) {
		t.Error("one step too many at once")
	}
	for shard := range uint32(movesAtOnce) {
		m.end(shard)
	}
	m.stop()
	m.open()
	if m.begin(7) {
		t.Error("a step after the stop")
	}
}

// stubborn are replicas of which that of shard 1 should make node 2 the leader, and can't.
type stubborn struct {
	noReplicas
	tries []time.Time
}

func (*stubborn) Replicas() ([]*clusterv1.ReplicaStatus, error) {
	r := &clusterv1.ReplicaStatus{Shard: 1, Replica: 1, Term: 3, Leading: true, Commit: 5}
	for id := range uint64(3) {
		r.Members = append(r.Members, &clusterv1.Replica{Id: id + 1, Node: id + 1})
		r.Progress = append(r.Progress, &clusterv1.MemberStatus{Voter: true, Match: 5, Recent: true})
	}
	return []*clusterv1.ReplicaStatus{r}, nil
}

func (s *stubborn) Transfer(context.Context, uint32, uint64, uint64, bool) error {
	s.tries = append(s.tries, time.Now())
	return errors.New("a send takes long")
}

// moving starts the moves of a node that leads shard 1, whose leader should be node 2.
func moving(r Replicas) *Control {
	c := newLeader().control
	c.Replicas = r
	c.leaderships.set(0, 0)
	c.leaderships.set(1, 3)
	c.state.set(&clusterv1.ClusterState{Revision: 1, Wanted: []*clusterv1.Wanted{{}, {Nodes: []uint64{2, 1, 3}}}})
	for node := range uint64(3) {
		c.gossip.(everyone)[node+1] = true
	}
	c.moves.loop.start()
	return c
}

// TestALeadershipThatCanNotBeTransferredStaysForAWhile: each try ends the conversations of a shard.
func TestALeadershipThatCanNotBeTransferredStaysForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &stubborn{}
		c := moving(host)
		time.Sleep(time.Hour)
		c.Close()
		if n := len(host.tries); n < 10 || n > 18 {
			t.Errorf("%d tries in an hour", n)
		}
		if first := host.tries[1].Sub(host.tries[0]); first > 2*keepFirst {
			t.Errorf("the second try came after %v", first)
		}
	})
}

// patient are stubborn ones whose Transfer lasts until its context ends.
type patient struct {
	stubborn
	underway atomic.Bool
}

func (p *patient) Transfer(ctx context.Context, _ uint32, _, _ uint64, _ bool) error {
	p.underway.Store(true)
	<-ctx.Done()
	p.underway.Store(false)
	return ctx.Err()
}

// TestAStopIsAloneInTransferringLeaderships: a step that gives one away ends before the stop does
// so. Else the step, when it gives up, would take back what the stop has begun to end.
func TestAStopIsAloneInTransferringLeaderships(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &patient{}
		c := moving(host)
		time.Sleep(time.Second)
		if !host.underway.Load() {
			t.Error("no step is under way")
		}
		c.moves.stop()
		if host.underway.Load() {
			t.Error("a step is under way behind the stop")
		}
		c.Close()
	})
}

// TestTheBestReplicaLeads: a node that leaves transfers its leaderships to the replica with the
// longest log, among those that gossip takes for alive. Where it takes none for alive, gossip
// itself may be cut.
func TestTheBestReplicaLeads(t *testing.T) {
	r := &clusterv1.ReplicaStatus{}
	for i, p := range []*clusterv1.MemberStatus{
		{Voter: true, Recent: true, Match: 9}, // the one that leaves
		{Voter: true, Recent: true, Match: 7},
		{Voter: true, Recent: true, Match: 8},
		{Voter: true, Match: 9},
		{Learner: true, Recent: true, Match: 9},
		{Voter: true, Recent: true, Match: 9, Snapshot: true},
	} {
		r.Members = append(r.Members, &clusterv1.Replica{Id: uint64(i + 1), Node: uint64(i + 1)})
		r.Progress = append(r.Progress, p)
	}
	for name, test := range map[string]struct {
		alive []uint64
		best  uint64
	}{"all alive": {[]uint64{2, 3, 4, 5, 6}, 3}, "one leaves": {[]uint64{2, 4}, 2}, "gossip is cut": {nil, 3}} {
		if got := bestReplica(1, r, func(node uint64) bool {
			return slices.Contains(test.alive,
				node)
		}); got != test.best {
			t.Errorf("%s: %d, want %d", name, got, test.best)
		}
	}
	if got := bestReplica(1, &clusterv1.ReplicaStatus{Members: r.Members[:1], Progress: r.Progress[:1]},
		func(uint64) bool { return true }); got != 0 {
		t.Errorf("alone: %d", got)
	}
}
