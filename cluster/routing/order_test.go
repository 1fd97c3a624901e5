package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestLaterMessagesNameTheOneBefore: they leave at once, and are sent again behind the one that
// failed, when a leader has taken it.
func TestLaterMessagesNameTheOneBefore(t *testing.T) {
	w := newWay(1)
	w.leader = 2
	for range 3 {
		w.deliver()
	}
	w.want(t, "m1", "m2 after m1", "m3 after m2")
	w.sent[0].done(delivery.Outcome{Err: delivery.ErrNotLeader})
	w.deliver()
	w.sent[1].done(delivery.Outcome{Err: delivery.ErrOutOfTurn})
	w.pass(backOffFirst)
	w.want(t, "m1")
	w.sent[2].done(delivery.Outcome{Err: delivery.ErrOutOfTurn})
	w.sent[3].done(delivery.Outcome{Verdict: conversation.Accepted})
	w.want(t, "m2", "m3 after m2", "m4 after m3")
}

// TestAMessageThatCameBackMakesOthersWait: as long as one behind it is in flight, only the first is
// tried.
func TestAMessageThatCameBackMakesOthersWait(t *testing.T) {
	w := newWay(1)
	w.leader = 2
	for range 3 {
		w.deliver()
	}
	w.want(t, "m1", "m2 after m1", "m3 after m2")
	w.sent[1].done(delivery.Outcome{Err: delivery.ErrUnknownFate})
	w.sent[0].done(delivery.Outcome{Verdict: conversation.Accepted})
	w.want(t, "m2")
	w.sent[3].done(delivery.Outcome{Verdict: conversation.Accepted})
	w.deliver()
	w.want(t)
	w.sent[2].done(delivery.Outcome{Err: delivery.ErrOutOfTurn})
	w.pass(backOffFirst)
	w.want(t, "m3")
	w.sent[4].done(delivery.Outcome{Verdict: conversation.Accepted})
	w.want(t, "m4")
}

// TestOrderHoldsWhateverHappens: messages are lost, answers too, leaders change and come back, and
// activations end. Of two messages that were both accepted, the first to be routed was the first to
// be accepted.
func TestOrderHoldsWhateverHappens(t *testing.T) {
	for seed := range uint64(2000) {
		w := newWay(seed)
		w.play()
		last := -1
		for _, id := range w.answered() {
			at := slices.Index(w.accepted, id)
			if at < last {
				t.Fatalf("seed %d: accepted in the order %v", seed, w.accepted)
			}
			last = at
		}
	}
}

// way is a router on a node that leads nothing, with two others that may be leaders.
type way struct {
	peers
	clock
	*Router
	rng *rand.Rand
	// sent are the attempts.
	sent []*attempt
	seen int
	// orders are those of the two nodes' activations.
	orders [4]delivery.Order
	// accepted are the ids of messages that were committed.
	accepted []string
	// outcomes are those of messages in the order in which they were routed.
	outcomes []delivery.Outcome
}

// attempt is one at another node: on its way there, or on its way back, or over.
type attempt struct {
	node uint64
	id   string
	e    delivery.Envelope
	done func(delivery.Outcome)
	over bool
}

func newWay(seed uint64) *way {
	w := &way{rng: rand.New(rand.NewPCG(seed, 1))}
	w.Router = New(Options{
		Self: 1, Local: local{leads: new(atomic.Bool)}, Peers: w, Clock: &w.clock, Settled: func() bool { return true },
		Registerer: prometheus.NewRegistry(),
	})
	return w
}

func (w *way) deliver() {
	n := len(w.outcomes)
	w.outcomes = append(w.outcomes, delivery.Outcome{Err: delivery.ErrStopping})
	w.Deliver(delivery.Envelope{To: conversation.ID{Channel: "shop", User: "u"}, Body: delivery.Inbound{
		Message: &wactorv1.Message{Id: fmt.Sprint("m", n+1)},
	}}, func(o delivery.Outcome) { w.outcomes[n] = o })
}

