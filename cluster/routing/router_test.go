package routing

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }
func (systemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// crossing is a router on a node that leads nothing at first, and what became of its deliveries, in
// order.
type crossing struct {
	*Router
	local local
	peers *peers

	formed   atomic.Bool
	mu       sync.Mutex
	outcomes []string
}

// local are conversations that take everything that is in turn.
type local struct {
	leads *atomic.Bool
	order *delivery.Order
}

func (local) Shard(conversation.ID) uint32 { return 1 }
func (l local) Leads(uint32) bool          { return l.leads.Load() }

func (l local) Deliver(e delivery.Envelope, done delivery.Done) {
	switch {
	case !l.leads.Load():
		done(delivery.Outcome{Err: delivery.ErrNotLeader})
	case !l.order.Take(e.Place):
		done(delivery.Outcome{Err: delivery.ErrOutOfTurn})
	default:
		done(delivery.Outcome{Verdict: conversation.Accepted})
	}
}

// peers are other nodes, of which one is assumed to be the leader.
type peers struct {
	mu       sync.Mutex
	leader   uint64
	isolated time.Duration
	sent     []sent
}

// sent is an envelope at another node.
type sent struct {
	node  uint64
	relay bool
	id    string
	done  delivery.Done
}

func (p *peers) Send(node uint64, e delivery.Envelope, relay bool, done delivery.Done) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent{node, relay, e.Body.(delivery.Inbound).Message.Id, done})
}

func (p *peers) Leader(uint32) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leader
}

func (p *peers) elect(node uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leader = node
}

// take returns what was sent since it was asked last.
func (p *peers) take() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.sent
	p.sent = nil
	return out
}

func (*peers) Wanted(uint32) []uint64         { return nil }
func (*peers) Lost(uint64) bool               { return false }
func (*peers) Relays(uint32, uint64) []uint64 { return nil }
func (p *peers) Isolated() time.Duration      { return p.isolated }

func newCrossing(t *testing.T) *crossing {
	c := &crossing{local: local{&atomic.Bool{}, &delivery.Order{}}, peers: &peers{}}
	c.formed.Store(true)
	c.Router = New(Options{
		Self: 1, Local: c.local, Peers: c.peers, Clock: systemClock{}, Settled: c.formed.Load,
		Registerer: prometheus.NewRegistry(),
	})
	t.Cleanup(c.Close)
	return c
}

func (c *crossing) deliver(user, id string) {
	c.Deliver(delivery.Envelope{To: conversation.ID{Channel: "shop", User: user}, Body: delivery.Inbound{
		Message: &wactorv1.Message{Id: id, Type: "text", Text: "hi"}, User: &wactorv1.User{WaId: user},
	}}, func(o delivery.Outcome) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case o.Err == nil && o.Verdict == conversation.Accepted:
			c.outcomes = append(c.outcomes, id)
		case errors.Is(o.Err, delivery.ErrNotLeader):
			c.outcomes = append(c.outcomes, id+" not led")
		default:
			c.outcomes = append(c.outcomes, fmt.Sprint(id, o.Verdict, o.Err))
		}
	})
}

func (c *crossing) want(t *testing.T, outcomes ...string) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.outcomes, outcomes) {
		t.Errorf("outcomes %v, want %v", c.outcomes, outcomes)
	}
	if len(c.queues) != 0 {
		t.Errorf("%d queues are left", len(c.queues))
	}
}

// TestAnElectionKeepsTheOrder: messages of one user come one by one while a shard has no leader;
// who came first is tried at long intervals by then. When there is a leader they arrive in their
// order.
func TestAnElectionKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		var want []string
		for i := range 40 {
			id := fmt.Sprint("m", i)
			c.deliver("u", id)
			want = append(want, id)
			time.Sleep(23 * time.Millisecond)
			if i == 38 {
				c.local.leads.Store(true)
			}
		}
		time.Sleep(time.Second)
		c.want(t, want...)
	})
}

// TestNothingIsTakenBeforeTheClusterIsFormed: the founder leads every shard by itself at first.
// What comes then waits as for an election.
func TestNothingIsTakenBeforeTheClusterIsFormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.formed.Store(false)
		c.local.leads.Store(true)
		c.deliver("u", "m1")
		time.Sleep(Within)
		c.want(t, "m1 not led")
		c.deliver("u", "m2")
		time.Sleep(Within / 2)
		c.formed.Store(true)
		time.Sleep(2 * backOffMost)
		c.want(t, "m1 not led", "m2")
	})
}

// TestWaitingEnds: what no node takes in time ends, also where it was never the first of its queue.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.deliver("u", "m1")
		time.Sleep(time.Second)
		c.deliver("u", "m2")
		time.Sleep(2 * Within)
		c.want(t, "m1 not led", "m2 not led")
	})
}

// TestAnIsolatedNodeGivesUp: the provider finds another node that can take the delivery.
func TestAnIsolatedNodeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.peers.isolated = isolatedMost + 1
		c.deliver("u", "m1")
		c.want(t, "m1 not led")
	})
}

// TestANewLeaderTakesBackAttempts: the old leader may be paused, and never answer. What it answers
// late does not count.
func TestANewLeaderTakesBackAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.peers.elect(2)
		c.deliver("u", "m1")
		old := c.peers.take()
		if len(old) != 1 || old[0].node != 2 {
			t.Fatalf("sent %v", old)
		}
		c.peers.elect(3)
		c.LeaderChanged(1, 3)
		time.Sleep(2 * backOffMost)
		again := c.peers.take()
		if len(again) != 1 || again[0].node != 3 || again[0].id != "m1" {
			t.Fatalf("sent again: %v", again)
		}
		old[0].done(delivery.Outcome{Err: delivery.ErrOverloaded})
		again[0].done(delivery.Outcome{Verdict: conversation.Accepted})
		c.want(t, "m1")
	})
}

// TestARejectedAttemptFollowsTheHint: a node that is not the leader names the leader.
func TestARejectedAttemptFollowsTheHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.peers.elect(2)
		c.deliver("u", "m1")
		c.peers.take()[0].done(delivery.Outcome{Err: delivery.ErrNotLeader, Leader: 4})
		time.Sleep(2 * backOffMost)
		again := c.peers.take()
		if len(again) != 1 || again[0].node != 4 {
			t.Fatalf("sent again: %v", again)
		}
		again[0].done(delivery.Outcome{Verdict: conversation.Accepted})
		c.want(t, "m1")
	})
}

// TestCloseEndsWaiting: nothing waits any more when the node stops.
func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.deliver("u", "m1")
		c.deliver("u", "m2")
		c.Close()
		c.deliver("u", "m3")
		synctest.Wait()
		if len(c.outcomes) != 3 {
			t.Errorf("outcomes %v", c.outcomes)
		}
	})
}
