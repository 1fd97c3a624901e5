package node

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// router takes deliveries to the nodes that lead their conversations. While a lead changes it tries again, within a deadline: the
// provider hears nothing of an election that is over in time. What may have been kept is only tried again where that does no harm.
type router struct {
	self    uint64
	runtime *actors.Runtime
	// peers returns the cluster, or nil where it is not there yet.
	peers func() *cluster.Cluster

	mu      sync.Mutex
	closed  bool
	flying  map[uint32]map[*trip]bool // on their way to another node, by shard
	resting map[*trip]*time.Timer     // waiting to be tried again

	forwarded *prometheus.CounterVec
}

const (
	// routeWithin bounds the way of a delivery: longer than an election after a crash, shorter than a gateway waits.
	routeWithin = 6 * time.Second
	// restFirst and restMost are the pauses between two tries.
	restFirst = 5 * time.Millisecond
	restMost  = 80 * time.Millisecond
)

func newRouter(self uint64, runtime *actors.Runtime, peers func() *cluster.Cluster, registry prometheus.Registerer) *router {
	r := &router{
		self: self, runtime: runtime, peers: peers, flying: map[uint32]map[*trip]bool{}, resting: map[*trip]*time.Timer{},
		forwarded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_deliveries_forwarded_total",
			Help: "Deliveries sent to the node that leads their conversation: ok, again (tried again) or failed.",
		}, []string{"result"}),
	}
	registry.MustRegister(r.forwarded)
	return r
}

// trip is a delivery on its way.
type trip struct {
	router   *router
	delivery *actors.Delivery
	done     func(conversation.Verdict, error) // the delivery's own
	deadline time.Time
	tries    int
	told     uint64 // who leads, by the last who did not
	relayed  bool   // by another node, which can't reach the leader
	unknown  bool   // a try may have been kept

	// of the try that is on its way, under the router's lock
	try  int
	node uint64
}

// Deliver takes a delivery to its conversation, wherever it is led. It never blocks.
func (r *router) Deliver(d *actors.Delivery) {
	t := &trip{router: r, delivery: d, done: d.Done, deadline: time.Now().Add(routeWithin)}
	t.start()
}

// Relay takes a delivery to its conversation for a node that can't reach the leader.
func (r *router) Relay(d *actors.Delivery) {
	t := &trip{router: r, delivery: d, done: d.Done, deadline: time.Now().Add(routeWithin), relayed: true}
	t.start()
}

// start tries once.
func (t *trip) start() {
	r, d := t.router, t.delivery
	shard := r.runtime.Shard(d.Conversation)
	if r.runtime.Leads(shard) {
		d.Done = t.landed
		r.runtime.Deliver(d)
		return
	}
	peers := r.peers()
	if peers == nil {
		t.rest(actors.ErrNotLeader)
		return
	}
	node, relay := t.target(peers, shard)
	if node == 0 || node == r.self {
		t.rest(actors.ErrNotLeader)
		return
	}
	r.mu.Lock()
	t.try, t.node = t.try+1, node
	try := t.try
	if r.flying[shard] == nil {
		r.flying[shard] = map[*trip]bool{}
	}
	r.flying[shard][t] = true
	r.mu.Unlock()
	out := d.Encode()
	out.Relay = relay
	peers.Deliver(node, out, func(o *clusterv1.Outcome, err error) {
		if r.arrived(t, shard, try) {
			t.answered(o, err)
		}
	})
}

// target chooses the node to try. Mostly that is who is said to lead; now and then another one that should hold the shard, since
// what is said may be old. Where the leader is out of reach for longer than an election takes, others may reach it: the network
// between two nodes can be cut while both are well.
func (t *trip) target(peers *cluster.Cluster, shard uint32) (node uint64, relay bool) {
	if told := t.told; told != 0 {
		t.told = 0
		return told, false
	}
	hint, known := peers.Leader(shard)
	if known && !t.relayed && peers.Lost(hint.Node) {
		if others := peers.Relays(shard, hint.Node); len(others) > 0 {
			return others[t.tries%len(others)], true
		}
	}
	if wanted := peers.Wanted(shard); len(wanted) > 0 && (!known || t.tries%4 == 3) {
		return wanted[t.tries%len(wanted)], false
	}
	return hint.Node, false
}

