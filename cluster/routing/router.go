// Package routing takes deliveries to the leaders of their conversations.
//
// While the leader of a shard changes it tries again, within a deadline: the provider does not
// notice an election that is over in time. A delivery that may have been kept is only tried again
// where that does no harm. Messages of one conversation keep their order, whatever happens to those
// that are in flight (queue.go).
//
// The router starts no goroutine and reads no clock but through its Options: what it does is
// determined by the calls that it gets and by their order.
package routing

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// Local is what the router sees of this node's conversations. No method blocks.
type Local interface {
	// Shard is that of a conversation.
	Shard(conversation.ID) uint32
	// Leads reports whether this node takes deliveries for a shard.
	Leads(shard uint32) bool
	// Deliver takes a delivery to its conversation, where this node leads it. Done may be called
	// before it returns.
	Deliver(delivery.Envelope, delivery.Done)
}

// Peers is what the router sees of the other nodes. No method blocks.
type Peers interface {
	// Send takes an envelope to another node, which takes it to its conversation; where relay is
	// set, to the leader that this node can't reach. Done may be called before Send returns.
	Send(node uint64, e delivery.Envelope, relay bool, done delivery.Done)
	// Leader is the node that seems to be the leader of a shard; 0 where none is known.
	Leader(shard uint32) uint64
	// Wanted are the nodes that should hold a shard.
	Wanted(shard uint32) []uint64
	// Lost reports whether a node has been out of reach for longer than an election takes.
	Lost(node uint64) bool
	// Relays are nodes that may reach a shard's leader, which this one can't.
	Relays(shard uint32, leader uint64) []uint64
	// Isolated is how long this node has been receiving nothing from any other one.
	Isolated() time.Duration
}

// Clock tells the time and rings.
type Clock interface {
	// Now is the time.
	Now() time.Time
	// AfterFunc calls f after a while, on any goroutine, unless it is stopped before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Options configure a Router.
type Options struct {
	// Self is this node's id.
	Self  uint64
	Local Local
	Peers Peers
	Clock Clock
	// Settled reports whether the cluster was formed once. Until then no delivery is taken: what
	// its founder kept would lie on one disk, and in a cluster that was founded by mistake beside
	// another one it would stay there.
	Settled func() bool
	// Random draws the router's number, which no other router of the cluster ever has. Default
	// rand.Uint64.
	Random     func() uint64
	Registerer prometheus.Registerer
}

// Router takes deliveries to their conversations. Its methods may be called by any goroutine, and
// never block.
type Router struct {
	options Options
	id      uint64 // in the places of messages

	mu       sync.Mutex
	closed   bool
	numbers  uint64                      // of flights
	inFlight map[uint32]map[*flight]bool // attempts at other nodes, by shard
	queues   map[queueKey]*queue         // of all that has no outcome yet

	forwarded *prometheus.CounterVec
}

const (
	// Within bounds the way of a delivery: longer than an election after a crash, shorter than a
	// gateway waits.
	Within = 6 * time.Second
	// isolatedMost is how long a node may be isolated until what it can't do alone is not tried any
	// more. Until then it waits: on a machine without a free processor nodes receive nothing from
	// each other for a second, either.
	isolatedMost = 2500 * time.Millisecond
	// backOffFirst and backOffMost are the waits between two attempts.
	backOffFirst = 5 * time.Millisecond
	backOffMost  = 80 * time.Millisecond
)

// New returns a Router.
func New(options Options) *Router {
	if options.Random == nil {
		options.Random = rand.Uint64
	}
	r := &Router{
		options: options, id: max(options.Random(), 1), inFlight: map[uint32]map[*flight]bool{},
		queues: map[queueKey]*queue{},
		forwarded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_deliveries_forwarded_total",
			Help: "Deliveries sent to the node that leads their conversation: ok, again (tried again) or failed.",
		}, []string{"result"}),
	}
	options.Registerer.MustRegister(r.forwarded)
	return r
}

// Deliver takes a delivery to its conversation, on whichever node leads it. Deliveries of one
// conversation by one goroutine keep their order.
func (r *Router) Deliver(e delivery.Envelope, done delivery.Done) { r.begin(e, false, done) }

// Receive takes a delivery that another node has sent: with relay, as that node can't reach the
// leader; else only if this node leads, since the other one knows what else to try.
func (r *Router) Receive(e delivery.Envelope, relay bool, done delivery.Done) {
	if relay {
		r.begin(e, true, done)
		return
	}
	r.options.Local.Deliver(e, func(o delivery.Outcome) {
		if errors.Is(o.Err, delivery.ErrNotLeader) {
			if leader := r.options.Peers.Leader(r.options.Local.Shard(e.To)); leader != r.options.Self {
				o.Leader = leader
			}
		}
		done(o)
	})
}

// LeaderChanged takes back attempts at nodes that are not the leader of a shard any more: such a
// node may be paused or cut off, and its answer never come.
func (r *Router) LeaderChanged(shard uint32, leader uint64) {
	r.mu.Lock()
	var left []*flight
	for f := range r.inFlight[shard] {
		if f.node != leader && f.envelope.Repeatable() {
			delete(r.inFlight[shard], f)
			left = append(left, f)
		}
	}
	r.mu.Unlock()
	sortFlights(left)
	for _, f := range left {
		r.forwarded.WithLabelValues("again").Inc()
		f.inDoubt = true
		f.backOff(delivery.ErrUnknownFate)
	}
}

// arrived ends an attempt that is in flight; false where it was taken back.
func (r *Router) arrived(f *flight, shard uint32, round int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (f.round != round || !r.inFlight[shard][f]) && !planted.Is(planted.LateOutcomeTaken) {
		return false
	}
	delete(r.inFlight[shard], f)
	return true
}

// Close ends all that waits for another attempt, now and later.
func (r *Router) Close() {
	r.mu.Lock()
	r.closed = true
	left := r.abandon()
	r.mu.Unlock()
	for _, f := range left {
		f.stopExpiry()
		f.end(delivery.ErrStopping)
	}
}

// again reports whether an attempt that failed so is followed by another one.
func (f *flight) again(err error) bool {
	switch {
	case errors.Is(err, delivery.ErrNotLeader), errors.Is(err, delivery.ErrStopping),
		errors.Is(err, delivery.ErrOutOfTurn):
		return true
	case errors.Is(err, delivery.ErrUnknownChannel):
		return true // the leader is configured otherwise than this node, and gives its shards to others
	case errors.Is(err, delivery.ErrUnknownFate):
		f.inDoubt = true
		return f.envelope.Repeatable()
	}
	return false
}
