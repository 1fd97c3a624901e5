package node

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// router takes deliveries to the nodes that lead their conversations. While a lead changes it tries
// again, within a deadline: the provider hears nothing of an election that is over in time. What
// may have been kept is only tried again where that does no harm.
type router struct {
	self    uint64
	runtime *actors.Runtime
	// peers returns the cluster, or nil where it is not there yet.
	peers func() *cluster.Cluster
	// settled reports whether the cluster was formed once. Until then nothing is taken: what its
	// founder kept would lie on one disk, and in a cluster that was founded by mistake beside
	// another one it would stay there.
	settled func() bool

	numbers atomic.Uint64 // of trips
	lined   atomic.Int64  // how many lines there are

	mu     sync.Mutex
	closed bool
	flying map[uint32]map[*trip]bool // on their way to another node, by shard
	lines  map[lineKey]*line         // waiting to be tried again

	forwarded *prometheus.CounterVec
}

const (
	// routeWithin bounds the way of a delivery: longer than an election after a crash, shorter than
	// a gateway waits.
	routeWithin = 6 * time.Second
	// isolatedMost is how long a node hears nobody until what it can't do alone is not tried any
	// more. Until then it waits: on a machine without a free processor nodes do not hear each other
	// for a second, either.
	isolatedMost = 2500 * time.Millisecond
	// restFirst and restMost are the pauses between two tries.
	restFirst = 5 * time.Millisecond
	restMost  = 80 * time.Millisecond
)

func newRouter(
	self uint64, runtime *actors.Runtime, peers func() *cluster.Cluster, settled func() bool,
	registry prometheus.Registerer,
) *router {
	r := &router{
		self: self, runtime: runtime, peers: peers, settled: settled, flying: map[uint32]map[*trip]bool{},
		lines: map[lineKey]*line{},
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

	number uint64 // in the order in which they came
	key    lineKey
	// of one that waits, or did
	waited bool
	reason error
	expiry *time.Timer

	// of the try that is on its way, under the router's lock
	try  int
	node uint64
}

// Deliver takes a delivery to its conversation, wherever it is led. It never blocks.
func (r *router) Deliver(d *actors.Delivery) {
	r.newTrip(d).begin()
}

// Relay takes a delivery to its conversation for a node that can't reach the leader.
func (r *router) Relay(d *actors.Delivery) {
	t := r.newTrip(d)
	t.relayed = true
	t.begin()
}

func (r *router) newTrip(d *actors.Delivery) *trip {
	t := &trip{router: r, delivery: d, done: d.Done, deadline: time.Now().Add(routeWithin), number: r.numbers.Add(1)}
	if t.key.conversation = d.Conversation; !t.ordered() {
		t.key.number = t.number
	}
	return t
}

func (t *trip) begin() {
	if !t.router.join(t) {
		t.start()
	}
}

// start tries once.
func (t *trip) start() {
	r, d := t.router, t.delivery
	if !r.settled() {
		t.rest(actors.ErrNotLeader)
		return
	}
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
	out := d.Encode() // before anybody may give this try up
	out.Relay = relay
	r.mu.Lock()
	t.try, t.node = t.try+1, node
	try := t.try
	if r.flying[shard] == nil {
		r.flying[shard] = map[*trip]bool{}
	}
	r.flying[shard][t] = true
	r.mu.Unlock()
	peers.Deliver(node, out, func(o *clusterv1.Outcome, err error) {
		if r.arrived(t, shard, try) {
			t.answered(o, err)
		}
	})
}

// target chooses the node to try. Mostly that is who is said to lead; now and then another one that
// should hold the shard, since what is said may be old. Where the leader is out of reach for longer
// than an election takes, others may reach it: the network between two nodes can be cut while both
// are well.
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
	} else {
		t.done(0, err)
	}
	t.router.left(t)
}

// landed takes the outcome of a try on this node.
func (t *trip) landed(verdict conversation.Verdict, err error) {
	if t.again(err) {
		t.rest(err)
		return
	}
	t.delivery.Done = t.done
	t.done(verdict, err)
	t.router.left(t)
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
	if peers := r.peers(); peers != nil && peers.Isolated() > isolatedMost {
		t.end(err) // it is another node that can take it, and the provider will find one
		return
	}
	r.mu.Lock()
	if !r.closed && time.Now().Add(wait).Before(t.deadline) {
		t.delivery.Again()
		r.wait(t, wait, err)
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
	t.router.left(t)
}

// hinted gives up waiting for who does not lead a shard any more: it may be paused or cut off, and
// its answer never come.
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