// arrived ends a try that is on its way; false where it was given up.
func (r *router) arrived(t *trip, shard uint32, try int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.try != try || !r.flying[shard][t] {
		return false
	}
	delete(r.flying[shard], t)
	return true
}

// answered takes what another node says of the delivery.
func (t *trip) answered(o *clusterv1.Outcome, err error) {
	switch {
	case errors.Is(err, cluster.ErrUnreachable):
		err = actors.ErrNotLeader
	case errors.Is(err, cluster.ErrBroken):
		err = actors.ErrUnknownFate
	case errors.Is(err, cluster.ErrBusy):
		err = actors.ErrOverloaded
	case err == nil:
		err = actors.Refused(o)
		t.told = o.GetLeader()
	}
	if t.again(err) {
		t.router.forwarded.WithLabelValues("again").Inc()
		t.rest(err)
		return
	}
	result := "ok"
	if err != nil {
		result = "failed"
	}
	t.router.forwarded.WithLabelValues(result).Inc()
	t.delivery.Done = t.done
	if err == nil {
		t.delivery.Finish(o)
		return
	}
	t.done(0, err)
}

// landed takes the outcome of a try on this node.
func (t *trip) landed(verdict conversation.Verdict, err error) {
	if t.again(err) {
		t.rest(err)
		return
	}
	t.delivery.Done = t.done
	t.done(verdict, err)
}

// again reports whether a try that ended so is followed by another one.
func (t *trip) again(err error) bool {
	switch {
	case errors.Is(err, actors.ErrNotLeader), errors.Is(err, actors.ErrStopping):
		return true
	case errors.Is(err, actors.ErrUnknownFate):
		t.unknown = true
		return t.delivery.Repeatable()
	}
	return false
}

// rest waits for the next try, or ends the trip where its time is over.
func (t *trip) rest(err error) {
	r := t.router
	t.delivery.Done = t.done
	wait := min(restFirst<<min(t.tries, 10), restMost)
	t.tries++
	if peers := r.peers(); peers != nil && peers.Isolated() {
		t.end(err) // it is another node that can take it, and the provider will find one
		return
	}
	r.mu.Lock()
	if !r.closed && time.Now().Add(wait).Before(t.deadline) {
		t.delivery.Again()
		r.resting[t] = time.AfterFunc(wait, func() {
			r.mu.Lock()
			_, waits := r.resting[t]
			delete(r.resting, t)
			r.mu.Unlock()
			if waits {
				t.start()
			}
		})
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	t.end(err)
}

func (t *trip) end(err error) {
	if t.unknown {
		err = actors.ErrUnknownFate
	}
	t.done(0, err)
}

// hinted gives up waiting for who does not lead a shard any more: it may be paused or cut off, and its answer never come.
func (r *router) hinted(hint cluster.Hint) {
	r.mu.Lock()
	var left []*trip
	for t := range r.flying[hint.Shard] {
		if t.node != hint.Node && t.delivery.Repeatable() {
			delete(r.flying[hint.Shard], t)
			left = append(left, t)
		}
	}
	r.mu.Unlock()
	for _, t := range left {
		r.forwarded.WithLabelValues("again").Inc()
		t.unknown = true
		t.rest(actors.ErrUnknownFate)
	}
}

// close ends all that waits to be tried again, now and later.
func (r *router) close() {
	r.mu.Lock()
	r.closed = true
	resting := r.resting
	r.resting = map[*trip]*time.Timer{}
	r.mu.Unlock()
	for t, timer := range resting {
		timer.Stop()
		t.end(actors.ErrStopping)
	}
}
