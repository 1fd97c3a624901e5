package control

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/cluster/gossip"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// waits is a transport over which requests for a record wait for a newer one that does not come.
type waits struct {
	silent
	asked chan struct{}
}

func (w waits) State(ctx context.Context, _, _ uint64) (*clusterv1.ClusterState, error) {
	w.asked <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestANewLeaderEndsTheRequest: two nodes that ask each other for news would both wait for ten
// seconds, and learn nothing.
func TestANewLeaderEndsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLeader().control
		c.gossip.(everyone)[2] = true
		c.state.set(&clusterv1.ClusterState{Revision: 1, Members: []*clusterv1.Member{
			memberOf(1, "a", clusterv1.Standing_STANDING_ACTIVE), memberOf(2, "b", clusterv1.Standing_STANDING_ACTIVE),
		}})
		asked := make(chan struct{}, 2)
		c.transport = waits{asked: asked}
		began := time.Now()
		go c.following.ask(t.Context(), 0)
		<-asked
		synctest.Wait()
		c.Hinted(gossip.Hint{Shard: 0, Term: 5, Node: 2})
		synctest.Wait()
		if c.following.asking.Load() != nil {
			t.Error("the request waits on")
		}
		go c.following.ask(t.Context(), 0)
		<-asked
		time.Sleep(time.Minute)
		if c.following.asking.Load() != nil || time.Since(began) < stateWait {
			t.Error("a request does not end by itself")
		}
	})
}

// TestARequestForTheRecordWaitsForAChange: and not longer.
func TestARequestForTheRecordWaitsForAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLeader().control
		c.state.set(&clusterv1.ClusterState{Revision: 1})
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { c.state.set(&clusterv1.ClusterState{Revision: 2}) })
		if got := c.State(t.Context(), 0).Revision; got != 1 || time.Since(began) != 0 {
			t.Errorf("revision %d after %v", got, time.Since(began))
		}
		if got := c.State(t.Context(), 1).Revision; got != 2 || time.Since(began) != 3*time.Second {
			t.Errorf("revision %d after %v", got, time.Since(began))
		}
		if got := c.State(t.Context(), 2).Revision; got != 2 || time.Since(began) != 3*time.Second+stateWait {
			t.Errorf("revision %d after %v", got, time.Since(began))
		}
		if len(c.state.waiting) != 0 {
			t.Errorf("%d requests are remembered", len(c.state.waiting))
		}
	})
}

// TestANodeWithoutARecordAnswersAtOnce: two nodes that were restarted may ask each other, where
// gossip has not named the leader to them. The one that asks goes on to another node.
func TestANodeWithoutARecordAnswersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLeader().control
		began := time.Now()
		if got := c.State(t.Context(), 0); got != nil || time.Since(began) != 0 {
			t.Errorf("record %v after %v", got, time.Since(began))
		}
	})
}

// TestOperatorsWaitForALeader: the meta group moves while nodes are drained and removed, and has no
// leader for a moment.
func TestOperatorsWaitForALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newLeader().control
		c.Record = empties{}
		c.leaderships.set(0, 0)
		time.AfterFunc(300*time.Millisecond, func() { c.leaderships.set(0, 5) })
		_, err := c.Operate(t.Context(), "node-9", clusterv1.Standing_STANDING_DRAINING)
		if !errors.Is(err, ErrRejected) {
			t.Errorf("got %v, want the answer of the leader", err)
		}
	})
}

// empties is a record that was never written.
type empties struct{ Record }

func (empties) ReadState() (*clusterv1.ClusterState, error) { return nil, nil }

// TestOneChangeAtATime: a task that waits for its turn gets it, or gives up with its context.
func TestOneChangeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := &newLeader().turn
		if !turn.take(t.Context()) {
			t.Fatal("the first one waits")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if turn.take(ctx) {
			t.Error("two at once")
		}
		took := false
		go func() { took = turn.take(t.Context()) }()
		synctest.Wait()
		began := time.Now()
		turn.give()
		synctest.Wait()
		if !took || time.Since(began) != 0 {
			t.Errorf("the next one has it: %v, after %v", took, time.Since(began))
		}
	})
}
