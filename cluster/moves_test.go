package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// stubborn is a Host whose lead of shard 1 should go to node 2, and can't.
type stubborn struct {
	nobodyThere
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

func (s *stubborn) Transfer(context.Context, uint32, uint64, uint64) error {
	s.tries = append(s.tries, time.Now())
	return errors.New("a send takes long")
}

// TestALeadThatCanNotBeGivenAwayIsLeftInPeace: each try ends the conversations of a shard.
func TestALeadThatCanNotBeGivenAwayIsLeftInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLeader().cluster
		host := &stubborn{}
		c.host, c.moves, c.leads = host, newMoves(c), map[uint32]Hint{1: {Shard: 1, Term: 3, Node: 1}}
		c.state.set(&clusterv1.ClusterState{Revision: 1, Wanted: []*clusterv1.Wanted{{}, {Nodes: []uint64{2, 1, 3}}}})
		for node := range uint64(3) {
			c.membership.table.present[hexID(node+1)] = present{peer: Peer{Node: node + 1}, known: true}
		}
		c.goRun(c.moves.run)
		time.Sleep(time.Hour)
		c.cancel()
		c.running.Wait()
		if n := len(host.tries); n < 10 || n > 18 {
			t.Errorf("%d tries in an hour", n)
		}
		if first := host.tries[1].Sub(host.tries[0]); first > 2*keepLead {
			t.Errorf("the second try came after %v", first)
		}
	})
}
