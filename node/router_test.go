package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// forgetful is an actors.Store that takes every commit and keeps none.
type forgetful struct{}

func (forgetful) Propose(_ uint32, _ uint64, _ *wactorv1.Commit, _ bool, done func(error)) { done(nil) }
func (forgetful) Leased(uint32, uint64) bool                                               { return true }
func (forgetful) Load(uint32, string, func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	return 0, nil
}
func (forgetful) ScanFrom(uint32, string, wactorv1.RecordKind, []byte, func([]byte, []byte) error) error {
	return nil
}
func (forgetful) Seen(uint32, string, uint32, string) (bool, error)          { return false, nil }
func (forgetful) SeenIn(uint32, string, uint32, func([]byte) error) error    { return nil }
func (forgetful) Work(uint32, func(string) error) error                      { return nil }
func (forgetful) Due(uint32, int64, func(int64, string, string) error) error { return nil }

// dumb is a bot that says nothing.
type dumb struct{}

func (dumb) Turn(context.Context, *conversation.Turn) (*conversation.Answer, error) {
	return &conversation.Answer{}, nil
}

// crossing is a router before a runtime that leads nothing yet, and what became of the deliveries,
// in order.
type crossing struct {
	*router
	formed   atomic.Bool
	mu       sync.Mutex
	outcomes []string
}

func newCrossing(t *testing.T) *crossing {
	runtime := actors.New(actors.Options{Store: forgetful{}, Shards: 1, Channels: map[string]*actors.Channel{
		"shop": {Config: conversation.Config{Node: "n1"}.WithDefaults(), Bot: dumb{}},
	}})
	c := &crossing{}
	c.formed.Store(true)
	c.router = newRouter(1, runtime, func() *cluster.Cluster { return nil }, c.formed.Load, prometheus.NewRegistry())
	t.Cleanup(func() {
		c.close()
		runtime.Stop(context.Background())
	})
	return c
}

func (c *crossing) deliver(user, id string) {
	c.Deliver(&actors.Delivery{
		Conversation: conversation.ID{Channel: "shop", User: user}, Message: &wactorv1.Message{Id: id, Type: "text",
			Text: "hi"},
		User: &wactorv1.User{WaId: user},
		Done: func(verdict conversation.Verdict, err error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			switch {
			case err == nil && verdict == conversation.Accepted:
				c.outcomes = append(c.outcomes, id)
			case errors.Is(err, actors.ErrNotLeader):
				c.outcomes = append(c.outcomes, id+" not led")
			default:
				c.outcomes = append(c.outcomes, fmt.Sprint(id, verdict, err))
			}
		},
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
	if lines := c.lined.Load(); lines != 0 || len(c.lines) != 0 {
		t.Errorf("%d lines are left, %d counted", len(c.lines), lines)
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
				c.runtime.Lead(1, 1, true)
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
		c.runtime.Lead(1, 1, true)
		c.deliver("u", "m1")
		time.Sleep(routeWithin)
		c.want(t, "m1 not led")
		c.deliver("u", "m2")
		time.Sleep(routeWithin / 2)
		c.formed.Store(true)
		time.Sleep(2 * restMost)
		c.want(t, "m1 not led", "m2")
	})
}

// TestWaitingEnds: what nobody takes in time is told so, also where it was never the first of its
// line.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.deliver("u", "m1")
		time.Sleep(time.Second)
		c.deliver("u", "m2")
		time.Sleep(2 * routeWithin)
		c.want(t, "m1 not led", "m2 not led")
	})
}

// TestCloseEndsWaiting: nothing waits any more when the node stops.
func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrossing(t)
		c.deliver("u", "m1")
		c.deliver("u", "m2")
		c.close()
		c.deliver("u", "m3")
		synctest.Wait()
		if len(c.outcomes) != 3 {
			t.Errorf("outcomes %v", c.outcomes)
		}
	})
}
