package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/wactor/wactor/delivery"
)

// flight is a delivery that has no outcome yet. Attempts follow each other; only one at a time is
// under way.
type flight struct {
	router   *Router
	envelope delivery.Envelope
	done     delivery.Done
	deadline time.Time

	attempts int    // that failed
	leader   uint64 // by the last node that was not the leader
	relayed  bool   // by another node, which can't reach the leader
	inDoubt  bool   // an attempt may have been kept

	place
	remote
}

// place is where a flight stands in its queue, under the router's lock.
type place struct {
	queue  *queue
	number uint64 // in the order in which they came
	state  state
	// of one that waits, or did
	reason error
	expiry func() bool
}

type state int

const (
	waiting  state = iota // for its turn, or for another attempt
	underWay              // an attempt has no outcome yet
	ended
)

// remote is the attempt at another node, under the router's lock.
type remote struct {
	round int // counts the attempts
	node  uint64
}

// begin takes a delivery, and makes its first attempt when it is its turn.
func (r *Router) begin(e delivery.Envelope, relayed bool, done delivery.Done) {
	f := &flight{router: r, envelope: e, done: done, relayed: relayed,
		deadline: r.options.Clock.Now().Add(Within)}
	r.proceed(r.join(f))
}

// attempt makes one attempt.
func (f *flight) attempt(e delivery.Envelope) {
	r := f.router
	if !r.options.Settled() {
		f.backOff(delivery.ErrNotLeader)
		return
	}
	local := r.options.Local
	shard := local.Shard(f.envelope.To)
	if local.Leads(shard) {
		local.Deliver(e, f.completed)
		return
	}
	node, relay := f.target(shard)
	if node == 0 || node == r.options.Self {
		f.backOff(delivery.ErrNotLeader)
		return
	}
	r.mu.Lock()
	f.round, f.node = f.round+1, node
	round := f.round
	if r.inFlight[shard] == nil {
		r.inFlight[shard] = map[*flight]bool{}
	}
	r.inFlight[shard][f] = true
	r.mu.Unlock()
	r.options.Peers.Send(node, e, relay, func(o delivery.Outcome) {
		if r.arrived(f, shard, round) {
			f.returned(o)
		}
	})
}

// target chooses the node to try. Mostly that is the assumed leader; now and then another
// one that should hold the shard, since the assumption may be old. Where the leader is out of reach
// for longer than an election takes, others may reach it: the network between two nodes can be cut
// while both are well.
func (f *flight) target(shard uint32) (node uint64, relay bool) {
	if leader := f.leader; leader != 0 {
		f.leader = 0
		return leader, false
	}
	peers := f.router.options.Peers
	leader := peers.Leader(shard)
	if leader != 0 && !f.relayed && peers.Lost(leader) {
		if others := peers.Relays(shard, leader); len(others) > 0 {
			return others[f.attempts%len(others)], true
		}
	}
	if leader == 0 || f.attempts%4 == 3 {
		if wanted := peers.Wanted(shard); len(wanted) > 0 {
			return wanted[f.attempts%len(wanted)], false
		}
	}
	return leader, false
}

// returned takes the outcome of an attempt at another node.
func (f *flight) returned(o delivery.Outcome) {
	f.leader = o.Leader
	counter := f.router.forwarded
	if f.again(o.Err) {
		counter.WithLabelValues("again").Inc()
		f.backOff(o.Err)
		return
	}
	if o.Err != nil {
		counter.WithLabelValues("failed").Inc()
	} else {
		counter.WithLabelValues("ok").Inc()
	}
	f.finish(o)
}

// completed takes the outcome of an attempt on this node.
func (f *flight) completed(o delivery.Outcome) {
	if f.again(o.Err) {
		f.backOff(o.Err)
		return
	}
	f.finish(o)
}

// backOff waits for the next attempt, or ends the flight where its time is over.
func (f *flight) backOff(err error) {
	r := f.router
	wait := min(backOffFirst<<min(f.attempts, 10), backOffMost)
	f.attempts++
	if r.options.Peers.Isolated() > isolatedMost {
		f.end(err) // it is another node that can take it, and the provider will find one
		return
	}
	r.mu.Lock()
	if !r.closed && r.options.Clock.Now().Add(wait).Before(f.deadline) {
		f.envelope = f.envelope.Fresh()
		r.wait(f, wait, err)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	f.end(err)
}

// end ends a flight without an outcome.
func (f *flight) end(err error) {
	if f.inDoubt {
		err = delivery.ErrUnknownFate
	}
	f.finish(delivery.Outcome{Err: err})
}

func (f *flight) finish(o delivery.Outcome) {
	r := f.router
	r.leave(f, o.Err == nil)
	f.done(o)
	r.proceed(f.queue)
}

func (f *flight) stopExpiry() {
	if f.expiry != nil {
		f.expiry()
		f.expiry = nil
	}
}

// sortFlights puts flights into the order in which they came.
func sortFlights(flights []*flight) {
	slices.SortFunc(flights, func(a, b *flight) int { return cmp.Compare(a.number, b.number) })
}