// Send implements Peers.
func (w *way) Send(node uint64, e delivery.Envelope, _ bool, done delivery.Done) {
	a := &attempt{node: node, id: e.Body.(delivery.Inbound).Message.Id, e: e}
	a.done = func(o delivery.Outcome) {
		if !a.over {
			a.over = true
			done(o)
		}
	}
	w.sent = append(w.sent, a)
}

// want takes what was sent since it was called last.
func (w *way) want(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, a := range w.sent[w.seen:] {
		text := a.id
		if a.e.Place.After != 0 {
			text += fmt.Sprint(" after m", a.e.Place.After)
		}
		got = append(got, text)
	}
	w.seen = len(w.sent)
	if !slices.Equal(got, want) {
		t.Fatalf("sent %q, want %q", got, want)
	}
}

func (w *way) play() {
	w.leader = 2
	for range 120 {
		switch w.rng.IntN(10) {
		case 0, 1:
			w.deliver()
		case 2, 3, 4, 5:
			w.arrive()
		case 6:
			w.pass(time.Duration(w.rng.IntN(20)) * time.Millisecond)
		case 7: // the activation fails
			w.orders[2+w.rng.IntN(2)] = delivery.Order{}
		case 8:
			w.elect(2 + w.rng.Uint64N(2))
		case 9:
			w.lose()
		}
	}
	for w.seen < len(w.sent) || len(w.clock.timers) > 0 {
		w.arrive()
		w.pass(backOffMost)
	}
}

func (w *way) elect(node uint64) {
	if w.leader = node; w.rng.IntN(2) == 0 {
		w.LeaderChanged(1, node)
	}
}

// arrive lets the next attempt arrive: a node takes its messages in the order in which they were
// sent to it, but answers in any, or not at all for now.
func (w *way) arrive() {
	if w.seen == len(w.sent) {
		return
	}
	a := w.sent[w.seen]
	w.seen++
	if a.over {
		return
	}
	outcome := delivery.Outcome{Verdict: conversation.Duplicate}
	switch {
	case w.leader != a.node:
		outcome = delivery.Outcome{Err: delivery.ErrNotLeader}
	case !w.orders[a.node].Take(a.e.Place):
		outcome = delivery.Outcome{Err: delivery.ErrOutOfTurn}
	case !slices.Contains(w.accepted, a.id):
		w.accepted = append(w.accepted, a.id)
		outcome.Verdict = conversation.Accepted
	}
	w.clock.AfterFunc(time.Duration(w.rng.IntN(30))*time.Millisecond, func() { a.done(outcome) })
}

// lose breaks the connection to the other nodes: what was sent and not answered has an unknown
// fate, and what did not arrive never will.
func (w *way) lose() {
	w.seen = len(w.sent)
	for _, a := range w.sent {
		a.done(delivery.Outcome{Err: delivery.ErrUnknownFate})
	}
}

// clock is a Clock that stands still until it is wound on.
type clock struct {
	now    time.Duration
	timers []*timer
}

type timer struct {
	at   time.Duration
	ring func()
}

// Now implements Clock.
func (c *clock) Now() time.Time { return time.Unix(0, 0).Add(c.now) }

// AfterFunc implements Clock.
func (c *clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	t := &timer{c.now + d, f}
	c.timers = append(c.timers, t)
	return func() bool {
		before := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(other *timer) bool { return other == t })
		return len(c.timers) < before
	}
}

// pass lets time go by.
func (c *clock) pass(d time.Duration) {
	for end := c.now + d; ; {
		var next *timer
		for _, t := range c.timers {
			if next == nil || t.at < next.at {
				next = t
			}
		}
		if next == nil || next.at > end {
			c.now = end
			return
		}
		c.now = next.at
		c.timers = slices.DeleteFunc(c.timers, func(other *timer) bool { return other == next })
		next.ring()
	}
}

// answered are the ids of messages that were accepted as far as the router knows, in the order in
// which they were routed.
func (w *way) answered() (ids []string) {
	for i, o := range w.outcomes {
		if o.Err == nil {
			ids = append(ids, fmt.Sprint("m", i+1))
		}
	}
	return ids
}
